//! Orders that are paid first: their hold ends unless they are paid, and a payment under way extends it.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::order::{OrderParts, PaymentResult, Place};
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::{
    Currency, Money, OrderId, OrderStatus, PaymentStatus, Reservation, ReservationState, Sku, Timestamp,
};
use stockpulse_core::port::Clock;
use stockpulse_core::worker::{ExpirySweeper, SweepOptions};
use stockpulse_howto::{Shop, check, within};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
    let shop = Shop::open(Arc::new(clock.clone()));
    let sweeper = ExpirySweeper::new(SweepOptions { grace: Duration::ZERO, ..SweepOptions::default() })
        .with_inventory(shop.inventory.clone())
        .with_orders(shop.orders.clone())
        .with_clock(Arc::new(clock.clone()));
    let mug = Sku::new("MUG-RED")?;
    shop.inventory.receive(mug.clone(), 10).await?;

    // Two customers have 15 minutes to pay. One of them begins to, and the bank may take 30.
    let [anna, ben] = [shop.orders.new_order_id(), shop.orders.new_order_id()];
    for id in [anna, ben] {
        let order = Place::new(id).with_line(mug.clone(), 4, Money::new(1299, Currency::EUR)).prepaid(15 * MINUTE);
        shop.orders.place(order).await?;
        shop.order_when(id, |order| order.status == OrderStatus::Confirmed).await?;
    }
    println!("held for two: {} sellable", shop.inventory.sellable(mug.clone()).await?);
    clock.advance(10 * MINUTE);
    shop.orders.begin_payment(anna, 30 * MINUTE).await?;
    let end = clock.now().plus(30 * MINUTE);
    reservation_when(&shop, anna, |reservation| reservation.expires_at == Some(end)).await?;

    // After 16 minutes the sweeper ends what was neither paid nor is being paid.
    clock.advance(6 * MINUTE);
    sweeper.run_once().await?;
    let lost = shop.order_when(ben, |order| order.status == OrderStatus::Expired).await?;
    println!("ben, who did nothing: {:?}, payment {:?}", lost.status, lost.payment);
    reservation_when(&shop, ben, |reservation| !reservation.state.is_live()).await?;
    println!("his mugs are back: {} sellable", shop.inventory.sellable(mug.clone()).await?);

    // Anna's money arrives. Once inventory says that her claim has no end any more, her order can ship.
    shop.orders.record_payment(anna, PaymentResult::Paid).await?;
    let paid = shop.order_when(anna, |order| order.held_until.is_none()).await?;
    println!("anna, who pays: {:?}, payment {:?}", paid.status, paid.payment);
    shop.orders.ship(anna, OrderParts::All).await?;
    reservation_when(&shop, anna, |reservation| reservation.state == ReservationState::Fulfilled).await?;
    println!("anna has her mugs: {} sellable", shop.inventory.sellable(mug.clone()).await?);

    // So does Ben's, too late. It is written down, and it changes nothing but that.
    shop.orders.record_payment(ben, PaymentResult::Paid).await?;
    let late = shop.order_when(ben, |order| order.payment == PaymentStatus::RefundDue).await?;
    println!("ben, who pays too late: {:?}, payment {:?}", late.status, late.payment);
    check("six are left", shop.inventory.sellable(mug).await? == 6.into())?;
    shop.close().await
}

/// Waits until an order's reservation is as described: inventory hears of orders over the bus.
async fn reservation_when(
    shop: &Shop,
    order: OrderId,
    ready: impl Fn(&Reservation) -> bool,
) -> Result<(), Box<dyn Error>> {
    within("the reservation", async {
        while !shop.inventory.reservation(order.reservation(1)).await?.is_some_and(|found| ready(&found)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, stockpulse_core::Error>(())
    })
    .await
}
