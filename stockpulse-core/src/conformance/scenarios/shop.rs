//! A shop on the backends: services, workers, and how its process dies and comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::backend::ShopBackend;
use super::broker::Broker;
use crate::conformance::support::fresh;
use crate::conformance::{Harness, Violation};
use crate::model::{Currency, EventData, EventType, Money, Order, OrderId, OrderStatus, Sku, Timestamp};
use crate::port::{Clock, Outbox, SubscribeOptions};
use crate::service::{Inventory, Orders};
use crate::system::SystemClock;
use crate::worker::{
    ExpirySweeper, Handler, InventoryHandler, OrderHandler, OutboxRelay, Processor, RelayOptions, Stage, Supervisor,
    SweepOptions,
};

/// What an order has to be paid within: half an hour, as in the scenarios.
pub(super) const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);
/// How long after its end a hold is left alone, and a little more for the sweeper to come by.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// How long to wait between two looks at something that has to happen.
const LOOK: Duration = Duration::from_millis(1);
/// How much of a rule's time there is for each look, in milliseconds. It is more than a look takes, so that what never
/// happens is named before the time is over.
const MILLIS_PER_LOOK: u128 = 4;
/// How long something that must not happen is looked for.
const QUIET: Duration = Duration::from_millis(100);

/// A price; none of the scenarios is about prices.
pub(super) const PRICE: Money = Money::new(100, Currency::EUR);

pub(super) fn new_order() -> OrderId {
    OrderId::new(fresh())
}

/// A shop.
pub(super) struct Shop<'a> {
    harness: &'a dyn Harness<ShopBackend>,
    pub(super) backend: ShopBackend,
    pub(super) broker: Broker,
    pub(super) inventory: Inventory,
    pub(super) orders: Orders,
    workers: Option<Supervisor>,
}

impl<'a> Shop<'a> {
    /// A shop at work, on backends that are fresh.
    pub(super) async fn open(harness: &'a dyn Harness<ShopBackend>) -> Result<Self, Violation> {
        let mut shop = Self::on(harness, harness.open().await?, Broker::default());
        shop.work();
        Ok(shop)
    }

    fn on(harness: &'a dyn Harness<ShopBackend>, backend: ShopBackend, broker: Broker) -> Self {
        let clock = || Arc::clone(&backend.clock);
        let inventory = Inventory::builder(Arc::clone(&backend.inventory.store)).with_clock(clock()).start();
        let orders = Orders::builder(Arc::clone(&backend.orders.store)).with_clock(clock()).start();
        Self { harness, backend, broker, inventory, orders, workers: None }
    }

    /// Stock services that share nothing but the store: a second process, where the harness can open one.
    pub(super) async fn inventories(&self) -> Result<[Inventory; 2], Violation> {
        let another = self.harness.another().await?.unwrap_or_else(|| self.backend.clone());
        let second = Inventory::builder(another.inventory.store).with_clock(Arc::clone(&self.backend.clock)).start();
        Ok([self.inventory.clone(), second])
    }

    /// Starts the workers.
    pub(super) fn work(&mut self) {
        let clock = || Arc::clone(&self.backend.clock);
        let mut workers = Supervisor::new(clock());
        for (name, outbox) in [("inventory", &self.backend.inventory.outbox), ("orders", &self.backend.orders.outbox)] {
            let options = RelayOptions::new(format!("/scenario/{name}"), "worker");
            let publisher = self.broker.publisher(Arc::clone(&self.backend.bus.publisher));
            let relay = OutboxRelay::new(Arc::clone(outbox), publisher, options).with_clock(clock());
            workers.spawn(Stage::Relay, format!("{name} relay"), move |stop| {
                let relay = relay.clone();
                async move { relay.run(stop).await }
            });
        }
        let handlers: [Arc<dyn Handler>; 2] = [
            Arc::new(InventoryHandler::new(self.inventory.clone()).with_clock(clock())),
            Arc::new(OrderHandler::new(self.orders.clone()).with_clock(clock())),
        ];
        for handler in handlers {
            let name = handler.group().to_owned();
            let processor = Processor::new(Arc::clone(&self.backend.bus.subscriber), handler).with_clock(clock());
            workers.spawn(Stage::Intake, name, move |stop| {
                let processor = processor.clone();
                async move { processor.run(stop).await }
            });
        }
        let sweeper = ExpirySweeper::new(SweepOptions::default())
            .with_inventory(self.inventory.clone())
            .with_orders(self.orders.clone())
            .with_clock(clock());
        workers.spawn(Stage::Intake, "sweeper", move |stop| {
            let sweeper = sweeper.clone();
            async move { sweeper.run(stop).await }
        });
        self.workers = Some(workers);
    }

    /// Ends the workers in good order, after what is under way.
    pub(super) async fn rest(&mut self) {
        if let Some(workers) = self.workers.take() {
            workers.shutdown(Duration::from_secs(3_600)).await;
        }
    }

