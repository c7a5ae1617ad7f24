//! Scenarios 3 and 10: carts that come back.

use std::time::Duration;

use super::backend::ShopBackend;
use super::check::{claims_add_up, moved, never_oversold, no_drift, stock};
use super::shop::{GRACE, HALF_AN_HOUR, PRICE, Shop, new_order};
use crate::conformance::support::sku;
use crate::conformance::{Harness, Violation};
use crate::engine::order::{OrderRefusal, PaymentResult, Place};
use crate::engine::stock::{Decision, Refusal, Reserve};
use crate::model::{MovementKind, OrderChange, OrderStatus, PaymentStatus, Quantity, ReservationState};

pub(super) async fn a_stale_cart_is_refused_before_it_is_charged(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 20).await?;
    // A looks, and sees enough for the five in the cart. Nothing is reserved.
    ensure_eq!(shop.inventory.sellable(mug.clone()).await?, Quantity::from(20), "what A's cart can see");
    let b = Place::new(new_order()).with_line(mug.clone(), 20, PRICE);
    let (a, b_id) = (new_order(), b.order);
    shop.orders.place(b).await?;
    shop.order_is(b_id, OrderStatus::Confirmed).await?;

    let place = Place::new(a).with_line(mug.clone(), 5, PRICE).prepaid(HALF_AN_HOUR);
    shop.orders.place(place).await?;
    let order = shop.order_when(a, "A is answered", |order| order.status != OrderStatus::Placed).await?;
    ensure_eq!((order.status, order.payment), (OrderStatus::Rejected, PaymentStatus::Due), "where A's order stands");
    let begun = shop.orders.begin_payment(a, Duration::from_secs(60)).await?;
    let refused = Decision::Refused(OrderRefusal::WrongState(OrderStatus::Rejected));
    ensure_eq!(begun, refused, "the answer to A, who wants to pay");
    let charged = [OrderChange::PaymentStarted, OrderChange::Paid];
    let history = shop.orders.history(a).await?;
    ensure!(history.iter().all(|entry| !charged.contains(&entry.change)), "A was charged: {history:?}");

    // The same without an order: the cart reserves just before it is charged.
    let cart = Reserve::new(shop.inventory.new_reservation_id()).with_line(mug.clone(), 5);
    let answer = shop.inventory.reserve(cart).await?;
    ensure!(matches!(answer, Decision::Refused(Refusal::Short(_))), "a cart of what is sold out: {answer:?}");
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [20, 20, 0], "on hand, reserved and available");
    never_oversold(&shop.inventory, mug).await?;
    no_drift(&shop).await
}

pub(super) async fn a_cart_is_not_blocked_by_its_own_hold(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let last = sku("LAST")?;
    shop.receive(&last, 1).await?;
    let (mine, others) = (shop.inventory.new_reservation_id(), shop.inventory.new_reservation_id());
    let cart = |id| Reserve::new(id).with_line(last.clone(), 1).with_hold(HALF_AN_HOUR).replacing();
    let first = shop.inventory.reserve(cart(mine)).await?;
    ensure!(first.is_accepted(), "the last unit was answered with {first:?}");
    shop.pass(Duration::from_secs(600)).await;

    let begun = shop.now();
    let again = shop.inventory.reserve(cart(mine)).await?;
    let Decision::Accepted(held) = again else {
        return Err(Violation::new(format!("blocked by one's own hold: {again:?}")));
    };
    ensure!(held.is_complete(), "the second attempt got less: {held:?}");
    ensure!(held.expires_at >= Some(begun.plus(HALF_AN_HOUR)), "held anew, and until {:?}", held.expires_at);
    ensure_eq!(stock(&shop.inventory, last.clone()).await?, [1, 1, 0], "stock, held once");
    claims_add_up(&shop.inventory, last.clone(), [mine]).await?;
    ensure_eq!(shop.inventory.sellable(last.clone()).await?, Quantity::ZERO, "what others see");
    let other = shop.inventory.reserve(cart(others)).await?;
    ensure!(matches!(other, Decision::Refused(Refusal::Short(_))), "another cart was answered with {other:?}");

    // Abandoned for good, it ends; and even then the same cart may try again.
    shop.pass(HALF_AN_HOUR + GRACE).await;
    let expired = || async {
        let cart = shop.inventory.reservation(mine).await?;
        Ok(cart.filter(|cart| cart.state == ReservationState::Expired))
    };
    shop.until("the abandoned hold ends", expired).await?;
    ensure_eq!(stock(&shop.inventory, last.clone()).await?, [1, 0, 1], "stock after the abandoned hold");
    let once_more = shop.inventory.reserve(cart(mine)).await?;
    ensure!(once_more.is_accepted(), "a third attempt was answered with {once_more:?}");
    ensure_eq!(stock(&shop.inventory, last.clone()).await?, [1, 1, 0], "stock, held once more");
    never_oversold(&shop.inventory, last).await?;
    no_drift(&shop).await
}

pub(super) async fn an_order_placed_again_keeps_its_hold(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let last = sku("LAST")?;
    shop.receive(&last, 1).await?;
    let place = Place::new(new_order()).with_line(last.clone(), 1, PRICE).prepaid(HALF_AN_HOUR);
    let id = place.order;
    shop.orders.place(place.clone()).await?;
    let order = shop.order_is(id, OrderStatus::Confirmed).await?;
    let again = shop.orders.place(place).await?;
    let exists = Decision::Refused(OrderRefusal::OrderExists(OrderStatus::Confirmed));
    ensure_eq!(again, exists, "the answer to an order that is placed again");
    shop.quiet().await?;
    ensure_eq!(shop.order(id).await?, order, "the order");
    ensure_eq!(stock(&shop.inventory, last.clone()).await?, [1, 1, 0], "stock, held once");
    let claims = moved(&shop.inventory, last.clone(), &[MovementKind::Reserved]).await?;
    ensure_eq!(claims, [1], "units that were reserved, one by one");
    // The first attempt's hold is there to be used.
    shop.orders.record_payment(id, PaymentResult::Paid).await?;
    shop.order_when(id, "the order can ship", |order| order.held_until.is_none()).await?;
    claims_add_up(&shop.inventory, last, [order.reservation()]).await?;
    no_drift(&shop).await
}
