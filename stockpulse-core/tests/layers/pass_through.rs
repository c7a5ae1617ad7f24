//! Inside layers every port answers what it answers without them.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stockpulse_core::engine::Engine;
use stockpulse_core::layer::{Call, Layer, Layered, ObserveLayer, RetryLayer, TimeoutLayer};
use stockpulse_core::model::{
    Customer, Envelope, EventType, NotificationStatus, Quantity, ReservationId, StockQuantity,
};
use stockpulse_core::port::{
    AdmissionGate, AdmitRequest, Cache, CachePut, Cached, CatalogStore, CustomerStore, Failed, GateLevel,
    InventoryStore, Nack, NotificationLog, Notifier, OrderQuery, OrderStore, Outbox, Publisher, Quarantined,
    SubscribeOptions, Subscriber,
};
use stockpulse_core::{ErrorKind, Result};

use super::faulty::Faulty;
use super::ports::{ANN, CART, ORDER, Ports, ann, cached, hold, notification, order, product, ten_cups};
use crate::support::{key, kind, sku, some, start};

const MINUTE: Duration = Duration::from_secs(60);

/// The ports as an application holds them.
struct Shared {
    inventory: Arc<dyn InventoryStore>,
    orders: Arc<dyn OrderStore>,
    catalog: Arc<dyn CatalogStore>,
    customers: Arc<dyn CustomerStore>,
    log: Arc<dyn NotificationLog>,
    notifier: Arc<dyn Notifier>,
    outbox: Arc<dyn Outbox>,
    publisher: Arc<dyn Publisher>,
    subscriber: Arc<dyn Subscriber>,
    cache: Arc<dyn Cache>,
    gate: Arc<dyn AdmissionGate>,
}

impl Shared {
    fn new(ports: Ports) -> Self {
        Self {
            outbox: Arc::new(ports.inventory.outbox()),
            inventory: Arc::new(ports.inventory),
            orders: Arc::new(ports.orders),
            catalog: Arc::new(ports.catalog),
            customers: Arc::new(ports.customers),
            log: Arc::new(ports.log),
            notifier: Arc::new(ports.notifier),
            publisher: Arc::new(ports.bus.clone()),
            subscriber: Arc::new(ports.bus),
            cache: Arc::new(ports.cache),
            gate: Arc::new(ports.gate),
        }
    }

    /// A layer around each of them, whatever they are.
    fn inside<L: Layer + Clone>(self, layer: &L) -> Self {
        Self {
            inventory: Arc::new(Layered::new(self.inventory, layer.clone())),
            orders: Arc::new(Layered::new(self.orders, layer.clone())),
            catalog: Arc::new(Layered::new(self.catalog, layer.clone())),
            customers: Arc::new(Layered::new(self.customers, layer.clone())),
            log: Arc::new(Layered::new(self.log, layer.clone())),
            notifier: Arc::new(Layered::new(self.notifier, layer.clone())),
            outbox: Arc::new(Layered::new(self.outbox, layer.clone())),
            publisher: Arc::new(Layered::new(self.publisher, layer.clone())),
            subscriber: Arc::new(Layered::new(self.subscriber, layer.clone())),
            cache: Arc::new(Layered::new(self.cache, layer.clone())),
            gate: Arc::new(Layered::new(self.gate, layer.clone())),
        }
    }

    /// Calls every method of every port, and writes down the answers.
    async fn answers(&self) -> Vec<String> {
        let mut said = Said(Vec::new());
        self.stores(&mut said).await;
        self.outbox_and_bus(&mut said).await;
        self.others(&mut said).await;
        said.0
    }

    async fn stores(&self, said: &mut Said) {
        let (engine, ten) = (Engine::new(), some(10));
        said.result(&self.inventory.execute(&engine, vec![ten_cups(), hold()]).await);
        said.result(&self.inventory.levels(&[key("NONE"), key("CUP")]).await);
        said.result(&self.inventory.reservations(&[CART, ReservationId::from_u128(99)]).await);
        said.result(&self.inventory.expiring(start(), ten).await);
        said.result(&self.inventory.movements(&key("CUP"), 1, ten).await);
        said.result(&self.inventory.list_levels(None, ten).await);
        said.result(&self.inventory.audit(Some(key("A")), ten).await);
        said.result(&self.orders.execute(&engine, vec![order()]).await);
        said.result(&self.orders.orders(&[ORDER]).await);
        said.result(&self.orders.overdue(start(), ten).await);
        said.result(&self.orders.history(ORDER).await);
        said.result(&self.orders.list_orders(&OrderQuery::default(), ten).await);
        said.result(&self.catalog.execute(&engine, vec![product()]).await);
        said.result(&self.catalog.products(&[sku("CUP")]).await);
        said.result(&self.catalog.list_products(None, ten).await);
        said.result(&self.customers.execute(&engine, vec![ann()]).await);
        said.result(&self.customers.customers(&[ANN]).await);
        said.result(&self.customers.list_customers(None, ten).await);
    }

