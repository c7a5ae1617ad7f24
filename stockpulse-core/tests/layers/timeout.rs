//! Calls that take too long.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::StockOutcome;
use stockpulse_core::layer::{Layered, RetryLayer, TimeoutLayer};
use stockpulse_core::memory::{MemoryInventoryStore, SequentialIds};
use stockpulse_core::port::{AdmissionGate, Cache, InventoryStore, OrderStore, Outbox, Publisher};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::Backoff;
use stockpulse_core::{Error, ErrorKind, Retry};

use super::faulty::{Fault, Faulty};
use super::ports::{CART, ORDER, Ports, cached, hold, ten_cups};
use crate::support::store::WatchedStore;
use crate::support::{clock, key, settle, sku, stock};

const LIMIT: Duration = Duration::from_secs(2);

fn is_timeout(error: &Error, operation: &str) -> bool {
    (error.kind(), error.retry(), error.operation()) == (ErrorKind::Timeout, Retry::Safe, operation)
}

#[tokio::test]
async fn a_call_that_hangs_ends_at_the_limit_and_not_before_on_every_port() {
    let (time, clock) = clock();
    let (faulty, ports) = (Faulty::default(), Ports::new());
    let layer = TimeoutLayer::after(LIMIT).with_clock(clock);
    let (keys, cached) = ([key("CUP")], [cached()]);
    macro_rules! hangs {
        ($($name:literal: $port:expr => $call:ident($($arg:expr),*);)*) => {$({
            faulty.will([Fault::Hang]);
            let port = Layered::new(Layered::new($port, faulty.clone()), layer.clone());
            let mut call = port.$call($($arg),*);
            assert!((&mut call).now_or_never().is_none(), $name);
            time.advance(LIMIT - Duration::from_micros(1));
            assert!((&mut call).now_or_never().is_none(), $name);
            time.advance(Duration::from_micros(1));
            let error = (&mut call).now_or_never().unwrap().unwrap_err();
            assert!(is_timeout(&error, $name), "{error:?}");
        })*};
    }
    hangs! {
        "inventory.levels": ports.inventory.clone() => levels(&keys);
        "orders.history": ports.orders.clone() => history(ORDER);
        "outbox.stats": ports.inventory.outbox() => stats();
        "bus.publish": ports.bus.clone() => publish(&[]);
        "cache.get": ports.cache.clone() => get(&cached);
        "gate.settle": ports.gate => settle(&[CART]);
    }
}

#[tokio::test]
async fn a_timed_out_call_splits_nothing_and_asking_again_finds_the_decision() {
    let (time, clock) = clock();
    let (faulty, ports, engine) = (Faulty::default(), Ports::new(), Engine::new());
    let layer = TimeoutLayer::after(LIMIT).with_clock(clock);
    let store = Layered::new(Layered::new(ports.inventory.clone(), faulty.clone()), layer);
    faulty.will([Fault::Hang]);
    let mut call = store.execute(&engine, vec![ten_cups(), hold()]);
    assert!((&mut call).now_or_never().is_none());
    time.advance(LIMIT);
    assert!(is_timeout(&call.now_or_never().unwrap().unwrap_err(), "inventory.execute"));
    let outcomes = store.execute(&engine, vec![ten_cups(), hold()]).await.unwrap();
    assert!(matches!(outcomes[..], [StockOutcome::Moved(_), StockOutcome::Reserved(_)]), "{outcomes:?}");
    let level = store.levels(&[key("CUP")]).await.unwrap().remove(0).unwrap();
    assert_eq!((level.on_hand, level.reserved), (10.into(), 4.into()));
}

/// The store hangs before it decides; the service in front of it lives on.
#[tokio::test]
async fn a_service_on_a_store_that_hung_goes_on() {
    let (time, clock) = clock();
    let watched = WatchedStore::new(MemoryInventoryStore::default());
    let layer = TimeoutLayer::after(LIMIT).with_clock(clock);
    let inventory = Inventory::builder(Arc::new(Layered::new(Arc::clone(&watched), layer))).start();
    watched.set_open(false);
    let same = inventory.clone();
    let call = tokio::spawn(async move { same.receive(sku("CUP"), 5).await });
    settle().await;
    time.advance(LIMIT);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    watched.set_open(true);
    inventory.receive(sku("CUP"), 3).await.unwrap();
    assert_eq!(stock(&inventory, "CUP").await, (3, 0));
}

#[tokio::test]
async fn an_answer_that_is_there_counts_even_if_time_is_up() {
    let (_, clock) = clock();
    let store = Layered::new(Ports::new().orders, TimeoutLayer::after(Duration::ZERO).with_clock(clock));
    for _ in 0..100 {
        assert_eq!(store.orders(&[ORDER]).await.unwrap(), [None]);
    }
}

/// Inside a retry, each try has its own time.
#[tokio::test]
async fn a_retry_outside_a_timeout_tries_again_after_it() {
    let (time, clock) = clock();
    let (faulty, ports) = (Faulty::default(), Ports::new());
    let retry = RetryLayer::default()
        .with_backoff(Backoff { first: Duration::ZERO, longest: Duration::ZERO })
        .with_clock(Arc::clone(&clock))
        .with_ids(Arc::new(SequentialIds::new()));
    let timeout = TimeoutLayer::after(LIMIT).with_clock(clock);
    let store = Layered::new(Layered::new(Layered::new(ports.inventory, faulty.clone()), timeout), retry);
    faulty.will([Fault::Hang, Fault::Hang]);
    let engine = Engine::new();
    let mut call = store.execute(&engine, vec![ten_cups()]);
    for _ in 0..2 {
        assert!((&mut call).now_or_never().is_none());
        time.advance(LIMIT);
    }
    assert_eq!(call.now_or_never().unwrap().unwrap().len(), 1);
    assert_eq!(faulty.calls().len(), 3);
}
