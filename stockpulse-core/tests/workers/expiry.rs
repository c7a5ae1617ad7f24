//! An unpaid order does not hold stock forever (scenario 5), and other holds that end.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::engine::order::{OrderParts, PaymentResult};
use stockpulse_core::engine::stock::Reserve;
use stockpulse_core::memory::{MemoryBus, MemoryInventoryStore};
use stockpulse_core::model::{NotificationKind, OrderId, OrderStatus, PaymentStatus, ReservationState};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{ExpirySweeper, SweepOptions};

use crate::support::shop::{Shop, Stores, place};
use crate::support::store::{Fault, WatchedStore};
use crate::support::{clock, kind, settle, sku, start, stock};

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);
const GRACE: u64 = 5;

async fn open() -> Shop {
    let stores = Stores::new(MemoryBus::new());
    stores.add_customers(1..=1).await;
    let shop = stores.open();
    shop.inventory.receive(sku("CUP"), 10).await.unwrap();
    shop
}

impl Shop {
    async fn order(&self, number: u128) -> (OrderStatus, PaymentStatus) {
        let order = self.orders.order(OrderId::from_u128(number)).await.unwrap().unwrap();
        (order.status, order.payment)
    }
}

#[tokio::test]
async fn an_unpaid_order_ends_soon_after_its_limit_once_though_the_worker_restarts() {
    let shop = open().await;
    let stores = shop.stores.clone();
    shop.orders.place(place(7, &[("CUP", 3)]).prepaid(HALF_AN_HOUR)).await.unwrap();
    shop.orders.place(place(8, &[("CUP", 2)])).await.unwrap();
    shop.rest().await;
    assert_eq!(stock(&shop.inventory, "CUP").await, (10, 5));
    stores.time.advance(HALF_AN_HOUR - Duration::from_secs(60));
    settle().await;
    shop.rest().await;
    assert_eq!(shop.order(7).await.0, OrderStatus::Confirmed);

    drop(shop);
    settle().await;
    stores.time.advance(Duration::from_secs(60 + GRACE));
    let shop = stores.open();
    settle().await;
    shop.rest().await;
    shop.wait(3).await;
    assert_eq!(shop.order(7).await, (OrderStatus::Expired, PaymentStatus::Due));
    assert_eq!(stock(&shop.inventory, "CUP").await, (10, 2), "three were given back, once");
    assert_eq!((shop.events("order.expired").await, shop.events("stock.released").await), (1, 0));
    assert_eq!(shop.events("stock.expired").await, 1);

    // Cash on delivery has no limit.
    shop.wait(1).await;
    stores.time.advance(Duration::from_secs(365 * 24 * 3600));
    settle().await;
    shop.rest().await;
    assert_eq!(shop.order(8).await, (OrderStatus::Confirmed, PaymentStatus::NotRequired));
    assert_eq!(stock(&shop.inventory, "CUP").await, (10, 2));
    let expired = |kind| stores.notifier.sent().iter().filter(|sent| sent.kind == kind).count();
    assert_eq!((expired(NotificationKind::OrderExpired), expired(NotificationKind::OrderConfirmed)), (1, 2));
    shop.assert_consistent().await;
}

#[tokio::test]
async fn until_the_grace_is_over_a_payment_can_still_begin() {
    let shop = open().await;
    let id = OrderId::from_u128(7);
    shop.orders.place(place(7, &[("CUP", 3)]).prepaid(HALF_AN_HOUR)).await.unwrap();
    shop.rest().await;
    shop.stores.time.advance(HALF_AN_HOUR + Duration::from_secs(GRACE) - Duration::from_micros(1));
    settle().await;
    shop.rest().await;
    assert_eq!(shop.order(7).await.0, OrderStatus::Confirmed);
    assert!(shop.orders.begin_payment(id, Duration::from_secs(60)).await.unwrap().is_accepted());
    shop.rest().await;
    shop.wait(30).await;
    assert!(shop.orders.record_payment(id, PaymentResult::Paid).await.unwrap().is_accepted());
    shop.rest().await;
    shop.wait(60).await;
    assert_eq!(shop.order(7).await, (OrderStatus::Confirmed, PaymentStatus::Paid));
    assert!(shop.orders.ship(id, OrderParts::All).await.unwrap().is_accepted());
    shop.rest().await;
    assert_eq!(stock(&shop.inventory, "CUP").await, (7, 0));
    assert_eq!(shop.events("stock.expired").await, 0);
}

