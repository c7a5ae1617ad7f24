//! Scenario 9: stock in several places.

use super::backend::ShopBackend;
use super::check::{ledger, level, no_drift, stock};
use super::shop::{PRICE, Shop, new_order};
use crate::conformance::support::sku;
use crate::conformance::{Harness, Violation};
use crate::engine::order::{OrderParts, Place};
use crate::engine::stock::{Parts, Reserve};
use crate::model::{
    Counters, LocationId, OrderStatus, Quantity, Sku, SkuQuantity, Sourcing, StockKey, StockQuantity, Strategy,
};

/// Two locations, the first one first.
fn two() -> Result<[LocationId; 2], Violation> {
    Ok([LocationId::new("first")?, LocationId::new("second")?])
}

fn sourcing(locations: &[LocationId; 2]) -> Sourcing {
    Sourcing { strategy: Strategy::Priority, locations: locations.to_vec() }
}

async fn receive(shop: &Shop<'_>, key: &StockKey, units: u32) -> Result<(), Violation> {
    let received = shop.inventory.receive(key.clone(), units).await?;
    ensure!(received.is_accepted(), "{units} units of {key} were not taken in: {received:?}");
    Ok(())
}

/// The sum of a level's movements is the level.
async fn ledger_adds_up(shop: &Shop<'_>, key: &StockKey) -> Result<(), Violation> {
    let movements = ledger(&shop.inventory, key.clone()).await?;
    let sum = movements.iter().fold(Counters::default(), |sum, movement| sum.plus(movement.change));
    ensure_eq!(sum, level(&shop.inventory, key.clone()).await?.counters(), "the sum of the ledger of {key}");
    Ok(())
}

fn keys(sku: &Sku, locations: &[LocationId; 2]) -> [StockKey; 2] {
    locations.clone().map(|location| StockKey::new(sku.clone(), location))
}

pub(super) async fn an_order_split_across_locations_ships_from_each(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (mug, locations) = (sku("MUG")?, two()?);
    let [here, there] = keys(&mug, &locations);
    receive(&shop, &here, 1).await?;
    receive(&shop, &there, 1).await?;
    let id = shop.inventory.new_reservation_id();
    let request = Reserve::new(id).with_line(mug.clone(), 2).with_sourcing(sourcing(&locations));
    let answer = shop.inventory.reserve(request).await?;
    ensure!(answer.is_accepted(), "two units that lie in two places were answered with {answer:?}");
    for key in [&here, &there] {
        ensure_eq!(stock(&shop.inventory, key.clone()).await?, [1, 1, 0], "on hand, reserved and available of {key}");
    }
    shop.inventory.allocate(id).await?;
    // The second location ships first, and only its own.
    let from = |key: &StockKey| Parts::Levels(vec![StockQuantity::new(key.clone(), Quantity::ONE)]);
    let shipped = shop.inventory.fulfil(id, from(&there)).await?;
    ensure!(shipped.is_accepted(), "a fulfilment at {there} was answered with {shipped:?}");
    ensure_eq!(stock(&shop.inventory, there.clone()).await?, [0, 0, 0], "where it shipped");
    ensure_eq!(stock(&shop.inventory, here.clone()).await?, [1, 1, 0], "where nothing shipped");
    let again = shop.inventory.fulfil(id, from(&there)).await?;
    ensure!(!again.is_accepted(), "a location shipped another's unit: {again:?}");
    shop.inventory.fulfil(id, from(&here)).await?;
    for key in [&here, &there] {
        ensure_eq!(stock(&shop.inventory, key.clone()).await?, [0, 0, 0], "{key} after both have shipped");
        ledger_adds_up(&shop, key).await?;
    }

    // The same by an order, which ships one at a time.
    receive(&shop, &here, 1).await?;
    receive(&shop, &there, 1).await?;
    let id = new_order();
    shop.orders.place(Place::new(id).with_line(mug.clone(), 2, PRICE).with_sourcing(sourcing(&locations))).await?;
    shop.order_is(id, OrderStatus::Confirmed).await?;
    for key in [&here, &there] {
        ensure_eq!(stock(&shop.inventory, key.clone()).await?, [1, 1, 0], "{key} while the order holds it");
    }
    for (first, second) in [([0, 0, 0], [1, 1, 0]), ([0, 0, 0], [0, 0, 0])] {
        let one = OrderParts::Lines(vec![SkuQuantity::new(mug.clone(), Quantity::ONE)]);
        shop.orders.ship(id, one).await?;
        let left = || async {
            let now = (stock(&shop.inventory, here.clone()).await?, stock(&shop.inventory, there.clone()).await?);
            Ok((now == (first, second)).then_some(()))
        };
        shop.until(&format!("the locations have {first:?} and {second:?}"), left).await?;
    }
    ledger_adds_up(&shop, &here).await?;
    ledger_adds_up(&shop, &there).await?;
    no_drift(&shop).await
}

pub(super) async fn a_sku_absent_at_the_first_location_is_found_elsewhere(
    harness: &dyn Harness<ShopBackend>,
) -> Result<(), Violation> {
    let shop = Shop::open(harness).await?;
    let (mug, locations) = (sku("MUG")?, two()?);
    let [here, there] = keys(&mug, &locations);
    receive(&shop, &there, 2).await?;
    let cart = Reserve::new(shop.inventory.new_reservation_id());
    let answer = shop.inventory.reserve(cart.with_line(mug.clone(), 1).with_sourcing(sourcing(&locations))).await?;
    ensure!(answer.is_accepted(), "a unit that lies at the second location was answered with {answer:?}");
    ensure_eq!(stock(&shop.inventory, there.clone()).await?, [2, 1, 1], "the second location");
    let id = new_order();
    shop.orders.place(Place::new(id).with_line(mug.clone(), 1, PRICE).with_sourcing(sourcing(&locations))).await?;
    shop.order_is(id, OrderStatus::Confirmed).await?;
    shop.orders.ship(id, OrderParts::All).await?;
    let left = || async { Ok((stock(&shop.inventory, there.clone()).await? == [1, 1, 0]).then_some(())) };
    shop.until("the order leaves the second location", left).await?;
    let absent = shop.inventory.levels(std::slice::from_ref(&here)).await?;
    ensure_eq!(absent, [None], "the level at the first location");
    ledger_adds_up(&shop, &there).await?;
    no_drift(&shop).await
}
