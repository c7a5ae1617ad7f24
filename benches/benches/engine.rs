//! The engine alone, in batches of 1,024 with a working set that is used again, as a database store does it: duplicate
//! check, decision, movement, event, expiry entry and stored outcome, beside a mutex and a map in the same run.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stockpulse_benches::{Plain, Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::StockWorkingSet;
use stockpulse_core::model::{ReservationId, Timestamp};

mod timing;
use timing::timed;

const BATCH: usize = 1_024;

fn engine(criterion: &mut Criterion) {
    let engine = Engine::new();
    for spread in Skus::ALL {
        for lines in [1, 5] {
            let plural = if lines == 1 { "line" } else { "lines" };
            let mut group = criterion.benchmark_group(format!("engine/{}/{lines}-{plural}", spread.name()));
            group.throughput(Throughput::Elements(BATCH as u64)).measurement_time(Duration::from_secs(4));
            group.bench_function("engine", |bencher| {
                let mut workload = Workload::new(spread, 1);
                let levels = workload.levels();
                let mut set = StockWorkingSet::new();
                let mut ledger = Vec::new();
                let mut expiry: Vec<(Timestamp, ReservationId)> = Vec::new();
                bencher.iter_custom(|batches| {
                    (0..batches)
                        .map(|_| {
                            set.clear();
                            levels.iter().for_each(|level| set.insert_level(level.clone()));
                            ledger.clear();
                            expiry.clear();
                            let batch = workload.batch(BATCH, lines);
                            timed(|| {
                                black_box(engine.execute_stock(&mut set, &batch));
                                set.drain_movements(&mut ledger);
                                black_box(set.drain_events().count());
                                let holds = set.changed_reservations();
                                expiry.extend(holds.filter_map(|(hold, _)| Some((hold.expires_at?, hold.id))));
                            })
                        })
                        .sum()
                });
            });
            group.bench_function("mutex-and-map", |bencher| {
                let mut workload = Workload::new(spread, 1);
                let plain = Plain::new(workload.skus(), BATCH);
                bencher.iter_custom(|batches| {
                    (0..batches)
                        .map(|_| {
                            plain.clear();
                            let batch: Vec<_> = (0..BATCH).map(|_| workload.request(lines)).collect();
                            timed(|| {
                                for request in &batch {
                                    black_box(plain.reserve(request));
                                }
                            })
                        })
                        .sum()
                });
            });
            group.finish();
        }
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
