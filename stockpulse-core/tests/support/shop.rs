//! A whole shop on memory backends: what outlives a crash, and what is started on it.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::order::Place;
use stockpulse_core::engine::record::Expected;
use stockpulse_core::memory::{
    ManualClock, MemoryBus, MemoryCache, MemoryCustomerStore, MemoryGate, MemoryInventoryStore, MemoryNotificationLog,
    MemoryOrderStore, MemoryOutbox, RecordingNotifier,
};
use stockpulse_core::model::{Customer, CustomerId, Event, OrderId};
use stockpulse_core::port::Clock;
use stockpulse_core::service::{Customers, Inventory, Notifications, Orders};
use stockpulse_core::worker::{
    CacheHandler, ExpirySweeper, Handler, InventoryHandler, NotificationHandler, OrderHandler, OutboxRelay, Processor,
    Reconciler, RelayOptions, Stage, Supervisor, SweepOptions,
};

use super::{euro, shards, sku};

pub(crate) const ANN: CustomerId = CustomerId::from_u128(1);
pub(crate) const GROUPS: [&str; 4] = ["inventory", "orders", "notifications", "cache"];

/// What outlives a crash.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) time: ManualClock,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bus: MemoryBus,
    pub(crate) inventory: MemoryInventoryStore,
    pub(crate) orders: MemoryOrderStore,
    pub(crate) customers: MemoryCustomerStore,
    pub(crate) log: MemoryNotificationLog,
    pub(crate) told: MemoryOutbox,
    pub(crate) notifier: RecordingNotifier,
    pub(crate) cache: MemoryCache,
    pub(crate) gate: MemoryGate,
}

/// Services and workers, until the next crash.
pub(crate) struct Shop {
    pub(crate) stores: Stores,
    pub(crate) inventory: Inventory,
    pub(crate) orders: Orders,
    pub(crate) supervisor: Supervisor,
}

impl Stores {
    pub(crate) fn new(bus: MemoryBus) -> Self {
        let (time, clock) = super::clock();
        let told = MemoryOutbox::new(Arc::clone(&clock));
        Self {
            bus: bus.with_clock(Arc::clone(&clock)),
            inventory: MemoryInventoryStore::new(Arc::clone(&clock)),
            orders: MemoryOrderStore::new(Arc::clone(&clock)),
            customers: MemoryCustomerStore::new(Arc::clone(&clock)),
            log: MemoryNotificationLog::new(told.clone()),
            told,
            notifier: RecordingNotifier::new(),
            cache: MemoryCache::new(Arc::clone(&clock)),
            gate: MemoryGate::new(Arc::clone(&clock)),
            time,
            clock,
        }
    }

