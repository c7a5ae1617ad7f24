//! Scenario 4: a payment that outlasts the hold.

use std::time::Duration;

use super::backend::ShopBackend;
use super::check::{claims_add_up, never_oversold, no_drift, stock};
use super::shop::{GRACE, HALF_AN_HOUR, PRICE, Shop, new_order};
use crate::conformance::support::sku;
use crate::conformance::{Harness, Violation};
use crate::engine::order::{OrderParts, PaymentResult, Place};
use crate::engine::stock::{Decision, Reserve};
use crate::model::{Order, OrderChange, OrderId, OrderStatus, PaymentStatus, ReservationState, Sku, Timestamp};

/// How long a payment may take: minutes, so that a slow machine is no late customer.
const WINDOW: Duration = Duration::from_secs(300);
const SECOND: Duration = Duration::from_secs(1);

/// Orders three, and waits until they are held. Answers until when.
async fn held(shop: &Shop<'_>, sku: &Sku) -> Result<(OrderId, Timestamp), Violation> {
    let place = Place::new(new_order()).with_line(sku.clone(), 3, PRICE).prepaid(HALF_AN_HOUR);
    let id = place.order;
    shop.orders.place(place).await?;
    let order = shop.order_is(id, OrderStatus::Confirmed).await?;
    let ends = order.held_until.ok_or_else(|| Violation::new("an order to be paid is held without an end"))?;
    Ok((id, ends))
}

async fn state(shop: &Shop<'_>, order: &Order) -> Result<Option<ReservationState>, Violation> {
    Ok(shop.inventory.reservation(order.reservation()).await?.map(|reservation| reservation.state))
}

pub(super) async fn a_payment_begun_in_time_extends_the_hold(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 3).await?;
    let (id, ends) = held(&shop, &mug).await?;
    shop.pass_until(ends.minus(SECOND)).await;
    let begun = shop.orders.begin_payment(id, WINDOW).await?;
    ensure!(begun.is_accepted(), "a payment that begins a second before the hold ends: {begun:?}");
    let reservation = id.reservation(1);
    let extended = || async {
        let held = shop.inventory.reservation(reservation).await?;
        Ok(held.filter(|held| held.expires_at > Some(ends.plus(30 * SECOND))))
    };
    shop.until("the hold lasts longer", extended).await?;

    shop.pass_until(ends.plus(30 * SECOND)).await;
    shop.quiet().await?;
    let order = shop.order(id).await?;
    ensure_eq!((order.status, order.payment), (OrderStatus::Confirmed, PaymentStatus::Started), "while it is paid");
    ensure_eq!(state(&shop, &order).await?, Some(ReservationState::Held), "the reservation while it is paid");
    let other = Reserve::new(shop.inventory.new_reservation_id()).with_line(mug.clone(), 1);
    let other = shop.inventory.reserve(other).await?;
    ensure!(!other.is_accepted(), "somebody else got what is being paid: {other:?}");

    let paid = shop.orders.record_payment(id, PaymentResult::Paid).await?;
    ensure!(paid.is_accepted(), "the payment was not taken: {paid:?}");
    let order = shop.order_when(id, "the stock is claimed for good", |order| order.held_until.is_none()).await?;
    ensure_eq!((order.status, order.payment), (OrderStatus::Confirmed, PaymentStatus::Paid), "after it was paid");
    ensure_eq!(state(&shop, &order).await?, Some(ReservationState::Allocated), "the reservation after it was paid");
    shop.orders.ship(id, OrderParts::All).await?;
    let left = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [0, 0, 0]).then_some(())) };
    shop.until("the goods leave", left).await?;
    no_drift(&shop).await
}

