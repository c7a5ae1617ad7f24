//! What a simulated shop keeps its data in.

use std::sync::Arc;

use crate::memory::{
    MemoryCatalogStore, MemoryCustomerStore, MemoryInventoryStore, MemoryNotificationLog, MemoryOrderStore,
    MemoryOutbox,
};
use crate::port::{CatalogStore, Clock, CustomerStore, InventoryStore, NotificationLog, OrderStore, Outbox};

/// The stores of a simulated shop, each with its outbox. They outlive every node.
///
/// [`Stores::memory`] is what is simulated unless set. To simulate others, give
/// [`Simulation::with_stores`](super::Simulation::with_stores) a function that makes empty ones. They must answer
/// without waiting for anything outside the simulation: its time does not pass while nobody sleeps by its clock, and
/// passes at once when everybody does.
#[derive(Clone, Debug)]
pub struct Stores {
    /// Inventory's store.
    pub inventory: Arc<dyn InventoryStore>,
    /// Its outbox.
    pub inventory_outbox: Arc<dyn Outbox>,
    /// The order store.
    pub orders: Arc<dyn OrderStore>,
    /// Its outbox.
    pub orders_outbox: Arc<dyn Outbox>,
    /// The catalog.
    pub catalog: Arc<dyn CatalogStore>,
    /// Its outbox.
    pub catalog_outbox: Arc<dyn Outbox>,
    /// The customers. Their events are not simulated.
    pub customers: Arc<dyn CustomerStore>,
    /// The notification log.
    pub notifications: Arc<dyn NotificationLog>,
    /// Its outbox.
    pub notifications_outbox: Arc<dyn Outbox>,
}

impl Stores {
    /// The reference stores, empty, by this clock.
    #[must_use]
    pub fn memory(clock: &Arc<dyn Clock>) -> Self {
        let inventory = MemoryInventoryStore::new(Arc::clone(clock));
        let orders = MemoryOrderStore::new(Arc::clone(clock));
        let catalog = MemoryCatalogStore::new(Arc::clone(clock));
        let notifications = MemoryOutbox::new(Arc::clone(clock));
        Self {
            inventory_outbox: Arc::new(inventory.outbox()),
            inventory: Arc::new(inventory),
            orders_outbox: Arc::new(orders.outbox()),
            orders: Arc::new(orders),
            catalog_outbox: Arc::new(catalog.outbox()),
            catalog: Arc::new(catalog),
            customers: Arc::new(MemoryCustomerStore::new(Arc::clone(clock))),
            notifications: Arc::new(MemoryNotificationLog::new(notifications.clone())),
            notifications_outbox: Arc::new(notifications),
        }
    }
}
