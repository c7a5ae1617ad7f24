//! What the scenarios need: everything that a shop runs on.

use std::sync::Arc;

use crate::conformance::{BusBackend, InventoryBackend, OrderBackend};
use crate::port::Clock;

/// Everything that a shop runs on.
#[derive(Clone, Debug)]
pub struct ShopBackend {
    /// Stock.
    pub inventory: InventoryBackend,
    /// Orders.
    pub orders: OrderBackend,
    /// The bus between them. It is another process: when the shop is reopened, the same bus is there.
    pub bus: BusBackend,
    /// The clock of services and workers. [`Harness::pass`](crate::conformance::Harness::pass) moves it without
    /// waiting, since scenarios take half an hour, and leases of the backend's own need not follow it. A
    /// [`ManualClock`](crate::memory::ManualClock) that begins at the machine's time will do for any server.
    pub clock: Arc<dyn Clock>,
}

#[cfg(feature = "memory")]
impl ShopBackend {
    /// Stores that bring no bus, on one in memory.
    #[must_use]
    pub fn on_memory_bus(inventory: InventoryBackend, orders: OrderBackend, clock: Arc<dyn Clock>) -> Self {
        let bus = crate::memory::MemoryBus::new().with_clock(Arc::clone(&clock));
        let bus = BusBackend { publisher: Arc::new(bus.clone()), subscriber: Arc::new(bus) };
        Self { inventory, orders, bus, clock }
    }
}
