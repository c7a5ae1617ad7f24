//! Scenario 12: events that are late, lost or doubled.

use std::time::Duration;

use super::backend::ShopBackend;
use super::broker::Health;
use super::check::{level, moved, no_drift, stock};
use super::shop::{HALF_AN_HOUR, PRICE, Shop, new_order};
use crate::conformance::support::sku;
use crate::conformance::{Harness, Violation};
use crate::engine::order::{PaymentResult, Place};
use crate::model::{EventData, EventType, MovementKind, OrderChange, OrderId, OrderStatus, PaymentStatus, Sku};

/// The order was confirmed once, and its stock reserved once.
async fn confirmed_once(shop: &Shop<'_>, id: OrderId, sku: &Sku) -> Result<(), Violation> {
    shop.order_is(id, OrderStatus::Confirmed).await?;
    shop.quiet().await?;
    ensure_eq!(stock(&shop.inventory, sku.clone()).await?, [10, 3, 7], "on hand, reserved and available");
    let claims = moved(&shop.inventory, sku.clone(), &[MovementKind::Reserved]).await?;
    ensure_eq!(claims, [3], "units that were reserved, one by one");
    let changes: Vec<_> = shop.orders.history(id).await?.into_iter().map(|entry| entry.change).collect();
    ensure_eq!(changes, [OrderChange::Placed, OrderChange::Confirmed], "the order's history");
    let of_order = |event: &EventData| matches!(event, EventData::Order(event) if event.order == id);
    for event_type in [EventType::OrderPlaced, EventType::OrderConfirmed] {
        let events = shop.events(&[event_type], 1, of_order).await?;
        ensure_eq!(events.len(), 1, "events that say {event_type}");
    }
    no_drift(shop).await
}

pub(super) async fn an_order_outlives_a_broker_and_a_process(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (mug, id) = (sku("MUG")?, new_order());
    shop.receive(&mug, 10).await?;
    shop.quiet().await?;
    shop.broker.becomes(Health::Down);
    let taken = shop.orders.place(Place::new(id).with_line(mug.clone(), 3, PRICE)).await?;
    ensure!(taken.is_accepted(), "while the broker is down an order is answered with {taken:?}");
    let none = shop.events(&[EventType::OrderPlaced], 0, |_| true).await?;
    ensure!(none.is_empty(), "events came through a broker that is down: {none:?}");

    let shop = shop.restart().await?;
    ensure_eq!(shop.order(id).await?.status, OrderStatus::Placed, "the order after a restart");
    let waiting = shop.backend.orders.outbox.stats().await?.pending;
    ensure_eq!(waiting, 1, "events that wait in the outbox of orders");
    shop.broker.becomes(Health::Up);
    confirmed_once(&shop, id, &mug).await
}

pub(super) async fn an_event_published_twice_has_one_effect(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (mug, id) = (sku("MUG")?, new_order());
    shop.receive(&mug, 10).await?;
    shop.quiet().await?;
    // Down at first, so that what comes of the order happens later than the order.
    shop.broker.becomes(Health::Down);
    shop.orders.place(Place::new(id).with_line(mug.clone(), 3, PRICE)).await?;
    shop.pass(Duration::from_secs(1)).await;
    shop.broker.becomes(Health::Silent);
    shop.events(&[EventType::OrderPlaced], 1, |_| true).await?;
    let reserved = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [10, 3, 7]).then_some(())) };
    shop.until("the event has its effect", reserved).await?;
    // The relay dies before it learns that its events were published, and its successor publishes them again.
    let shop = shop.restart().await?;
    let oldest = shop.order(id).await?.placed_at;
    let waiting = shop.backend.orders.outbox.stats().await?;
    ensure_eq!(waiting.oldest, Some(oldest), "the oldest event whose publication nobody confirmed");
    shop.broker.becomes(Health::Up);
    confirmed_once(&shop, id, &mug).await
}

pub(super) async fn a_late_payment_is_recorded_and_changes_nothing(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (mug, id) = (sku("MUG")?, new_order());
    shop.receive(&mug, 10).await?;
    shop.orders.place(Place::new(id).with_line(mug.clone(), 3, PRICE).prepaid(HALF_AN_HOUR)).await?;
    shop.order_is(id, OrderStatus::Confirmed).await?;
    shop.orders.cancel(id, None).await?;
    let restocked = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [10, 0, 10]).then_some(())) };
    shop.until("the cancelled order's stock is given back", restocked).await?;
    shop.quiet().await?;
    let before = (level(&shop.inventory, mug.clone()).await?, shop.inventory.reservation(id.reservation(1)).await?);

    let paid = shop.orders.record_payment(id, PaymentResult::Paid).await?;
    ensure!(paid.is_accepted(), "late money was not recorded: {paid:?}");
    shop.quiet().await?;
    let order = shop.order(id).await?;
    ensure_eq!((order.status, order.payment), (OrderStatus::Cancelled, PaymentStatus::RefundDue), "after late money");
    let history = shop.orders.history(id).await?;
    let last = history.last().map(|entry| (entry.change, entry.status));
    ensure_eq!(last, Some((OrderChange::PaidLate, OrderStatus::Cancelled)), "the last entry of the history");

    // Reported once more, it is noted once more.
    shop.orders.record_payment(id, PaymentResult::Paid).await?;
    shop.quiet().await?;
    let order = shop.order(id).await?;
    ensure_eq!(
        (order.status, order.payment),
        (OrderStatus::Cancelled, PaymentStatus::RefundDue),
        "after it came again"
    );
    let history = shop.orders.history(id).await?;
    let last = history.last().map(|entry| (entry.change, entry.status));
    ensure_eq!(last, Some((OrderChange::PaidAgain, OrderStatus::Cancelled)), "the last entry of the history");
    let after = (level(&shop.inventory, mug).await?, shop.inventory.reservation(id.reservation(1)).await?);
    ensure_eq!(after, before, "level and reservation after late money");
    no_drift(&shop).await
}
