//! Scenario 5: an order that nobody pays.

use std::time::Duration;

use super::backend::ShopBackend;
use super::check::{moved, no_drift, stock};
use super::shop::{GRACE, HALF_AN_HOUR, PRICE, Shop, new_order};
use crate::conformance::support::sku;
use crate::conformance::{Harness, Violation};
use crate::engine::order::Place;
use crate::model::{EventData, EventType, MovementKind, OrderChange, OrderId, OrderStatus, PaymentStatus, StockEvent};

const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn an_unpaid_order_gives_its_stock_back_once(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let mug = sku("MUG")?;
    shop.receive(&mug, 10).await?;
    let (unpaid, on_delivery) = (new_order(), new_order());
    shop.orders.place(Place::new(unpaid).with_line(mug.clone(), 3, PRICE).prepaid(HALF_AN_HOUR)).await?;
    shop.orders.place(Place::new(on_delivery).with_line(mug.clone(), 2, PRICE)).await?;
    let order = shop.order_is(unpaid, OrderStatus::Confirmed).await?;
    shop.order_is(on_delivery, OrderStatus::Confirmed).await?;
    let limit = order.pay_by.ok_or_else(|| Violation::new("an order to be paid has no limit"))?;

    shop.pass_until(limit.minus(MINUTE)).await;
    shop.quiet().await?;
    ensure_eq!(shop.order(unpaid).await?.status, OrderStatus::Confirmed, "the order a minute before its limit");
    ensure_eq!(stock(&shop.inventory, mug.clone()).await?, [10, 5, 5], "stock a minute before the limit");
    let shop = shop.restart().await?;
    shop.pass_until(limit.plus(GRACE)).await;
    shop.order_is(unpaid, OrderStatus::Expired).await?;
    let back = || async { Ok((stock(&shop.inventory, mug.clone()).await? == [10, 2, 8]).then_some(())) };
    shop.until("three are given back", back).await?;

    // Whoever comes later finds nothing to do. A month is nothing to cash on delivery.
    let shop = shop.restart().await?;
    shop.pass(30 * 24 * 60 * MINUTE).await;
    shop.quiet().await?;
    let order = shop.order(unpaid).await?;
    ensure_eq!((order.status, order.payment), (OrderStatus::Expired, PaymentStatus::Due), "the order nobody paid");
    let given_back = moved(&shop.inventory, mug.clone(), &[MovementKind::Expired, MovementKind::Released]).await?;
    ensure_eq!(given_back, [-3], "what was given back, one by one");
    let history = shop.orders.history(unpaid).await?;
    let ends = history.iter().filter(|entry| entry.change == OrderChange::Expired).count();
    ensure_eq!(ends, 1, "how often the order's history says that it expired");
    events_once(&shop, unpaid).await?;
    let exempt = shop.order(on_delivery).await?;
    let stands = (exempt.status, exempt.payment);
    ensure_eq!(stands, (OrderStatus::Confirmed, PaymentStatus::NotRequired), "the order that is paid on delivery");
    ensure_eq!(stock(&shop.inventory, mug).await?, [10, 2, 8], "stock in the end");
    no_drift(&shop).await
}

/// The end of the order is told once, and so is that of its hold.
async fn events_once(shop: &Shop<'_>, id: OrderId) -> Result<(), Violation> {
    let of_order = |event: &EventData| matches!(event, EventData::Order(event) if event.order == id);
    let ended = shop.events(&[EventType::OrderExpired], 1, of_order).await?;
    ensure_eq!(ended.len(), 1, "events that say order.expired");
    let of_hold = |event: &EventData| match event {
        EventData::Stock(StockEvent::Expired(event) | StockEvent::Released(event)) => event.order == Some(id),
        _ => false,
    };
    let given_back = shop.events(&[EventType::StockExpired, EventType::StockReleased], 1, of_hold).await?;
    ensure_eq!(given_back.len(), 1, "events that say stock.expired or stock.released");
    Ok(())
}
