//! The backends that a replay runs on. They outlive a crash of the services.

use std::sync::Arc;

use stockpulse_core::SystemClock;
use stockpulse_core::memory::{MemoryBus, MemoryInventoryStore, MemoryOrderStore};
use stockpulse_core::port::{InventoryStore, OrderStore, Outbox, Publisher, Subscriber};

use crate::args::{Args, BusKind, StoreKind};
use crate::error::ReplayError;
use crate::publisher::ReplayPublisher;

/// Stores, outboxes and a bus.
#[derive(Clone, Debug)]
pub struct Backends {
    /// Where stock is kept.
    pub inventory: Arc<dyn InventoryStore>,
    /// Where orders are kept.
    pub orders: Arc<dyn OrderStore>,
    /// The events of stock that wait to be published.
    pub inventory_outbox: Arc<dyn Outbox>,
    /// The events of orders that wait to be published.
    pub order_outbox: Arc<dyn Outbox>,
    /// Publishes events, some of them twice if that was asked for.
    pub publisher: Arc<ReplayPublisher>,
    /// Delivers events.
    pub subscriber: Arc<dyn Subscriber>,
}

impl Backends {
    /// Opens what the command line names.
    ///
    /// # Errors
    /// [`ReplayError::UnknownBackend`] for what this build does not have.
    pub fn open(args: &Args) -> Result<Self, ReplayError> {
        let (StoreKind::Memory, BusKind::Memory) = args.backends()?;
        let clock = Arc::new(SystemClock);
        let inventory = MemoryInventoryStore::new(clock.clone());
        let orders = MemoryOrderStore::new(clock);
        // Orders have to be reserved in the files' order, and only within a partition is there an order.
        let bus = Arc::new(MemoryBus::new().with_partitions(1).with_max_event_bytes(MAX_EVENT_BYTES));
        let publisher = ReplayPublisher::new(bus.clone() as Arc<dyn Publisher>, args.seed_duplicates, args.seed);
        Ok(Self {
            inventory_outbox: Arc::new(inventory.outbox()),
            order_outbox: Arc::new(orders.outbox()),
            inventory: Arc::new(inventory),
            orders: Arc::new(orders),
            publisher: Arc::new(publisher),
            subscriber: bus,
        })
    }
}

/// An invoice may have thousands of rows: the largest document that the bus has to take.
const MAX_EVENT_BYTES: usize = 64 << 20;
