//! The services: what an application calls.

mod admission;
mod catalog;
mod context;
mod group_commit;
mod inventory;
mod inventory_calls;
mod notifications;
mod orders;
mod reads;
mod router;

pub use catalog::{Catalog, Customers};
pub(crate) use group_commit::panic_message;
pub use group_commit::{Backpressure, GroupCommitOptions};
pub use inventory::{Inventory, InventoryBuilder};
pub use notifications::Notifications;
pub use orders::{OrderDecision, Orders, OrdersBuilder};
pub use reads::Cacheable;
pub(crate) use reads::SharedCache;
#[cfg(feature = "near-cache")]
pub use reads::{Near, NearLevels, NearOptions, NearProducts};
