//! Many callers, several shards.

use std::sync::Arc;

use stockpulse_core::engine::stock::{Parts, Refusal, Reserve};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::ReservationState;
use stockpulse_core::service::Inventory;

use crate::support::store::WatchedStore;
use crate::support::{level, settle, shards, sku, stock};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_callers_for_ten_units_ten_succeed() {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).with_group_commit(shards(4)).start();
    inventory.receive(sku("HOT"), 10).await.unwrap();
    for number in 0..8 {
        inventory.receive(sku(&format!("FILLER-{number}")), 1_000).await.unwrap();
    }
    // The first SKU chooses the shard, so that all shards compete for the units.
    let callers = (0..1_000).map(|number| {
        let inventory = inventory.clone();
        tokio::spawn(async move {
            let filler = sku(&format!("FILLER-{}", number % 8));
            let request = Reserve::new(inventory.new_reservation_id()).with_line(filler, 1).with_line(sku("HOT"), 1);
            inventory.reserve(request).await.unwrap()
        })
    });
    let mut accepted = 0;
    for caller in callers.collect::<Vec<_>>() {
        let decision = caller.await.unwrap();
        if decision.is_accepted() {
            accepted += 1;
        } else {
            assert!(matches!(decision.refused(), Some(Refusal::Short(_))));
        }
    }
    assert_eq!(accepted, 10);
    let hot = level(&inventory, "HOT").await;
    assert_eq!((hot.reserved.get(), hot.available(), hot.is_oversold()), (10, 0, false));
    let mut fillers = 0;
    for number in 0..8 {
        fillers += stock(&inventory, &format!("FILLER-{number}")).await.1;
    }
    assert_eq!(fillers, 10, "who got no unit of one got none of the other");
}

#[tokio::test]
async fn while_one_batch_commits_the_next_collects() {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).start();
    inventory.receive(sku("CUP"), 100).await.unwrap();
    store.set_open(false);
    let mut callers = Vec::new();
    for _ in 0..50 {
        let inventory = inventory.clone();
        let request = Reserve::new(inventory.new_reservation_id()).with_line(sku("CUP"), 1);
        callers.push(tokio::spawn(async move { inventory.reserve(request).await.unwrap().is_accepted() }));
        settle().await;
    }
    store.set_open(true);
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert_eq!(store.batches(), [1, 1, 49]);
}

#[tokio::test]
async fn commands_about_one_reservation_keep_their_order_over_shards() {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).with_group_commit(shards(8)).start();
    for number in 0..16 {
        inventory.receive(sku(&format!("SKU-{number}")), 1).await.unwrap();
    }
    store.hold_requests();
    let mut callers = Vec::new();
    for number in 0..16 {
        let id = inventory.new_reservation_id();
        let name = format!("SKU-{number}");
        let (one, two, three) = (inventory.clone(), inventory.clone(), inventory.clone());
        let request = Reserve::new(id).with_line(sku(&name), 1);
        callers.push(tokio::spawn(async move { one.reserve(request).await.unwrap().is_accepted() }));
        settle().await;
        callers.push(tokio::spawn(async move { two.allocate(id).await.unwrap().is_accepted() }));
        settle().await;
        callers.push(tokio::spawn(async move { three.fulfil(id, Parts::All).await.unwrap().is_accepted() }));
        settle().await;
    }
    store.set_open(true);
    for caller in callers {
        assert!(caller.await.unwrap(), "a later command overtook an earlier one");
    }
    for number in 0..16 {
        assert_eq!(stock(&inventory, &format!("SKU-{number}")).await, (0, 0));
    }
}

#[tokio::test]
async fn a_release_never_overtakes_the_request_whose_caller_gave_up() {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).with_group_commit(shards(8)).start();
    for number in 0..16 {
        let name = format!("SKU-{number}");
        inventory.receive(sku(&name), 1).await.unwrap();
        // Whatever goes through another shard than the request is faster.
        store.hold_requests();
        let id = inventory.new_reservation_id();
        let (one, two) = (inventory.clone(), inventory.clone());
        let request = Reserve::new(id).with_line(sku(&name), 1);
        let gives_up = tokio::spawn(async move { one.reserve(request).await });
        settle().await;
        gives_up.abort();
        settle().await;
        let release = tokio::spawn(async move { two.release(id, Parts::All).await.unwrap() });
        settle().await;
        store.set_open(true);
        let released = release.await.unwrap().accepted().expect("the reservation is known");
        assert_eq!((released.lines.len(), released.state), (1, ReservationState::Released));
        assert_eq!(stock(&inventory, &name).await, (1, 0));
    }
}

#[tokio::test]
async fn a_batch_over_all_shards_is_answered_in_its_own_order() {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).with_group_commit(shards(4)).start();
    let mut batch = Vec::new();
    for number in 0..50_u32 {
        let lines = std::iter::once(stockpulse_core::model::StockQuantity::new(
            sku(&format!("SKU-{number}")).into(),
            (number + 1).into(),
        ));
        batch.push(inventory.command(stockpulse_core::engine::stock::StockAction::Receive { lines: lines.collect() }));
    }
    let outcomes = inventory.execute_all(batch).await.unwrap();
    for (number, outcome) in (1..).zip(outcomes) {
        let stockpulse_core::engine::stock::StockOutcome::Moved(moved) = outcome else { panic!("{outcome:?}") };
        assert_eq!(moved.on_hand[0].quantity.get(), number);
    }
    assert!(inventory.execute_all(Vec::new()).await.unwrap().is_empty());
}
