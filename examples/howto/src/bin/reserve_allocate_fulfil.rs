//! A reservation's good life: held for a cart, allocated once the order is confirmed, fulfilled as it ships.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::stock::{Decision, Parts, Reserve};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{ReservationState, Sku, SkuQuantity, StockKey};
use stockpulse_core::service::Inventory;
use stockpulse_howto::check;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
    let mug = Sku::new("MUG-RED")?;
    inventory.receive(mug.clone(), 10).await?;

    let cart = inventory.new_reservation_id();
    let request = Reserve::new(cart).with_line(mug.clone(), 4).with_hold(Duration::from_secs(15 * 60));
    match inventory.reserve(request).await? {
        Decision::Accepted(held) => println!("held: {} of {}", held.lines[0].granted, held.lines[0].requested),
        Decision::Refused(why) => return Err(why.to_string().into()),
    }
    println!("sellable now: {}", inventory.sellable(mug.clone()).await?);

    // A business "no" is an answer, not an error, and it says what could have been had.
    let other = Reserve::new(inventory.new_reservation_id()).with_line(mug.clone(), 7);
    match inventory.reserve(other).await? {
        Decision::Accepted(_) => return Err("seven of six were sold".into()),
        Decision::Refused(why) => println!("refused: {why}"),
    }

    inventory.allocate(cart).await?;
    let one = Parts::Skus(vec![SkuQuantity::new(mug.clone(), 1.into())]);
    for (shipment, parts) in [("first", one), ("second", Parts::All)] {
        let shipped = inventory.fulfil(cart, parts).await?.accepted().ok_or("not shipped")?;
        println!("{shipment} shipment: {} units, then {:?}", shipped.lines[0].quantity, shipped.state);
    }

    let key = StockKey::from(mug);
    let page = inventory.movements(&key, 0, NonZeroUsize::MIN.saturating_add(99)).await?;
    for movement in &page.items {
        let change = movement.change;
        println!(
            "{:>2}. {:<10?} on hand {:+}, reserved {:+}",
            movement.version, movement.kind, change.on_hand, change.reserved
        );
    }

    let level = inventory.levels(std::slice::from_ref(&key)).await?.remove(0).ok_or("no level")?;
    let reservation = inventory.reservation(cart).await?.ok_or("no reservation")?;
    check("six are left", level.on_hand == 6.into() && level.reserved.is_zero())?;
    check("the reservation has ended", reservation.state == ReservationState::Fulfilled)
}
