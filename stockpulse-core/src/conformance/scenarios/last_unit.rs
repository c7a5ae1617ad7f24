//! Scenario 1: many want the last unit.

use super::backend::ShopBackend;
use super::check::{claims_add_up, never_oversold, no_drift, stock};
use super::shop::{PRICE, Shop, new_order};
use crate::conformance::support::{sku, together};
use crate::conformance::{Harness, Violation};
use crate::engine::order::Place;
use crate::engine::stock::{Decision, Refusal, Reserve};
use crate::model::{EventData, EventType, MovementKind, Order, OrderStatus, Quantity, Shortage, Sku, StockEvent};

pub(super) async fn one_of_ten_reserves_the_last_unit(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (last, services) = (sku("LAST")?, shop.inventories().await?);
    shop.receive(&last, 1).await?;
    let carts: Vec<_> = (0..10).map(|_| shop.inventory.new_reservation_id()).collect();
    let calls = carts.iter().zip(services.iter().cycle()).map(|(cart, service)| {
        let (service, request) = (service.clone(), Reserve::new(*cart).with_line(last.clone(), 1));
        async move { service.reserve(request).await }
    });
    let answers = together(calls.collect::<Vec<_>>()).await?;
    let granted = answers.iter().filter(|answer| answer.is_accepted()).count();
    ensure_eq!(granted, 1, "how many of ten got the last unit");
    for refusal in answers.into_iter().filter_map(Decision::refused) {
        ensure_eq!(refusal, Refusal::Short(vec![short(&last)]), "why the others did not");
    }
    ensure_eq!(stock(&shop.inventory, last.clone()).await?, [1, 1, 0], "on hand, reserved and available");
    claims_add_up(&shop.inventory, last.clone(), carts).await?;
    never_oversold(&shop.inventory, last).await?;
    no_drift(&shop).await
}

pub(super) async fn one_of_ten_orders_gets_the_last_unit(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let last = sku("LAST")?;
    shop.receive(&last, 1).await?;
    let ids: Vec<_> = (0..10).map(|_| new_order()).collect();
    let calls = ids.iter().map(|id| {
        let (orders, place) = (shop.orders.clone(), Place::new(*id).with_line(last.clone(), 1, PRICE));
        async move { orders.place(place).await }
    });
    let answers = together(calls.collect::<Vec<_>>()).await?;
    ensure!(answers.iter().all(Decision::is_accepted), "an order was not accepted: {answers:?}");
    let mut decided: Vec<Order> = Vec::new();
    for id in &ids {
        let answered = |order: &Order| order.status != OrderStatus::Placed;
        decided.push(shop.order_when(*id, "inventory answers every order", answered).await?);
    }
    let with = |status| decided.iter().filter(|order| order.status == status).count();
    ensure_eq!(with(OrderStatus::Confirmed), 1, "orders that were confirmed");
    ensure_eq!(with(OrderStatus::Rejected), 9, "orders that were rejected");
    let rejected = |event: &EventData| matches!(event, EventData::Stock(StockEvent::Rejected(_)));
    let events = shop.events(&[EventType::StockRejected], 9, rejected).await?;
    ensure_eq!(events.len(), 9, "events that say stock.rejected");
    for event in events {
        let EventData::Stock(StockEvent::Rejected(event)) = event else { continue };
        ensure_eq!(event.lines.as_slice(), [short(&last)], "what was short");
    }
    ensure_eq!(stock(&shop.inventory, last.clone()).await?, [1, 1, 0], "on hand, reserved and available");
    let claims = super::check::moved(&shop.inventory, last.clone(), &[MovementKind::Reserved]).await?;
    ensure_eq!(claims, [1], "units that were reserved, one by one");
    claims_add_up(&shop.inventory, last.clone(), decided.iter().map(Order::reservation)).await?;
    never_oversold(&shop.inventory, last).await?;
    no_drift(&shop).await
}

fn short(sku: &Sku) -> Shortage {
    Shortage { sku: sku.clone(), requested: Quantity::ONE, sellable: Quantity::ZERO }
}