    async fn outbox_and_bus(&self, said: &mut Said) {
        self.outbox.appended().await;
        let claim = self.outbox.claim("worker", MINUTE, some(10)).await.unwrap();
        let ids: Vec<u64> = claim.rows.iter().map(|row| row.id).collect();
        let failed: Vec<Failed> =
            ids.iter().map(|id| Failed { id: *id, retry_at: start(), reason: "down".into() }).collect();
        said.result(&self.outbox.release(&claim.lease, &failed).await);
        let aside = Quarantined { id: ids[0], reason: "too large".into() };
        said.result(&self.outbox.quarantine(&claim.lease, &[aside]).await);
        said.result(&self.outbox.quarantined(some(10)).await);
        said.result(&self.outbox.requeue(&ids).await);
        said.result(&self.outbox.settle(&claim.lease, &ids[1..]).await);
        said.result(&self.outbox.stats().await);
        said.result(&self.outbox.discard(&ids).await);
        said.result(&self.outbox.surrender(&claim.lease).await);
        said.result(&self.outbox.claim("another", MINUTE, some(10)).await);

        let envelopes: Vec<Envelope> =
            claim.rows.iter().map(|row| Envelope::seal(&row.event, "/test").unwrap()).collect();
        let options = SubscribeOptions::new("test", EventType::ALL.iter().copied());
        let mut subscription = self.subscriber.subscribe(options).await.unwrap();
        said.result(&self.publisher.publish(&envelopes).await);
        let received = subscription.receive(100).await.unwrap();
        said.result(&subscription.nack(&[(received[0].tag, Nack::DeadLetter("bad".into()))]).await);
        said.result(&subscription.ack(&received.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await);
        said.result(&Ok(received));
        said.result(&subscription.close().await);
        said.result(&subscription.receive(100).await);
        said.result(&self.publisher.close().await);
        said.result(&self.publisher.publish(&envelopes).await);
    }

    async fn others(&self, said: &mut Said) {
        said.result(&self.log.begin(&[notification()], start()).await);
        said.result(&self.log.finish(&[(notification().id, NotificationStatus::Sent)], start()).await);
        said.result(&self.log.about(ORDER, None, some(10)).await);
        said.result(&self.notifier.send(&Customer::new(ANN, "Ann"), &notification()).await);
        let value = Cached { version: 3, value: Bytes::from_static(b"3") };
        said.result(&self.cache.put(vec![CachePut { key: cached(), cached: value, ttl: MINUTE }]).await);
        said.result(&self.cache.get(&[cached()]).await);
        said.result(&self.cache.invalidate(&[(cached(), 4)], MINUTE).await);
        said.result(&self.cache.get(&[cached()]).await);
        let four = StockQuantity::new(key("CUP"), Quantity::from(4));
        let request = AdmitRequest { reservation: CART, lines: vec![four], ttl: MINUTE };
        let level = GateLevel { key: key("CUP"), sellable: Quantity::from(3), version: 1 };
        said.result(&self.gate.admit(std::slice::from_ref(&request)).await);
        said.result(&self.gate.reconcile(&[level]).await);
        let other = AdmitRequest { reservation: ReservationId::from_u128(9), ..request };
        said.result(&self.gate.admit(&[other]).await);
        said.result(&self.gate.settle(&[CART]).await);
        said.result(&self.gate.release(&[CART]).await);
    }
}

struct Said(Vec<String>);

impl Said {
    fn result<T: Debug>(&mut self, result: &Result<T>) {
        self.0.push(format!("{result:?}"));
    }
}

fn outer(ports: Shared) -> Shared {
    ports.inside(&TimeoutLayer::default()).inside(&RetryLayer::default()).inside(&ObserveLayer::default())
}

#[tokio::test]
async fn every_port_answers_the_same_inside_all_layers() {
    let bare = Shared::new(Ports::new()).answers().await;
    let layered = outer(Shared::new(Ports::new())).answers().await;
    assert_eq!(layered, bare);
}

#[tokio::test]
async fn every_call_goes_through_the_layer_under_its_own_name() {
    let watch = Faulty::default();
    outer(Shared::new(Ports::new()).inside(&watch)).answers().await;
    let calls = watch.calls();
    let expected = include_str!("calls.txt").lines().map(str::to_owned).collect::<Vec<_>>();
    let seen: Vec<String> = calls
        .iter()
        .map(|(name, items)| items.map_or_else(|| (*name).to_owned(), |items| format!("{name} {items}")))
        .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_layer_that_repeats_and_does_not_say_so_is_told() {
    #[derive(Debug)]
    struct Twice;
    impl Layer for Twice {
        const REPEATS: bool = false;
        async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
            call.make().await?;
            call.make().await
        }
    }
    let store = Layered::new(Ports::new().inventory, Twice);
    let result = store.execute(&Engine::new(), vec![ten_cups()]).await;
    assert_eq!(result.as_ref().unwrap_err().operation(), "inventory.execute");
    assert_eq!(kind(result), Some(ErrorKind::Unexpected));
}
