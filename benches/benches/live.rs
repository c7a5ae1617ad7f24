//! Whether a reservation costs the same however many are live: the memory store, with a thousand to a million live
//! reservations over 1,000 SKUs, takes as many again, in batches of 1,024. So each size pays for exactly one growth of
//! each table. Unlike the engine's benchmark everything is kept: ledger, events that wait for the relay, outcomes and
//! holds, in memory that was never touched before.

#![expect(clippy::expect_used, reason = "a benchmark stops when its set-up is wrong")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::executor::block_on;
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::port::InventoryStore;

mod timing;
use timing::timed;

const BATCH: usize = 1_024;

/// What it takes to double so many live reservations.
fn doubling(live: usize) -> Duration {
    let (engine, store) = (Engine::new(), MemoryInventoryStore::default());
    let mut workload = Workload::new(Skus::Uniform, 1);
    let execute = |batch| block_on(store.execute(&engine, batch)).expect("memory never fails");
    execute(vec![workload.receive()]);
    for begin in (0..live).step_by(BATCH) {
        execute(workload.batch(BATCH.min(live - begin), 1));
    }
    (0..live)
        .step_by(BATCH)
        .map(|begin| {
            let batch = workload.batch(BATCH.min(live - begin), 1);
            timed(|| black_box(execute(batch)))
        })
        .sum()
}

fn live(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("live");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_millis(1));
    for live in [1_000, 10_000, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(live as u64));
        group.bench_function(live.to_string(), |bencher| {
            bencher.iter_custom(|rounds| (0..rounds).map(|_| doubling(live)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, live);
criterion_main!(benches);
