//! Workers are kept running, and ended in order.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stockpulse_core::engine::stock::Reserve;
use stockpulse_core::memory::{ManualClock, MemoryBus, MemoryInventoryStore};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{ShutdownReport, Stage, Supervisor};
use stockpulse_core::{Error, ErrorKind};

use crate::support::shop::{Stores, place};
use crate::support::store::WatchedStore;
use crate::support::{clock, settle, sku, stock};

const DEADLINE: Duration = Duration::from_secs(10);

fn supervisor() -> (Supervisor, ManualClock) {
    let (time, clock) = clock();
    (Supervisor::new(clock), time)
}

/// How a worker ends its first runs.
#[derive(Clone, Copy)]
enum End {
    Fails,
    Panics,
    PanicsAtOnce,
}

#[tokio::test]
async fn a_worker_that_fails_or_panics_is_started_again_after_growing_pauses() {
    for end in [End::Fails, End::Panics, End::PanicsAtOnce] {
        let (mut supervisor, time) = supervisor();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        supervisor.spawn(Stage::Intake, "worker", move |stop| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            assert!(run >= 3 || !matches!(end, End::PanicsAtOnce), "made to panic");
            async move {
                match end {
                    End::Fails if run < 3 => Err(Error::new(ErrorKind::Unavailable, "down")),
                    End::Panics if run < 3 => panic!("made to panic"),
                    _ => {
                        stop.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        for (run, pause) in [(1, 50), (2, 100), (3, 200)] {
            settle().await;
            assert_eq!(runs.load(Ordering::SeqCst), run);
            time.advance(Duration::from_millis(pause) - Duration::from_micros(1));
            settle().await;
            assert_eq!(runs.load(Ordering::SeqCst), run, "it pauses {pause} ms");
            time.advance(Duration::from_micros(1));
        }
        settle().await;
        assert_eq!(runs.load(Ordering::SeqCst), 4);
        assert_eq!(supervisor.running().collect::<Vec<_>>(), ["worker"]);
        assert!(supervisor.shutdown(DEADLINE).await.is_clean());
    }
}

#[tokio::test]
async fn one_that_ran_well_for_long_pauses_as_after_its_first_failure() {
    let (mut supervisor, time) = supervisor();
    let runs = Arc::new(AtomicU32::new(0));
    let (counted, slept) = (Arc::clone(&runs), time.clone());
    supervisor.spawn(Stage::Intake, "worker", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let time = slept.clone();
        async move {
            stockpulse_core::port::Clock::sleep(&time, Duration::from_secs(3_600)).await;
            Err(Error::new(ErrorKind::Unavailable, "once an hour"))
        }
    });
    for run in 1..=12 {
        settle().await;
        assert_eq!(runs.load(Ordering::SeqCst), run);
        time.advance(Duration::from_secs(3_600));
        settle().await;
        time.advance(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn a_worker_that_ends_well_is_not_started_again_and_none_is_when_told_to_stop() {
    let (mut supervisor, time) = supervisor();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    supervisor.spawn(Stage::Intake, "done", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    let counted = Arc::clone(&runs);
    supervisor.spawn(Stage::Intake, "fails on stopping", move |stop| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            stop.cancelled().await;
            Err(Error::new(ErrorKind::Unavailable, "down"))
        }
    });
    settle().await;
    time.advance(Duration::from_secs(3_600));
    settle().await;
    assert_eq!(supervisor.running().collect::<Vec<_>>(), ["fails on stopping"]);
    assert!(supervisor.shutdown(DEADLINE).await.is_clean());
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn shutdown_ends_intake_then_drains_services_then_ends_relays() {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).start();
    inventory.receive(sku("CUP"), 5).await.unwrap();
    store.set_open(false);
    let (same, request) = (inventory.clone(), Reserve::new(inventory.new_reservation_id()).with_line(sku("CUP"), 1));
    let caller = tokio::spawn(async move { same.reserve(request).await });
    settle().await;

    let (supervisor, _time) = supervisor();
    let mut supervisor = supervisor.with_inventory(inventory.clone());
    let steps = Arc::new(Mutex::new(Vec::new()));
    let finish = Arc::new(AtomicBool::new(false));
    for (stage, name) in [(Stage::Relay, "relay"), (Stage::Intake, "intake")] {
        let (steps, finish) = (Arc::clone(&steps), Arc::clone(&finish));
        supervisor.spawn(stage, name, move |stop| {
            let (steps, finish) = (Arc::clone(&steps), Arc::clone(&finish));
            async move {
                stop.cancelled().await;
                steps.lock().unwrap().push(format!("{name} told"));
                while stage == Stage::Intake && !finish.load(Ordering::SeqCst) {
                    tokio::task::yield_now().await;
                }
                steps.lock().unwrap().push(format!("{name} ended"));
                Ok(())
            }
        });
    }
    settle().await;
    let shutdown = tokio::spawn(supervisor.shutdown(DEADLINE));
    settle().await;
    assert_eq!(*steps.lock().unwrap(), ["intake told"]);
    finish.store(true, Ordering::SeqCst);
    settle().await;
    assert_eq!(*steps.lock().unwrap(), ["intake told", "intake ended"], "the service is not drained yet");
    store.set_open(true);
    assert!(shutdown.await.unwrap().is_clean());
    assert_eq!(*steps.lock().unwrap(), ["intake told", "intake ended", "relay told", "relay ended"]);
    assert!(caller.await.unwrap().unwrap().is_accepted());
    assert!(inventory.receive(sku("CUP"), 1).await.is_err(), "it takes nothing more");
}

#[tokio::test]
async fn the_deadline_aborts_who_is_late_and_names_him() {
    let (mut supervisor, time) = supervisor();
    let gone = Arc::new(());
    for (name, late) in [("quick", false), ("late", true)] {
        let held = Arc::clone(&gone);
        supervisor.spawn(Stage::Intake, name, move |stop| {
            let held = Arc::clone(&held);
            async move {
                stop.cancelled().await;
                if late {
                    std::future::pending::<()>().await;
                }
                drop(held);
                Ok(())
            }
        });
    }
    settle().await;
    let shutdown = tokio::spawn(supervisor.shutdown(DEADLINE));
    settle().await;
    time.advance(DEADLINE - Duration::from_micros(1));
    settle().await;
    assert!(!shutdown.is_finished());
    time.advance(Duration::from_micros(1));
    let report = shutdown.await.unwrap();
    assert_eq!(report, ShutdownReport { aborted: vec!["late".to_owned()], undrained: vec![] });
    assert!(!report.is_clean());
    settle().await;
    assert_eq!(Arc::strong_count(&gone), 1, "nothing of the workers is left");
}

#[tokio::test]
async fn a_service_that_cannot_drain_is_named_too() {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).start();
    store.set_open(false);
    let same = inventory.clone();
    let _caller = tokio::spawn(async move { same.receive(sku("CUP"), 1).await });
    settle().await;
    let (supervisor, time) = supervisor();
    let shutdown = tokio::spawn(supervisor.with_inventory(inventory).shutdown(DEADLINE));
    settle().await;
    time.advance(DEADLINE);
    let report = shutdown.await.unwrap();
    assert_eq!((report.aborted.len(), report.undrained.as_slice()), (0, ["inventory".to_owned()].as_slice()));
}

#[tokio::test]
async fn dropping_it_aborts_its_workers_as_a_crash_would() {
    let (mut supervisor, _time) = supervisor();
    let gone = Arc::new(());
    let held = Arc::clone(&gone);
    supervisor.spawn(Stage::Relay, "worker", move |_| {
        let held = Arc::clone(&held);
        async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(())
        }
    });
    settle().await;
    assert_eq!(Arc::strong_count(&gone), 3);
    drop(supervisor);
    settle().await;
    assert_eq!(Arc::strong_count(&gone), 1);
}

#[tokio::test]
async fn a_whole_shop_shuts_down_with_nothing_left_behind() {
    let stores = Stores::new(MemoryBus::new());
    stores.add_customers(1..=1).await;
    let shop = stores.open();
    shop.inventory.receive(sku("CUP"), 10).await.unwrap();
    for number in 0..5 {
        shop.orders.place(place(number, &[("CUP", 1)])).await.unwrap();
    }
    let (inventory, orders) = (shop.inventory.clone(), shop.orders.clone());
    assert!(shop.supervisor.shutdown(DEADLINE).await.is_clean());
    assert!(stores.outboxes().iter().all(|(_, outbox)| outbox.pending().is_empty()), "everything is published");
    assert!(orders.place(place(9, &[("CUP", 1)])).await.is_err());
    drop((inventory, orders));

    let shop = stores.open();
    settle().await;
    shop.rest().await;
    assert_eq!(stock(&shop.inventory, "CUP").await, (10, 5));
    shop.assert_consistent().await;
}
