//! A whole shop on one database: orders, stock, outboxes, the bus between them, and the workers.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::conformance::BusBackend;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderAction, OrderCommand, OrderOutcome, Place as PlaceOrder};
use stockpulse_core::model::{
    Command, CommandId, Currency, Envelope, EventType, HistoryEntry, Money, MovementKind, Order, OrderChange, OrderId,
    OrderStatus, StockKey, Timestamp,
};
use stockpulse_core::port::{LevelAudit, Publisher, Start, SubscribeOptions};
use stockpulse_core::service::{Inventory, Orders};
use stockpulse_core::worker::{
    Handler, InventoryHandler, OrderHandler, OutboxRelay, Processor, ProcessorOptions, RelayOptions, Stage, Supervisor,
};
use stockpulse_sql::{BusOptions, Context};

use super::books::{audited, receive, sku};
use crate::support::{Place, Ports, Store};

/// How many orders are placed, of one mug each, and how many mugs there are.
pub(crate) const ORDERS: u128 = 12;
pub(crate) const MUGS: u32 = 8;

/// After how long who died is known to be dead, as a member and as a relay.
const LEASE: Duration = Duration::from_millis(600);

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process of the shop has.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) ports: Ports,
    /// The database that the bus is in, and the bus.
    bus_at: Ports,
    pub(crate) bus: BusBackend,
    pub(crate) worker: &'static str,
}

/// Asks the bus for what no port has.
macro_rules! bus {
    ($shop:expr, $bus:ident => $asked:expr) => {
        match $shop.bus_at.store() {
            Store::Postgres(store) => {
                let $bus = store.bus(BusOptions::default());
                $asked.await
            }
            Store::MySql(store) => {
                let $bus = store.bus(BusOptions::default());
                $asked.await
            }
            Store::Sqlite(store) => {
                let $bus = store.bus(BusOptions::default());
                $asked.await
            }
        }
    };
}

impl Shop {
    /// Opens a shop whose tables are there.
    pub(crate) async fn open(place: &Place, worker: &'static str) -> Self {
        let ports = place.connect(&[]).await.unwrap();
        Self { bus: quick(&ports), bus_at: ports.clone(), ports, worker }
    }

    /// The same with its bus in another database.
    pub(crate) fn with_bus_at(self, bus_at: Ports) -> Self {
        Self { bus: quick(&bus_at), bus_at, ..self }
    }

    /// A shop with tables and goods, and nothing to be published.
    pub(crate) async fn new(place: &Place, mugs: u32) -> Self {
        drop(place.connect(Context::ALL).await.unwrap());
        let shop = Self::open(place, "successor").await;
        shop.ports.inventory.execute(&Engine::new(), vec![receive(1, &["MUG"], mugs)]).await.unwrap();
        let outbox = shop.ports.outbox(Context::Inventory);
        let claim = outbox.claim(shop.worker, LEASE, NonZeroUsize::new(100).unwrap()).await.unwrap();
        let ids: Vec<_> = claim.rows.iter().map(|row| row.id).collect();
        outbox.settle(&claim.lease, &ids).await.unwrap();
        outbox.surrender(&claim.lease).await.unwrap();
        shop
    }

    pub(crate) fn relay(&self, context: Context, publisher: Arc<dyn Publisher>) -> OutboxRelay {
        let poll = Duration::from_millis(20);
        let options = RelayOptions { lease: LEASE, poll, ..RelayOptions::new("/shop", self.worker) };
        OutboxRelay::new(self.ports.outbox(context), publisher, options)
    }

    /// Starts relays and processors.
    pub(crate) fn work(&self) -> Supervisor {
        let mut workers = Supervisor::new(Arc::new(SystemClock));
        self.publish(&mut workers);
        self.consume(&mut workers);
        workers
    }

    /// Starts relays.
    pub(crate) fn publish(&self, workers: &mut Supervisor) {
        for context in [Context::Orders, Context::Inventory] {
            let relay = self.relay(context, Arc::clone(&self.bus.publisher));
            workers.spawn(Stage::Relay, format!("{context:?}"), move |stop| {
                let relay = relay.clone();
                async move { relay.run(stop).await }
            });
        }
    }

    /// Starts processors.
    pub(crate) fn consume(&self, workers: &mut Supervisor) {
        self.reserve(workers);
        self.confirm(workers);
    }

    /// Starts a processor that reserves.
    pub(crate) fn reserve(&self, workers: &mut Supervisor) {
        let inventory = Inventory::builder(Arc::clone(&self.ports.inventory)).start();
        self.process(workers, Arc::new(InventoryHandler::new(inventory)));
    }

    /// Starts a processor that confirms orders, or not.
    pub(crate) fn confirm(&self, workers: &mut Supervisor) {
        let orders = Orders::builder(Arc::clone(&self.ports.orders)).start();
        self.process(workers, Arc::new(OrderHandler::new(orders)));
    }

    fn process(&self, workers: &mut Supervisor, handler: Arc<dyn Handler>) {
        // Few at once, so that a batch is one of several.
        let options = ProcessorOptions { batch: 64, ..ProcessorOptions::default() };
        let name = handler.group().to_owned();
        let processor = Processor::new(Arc::clone(&self.bus.subscriber), handler).with_options(options);
        workers.spawn(Stage::Intake, name, move |stop| {
            let processor = processor.clone();
            async move { processor.run(stop).await }
        });
    }

