//! Orders: commands, the working set they change, and the rules.

mod cancel;
mod command;
mod decide;
mod outcome;
mod payment;
mod place;
mod ship;
mod stock;
#[cfg(test)]
mod tests;
mod working_set;

pub use command::{OrderAction, OrderCommand, OrderParts, PaymentResult, Place, PlaceLine, PurchaseLimit, StockAnswer};
pub use outcome::{OrderOutcome, OrderRefusal, OrderState};
pub use working_set::{OrderLoadPlan, OrderWorkingSet, PurchaseKey};

pub(crate) use decide::decide;
