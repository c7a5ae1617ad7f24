//! The services: what an application calls.

mod admission;
mod catalog;
mod context;
mod group_commit;
mod inventory;
mod inventory_calls;
mod level_cache;
mod level_reads;
#[cfg(feature = "near-cache")]
mod near_levels;
mod notifications;
mod orders;
mod router;

pub use catalog::{Catalog, Customers};
pub(crate) use group_commit::panic_message;
pub use group_commit::{Backpressure, GroupCommitOptions};
pub use inventory::{Inventory, InventoryBuilder};
pub(crate) use level_cache::LevelCache;
#[cfg(feature = "near-cache")]
pub use near_levels::{NearLevels, NearOptions};
pub use notifications::Notifications;
pub use orders::{OrderDecision, Orders, OrdersBuilder};