#[tokio::test]
async fn a_cart_is_given_back_and_paid_orders_are_left_alone() {
    let shop = open().await;
    let cart = shop.inventory.new_reservation_id();
    let request = Reserve::new(cart).with_line(sku("CUP"), 4).with_hold(Duration::from_secs(60));
    shop.inventory.reserve(request).await.unwrap();
    let forever = shop.inventory.new_reservation_id();
    shop.inventory.reserve(Reserve::new(forever).with_line(sku("CUP"), 1)).await.unwrap();
    shop.orders.place(place(7, &[("CUP", 2)]).prepaid(Duration::from_secs(60))).await.unwrap();
    shop.rest().await;
    shop.orders.record_payment(OrderId::from_u128(7), PaymentResult::Paid).await.unwrap();
    shop.rest().await;
    shop.wait(60 + GRACE - 1).await;
    assert_eq!(stock(&shop.inventory, "CUP").await, (10, 7));
    shop.wait(1).await;
    assert_eq!(stock(&shop.inventory, "CUP").await, (10, 3));
    let state = |held: Option<stockpulse_core::model::Reservation>| held.map(|held| held.state);
    assert_eq!(state(shop.inventory.reservation(cart).await.unwrap()), Some(ReservationState::Expired));
    assert_eq!(state(shop.inventory.reservation(forever).await.unwrap()), Some(ReservationState::Held));
    assert_eq!(shop.order(7).await, (OrderStatus::Confirmed, PaymentStatus::Paid));
    shop.wait(10).await;
    assert_eq!(shop.events("stock.expired").await, 1);
}

async fn many_carts(store: Arc<dyn stockpulse_core::port::InventoryStore>, carts: usize) -> (Inventory, ExpirySweeper) {
    let (time, clock) = clock();
    let inventory = Inventory::builder(store).with_clock(Arc::clone(&clock)).start();
    inventory.receive(sku("CUP"), 100).await.unwrap();
    for _ in 0..carts {
        let request = Reserve::new(inventory.new_reservation_id()).with_line(sku("CUP"), 1);
        inventory.reserve(request.with_hold(Duration::from_secs(60))).await.unwrap();
    }
    time.advance(Duration::from_secs(66));
    let options = SweepOptions { batch: NonZeroUsize::new(4).unwrap(), ..SweepOptions::default() };
    let sweeper = ExpirySweeper::new(options).with_inventory(inventory.clone()).with_clock(clock);
    (inventory, sweeper)
}

#[tokio::test]
async fn one_sweep_ends_more_than_one_batch_and_two_sweepers_end_each_once() {
    let store = MemoryInventoryStore::default();
    let (inventory, sweeper) = many_carts(Arc::new(store.clone()), 10).await;
    let other = sweeper.clone();
    let (one, other) = tokio::join!(sweeper.run_once(), other.run_once());
    assert_eq!(one.unwrap() + other.unwrap(), 10);
    assert_eq!(stock(&inventory, "CUP").await, (100, 0));
    let expired = crate::support::shop::types(&store.outbox().pending());
    assert_eq!(expired.iter().filter(|name| **name == "stock.expired").count(), 10);
    assert_eq!(sweeper.run_once().await.unwrap(), 0);
}

#[tokio::test]
async fn a_store_that_is_down_keeps_neither_orders_nor_the_next_sweep_from_ending() {
    let stores = Stores::new(MemoryBus::new());
    let (_, orders) = stores.services();
    orders.place(place(7, &[("CUP", 2)]).prepaid(Duration::from_secs(60))).await.unwrap();
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let (inventory, _) = many_carts(Arc::clone(&store) as _, 3).await;
    let sweeper = ExpirySweeper::new(SweepOptions::default())
        .with_inventory(inventory.clone())
        .with_orders(orders.clone())
        .with_clock(Arc::clone(&stores.clock));
    // The carts' own clock shows the same time.
    stores.time.set(start().plus(Duration::from_secs(66)));
    store.will([Fault::Before(ErrorKind::Unavailable)]);
    assert_eq!(kind(sweeper.run_once().await), Some(ErrorKind::Unavailable));
    let order = orders.order(OrderId::from_u128(7)).await.unwrap().unwrap();
    assert_eq!(order.status, OrderStatus::Expired);
    assert_eq!(stock(&inventory, "CUP").await.1, 3);
    assert_eq!(sweeper.run_once().await.unwrap(), 3);
    assert_eq!(stock(&inventory, "CUP").await.1, 0);
}
