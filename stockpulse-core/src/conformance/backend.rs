//! What the rules of each port need.

use std::sync::Arc;

use crate::port::{
    CatalogStore, CustomerStore, InventoryStore, NotificationLog, OrderStore, Outbox, Publisher, Subscriber,
};

/// An inventory store with its outbox.
#[derive(Clone, Debug)]
pub struct InventoryBackend {
    /// The store.
    pub store: Arc<dyn InventoryStore>,
    /// The outbox that its events go to.
    pub outbox: Arc<dyn Outbox>,
}

/// An order store with its outbox.
#[derive(Clone, Debug)]
pub struct OrderBackend {
    /// The store.
    pub store: Arc<dyn OrderStore>,
    /// The outbox that its events go to.
    pub outbox: Arc<dyn Outbox>,
}

/// A catalog with its outbox.
#[derive(Clone, Debug)]
pub struct CatalogBackend {
    /// The store.
    pub store: Arc<dyn CatalogStore>,
    /// The outbox that its events go to.
    pub outbox: Arc<dyn Outbox>,
}

/// A store of customers with its outbox.
#[derive(Clone, Debug)]
pub struct CustomerBackend {
    /// The store.
    pub store: Arc<dyn CustomerStore>,
    /// The outbox that its events go to.
    pub outbox: Arc<dyn Outbox>,
}

/// A notification log with its outbox.
#[derive(Clone, Debug)]
pub struct NotificationBackend {
    /// The log.
    pub log: Arc<dyn NotificationLog>,
    /// The outbox that its events go to.
    pub outbox: Arc<dyn Outbox>,
}

/// The two ends of a bus.
#[derive(Clone, Debug)]
pub struct BusBackend {
    /// Where events go in.
    pub publisher: Arc<dyn Publisher>,
    /// Where they come out.
    pub subscriber: Arc<dyn Subscriber>,
}
