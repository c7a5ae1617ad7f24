//! Reference backends in memory: what every other backend is compared with.
//!
//! They are complete and correct, and what they hold is gone with the process. Use them in tests, demonstrations
//! and simulations; a deployment uses a database.

mod bus;
mod cache;
mod clock;
mod gate;
mod holds;
mod ids;
mod inventory_store;
mod notification_log;
mod notifier;
mod order_store;
mod outbox;
mod record_store;

#[cfg(feature = "sim")]
pub(crate) use bus::SplitMix64;
pub use bus::{DeadLetter, MemoryBus};
pub use cache::MemoryCache;
pub use clock::ManualClock;
pub use gate::MemoryGate;
pub use ids::SequentialIds;
pub use inventory_store::MemoryInventoryStore;
pub use notification_log::MemoryNotificationLog;
pub use notifier::RecordingNotifier;
pub use order_store::MemoryOrderStore;
pub use outbox::MemoryOutbox;
pub use record_store::{MemoryCatalogStore, MemoryCustomerStore, MemoryRecordStore};
