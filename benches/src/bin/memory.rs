//! How much memory live reservations take: what the process grows by while the memory store takes 1,000,000 of them.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::fs;

use futures::executor::block_on;
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::StockWorkingSet;
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::port::InventoryStore;

const LIVE: usize = 1_000_000;
const BATCH: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::new();
    let mut workload = Workload::new(Skus::Uniform, 1);
    let before = resident()?;
    let mut set = StockWorkingSet::new();
    workload.levels().into_iter().for_each(|level| set.insert_level(level));
    for _ in 0..LIVE / BATCH {
        engine.execute_stock(&mut set, &workload.batch(BATCH, 1));
        set.clear_changes();
    }
    report("reservation and stored outcome, in the working set", before)?;
    drop(set);

    let mut workload = Workload::new(Skus::Uniform, 1);
    let store = MemoryInventoryStore::default();
    let before = resident()?;
    block_on(store.execute(&engine, vec![workload.receive()]))?;
    for _ in 0..LIVE / BATCH {
        block_on(store.execute(&engine, workload.batch(BATCH, 1)))?;
    }
    report("the same with movement, hold and waiting event, in the memory store", before)
}

fn report(what: &str, before: usize) -> Result<(), Box<dyn Error>> {
    let bytes = resident()?.saturating_sub(before) / LIVE;
    println!("{bytes:>6} bytes per live reservation: {what}");
    Ok(())
}

/// The resident memory of this process in bytes.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| format!("needs Linux's /proc: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    let kilobytes: usize = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1_024)
}