    /// The process dies at whatever it is doing and comes back, with workers. The broker is as it was.
    pub(super) async fn restart(self) -> Result<Self, Violation> {
        let Self { harness, backend, broker, inventory, orders, workers } = self;
        drop((workers, inventory, orders));
        // Tasks that are aborted let go of their handles when they are next polled.
        SystemClock.sleep(QUIET).await;
        let backend = harness.reopen(backend).await?;
        let mut shop = Self::on(harness, backend, broker);
        shop.work();
        Ok(shop)
    }

    /// The time of services and workers.
    pub(super) fn now(&self) -> Timestamp {
        self.backend.clock.now()
    }

    /// Lets time pass.
    pub(super) async fn pass(&self, time: Duration) {
        self.harness.pass(time).await;
    }

    /// Lets time pass until then, if it is not over.
    pub(super) async fn pass_until(&self, then: Timestamp) {
        self.pass(then.since(self.now())).await;
    }

    /// Asks again and again until there is an answer. Time passes slowly meanwhile, for workers that poll.
    pub(super) async fn until<T, F>(&self, what: &str, ask: impl FnMut() -> F) -> Result<T, Violation>
    where
        F: Future<Output = Result<Option<T>, Violation>>,
    {
        self.look(what, ask, LOOK).await
    }

    /// Asks again and again until there is an answer, while the time of services and workers stands still.
    pub(super) async fn meanwhile<T, F>(&self, what: &str, ask: impl FnMut() -> F) -> Result<T, Violation>
    where
        F: Future<Output = Result<Option<T>, Violation>>,
    {
        self.look(what, ask, Duration::ZERO).await
    }

    async fn look<T, F>(&self, what: &str, mut ask: impl FnMut() -> F, passes: Duration) -> Result<T, Violation>
    where
        F: Future<Output = Result<Option<T>, Violation>>,
    {
        for _ in 0..self.harness.deadline().as_millis() / MILLIS_PER_LOOK {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            self.pass(passes).await;
            SystemClock.sleep(LOOK).await;
        }
        Err(Violation::new(format!("it never came to this: {what}")))
    }

    /// An order that is there.
    pub(super) async fn order(&self, id: OrderId) -> Result<Order, Violation> {
        self.orders.order(id).await?.ok_or_else(|| Violation::new(format!("order {id} was accepted and is not there")))
    }

    /// An order, once it is as described.
    pub(super) async fn order_when(
        &self,
        id: OrderId,
        what: &str,
        ready: impl Fn(&Order) -> bool,
    ) -> Result<Order, Violation> {
        self.until(what, || async { Ok(Some(self.order(id).await?).filter(&ready)) }).await
    }

    /// An order, once it is in this status.
    pub(super) async fn order_is(&self, id: OrderId, status: OrderStatus) -> Result<Order, Violation> {
        self.order_when(id, &format!("order {id} is {status:?}"), |order| order.status == status).await
    }

    /// Waits until everything that was committed was published, and for a moment more, for what comes of it.
    pub(super) async fn quiet(&self) -> Result<(), Violation> {
        let outboxes = [&self.backend.inventory.outbox, &self.backend.orders.outbox];
        let published = || async {
            let mut pending = 0;
            for outbox in outboxes {
                pending += outbox.stats().await?.pending;
            }
            Ok((pending == 0).then_some(()))
        };
        self.until("all events are published", published).await?;
        SystemClock.sleep(QUIET).await;
        self.until("all events are published", published).await
    }

    /// The events on the bus that `wanted` picks, each once however often it was published: at least so many, and
    /// those that come within a moment after them.
    pub(super) async fn events(
        &self,
        types: &[EventType],
        least: usize,
        wanted: impl Fn(&EventData) -> bool,
    ) -> Result<Vec<EventData>, Violation> {
        let options = SubscribeOptions::new(format!("spy-{}", fresh()), types.iter().copied());
        let mut spy = self.backend.bus.subscriber.subscribe(options).await?;
        let mut seen = BTreeMap::new();
        let mut looks = 0;
        loop {
            match tokio::time::timeout(QUIET, spy.receive(1_000)).await {
                Ok(deliveries) => {
                    let deliveries = deliveries?;
                    for delivery in &deliveries {
                        let data = delivery.envelope.open()?;
                        if wanted(&data) {
                            seen.insert(delivery.envelope.id, data);
                        }
                    }
                    let tags: Vec<_> = deliveries.iter().map(|delivery| delivery.tag).collect();
                    spy.ack(&tags).await?;
                }
                Err(_) if seen.len() >= least => break,
                Err(_) => {
                    looks += 1;
                    ensure!(looks < 200, "{} events of {types:?} came, and there should be {least}", seen.len());
                    self.pass(LOOK).await;
                }
            }
        }
        spy.close().await?;
        Ok(seen.into_values().collect())
    }

    /// Brings goods in.
    pub(super) async fn receive(&self, sku: &Sku, units: u32) -> Result<(), Violation> {
        let received = self.inventory.receive(sku.clone(), units).await?;
        ensure!(received.is_accepted(), "{units} units of {sku} were not taken in: {received:?}");
        Ok(())
    }
}
