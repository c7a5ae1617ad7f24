//! Stock: commands, the working set they change, and the rules.

mod adjust;
mod command;
mod decide;
mod draw;
mod lifecycle;
mod load_plan;
mod outcome;
mod reserve;
mod settings;
mod sourcing;
mod working_set;

pub use command::{Existing, Hold, LevelSettings, Parts, Reserve, ReserveLine, StockAction, StockCommand};
pub use load_plan::LoadPlan;
pub use outcome::{
    Allocated, Decision, Extended, Filled, Fulfilled, Moved, Refusal, Released, Reserved, Retired, StockOutcome,
};
pub use sourcing::{Candidate, SourcingStrategy};
pub use working_set::{BackorderChange, RowChange, StockWorkingSet};

pub(crate) use decide::decide;

#[cfg(test)]
mod tests;
