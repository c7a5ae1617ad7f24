//! A harness for shops in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::scenarios::ShopBackend;
use stockpulse_core::conformance::{BusBackend, Harness, InventoryBackend, Mapped, OrderBackend};
use stockpulse_core::layer::{Layer, Layered};
use stockpulse_core::memory::{ManualClock, MemoryBus, MemoryInventoryStore, MemoryOrderStore};
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::Clock;

/// Opens shops in memory, whose time passes when it is told to.
pub(crate) struct Memory {
    clock: ManualClock,
    deadline: Duration,
    /// How many of the events come twice.
    duplicates: f64,
    /// What was opened last; as durable as memory gets.
    opened: Mutex<Option<ShopBackend>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self::with_deadline(Duration::from_secs(60))
    }

    /// On a bus that delivers half of the events a second time.
    pub(crate) fn with_duplicates() -> Self {
        Self { duplicates: 0.5, ..Self::new() }
    }

    /// Gives up on rules earlier, for backends on which they may never end.
    pub(crate) fn with_deadline(deadline: Duration) -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
        Self { clock, deadline, duplicates: 0.0, opened: Mutex::new(None) }
    }
}

#[async_trait]
impl Harness<ShopBackend> for Memory {
    async fn open(&self) -> Result<ShopBackend> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let (stock, orders) =
            (MemoryInventoryStore::new(Arc::clone(&clock)), MemoryOrderStore::new(Arc::clone(&clock)));
        let inventory = InventoryBackend { outbox: Arc::new(stock.outbox()), store: Arc::new(stock) };
        let orders = OrderBackend { outbox: Arc::new(orders.outbox()), store: Arc::new(orders) };
        let mut backend = ShopBackend::on_memory_bus(inventory, orders, Arc::clone(&clock));
        if self.duplicates > 0.0 {
            let bus = MemoryBus::new().with_clock(clock).with_duplicates(self.duplicates, 1);
            backend.bus = BusBackend { publisher: Arc::new(bus.clone()), subscriber: Arc::new(bus) };
        }
        *self.opened.lock().unwrap() = Some(backend.clone());
        Ok(backend)
    }

    async fn reopen(&self, backend: ShopBackend) -> Result<ShopBackend> {
        drop(backend);
        Ok(self.opened.lock().unwrap().clone().unwrap())
    }

    async fn another(&self) -> Result<Option<ShopBackend>> {
        Ok(self.opened.lock().unwrap().clone())
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn deadline(&self) -> Duration {
        self.deadline
    }
}

/// A shop with a layer around each of its ports.
pub(crate) fn layered<L: Layer + Clone>(layer: L) -> impl Harness<ShopBackend> {
    Mapped::new(Memory::new(), move |shop: ShopBackend| ShopBackend {
        inventory: InventoryBackend {
            store: Arc::new(Layered::new(shop.inventory.store, layer.clone())),
            outbox: Arc::new(Layered::new(shop.inventory.outbox, layer.clone())),
        },
        orders: OrderBackend {
            store: Arc::new(Layered::new(shop.orders.store, layer.clone())),
            outbox: Arc::new(Layered::new(shop.orders.outbox, layer.clone())),
        },
        bus: BusBackend {
            publisher: Arc::new(Layered::new(shop.bus.publisher, layer.clone())),
            subscriber: Arc::new(Layered::new(shop.bus.subscriber, layer.clone())),
        },
        clock: shop.clock,
    })
}
