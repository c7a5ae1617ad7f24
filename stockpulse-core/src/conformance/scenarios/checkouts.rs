//! Scenario 11: many checkouts of the same goods, in opposite orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::backend::ShopBackend;
use super::check::{never_oversold, no_drift, stock};
use super::shop::{HALF_AN_HOUR, PRICE, Shop, new_order};
use crate::conformance::support::{sku, together};
use crate::conformance::{Harness, Violation};
use crate::engine::order::{OrderParts, PaymentResult, Place};
use crate::engine::stock::{Decision, Parts, Refusal, Reserve};
use crate::error::Error;
use crate::model::{Order, OrderId, OrderStatus, PaymentStatus, Sku};
use crate::port::Clock;
use crate::service::Inventory;

const CARTS: usize = 100;
/// How many carts there is enough for.
const ENOUGH: usize = 30;
const PAYMENT: Duration = Duration::from_secs(5);

/// X and Y, in the order in which the cart of this number names them.
fn goods(number: usize, x: &Sku, y: &Sku) -> [Sku; 2] {
    if number.is_multiple_of(2) { [x.clone(), y.clone()] } else { [y.clone(), x.clone()] }
}

/// Reserves, pays for five seconds, and ships. Answers why not, if there was not enough.
async fn check_out(
    inventory: Inventory,
    clock: Arc<dyn Clock>,
    goods: [Sku; 2],
    answered: Arc<AtomicUsize>,
) -> Result<Option<Refusal>, Error> {
    let id = inventory.new_reservation_id();
    let cart = Reserve::new(id).with_hold(HALF_AN_HOUR);
    let answer = inventory.reserve(goods.into_iter().fold(cart, |cart, sku| cart.with_line(sku, 1))).await;
    answered.fetch_add(1, Ordering::SeqCst);
    if let Decision::Refused(refusal) = answer? {
        return Ok(Some(refusal));
    }
    clock.sleep(PAYMENT).await;
    inventory.allocate(id).await?;
    let shipped = inventory.fulfil(id, Parts::All).await?;
    Ok(shipped.refused())
}

/// One more of each comes in and is sold.
async fn trade(inventory: Inventory, goods: [Sku; 2]) -> Result<(), Violation> {
    for sku in goods {
        inventory.receive(sku.clone(), 1).await?;
        let other = Reserve::new(inventory.new_reservation_id()).with_line(sku.clone(), 1);
        let other = inventory.reserve(other).await?;
        ensure!(other.is_accepted(), "while carts are paid, one more unit of {sku} was answered with {other:?}");
    }
    Ok(())
}

pub(super) async fn opposite_carts_end_and_lock_nothing_while_paying(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (x, y, services) = (sku("X")?, sku("Y")?, shop.inventories().await?);
    shop.receive(&x, 30).await?;
    shop.receive(&y, 40).await?;
    let answered = Arc::new(AtomicUsize::new(0));
    let carts = (0..CARTS).zip(services.iter().cycle()).map(|(number, service)| {
        let clock = Arc::clone(&shop.backend.clock);
        tokio::spawn(check_out(service.clone(), clock, goods(number, &x, &y), Arc::clone(&answered)))
    });
    let carts: Vec<_> = carts.collect();
    let all = || async { Ok((answered.load(Ordering::SeqCst) == CARTS).then_some(())) };
    shop.meanwhile("every cart is answered", all).await?;

    // While all of them pay, others buy and sell the same goods.
    let others = tokio::spawn(trade(shop.inventory.clone(), [x.clone(), y.clone()]));
    let traded = || async { Ok(others.is_finished().then_some(())) };
    shop.meanwhile("others buy and sell while carts are paid", traded).await?;
    others.await.map_err(|error| Violation::new(format!("others could not buy: {error}")))??;
    let done = || async {
        shop.pass(PAYMENT).await;
        Ok(carts.iter().all(|cart| cart.is_finished()).then_some(()))
    };
    shop.until("every cart is paid", done).await?;
    let mut shipped = 0;
    for cart in carts {
        let answer = cart.await.map_err(|error| Violation::new(format!("a checkout failed: {error}")))?;
        match answer.map_err(|error| Violation::from(error).during("a checkout"))? {
            None => shipped += 1,
            Some(Refusal::Short(_)) => {}
            Some(refusal) => return Err(Violation::new(format!("a checkout was refused: {refusal}"))),
        }
    }
    ensure_eq!(shipped, ENOUGH, "carts that shipped, with goods for so many");
    ensure_eq!(stock(&shop.inventory, x.clone()).await?, [1, 1, 0], "on hand, reserved and available of X");
    ensure_eq!(stock(&shop.inventory, y.clone()).await?, [11, 1, 10], "on hand, reserved and available of Y");
    never_oversold(&shop.inventory, x).await?;
    never_oversold(&shop.inventory, y).await?;
    no_drift(&shop).await
}

pub(super) async fn opposite_orders_are_paid_or_rejected(harness: &dyn Harness<ShopBackend>) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (x, y) = (sku("X")?, sku("Y")?);
    shop.receive(&x, 30).await?;
    shop.receive(&y, 40).await?;
    let ids: Vec<OrderId> = (0..CARTS).map(|_| new_order()).collect();
    let placed = ids.iter().enumerate().map(|(number, id)| {
        let order = Place::new(*id).prepaid(HALF_AN_HOUR);
        let order = goods(number, &x, &y).into_iter().fold(order, |order, sku| order.with_line(sku, 1, PRICE));
        let orders = shop.orders.clone();
        async move { orders.place(order).await }
    });
    let placed = together(placed.collect::<Vec<_>>()).await?;
    ensure!(placed.iter().all(Decision::is_accepted), "an order was not taken");
    let mut granted = Vec::new();
    for id in ids {
        let answered = |order: &Order| order.status != OrderStatus::Placed;
        let order = shop.order_when(id, "inventory answers every order", answered).await?;
        match order.status {
            OrderStatus::Confirmed => granted.push(id),
            status => ensure_eq!(status, OrderStatus::Rejected, "an order that is not confirmed"),
        }
    }
    ensure_eq!(granted.len(), ENOUGH, "orders that were confirmed, with goods for so many");

    let begun = granted.iter().map(|id| {
        let (orders, id) = (shop.orders.clone(), *id);
        async move { orders.begin_payment(id, HALF_AN_HOUR).await }
    });
    together(begun.collect::<Vec<_>>()).await?;
    shop.pass(PAYMENT).await;
    let paid = granted.iter().map(|id| {
        let (orders, id) = (shop.orders.clone(), *id);
        async move { orders.record_payment(id, PaymentResult::Paid).await }
    });
    let paid = together(paid.collect::<Vec<_>>()).await?;
    ensure!(paid.iter().all(Decision::is_accepted), "a payment was not taken");
    for id in &granted {
        let order = shop.order_when(*id, "every paid order can ship", |order| order.held_until.is_none()).await?;
        ensure_eq!(order.payment, PaymentStatus::Paid, "the payment of an order");
        let shipped = shop.orders.ship(*id, OrderParts::All).await?;
        ensure!(shipped.is_accepted(), "a paid order does not ship: {shipped:?}");
    }
    let left = || async {
        let now = (stock(&shop.inventory, x.clone()).await?, stock(&shop.inventory, y.clone()).await?);
        Ok((now == ([0, 0, 0], [10, 0, 10])).then_some(()))
    };
    shop.until("thirty of each have left", left).await?;
    never_oversold(&shop.inventory, x).await?;
    never_oversold(&shop.inventory, y).await?;
    no_drift(&shop).await
}