pub(super) async fn a_payment_for_stock_that_is_gone_is_refunded(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let mut shop = Shop::open(harness).await?;
    let (gone, left) = (sku("GONE")?, sku("LEFT")?);
    shop.receive(&gone, 3).await?;
    shop.receive(&left, 3).await?;
    let (unlucky, first) = held(&shop, &gone).await?;
    let (lucky, second) = held(&shop, &left).await?;
    shop.quiet().await?;
    // While no event gets through, the holds end; the stock of one is sold. The orders have not heard of it when they
    // are paid.
    shop.rest().await;
    for id in [unlucky, lucky] {
        let begun = shop.orders.begin_payment(id, HALF_AN_HOUR).await?;
        ensure!(begun.is_accepted(), "a payment that begins in time: {begun:?}");
    }
    shop.pass_until(first.max(second).plus(SECOND)).await;
    for id in [unlucky, lucky] {
        let ended = shop.inventory.expire(id.reservation(1)).await?;
        ensure!(ended.is_accepted(), "a hold that is over did not end: {ended:?}");
    }
    let buyer = shop.inventory.new_reservation_id();
    let bought = shop.inventory.reserve(Reserve::new(buyer).with_line(gone.clone(), 3)).await?;
    ensure!(bought.is_accepted(), "what nobody holds can be had: {bought:?}");
    for id in [unlucky, lucky] {
        let paid = shop.orders.record_payment(id, PaymentResult::Paid).await?;
        ensure!(paid.is_accepted(), "a payment in its window: {paid:?}");
    }

    shop.work();
    let order = shop.order_is(unlucky, OrderStatus::Rejected).await?;
    ensure_eq!(order.payment, PaymentStatus::RefundDue, "the payment for what is gone");
    let lost = |entry: &crate::model::HistoryEntry| entry.change == OrderChange::HoldLost;
    let history = shop.orders.history(unlucky).await?;
    ensure!(history.iter().any(lost), "the history does not say that the hold was lost: {history:?}");
    ensure_eq!(stock(&shop.inventory, gone.clone()).await?, [3, 3, 0], "stock that was sold to somebody else");
    claims_add_up(&shop.inventory, gone.clone(), [buyer, unlucky.reservation(1), order.reservation()]).await?;
    let shipped = shop.orders.ship(unlucky, OrderParts::All).await?;
    ensure!(matches!(shipped, Decision::Refused(_)), "what is gone ships: {shipped:?}");
    never_oversold(&shop.inventory, gone).await?;

    let ready = |order: &Order| order.status == OrderStatus::Confirmed && order.attempt > 1;
    let order = shop.order_when(lucky, "stock that is left is held again", ready).await?;
    ensure_eq!((order.payment, order.held_until), (PaymentStatus::Paid, None), "the order that was held again");
    shop.orders.ship(lucky, OrderParts::All).await?;
    let empty = || async { Ok((stock(&shop.inventory, left.clone()).await? == [0, 0, 0]).then_some(())) };
    shop.until("the goods leave", empty).await?;
    no_drift(&shop).await
}

pub(super) async fn a_payment_after_its_window_is_refunded(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 3).await?;
    let (id, ends) = held(&shop, &mug).await?;
    shop.pass_until(ends.minus(SECOND)).await;
    let begun = shop.orders.begin_payment(id, WINDOW).await?;
    ensure!(begun.is_accepted(), "a payment that begins a second before the hold ends: {begun:?}");
    shop.pass_until(ends.plus(WINDOW).plus(GRACE)).await;
    shop.order_is(id, OrderStatus::Expired).await?;
    let back = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [3, 0, 3]).then_some(())) };
    shop.until("the stock is given back", back).await?;
    let buyer = shop.inventory.new_reservation_id();
    let bought = shop.inventory.reserve(Reserve::new(buyer).with_line(mug.clone(), 3)).await?;
    ensure!(bought.is_accepted(), "what was given back can be had: {bought:?}");

    let paid = shop.orders.record_payment(id, PaymentResult::Paid).await?;
    ensure!(paid.is_accepted(), "late money was not recorded: {paid:?}");
    shop.quiet().await?;
    let order = shop.order(id).await?;
    ensure_eq!((order.status, order.payment), (OrderStatus::Expired, PaymentStatus::RefundDue), "after late money");
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [3, 3, 0], "stock after late money");
    claims_add_up(&shop.inventory, mug.clone(), [buyer, order.reservation()]).await?;
    never_oversold(&shop.inventory, mug).await?;
    no_drift(&shop).await
}
