//! Each call gets its own kind of answer.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::engine::stock::{Hold, LevelSettings, Parts, Refusal, Reserve, StockAction};
use stockpulse_core::memory::{MemoryCatalogStore, MemoryInventoryStore};
use stockpulse_core::model::{
    Actor, Component, LocationId, MovementKind, Product, Quantity, ReservationState, StockKey,
};
use stockpulse_core::service::{Catalog, Inventory};

use crate::support::{clock, euro, key, kind, level, sku, some, start, stock};

#[tokio::test]
async fn a_reservation_from_hold_to_fulfilment() {
    let (time, clock) = clock();
    let inventory =
        Inventory::builder(Arc::new(MemoryInventoryStore::new(Arc::clone(&clock)))).with_clock(clock).start();
    let moved = inventory.receive(sku("CUP"), 10).await.unwrap().accepted().unwrap();
    assert_eq!(moved.on_hand[0].quantity, 10.into());

    let id = inventory.new_reservation_id();
    let request = Reserve::new(id).with_line(sku("CUP"), 4).with_hold(Duration::from_secs(60));
    let reserved = inventory.reserve(request).await.unwrap().accepted().unwrap();
    assert!(reserved.is_complete());
    assert_eq!(reserved.expires_at, Some(start().plus(Duration::from_secs(60))));

    let extended = inventory.extend(id, Hold::For(Duration::from_secs(90))).await.unwrap().accepted().unwrap();
    assert_eq!(extended.expires_at, Some(start().plus(Duration::from_secs(90))));
    assert_eq!(inventory.allocate(id).await.unwrap().accepted().unwrap().reservation, id);

    let parts = Parts::Levels(vec![stockpulse_core::model::StockQuantity::new(key("CUP"), 3.into())]);
    let fulfilled = inventory.fulfil(id, parts).await.unwrap().accepted().unwrap();
    assert_eq!((fulfilled.lines[0].quantity, fulfilled.state), (3.into(), ReservationState::Allocated));
    let released = inventory.release(id, Parts::All).await.unwrap().accepted().unwrap();
    assert_eq!((released.lines[0].quantity, released.state), (1.into(), ReservationState::Fulfilled));
    assert_eq!(stock(&inventory, "CUP").await, (7, 0));

    let cart = inventory.new_reservation_id();
    let request = Reserve::new(cart).with_line(sku("CUP"), 2).with_hold(Duration::from_secs(60));
    assert!(inventory.reserve(request).await.unwrap().is_accepted());
    assert!(matches!(inventory.expire(cart).await.unwrap().refused(), Some(Refusal::HoldLasts(_))));
    time.advance(Duration::from_secs(60));
    assert_eq!(inventory.expiring(start().plus(Duration::from_secs(60)), some(10)).await.unwrap(), [cart]);
    let expired = inventory.expire(cart).await.unwrap().accepted().unwrap();
    assert_eq!((expired.lines[0].quantity, expired.state), (2.into(), ReservationState::Expired));
    assert_eq!(inventory.reservation(cart).await.unwrap().unwrap().state, ReservationState::Expired);
}

#[tokio::test]
async fn stock_is_received_counted_adjusted_moved_configured_and_retired() {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
    let attic = LocationId::new("attic").unwrap();
    inventory.receive(sku("CUP"), 10).await.unwrap();
    assert!(inventory.take_back(sku("CUP"), 1, None).await.unwrap().is_accepted());
    assert!(inventory.adjust(sku("CUP"), -3, "broken").await.unwrap().is_accepted());
    assert!(inventory.count(sku("CUP"), 7, "stock-take").await.unwrap().is_accepted());
    let transfer = inventory.transfer(sku("CUP"), LocationId::main(), attic.clone(), 2).await.unwrap();
    assert_eq!(transfer.accepted().unwrap().on_hand.len(), 2);
    let settings = LevelSettings { safety_stock: Some(1.into()), ..LevelSettings::default() };
    assert!(inventory.configure(sku("CUP"), settings).await.unwrap().is_accepted());
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 4.into());
    assert_eq!(inventory.sellable(StockKey::new(sku("CUP"), attic)).await.unwrap(), 2.into());

    let clerk = inventory.as_actor(Actor::Staff("Ada".into()));
    assert_eq!(clerk.retire(sku("CUP")).await.unwrap().accepted().unwrap().sku, sku("CUP"));
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), Quantity::ZERO, "what is retired is not sold");
    assert_eq!(level(&inventory, "CUP").await.on_hand, 5.into());
    assert_eq!(inventory.sellable(sku("NOWHERE")).await.unwrap(), Quantity::ZERO);

    let ledger = inventory.movements(&key("CUP"), 0, some(100)).await.unwrap().items;
    let kinds: Vec<MovementKind> = ledger.iter().map(|movement| movement.kind).collect();
    use MovementKind::{Adjusted, Configured, Counted, Received, Retired, Returned, TransferredOut};
    assert_eq!(kinds, [Received, Returned, Adjusted, Counted, TransferredOut, Configured, Retired]);
    assert_eq!(ledger.last().unwrap().actor, Actor::Staff("Ada".into()));
    assert_eq!(ledger[2].reason.as_deref(), Some("broken"));
}

