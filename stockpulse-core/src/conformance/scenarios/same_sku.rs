//! Scenario 2: one request names a SKU twice.

use super::backend::ShopBackend;
use super::check::{no_drift, stock};
use super::shop::{PRICE, Shop, new_order};
use crate::conformance::support::sku;
use crate::conformance::{Harness, Violation};
use crate::engine::order::Place;
use crate::engine::stock::{Decision, Refusal, Reserve};
use crate::model::{Component, Kit, OrderStatus, Sku};

pub(super) async fn a_sku_named_twice_counts_twice(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (part, many) = (sku("PART")?, sku("MANY")?);
    shop.receive(&part, 5).await?;
    let cart = || Reserve::new(shop.inventory.new_reservation_id());
    let kits = two_kits(&part)?;
    let twice = cart().with_line(part.clone(), 5).with_line(part.clone(), 5);
    let mut in_kits = cart().with_line(sku("KIT-A")?, 1).with_line(sku("KIT-B")?, 1);
    in_kits.kits.clone_from(&kits);
    let mut mixed = cart().with_line(part.clone(), 1).with_line(sku("KIT-A")?, 1);
    mixed.kits.clone_from(&kits);
    for (what, request) in [("two lines", twice), ("two kits", in_kits), ("a line and a kit", mixed)] {
        let id = request.reservation;
        let answer = shop.inventory.reserve(request).await?;
        let short = matches!(answer, Decision::Refused(Refusal::Short(_)));
        ensure!(short, "{what} for more than there is were answered with {answer:?}");
        ensure_eq!(stock(&shop.inventory, part.clone()).await?, [5, 0, 5], "stock after {what} were refused");
        let held = shop.inventory.reservation(id).await?;
        ensure!(held.is_none(), "{what} were refused, and there is a reservation: {held:?}");
    }
    let mut one_kit = cart().with_line(sku("KIT-A")?, 1);
    one_kit.kits = kits;
    let answer = shop.inventory.reserve(one_kit).await?;
    ensure!(answer.is_accepted(), "one kit of all there is was answered with {answer:?}");
    ensure_eq!(stock(&shop.inventory, part).await?, [5, 5, 0], "stock after one kit");

    shop.receive(&many, 50).await?;
    let before = shop.inventory.reserve(cart().with_line(many.clone(), 20)).await?;
    ensure!(before.is_accepted(), "20 of 50 were answered with {before:?}");
    let answer = shop.inventory.reserve(cart().with_line(many.clone(), 10).with_line(many.clone(), 5)).await?;
    ensure!(answer.is_accepted(), "10 and 5 of 30 were answered with {answer:?}");
    ensure_eq!(stock(&shop.inventory, many).await?, [50, 35, 15], "stock after 20, and then 10 and 5");
    no_drift(&shop).await
}

pub(super) async fn an_order_that_names_a_sku_twice_gets_the_sum(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (part, many) = (sku("PART")?, sku("MANY")?);
    shop.receive(&part, 5).await?;
    shop.receive(&many, 50).await?;
    let order = || Place::new(new_order());
    let twice = order().with_line(part.clone(), 5, PRICE).with_line(part.clone(), 5, PRICE);
    let mut in_kits = order().with_line(sku("KIT-A")?, 1, PRICE).with_line(sku("KIT-B")?, 1, PRICE);
    in_kits.kits = two_kits(&part)?;
    for (what, place) in [("two lines", twice), ("two kits", in_kits)] {
        let id = place.order;
        let answer = shop.orders.place(place).await?;
        ensure!(answer.is_accepted(), "an order of {what} was not taken: {answer:?}");
        let rejected = shop.order_when(id, "inventory answers", |order| order.status != OrderStatus::Placed).await?;
        ensure_eq!(rejected.status, OrderStatus::Rejected, "an order of {what} for more than there is");
        ensure_eq!(stock(&shop.inventory, part.clone()).await?, [5, 0, 5], "stock after {what} were rejected");
    }
    let (first, second) = (order(), order());
    let ids = [first.order, second.order];
    for place in [
        first.with_line(many.clone(), 20, PRICE),
        second.with_line(many.clone(), 10, PRICE).with_line(many.clone(), 5, PRICE),
    ] {
        let answer = shop.orders.place(place).await?;
        ensure!(answer.is_accepted(), "an order was not taken: {answer:?}");
    }
    for id in ids {
        shop.order_is(id, OrderStatus::Confirmed).await?;
    }
    ensure_eq!(stock(&shop.inventory, many).await?, [50, 35, 15], "stock after 20, and then 10 and 5");
    no_drift(&shop).await
}

/// Two kits that take five of a part each.
fn two_kits(part: &Sku) -> Result<Vec<Kit>, Violation> {
    let components = vec![Component { sku: part.clone(), quantity: 5.into() }];
    Ok(vec![Kit { sku: sku("KIT-A")?, components: components.clone() }, Kit { sku: sku("KIT-B")?, components }])
}