    pub(crate) fn outboxes(&self) -> [(&'static str, MemoryOutbox); 4] {
        [
            ("inventory", self.inventory.outbox()),
            ("orders", self.orders.outbox()),
            ("customers", self.customers.outbox()),
            ("notifications", self.told.clone()),
        ]
    }

    pub(crate) async fn add_customers(&self, numbers: std::ops::RangeInclusive<u128>) {
        let customers = Customers::new(Arc::new(self.customers.clone())).with_clock(Arc::clone(&self.clock));
        for number in numbers {
            customers.put(Customer::new(CustomerId::from_u128(number), "Ann"), Expected::Any).await.unwrap();
        }
    }

    /// The services, without workers.
    pub(crate) fn services(&self) -> (Inventory, Orders) {
        let inventory = Inventory::builder(Arc::new(self.inventory.clone()))
            .with_clock(Arc::clone(&self.clock))
            .with_cache(Arc::new(self.cache.clone()))
            .with_gate(Arc::new(self.gate.clone()))
            .with_group_commit(shards(2));
        let orders = Orders::builder(Arc::new(self.orders.clone())).with_clock(Arc::clone(&self.clock));
        (inventory.start(), orders.start())
    }

    pub(crate) fn handlers(&self, inventory: &Inventory, orders: &Orders) -> [Arc<dyn Handler>; 4] {
        let customers = Customers::new(Arc::new(self.customers.clone()));
        let notifications = Notifications::new(Arc::new(self.log.clone()), Arc::new(self.notifier.clone()), customers)
            .with_clock(Arc::clone(&self.clock));
        let cache =
            CacheHandler::new("cache").with_cache(Arc::new(self.cache.clone())).with_gate(Arc::new(self.gate.clone()));
        [
            Arc::new(InventoryHandler::new(inventory.clone()).with_clock(Arc::clone(&self.clock))),
            Arc::new(OrderHandler::new(orders.clone()).with_clock(Arc::clone(&self.clock))),
            Arc::new(NotificationHandler::new(notifications)),
            Arc::new(cache),
        ]
    }

    /// Starts services and workers on the current runtime.
    pub(crate) fn open(&self) -> Shop {
        let (inventory, orders) = self.services();
        let mut supervisor =
            Supervisor::new(Arc::clone(&self.clock)).with_inventory(inventory.clone()).with_orders(orders.clone());
        for (name, outbox) in self.outboxes() {
            let options = RelayOptions::new(format!("/shop/{name}"), "worker");
            let relay = OutboxRelay::new(Arc::new(outbox), Arc::new(self.bus.clone()), options)
                .with_clock(Arc::clone(&self.clock));
            supervisor.spawn(Stage::Relay, format!("{name} relay"), move |stop| {
                let relay = relay.clone();
                async move { relay.run(stop).await }
            });
        }
        for handler in self.handlers(&inventory, &orders) {
            let processor =
                Processor::new(Arc::new(self.bus.clone()), Arc::clone(&handler)).with_clock(Arc::clone(&self.clock));
            supervisor.spawn(Stage::Intake, handler.group(), move |stop| {
                let processor = processor.clone();
                async move { processor.run(stop).await }
            });
        }
        let sweeper = ExpirySweeper::new(SweepOptions::default())
            .with_inventory(inventory.clone())
            .with_orders(orders.clone())
            .with_clock(Arc::clone(&self.clock));
        supervisor.spawn(Stage::Intake, "sweeper", move |stop| {
            let sweeper = sweeper.clone();
            async move { sweeper.run(stop).await }
        });
        Shop { stores: self.clone(), inventory, orders, supervisor }
    }
}

impl Shop {
    /// Whether every event was published and handled.
    pub(crate) fn is_idle(&self) -> bool {
        let published = self.stores.outboxes().iter().all(|(_, outbox)| outbox.pending().is_empty());
        published && GROUPS.iter().all(|group| self.stores.bus.lag(group) == Some(0))
    }

    /// Waits until every event was published and handled, without letting time pass.
    pub(crate) async fn rest(&self) {
        for _ in 0..10_000 {
            if self.is_idle() {
                return;
            }
            tokio::task::yield_now().await;
        }
        let lags = GROUPS.map(|group| self.stores.bus.lag(group));
        panic!("never at rest; lags {lags:?}");
    }

    /// Time passes, a second at a time, and everything that it brings about happens.
    pub(crate) async fn wait(&self, seconds: u64) {
        for _ in 0..seconds {
            self.stores.time.advance(Duration::from_secs(1));
            super::settle().await;
            self.rest().await;
        }
    }

    /// How many events of this type there were, counting each once however often it was published.
    pub(crate) async fn events(&self, name: &str) -> usize {
        seen(&self.stores.bus, name).await.len()
    }

    pub(crate) async fn assert_consistent(&self) {
        let report = Reconciler::new(self.inventory.clone()).run_once().await.unwrap();
        assert_eq!(report.drifts, []);
        for group in GROUPS {
            assert_eq!(self.stores.bus.dead_letters(group), [], "{group}");
        }
    }
}

/// The distinct events of a type on a bus, by id.
pub(crate) async fn seen(bus: &MemoryBus, name: &str) -> std::collections::BTreeMap<String, serde_json::Value> {
    use futures::FutureExt;
    use stockpulse_core::port::{SubscribeOptions, Subscriber};
    let options = SubscribeOptions::new(format!("spy-{name}"), [name.parse().unwrap()]).with_max_in_flight(usize::MAX);
    bus.rewind(&format!("spy-{name}"));
    let mut subscription = bus.subscribe(options).await.unwrap();
    bus.rewind(&format!("spy-{name}"));
    let mut seen = std::collections::BTreeMap::new();
    while let Some(received) = subscription.receive(10_000).now_or_never() {
        for delivery in received.unwrap() {
            let data = serde_json::from_slice(&delivery.envelope.data).unwrap();
            seen.insert(delivery.envelope.id.to_string(), data);
        }
    }
    seen
}

pub(crate) fn place(order: u128, lines: &[(&str, u32)]) -> Place {
    let place = Place::new(OrderId::from_u128(order)).with_customer(ANN);
    lines.iter().fold(place, |place, (name, units)| place.with_line(sku(name), *units, euro(100)))
}

/// The types of the events that wait in an outbox.
pub(crate) fn types(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.data.event_type().name()).collect()
}
