//! Scenario 6: commands that come again.

use super::backend::ShopBackend;
use super::check::{ledger, no_drift, stock};
use super::shop::{HALF_AN_HOUR, PRICE, Shop, new_order};
use crate::conformance::support::{sku, together};
use crate::conformance::{Harness, Violation};
use crate::engine::order::{OrderAction, OrderParts, OrderRefusal, PaymentResult, Place};
use crate::engine::stock::{Decision, Parts, Refusal, Reserve, StockAction, StockOutcome};
use crate::model::{Command, EventData, EventType, MovementKind, OrderChange, OrderId, OrderStatus, Sku, SkuQuantity};

/// An order for ten, ready to ship.
async fn ready(shop: &Shop<'_>, sku: &Sku) -> Result<OrderId, Violation> {
    let id = new_order();
    shop.orders.place(Place::new(id).with_line(sku.clone(), 10, PRICE)).await?;
    shop.order_is(id, OrderStatus::Confirmed).await?;
    Ok(id)
}

pub(super) async fn a_shipment_sent_three_times_leaves_once(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 100).await?;
    let order = ready(&shop, &mug).await?;
    let ship = shop.orders.command(OrderAction::Ship { order, parts: OrderParts::All });
    let send = |_| {
        let (orders, ship) = (shop.orders.clone(), ship.clone());
        async move { orders.execute(ship).await }
    };
    let replies = together((0..3).map(send).collect::<Vec<_>>()).await?;
    let first = replies.first().cloned();
    ensure!(first.as_ref().is_some_and(Decision::is_accepted), "the shipment was answered with {first:?}");
    ensure!(replies.iter().all(|reply| Some(reply) == first.as_ref()), "the replies differ: {replies:?}");
    let left = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [90, 0, 90]).then_some(())) };
    shop.until("ten leave", left).await?;

    // The key is remembered by the store, not by the process.
    let shop = shop.restart().await?;
    let reply = shop.orders.execute(ship).await?;
    ensure_eq!(Some(reply), first, "the reply after a restart, and the first one");
    shop.quiet().await?;
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [90, 0, 90], "stock after four shipments of one key");
    let history = shop.orders.history(order).await?;
    let shipped = history.iter().filter(|entry| entry.change == OrderChange::Shipped).count();
    ensure_eq!(shipped, 1, "how often the order's history says that it shipped");
    let of_order = |event: &EventData| matches!(event, EventData::Order(event) if event.order == order);
    let events = shop.events(&[EventType::OrderShipped], 1, of_order).await?;
    ensure_eq!(events.len(), 1, "events that say order.shipped");

    // The same without an order.
    let reservation = shop.inventory.new_reservation_id();
    shop.inventory.reserve(Reserve::new(reservation).with_line(mug.clone(), 10)).await?;
    shop.inventory.allocate(reservation).await?;
    let fulfil = shop.inventory.command(StockAction::Fulfil { reservation, parts: Parts::All });
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(shop.inventory.execute(fulfil.clone()).await?);
    }
    let done = matches!(replies.first(), Some(StockOutcome::Fulfilled(done)) if !done.lines.is_empty());
    ensure!(done, "the fulfilment was answered with {replies:?}");
    ensure!(replies.windows(2).all(|two| two.first() == two.last()), "the replies differ: {replies:?}");
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [80, 0, 80], "stock after three fulfilments of one key");
    let left = ledger(&shop.inventory, mug).await?;
    let left: Vec<i64> = left
        .iter()
        .filter(|movement| movement.kind == MovementKind::Fulfilled)
        .map(|movement| movement.change.on_hand)
        .collect();
    ensure_eq!(left, [-10, -10], "what left, one by one");
    no_drift(&shop).await
}

pub(super) async fn a_refusal_is_repeated(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (mug, order) = (sku("MUG")?, new_order());
    shop.receive(&mug, 10).await?;
    shop.orders.place(Place::new(order).with_line(mug.clone(), 10, PRICE).prepaid(HALF_AN_HOUR)).await?;
    shop.order_is(order, OrderStatus::Confirmed).await?;
    let early = shop.orders.command(OrderAction::Ship { order, parts: OrderParts::All });
    let refused = shop.orders.execute(early.clone()).await?;
    ensure!(matches!(refused, Decision::Refused(OrderRefusal::WrongPayment(_))), "unpaid, it ships: {refused:?}");
    let much = Reserve::new(shop.inventory.new_reservation_id()).with_line(mug.clone(), 5);
    let much = shop.inventory.command(StockAction::Reserve(much));
    let short = shop.inventory.execute(much.clone()).await?;
    ensure!(matches!(short, StockOutcome::Refused(Refusal::Short(_))), "more than there is: {short:?}");

    // By now both could be done.
    shop.orders.record_payment(order, PaymentResult::Paid).await?;
    shop.order_when(order, "the order can ship", |order| order.held_until.is_none()).await?;
    shop.receive(&mug, 10).await?;
    let shop = shop.restart().await?;
    for _ in 0..2 {
        ensure_eq!(shop.orders.execute(early.clone()).await?, refused, "a repeated shipment, and its first answer");
        ensure_eq!(shop.inventory.execute(much.clone()).await?, short, "a repeated claim, and its first answer");
    }
    shop.quiet().await?;
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [20, 10, 10], "stock after repeated refusals");

    let anew = shop.orders.ship(order, OrderParts::All).await?;
    ensure!(anew.is_accepted(), "with a new key it ships: {anew:?}");
    let left = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [10, 0, 10]).then_some(())) };
    shop.until("ten leave", left).await?;
    no_drift(&shop).await
}

pub(super) async fn one_key_for_two_things_is_a_conflict(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 100).await?;
    let order = ready(&shop, &mug).await?;
    let one = OrderParts::Lines(vec![SkuQuantity::new(mug.clone(), 1.into())]);
    let ship = shop.orders.command(OrderAction::Ship { order, parts: one });
    let first = shop.orders.execute(ship.clone()).await?;
    ensure!(first.is_accepted(), "one of ten was answered with {first:?}");
    let left = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [99, 9, 90]).then_some(())) };
    shop.until("one leaves", left).await?;
    let before = shop.order(order).await?;

    let other = Command { action: OrderAction::Ship { order, parts: OrderParts::All }, ..ship.clone() };
    let conflict = shop.orders.execute(other).await?;
    ensure_eq!(conflict, Decision::Refused(OrderRefusal::Conflict), "the same key for all of the order");
    ensure_eq!(shop.orders.execute(ship).await?, first, "the first shipment again, and its first answer");

    let cart = Reserve::new(shop.inventory.new_reservation_id());
    let claim = shop.inventory.command(StockAction::Reserve(cart.clone().with_line(mug.clone(), 1)));
    let first = shop.inventory.execute(claim.clone()).await?;
    ensure!(matches!(first, StockOutcome::Reserved(_)), "a claim was answered with {first:?}");
    let other = Command { action: StockAction::Reserve(cart.with_line(mug.clone(), 2)), ..claim.clone() };
    let conflict = shop.inventory.execute(other).await?;
    ensure_eq!(conflict, StockOutcome::Refused(Refusal::Conflict), "the same key for two units");
    ensure_eq!(shop.inventory.execute(claim).await?, first, "the first claim again, and its first answer");

    shop.quiet().await?;
    ensure_eq!(shop.order(order).await?, before, "the order after a conflict");
    ensure_eq!(stock(&shop.inventory, mug).await?, [99, 10, 89], "stock after two conflicts");
    no_drift(&shop).await
}
