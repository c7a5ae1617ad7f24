//! Kits, several locations, and a sourcing strategy of one's own.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::sync::Arc;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::record::Expected;
use stockpulse_core::engine::stock::{Candidate, Reserve, SourcingStrategy};
use stockpulse_core::memory::{MemoryCatalogStore, MemoryInventoryStore};
use stockpulse_core::model::{
    Component, Currency, LocationId, Money, Product, Quantity, ReservationId, Sku, Sourcing, StockKey, Strategy,
};
use stockpulse_core::service::{Catalog, Inventory};
use stockpulse_howto::check;

/// Empties the smallest heap first, to clear shelves.
#[derive(Debug)]
struct ClearShelves;

impl SourcingStrategy for ClearShelves {
    fn rank(&self, _sku: &Sku, _quantity: Quantity, candidates: &mut [Candidate]) {
        candidates.sort_by_key(|candidate| candidate.available);
    }
}

/// Where a reservation takes its units from, as `location: units SKU`.
async fn sources(inventory: &Inventory, id: ReservationId) -> Result<Vec<String>, Box<dyn Error>> {
    let reservation = inventory.reservation(id).await?.ok_or("no reservation")?;
    let lines = reservation.lines.iter();
    Ok(lines.map(|line| format!("{}: {} {}", line.key.location, line.quantity, line.key.sku)).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [set, pot, cup] = [Sku::new("TEA-SET")?, Sku::new("POT")?, Sku::new("CUP")?];
    let [berlin, paris] = [LocationId::new("berlin")?, LocationId::new("paris")?];

    let products = Arc::new(MemoryCatalogStore::default());
    let components =
        vec![Component { sku: pot.clone(), quantity: 1.into() }, Component { sku: cup.clone(), quantity: 4.into() }];
    let kit = Product::new(set.clone(), "Tea for four", Money::new(4900, Currency::EUR)).with_components(components);
    Catalog::new(products.clone()).put(kit, Expected::New).await?;

    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default()))
        .with_catalog(products)
        .with_engine(Engine::new().with_sourcing("clear-shelves", ClearShelves))
        .start();
    for (sku, location, units) in [(&pot, &berlin, 1), (&cup, &berlin, 12), (&pot, &paris, 5), (&cup, &paris, 9)] {
        inventory.receive(StockKey::new(sku.clone(), location.clone()), units).await?;
    }

    // The same request under each strategy. Each is given back, so that the next one sees the same stock.
    let locations = vec![berlin, paris];
    let mut chosen = Vec::new();
    for strategy in [
        Strategy::Priority,
        Strategy::SingleSource,
        Strategy::FewestSplits,
        Strategy::Custom("clear-shelves".to_owned()),
    ] {
        let id = inventory.new_reservation_id();
        let name = format!("{strategy:?}");
        let sourcing = Sourcing { strategy, locations: locations.clone() };
        let request = Reserve::new(id).with_line(set.clone(), 2).with_sourcing(sourcing);
        let held = inventory.reserve(request).await?.accepted().ok_or("two sets are there")?;
        check("the answer speaks of the kit", held.lines[0].sku == set)?;
        let from = sources(&inventory, id).await?;
        println!("{name}\n  {}", from.join("\n  "));
        chosen.push(from);
        inventory.release(id, Default::default()).await?;
    }
    check("one location has it all", chosen[1] == ["paris: 2 POT", "paris: 8 CUP"])?;
    check("so it needs no split", chosen[1] == chosen[2])?;

    // A strategy only ranks. The engine takes no more than there is, whatever it says.
    let sourcing = Sourcing { strategy: Strategy::Custom("clear-shelves".to_owned()), locations };
    let greedy = Reserve::new(inventory.new_reservation_id()).with_line(set, 6).with_sourcing(sourcing);
    let refusal = inventory.reserve(greedy).await?.refused().ok_or("six sets were sold")?;
    println!("six sets: {refusal}");
    Ok(())
}