#[tokio::test]
async fn a_no_is_an_answer_and_nonsense_is_an_error() {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
    inventory.receive(sku("CUP"), 1).await.unwrap();
    let id = inventory.new_reservation_id();
    let refused = inventory.reserve(Reserve::new(id).with_line(sku("CUP"), 2)).await.unwrap().refused();
    let Some(Refusal::Short(short)) = refused else { panic!("{refused:?}") };
    assert_eq!((short[0].requested, short[0].sellable), (2.into(), 1.into()));
    assert_eq!(inventory.allocate(id).await.unwrap().refused(), Some(Refusal::UnknownReservation(id)));
    assert!(inventory.adjust(sku("CUP"), -2, "gone").await.unwrap().refused().is_some());
    assert!(inventory.retire(sku("NOWHERE")).await.unwrap().refused().is_some());

    assert_eq!(kind(inventory.reserve(Reserve::new(id)).await), Some(ErrorKind::InvalidInput));
    assert_eq!(kind(inventory.receive(sku("CUP"), 0).await), Some(ErrorKind::InvalidInput));
    let nonsense = inventory.command(StockAction::Reserve(Reserve::new(id)));
    let sense = inventory.command(StockAction::Count { key: key("CUP"), counted: 5.into(), reason: None });
    let outcomes = inventory.execute_all(vec![nonsense, sense]).await.unwrap();
    assert!(format!("{:?}", outcomes[0]).contains("Invalid"), "{outcomes:?}");
    assert_eq!(level(&inventory, "CUP").await.on_hand, 5.into());
    inventory.close().await;
    assert_eq!(kind(inventory.receive(sku("CUP"), 1).await), Some(ErrorKind::Closed));
    assert_eq!(level(&inventory, "CUP").await.on_hand, 5.into(), "reading goes on");
}

#[tokio::test]
async fn a_kit_is_made_up_as_the_catalog_says() {
    let catalog_store = Arc::new(MemoryCatalogStore::default());
    let catalog = Catalog::new(catalog_store.clone());
    let component = |name, quantity: u32| Component { sku: sku(name), quantity: quantity.into() };
    let set =
        Product::new(sku("SET"), "Set", euro(900)).with_components(vec![component("CUP", 2), component("POT", 1)]);
    catalog.put(set, stockpulse_core::engine::record::Expected::New).await.unwrap();
    let inventory =
        Inventory::builder(Arc::new(MemoryInventoryStore::default())).with_catalog(catalog_store.clone()).start();
    inventory.receive(sku("CUP"), 10).await.unwrap();
    inventory.receive(sku("POT"), 10).await.unwrap();
    let id = inventory.new_reservation_id();
    let request = Reserve::new(id).with_line(sku("SET"), 3).with_line(sku("CUP"), 1);
    assert!(inventory.reserve(request).await.unwrap().is_accepted());
    assert_eq!((stock(&inventory, "CUP").await.1, stock(&inventory, "POT").await.1), (7, 3));

    // Together with others, too; and a retry after the catalog changed is still the same command.
    let again = inventory.new_reservation_id();
    let command = inventory.command(StockAction::Reserve(Reserve::new(again).with_line(sku("SET"), 1)));
    let first = inventory.execute_all(vec![command.clone()]).await.unwrap();
    let changed = Product::new(sku("SET"), "Set", euro(900)).with_components(vec![component("CUP", 1)]);
    catalog.put(changed, stockpulse_core::engine::record::Expected::Version(1)).await.unwrap();
    assert_eq!(inventory.execute(command).await.unwrap(), first[0]);
    assert_eq!((stock(&inventory, "CUP").await.1, stock(&inventory, "POT").await.1), (9, 4));
}