    /// Places an order; the second time it is the same command.
    pub(crate) async fn place(&self, number: u128) -> OrderOutcome {
        self.ports.orders.execute(&Engine::new(), vec![placing(number)]).await.unwrap().remove(0)
    }

    /// Waits until so many orders have come to rest, and nothing waits to be published.
    pub(crate) async fn settled(&self, orders: u128) {
        let settled = tokio::time::timeout(PATIENCE, async {
            while !self.is_settled(orders).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        settled.await.expect("orders that come to rest");
    }

    async fn is_settled(&self, orders: u128) -> bool {
        let ids: Vec<_> = (0..orders).map(id).collect();
        let found = self.ports.orders.orders(&ids).await.unwrap();
        if found.iter().any(|order| order.as_ref().is_none_or(|order| order.status == OrderStatus::Placed)) {
            return false;
        }
        for context in [Context::Orders, Context::Inventory] {
            let stats = self.ports.outbox(context).stats().await.unwrap();
            assert_eq!(stats.quarantined, 0);
            if stats.pending > 0 {
                return false;
            }
        }
        true
    }

    /// Whatever happened: as many orders are confirmed as there are mugs, each once, with one reservation; everything
    /// adds up, and nothing was put aside.
    pub(crate) async fn nothing_is_amiss(&self, orders: u128, mugs: u32) {
        let State { orders: found, histories, levels } = self.state(orders).await;
        let confirmed = found.iter().filter(|order| order.status == OrderStatus::Confirmed).count();
        assert_eq!(confirmed, usize::try_from(mugs).unwrap());
        for (order, history) in found.iter().zip(histories) {
            let end = match order.status {
                OrderStatus::Confirmed => OrderChange::Confirmed,
                _ => OrderChange::Rejected,
            };
            let changes: Vec<_> = history.iter().map(|entry| entry.change).collect();
            assert_eq!(changes, [OrderChange::Placed, end], "{order:?}");
        }
        assert_eq!(levels[0].level.reserved.get(), i64::from(mugs));
        let all = NonZeroUsize::new(10_000).unwrap();
        let moved = self.ports.inventory.movements(&StockKey::main(sku("MUG")), 0, all).await.unwrap();
        let reserved = moved.items.iter().filter(|movement| movement.kind == MovementKind::Reserved).count();
        assert_eq!(reserved, confirmed, "one reservation for each order");
        assert_eq!(bus!(self, bus => bus.dead_letters(all)).unwrap(), []);
    }

    pub(crate) async fn state(&self, orders: u128) -> State {
        let ids: Vec<_> = (0..orders).map(id).collect();
        let mut histories = Vec::new();
        for id in &ids {
            histories.push(self.ports.orders.history(*id).await.unwrap());
        }
        let orders = self.ports.orders.orders(&ids).await.unwrap().into_iter().flatten().collect();
        State { orders, histories, levels: audited(self.ports.inventory.as_ref()).await }
    }

    /// All that is on the bus, as a group sees it that was never there before.
    pub(crate) async fn events(&self, group: &str) -> Vec<Envelope> {
        let options = SubscribeOptions::new(group, EventType::ALL.iter().copied()).with_max_in_flight(1 << 20);
        let options = SubscribeOptions { start: Start::Earliest, ..options };
        let mut subscription = self.bus.subscriber.subscribe(options).await.unwrap();
        let mut events = Vec::new();
        // Everything was committed before: what is there comes at once.
        while let Ok(more) = tokio::time::timeout(Duration::from_millis(500), subscription.receive(4_096)).await {
            events.extend(more.unwrap().into_iter().map(|delivery| delivery.envelope));
        }
        subscription.close().await.unwrap();
        assert!(self.forget(group).await);
        events
    }

    /// Has a group that has no members lose its place. Answers whether it had one.
    pub(crate) async fn forget(&self, group: &str) -> bool {
        bus!(self, bus => bus.forget(group)).unwrap()
    }

    /// Waits until every group is done with so many events, and deletes them.
    pub(crate) async fn passed(&self, events: usize) {
        let passed = tokio::time::timeout(PATIENCE, async {
            let mut left = u64::try_from(events).unwrap();
            while left > 0 {
                left -= bus!(self, bus => bus.prune(Timestamp::MAX)).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        passed.await.expect("groups that see to everything");
    }
}

/// A bus that soon notices what happens.
fn quick(ports: &Ports) -> BusBackend {
    ports.bus_with(BusOptions::default().with_lease(LEASE).with_poll(Duration::from_millis(10)))
}

/// Where orders and stock stand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    orders: Vec<Order>,
    histories: Vec<Vec<HistoryEntry>>,
    levels: Vec<LevelAudit>,
}

pub(crate) fn id(number: u128) -> OrderId {
    OrderId::from_u128(1_000 + number)
}

/// The command that places an order of one mug.
pub(crate) fn placing(number: u128) -> OrderCommand {
    let place = PlaceOrder::new(id(number)).with_line(sku("MUG"), 1, Money::new(100, Currency::EUR));
    Command::new(CommandId::from_u128(1_000 + number), Timestamp::from_secs(1), OrderAction::Place(place))
}

/// How many there are, and how many different ones.
pub(crate) fn counted(events: &[Envelope]) -> (usize, usize) {
    let different: BTreeSet<String> = events.iter().map(|event| event.id.to_string()).collect();
    (events.len(), different.len())
}
