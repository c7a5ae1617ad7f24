//! The ports: what StockPulse needs from the world, as traits.
//!
//! All are object-safe, batch-first, and answer in the order in which they were asked. Feature `mock` adds a
//! `mockall` mock of each. An `Arc` of a port is that port too, and a `Box` of a [`Subscription`] is one: wrappers such as
//! [`Layered`](crate::layer::Layered) go around either.

mod bus;
mod cache;
mod clock;
mod every;
mod gate;
mod inventory_store;
mod notification;
mod order_store;
mod outbox;
mod page;
mod record_store;
mod shared;

pub use bus::{Delivery, DeliveryTag, Nack, Published, Publisher, Start, SubscribeOptions, Subscriber, Subscription};
pub use cache::{Cache, CacheKey, CachePut, Cached};
pub use clock::{Clock, IdGenerator};
pub(crate) use every::every_port;
pub use gate::{Admission, AdmissionGate, AdmitRequest, GateLevel};
pub use inventory_store::{InventoryStore, LevelAudit};
pub use notification::{Delivered, NotificationLog, Notifier};
pub use order_store::{OrderQuery, OrderStore};
pub use outbox::{
    Claim, Failed, Lease, OUTBOX_SHARDS, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined, outbox_shard,
};
pub use page::Page;
pub use record_store::{CatalogStore, CustomerStore};

#[cfg(feature = "mock")]
pub use {
    bus::{MockPublisher, MockSubscriber, MockSubscription},
    cache::MockCache,
    clock::{MockClock, MockIdGenerator},
    gate::MockAdmissionGate,
    inventory_store::MockInventoryStore,
    notification::{MockNotificationLog, MockNotifier},
    order_store::MockOrderStore,
    outbox::MockOutbox,
    record_store::{MockCatalogStore, MockCustomerStore},
};
