//! Scenarios 7 and 8: ending what has shipped, and what was never held.

use super::backend::ShopBackend;
use super::check::{level, moved, no_drift, stock};
use super::shop::{PRICE, Shop, new_order};
use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, Violation};
use crate::engine::order::{OrderParts, OrderRefusal, Place};
use crate::engine::stock::{Decision, Parts, Refusal, Reserve};
use crate::model::{MovementKind, OrderId, OrderStatus, ReservationId, Sku, SkuQuantity};

/// An order that is confirmed.
async fn confirmed(shop: &Shop<'_>, sku: &Sku, units: u32) -> Result<OrderId, Violation> {
    let id = new_order();
    shop.orders.place(Place::new(id).with_line(sku.clone(), units, PRICE)).await?;
    shop.order_is(id, OrderStatus::Confirmed).await?;
    Ok(id)
}

async fn stock_is(shop: &Shop<'_>, sku: &Sku, expected: [i64; 3]) -> Result<(), Violation> {
    let what = format!("on hand, reserved and available of {sku} are {expected:?}");
    let there = || async { Ok((stock(&shop.inventory, sku.clone()).await? == expected).then_some(())) };
    shop.until(&what, there).await
}

pub(super) async fn cancelling_gives_back_what_has_not_shipped(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (all, some, claimed) = (sku("ALL")?, sku("SOME")?, sku("CLAIMED")?);
    for sku in [&all, &some, &claimed] {
        shop.receive(sku, 100).await?;
    }
    // (a) All of it has shipped.
    let order = confirmed(&shop, &all, 5).await?;
    shop.orders.ship(order, OrderParts::All).await?;
    stock_is(&shop, &all, [95, 0, 95]).await?;
    let cancelled = shop.orders.cancel(order, None).await?;
    let refused = Decision::Refused(OrderRefusal::WrongState(OrderStatus::Shipped));
    ensure_eq!(cancelled, refused, "the answer to cancelling what has shipped");
    shop.quiet().await?;
    ensure_eq!(stock(&shop.inventory, all.clone()).await?, [95, 0, 95], "5 of 100 shipped, then cancelled");

    // (b) Seven of ten have.
    let order = confirmed(&shop, &some, 10).await?;
    let seven = OrderParts::Lines(vec![SkuQuantity::new(some.clone(), 7.into())]);
    shop.orders.ship(order, seven).await?;
    stock_is(&shop, &some, [93, 3, 90]).await?;
    let cancelled = shop.orders.cancel(order, None).await?;
    ensure!(cancelled.is_accepted(), "the rest of an order was not cancelled: {cancelled:?}");
    stock_is(&shop, &some, [93, 0, 93]).await?;
    ensure_eq!(shop.order(order).await?.status, OrderStatus::Cancelled, "the order whose rest was cancelled");

    // The same without an order.
    let reservation = shop.inventory.new_reservation_id();
    shop.inventory.reserve(Reserve::new(reservation).with_line(claimed.clone(), 10)).await?;
    shop.inventory.allocate(reservation).await?;
    let seven = Parts::Skus(vec![SkuQuantity::new(claimed.clone(), 7.into())]);
    shop.inventory.fulfil(reservation, seven).await?;
    let released = shop.inventory.release(reservation, Parts::All).await?;
    ensure!(released.is_accepted(), "the rest of a claim was not released: {released:?}");
    ensure_eq!(stock(&shop.inventory, claimed.clone()).await?, [93, 0, 93], "7 of 10 shipped, then released");

    shop.quiet().await?;
    for (sku, given_back) in [(all, vec![]), (some, vec![-3]), (claimed, vec![-3])] {
        let released = moved(&shop.inventory, sku.clone(), &[MovementKind::Released]).await?;
        ensure_eq!(released, given_back, "units of {sku} that were released, one by one");
    }
    no_drift(&shop).await
}

pub(super) async fn releasing_without_a_hold_changes_nothing(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 10).await?;
    let unknown = ReservationId::new(fresh());
    let answer = shop.inventory.release(unknown, Parts::All).await?;
    let refused = Decision::Refused(Refusal::UnknownReservation(unknown));
    ensure_eq!(answer, refused, "the answer to releasing what never was");

    let (twice, shipped) = (shop.inventory.new_reservation_id(), shop.inventory.new_reservation_id());
    shop.inventory.reserve(Reserve::new(twice).with_line(mug.clone(), 4)).await?;
    let first = shop.inventory.release(twice, Parts::All).await?;
    ensure!(first.accepted().is_some_and(|first| first.lines.len() == 1), "a hold of one line was not released");
    shop.inventory.reserve(Reserve::new(shipped).with_line(mug.clone(), 3)).await?;
    shop.inventory.allocate(shipped).await?;
    shop.inventory.fulfil(shipped, Parts::All).await?;
    let before = level(&shop.inventory, mug.clone()).await?;
    ensure_eq!((before.on_hand.get(), before.reserved.get()), (7, 0), "on hand and reserved");
    for (what, id) in [("released", twice), ("fulfilled", shipped)] {
        let again = shop.inventory.release(id, Parts::All).await?;
        let nothing = again.clone().accepted().is_some_and(|again| again.lines.is_empty());
        ensure!(nothing, "releasing what was {what} before was answered with {again:?}");
    }
    ensure_eq!(level(&shop.inventory, mug).await?, before, "the level after releasing what is not held");
    no_drift(&shop).await
}

pub(super) async fn cancelling_without_a_reservation_changes_nothing(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let mut shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 10).await?;
    let shipped = confirmed(&shop, &mug, 3).await?;
    shop.orders.ship(shipped, OrderParts::All).await?;
    stock_is(&shop, &mug, [7, 0, 7]).await?;
    let rejected = new_order();
    shop.orders.place(Place::new(rejected).with_line(mug.clone(), 8, PRICE)).await?;
    shop.order_is(rejected, OrderStatus::Rejected).await?;

    // One that was never placed, and one that is cancelled before inventory has heard of it.
    shop.quiet().await?;
    shop.rest().await;
    let (never_placed, unheard) = (new_order(), new_order());
    shop.orders.place(Place::new(unheard).with_line(mug.clone(), 2, PRICE)).await?;
    for id in [never_placed, unheard, rejected] {
        for _ in 0..2 {
            let cancelled = shop.orders.cancel(id, Some("changed my mind".to_owned())).await?;
            ensure!(cancelled.is_accepted(), "cancelling without a reservation was answered with {cancelled:?}");
        }
    }
    let refused = shop.orders.cancel(shipped, None).await?;
    ensure!(!refused.is_accepted(), "an order that has shipped was cancelled: {refused:?}");
    let late = shop.orders.place(Place::new(never_placed).with_line(mug.clone(), 2, PRICE)).await?;
    ensure!(!late.is_accepted(), "an order that was cancelled before it was placed was taken: {late:?}");

    shop.work();
    let heard = || async {
        let unheard = shop.inventory.reservation(unheard.reservation(1)).await?;
        Ok(unheard.filter(|unheard| !unheard.state.is_live()))
    };
    shop.until("inventory hears of an order and of its end", heard).await?;
    shop.quiet().await?;
    ensure_eq!(shop.order(unheard).await?.status, OrderStatus::Cancelled, "the order inventory had not heard of");
    ensure_eq!(shop.order(rejected).await?.status, OrderStatus::Rejected, "the order that was rejected");
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [7, 0, 7], "stock in the end");
    super::check::never_oversold(&shop.inventory, mug).await?;
    no_drift(&shop).await
}
