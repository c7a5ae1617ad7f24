//! What is made again, how often, and with what.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::OrderOutcome;
use stockpulse_core::engine::stock::StockOutcome;
use stockpulse_core::layer::{Layered, RetryLayer};
use stockpulse_core::memory::SequentialIds;
use stockpulse_core::model::{Customer, EventType};
use stockpulse_core::port::{
    AdmissionGate, Cache, CatalogStore, CustomerStore, Delivered, InventoryStore, Lease, NotificationLog, Notifier,
    OrderStore, Outbox, Publisher, SubscribeOptions, Subscriber,
};
use stockpulse_core::worker::Backoff;
use stockpulse_core::{Error, ErrorKind, Retry};

use super::faulty::{Fault, Faulty, Leaps};
use super::ports::{ANN, CART, ORDER, Ports, ann, cached, hold, notification, order, product, ten_cups};
use crate::support::{key, some, start};

const SAFE: [ErrorKind; 4] =
    [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Contention, ErrorKind::Indeterminate];
const NEVER: [ErrorKind; 6] = [
    ErrorKind::Unsupported,
    ErrorKind::InvalidInput,
    ErrorKind::Config,
    ErrorKind::Corrupt,
    ErrorKind::Closed,
    ErrorKind::Unexpected,
];

/// Makes ports that fail as told, inside a retry of three tries.
struct Bench {
    clock: Leaps,
    faulty: Faulty,
}

impl Bench {
    fn new() -> Self {
        Self { clock: Leaps::new(), faulty: Faulty::default() }
    }

    fn wrap<P>(&self, port: P) -> Layered<Layered<P, Faulty>, RetryLayer> {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };
        let retry = RetryLayer::default()
            .with_tries(3.try_into().unwrap())
            .with_backoff(backoff)
            .with_clock(Arc::new(self.clock.clone()))
            .with_ids(Arc::new(SequentialIds::new()));
        Layered::new(Layered::new(port, self.faulty.clone()), retry)
    }

    fn tries(&self) -> usize {
        self.faulty.calls().len()
    }
}

#[tokio::test]
async fn two_failures_are_mended_and_three_exhaust_it() {
    let bench = Bench::new();
    let store = bench.wrap(Ports::new().inventory);
    for kind in SAFE {
        bench.faulty.fails(2, kind);
        assert_eq!(store.levels(&[key("CUP")]).await.unwrap(), [None], "{kind:?}");
        assert_eq!(bench.tries(), 3, "{kind:?}");
        bench.faulty.fails(3, kind);
        let error = store.levels(&[key("CUP")]).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Exhausted));
        assert_eq!(bench.tries(), 3, "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_not_safe_is_not_made_again() {
    let bench = Bench::new();
    let store = bench.wrap(Ports::new().orders);
    for kind in NEVER {
        bench.faulty.fails(1, kind);
        let error = store.orders(&[ORDER]).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never));
        assert_eq!(bench.tries(), 1, "{kind:?}");
    }
    for retry in [Retry::Never, Retry::Exhausted] {
        bench.faulty.will([Fault::Before(Error::new(ErrorKind::Unavailable, "down").with_retry(retry))]);
        assert_eq!(store.orders(&[ORDER]).await.unwrap_err().retry(), retry);
        assert_eq!(bench.tries(), 1, "{retry:?}");
    }
    assert_eq!(bench.clock.sleeps(), []);
}

