//! Checking the books: every level against its ledger and its claims, and repairing one that somebody edited.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::sync::Arc;

use stockpulse_core::SystemClock;
use stockpulse_core::codec;
use stockpulse_core::engine::Decided;
use stockpulse_core::engine::stock::{Reserve, StockOutcome};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{Backorder, CommandId, Event, Movement, Reservation, Sku, StockLevel};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{ReconcileReport, Reconciler};
use stockpulse_howto::check;

/// What a snapshot of the memory store holds, in its order.
type Snapshot = (
    Vec<StockLevel>,
    Vec<Backorder>,
    Vec<Reservation>,
    Vec<(CommandId, Decided<StockOutcome>)>,
    Vec<Movement>,
    Vec<Event>,
);

/// The store with one number changed behind StockPulse's back, as a hand in the database would.
fn edited(store: &MemoryInventoryStore) -> stockpulse_core::Result<MemoryInventoryStore> {
    let mut snapshot: Snapshot = codec::decode(&store.snapshot()?)?;
    for level in &mut snapshot.0 {
        level.reserved = 9.into();
    }
    MemoryInventoryStore::restore(Arc::new(SystemClock), &codec::encode(&snapshot)?)
}

fn print(title: &str, report: &ReconcileReport) {
    println!("{title}: levels {}, drifts {}", report.levels, report.drifts.len());
    for drift in &report.drifts {
        println!(
            "  {} says reserved {}, its ledger {}, its claims {}: {:?}",
            drift.key, drift.level.reserved, drift.ledger.reserved, drift.claims.reserved, drift.repair
        );
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = MemoryInventoryStore::default();
    let inventory = Inventory::builder(Arc::new(store.clone())).start();
    let mug = Sku::new("MUG-RED")?;
    inventory.receive(mug.clone(), 10).await?;
    inventory.reserve(Reserve::new(inventory.new_reservation_id()).with_line(mug.clone(), 4)).await?;
    let healthy = Reconciler::new(inventory.clone()).run_once().await?;
    print("as StockPulse left it", &healthy);
    check("it adds up", healthy.drifts.is_empty())?;
    inventory.close().await;

    // Five units that nobody claims cannot be sold. The reconciler says so, and repairs it when asked to.
    let inventory = Inventory::builder(Arc::new(edited(&store)?)).start();
    println!("after the edit: {} sellable", inventory.sellable(mug.clone()).await?);
    let found = Reconciler::new(inventory.clone()).run_once().await?;
    print("found", &found);
    let repaired = Reconciler::new(inventory.clone()).with_repair().run_once().await?;
    print("repaired", &repaired);
    let after = Reconciler::new(inventory.clone()).run_once().await?;
    print("after the repair", &after);
    println!("after the repair: {} sellable", inventory.sellable(mug).await?);
    check("one drift was found and repaired", found.drifts.len() == 1 && after.drifts.is_empty())
}
