//! Asking again with the same id.

use std::sync::Arc;

use stockpulse_core::ErrorKind;
use stockpulse_core::engine::stock::{Refusal, Reserve, StockAction, StockOutcome};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::Command;
use stockpulse_core::service::Inventory;

use crate::support::store::{Fault, WatchedStore};
use crate::support::{kind, settle, sku, stock};

async fn start() -> (Inventory, Arc<WatchedStore>) {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).start();
    inventory.receive(sku("CUP"), 5).await.unwrap();
    (inventory, store)
}

fn want(inventory: &Inventory, units: u32) -> Command<StockAction> {
    let request = Reserve::new(inventory.new_reservation_id()).with_line(sku("CUP"), units);
    inventory.command(StockAction::Reserve(request))
}

#[tokio::test]
async fn a_lost_answer_is_had_by_asking_again() {
    let (inventory, store) = start().await;
    store.will([Fault::After(ErrorKind::Indeterminate)]);
    let command = want(&inventory, 3);
    let error = inventory.execute(command.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Indeterminate, "inventory.execute"));
    assert!(matches!(inventory.execute(command.clone()).await.unwrap(), StockOutcome::Reserved(_)));
    assert_eq!(inventory.execute(command.clone()).await.unwrap(), inventory.execute(command).await.unwrap());
    assert_eq!(stock(&inventory, "CUP").await, (5, 3));
}

#[tokio::test]
async fn a_refusal_stays_one_even_when_there_is_enough_later() {
    let (inventory, _store) = start().await;
    let command = want(&inventory, 6);
    let first = inventory.execute(command.clone()).await.unwrap();
    assert!(matches!(first, StockOutcome::Refused(Refusal::Short(_))));
    inventory.receive(sku("CUP"), 10).await.unwrap();
    assert_eq!(inventory.execute(command).await.unwrap(), first);
    assert_eq!(stock(&inventory, "CUP").await, (15, 0));
}

#[tokio::test]
async fn a_caller_that_gave_up_finds_its_command_decided() {
    let (inventory, store) = start().await;
    store.set_open(false);
    let command = want(&inventory, 3);
    let (same, again) = (inventory.clone(), command.clone());
    let gives_up = tokio::spawn(async move { same.execute(again).await });
    settle().await;
    gives_up.abort();
    settle().await;
    store.set_open(true);
    settle().await;
    assert_eq!(stock(&inventory, "CUP").await, (5, 3));
    assert!(matches!(inventory.execute(command).await.unwrap(), StockOutcome::Reserved(_)));
    assert_eq!(stock(&inventory, "CUP").await, (5, 3));
}

#[tokio::test]
async fn a_store_that_panics_once_does_not_end_the_service() {
    let (inventory, store) = start().await;
    store.will([Fault::Panic]);
    let command = want(&inventory, 3);
    assert_eq!(kind(inventory.execute(command.clone()).await), Some(ErrorKind::Unexpected));
    assert!(matches!(inventory.execute(command).await.unwrap(), StockOutcome::Reserved(_)));
}