#[tokio::test]
async fn a_committed_call_whose_answer_was_lost_gets_the_first_answer() {
    let bench = Bench::new();
    let ports = Ports::new();
    let (inventory, orders) = (bench.wrap(ports.inventory.clone()), bench.wrap(ports.orders.clone()));
    let engine = Engine::new();
    bench.faulty.will([Fault::After(ErrorKind::Indeterminate), Fault::After(ErrorKind::Timeout)]);
    let outcomes = inventory.execute(&engine, vec![ten_cups(), hold()]).await.unwrap();
    assert_eq!(bench.tries(), 3);
    let [StockOutcome::Moved(_), StockOutcome::Reserved(held)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(held.reservation, CART);
    let level = ports.inventory.levels(&[key("CUP")]).await.unwrap().remove(0).unwrap();
    assert_eq!((level.on_hand, level.reserved, level.version), (10.into(), 4.into(), 2));
    bench.faulty.will([Fault::After(ErrorKind::Indeterminate)]);
    let outcomes = orders.execute(&engine, vec![order()]).await.unwrap();
    assert!(matches!(outcomes[..], [OrderOutcome::Accepted(_)]), "{outcomes:?}");
    assert_eq!(ports.orders.outbox().pending().len(), 1);
}

#[tokio::test]
async fn every_port_is_asked_again() {
    let (bench, ports, engine) = (Bench::new(), Ports::new(), Engine::new());
    let fails = || bench.faulty.fails(2, ErrorKind::Unavailable);
    macro_rules! asked_again {
        ($($port:expr => $call:ident($($arg:expr),*);)*) => {$(
            fails();
            assert!(bench.wrap($port).$call($($arg),*).await.is_ok(), stringify!($port.$call));
            assert_eq!(bench.tries(), 3, stringify!($port.$call));
        )*};
    }
    asked_again! {
        ports.inventory.clone() => execute(&engine, vec![ten_cups()]);
        ports.orders.clone() => execute(&engine, vec![order()]);
        ports.catalog.clone() => execute(&engine, vec![product()]);
        ports.customers.clone() => execute(&engine, vec![ann()]);
        ports.log.clone() => begin(&[notification()], start());
        ports.inventory.outbox() => claim("worker", Duration::from_secs(9), some(9));
        ports.bus.clone() => publish(&[]);
        ports.cache.clone() => put(Vec::new());
        ports.cache.clone() => get(&[cached()]);
        ports.gate.clone() => release(&[CART]);
    }
    fails();
    let sent = bench.wrap(ports.notifier.clone()).send(&Customer::new(ANN, "Ann"), &notification()).await;
    assert_eq!((sent.unwrap(), ports.notifier.sent().len(), bench.tries()), (Delivered::Sent, 1, 3));
    fails();
    let subscriber = bench.wrap(ports.bus.clone());
    let mut subscription = subscriber.subscribe(SubscribeOptions::new("test", [EventType::OrderPlaced])).await.unwrap();
    assert_eq!(bench.tries(), 3);
    fails();
    subscription.ack(&[]).await.unwrap();
    assert_eq!(bench.tries(), 3);
    fails();
    subscription.close().await.unwrap();
    assert_eq!(bench.tries(), 3);
}

/// The lease is gone for good.
#[tokio::test]
async fn a_stale_lease_is_not_tried_again() {
    let (bench, ports) = (Bench::new(), Ports::new());
    let stale = Lease { worker: "worker".into(), shards: Vec::new() };
    ports.orders.execute(&Engine::new(), vec![order()]).await.unwrap();
    let store = bench.wrap(ports.orders.outbox());
    let id = store.claim("worker", Duration::from_secs(9), some(1)).await.unwrap().rows[0].id;
    assert_eq!(bench.tries(), 1);
    let error = store.settle(&stale, &[id]).await.unwrap_err();
    assert_eq!((error.kind(), error.retry(), bench.tries()), (ErrorKind::Contention, Retry::Never, 1));
}

#[tokio::test]
async fn pauses_are_bounded_by_a_backoff_that_doubles_and_come_from_the_ids() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let bench = Bench::new();
        let store = bench.wrap(Ports::new().catalog);
        let mut pauses = Vec::new();
        for _ in 0..50 {
            bench.faulty.fails(2, ErrorKind::Contention);
            store.products(&[]).await.unwrap();
            let two = bench.clock.sleeps();
            assert_eq!(two.len(), 2);
            pauses.extend(two);
        }
        assert!(pauses.chunks(2).all(|two| two[0] < Duration::from_secs(1) && two[1] < Duration::from_secs(2)));
        assert!(pauses.chunks(2).any(|two| two[1] > Duration::from_secs(1)));
        assert!(pauses.chunks(2).any(|two| two[0] < Duration::from_millis(250)));
        runs.push(pauses);
    }
    assert_eq!(runs[0], runs[1]);
}
