//! The `Inventory` service in process, on the memory store, with 1, 64 and 1,024 callers at once on a runtime with two
//! threads, each caller reserving one unit of one hot SKU or of one of 1,000, beside as many tasks that share a mutex
//! and a map.

#![expect(clippy::expect_used, reason = "a benchmark stops when its set-up is wrong")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stockpulse_benches::{Plain, Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::Reserve;
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::port::InventoryStore;
use stockpulse_core::service::{GroupCommitOptions, Inventory};
use tokio::runtime::{Builder, Runtime};

mod timing;
use timing::timed;

/// Reservations per round; each round has a store of its own.
const ROUND: usize = 65_536;

/// What each caller asks for, one after the other.
fn requests(workload: &mut Workload, callers: usize) -> Vec<Vec<Reserve>> {
    (0..callers).map(|_| (0..ROUND / callers).map(|_| workload.request(1)).collect()).collect()
}

async fn stocked(workload: &mut Workload, shards: usize) -> Inventory {
    let store = MemoryInventoryStore::default();
    store.execute(&Engine::new(), vec![workload.receive()]).await.expect("memory never fails");
    let shards = NonZeroUsize::new(shards).expect("not zero");
    let options = GroupCommitOptions { shards, ..GroupCommitOptions::default() };
    Inventory::builder(Arc::new(store)).with_group_commit(options).start()
}

fn through_service(runtime: &Runtime, workload: &mut Workload, callers: usize, shards: usize) -> Duration {
    let requests = requests(workload, callers);
    let inventory = runtime.block_on(stocked(workload, shards));
    timed(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = requests
                .into_iter()
                .map(|requests| {
                    let inventory = inventory.clone();
                    tokio::spawn(async move {
                        for request in requests {
                            let decision = inventory.reserve(request).await.expect("memory never fails");
                            assert!(decision.is_accepted());
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no caller panics");
            }
        });
    })
}

fn through_mutex(runtime: &Runtime, workload: &mut Workload, callers: usize) -> Duration {
    let requests = requests(workload, callers);
    let plain = Arc::new(Plain::new(workload.skus(), ROUND));
    timed(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = requests
                .into_iter()
                .map(|requests| {
                    let plain = Arc::clone(&plain);
                    tokio::spawn(async move {
                        for request in requests {
                            assert!(plain.reserve(&request));
                            tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no caller panics");
            }
        });
    })
}

fn service(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    for (spread, shards) in [(Skus::Hot, 1), (Skus::Uniform, 2)] {
        for callers in [1, 64, 1_024] {
            let plural = if callers == 1 { "caller" } else { "callers" };
            let mut group = criterion.benchmark_group(format!("service/{}/{callers}-{plural}", spread.name()));
            group.throughput(Throughput::Elements(ROUND as u64)).sample_size(10);
            group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
            let mut workload = Workload::new(spread, 1);
            group.bench_function("inventory", |bencher| {
                bencher.iter_custom(|rounds| {
                    (0..rounds).map(|_| through_service(&runtime, &mut workload, callers, shards)).sum()
                });
            });
            group.bench_function("mutex-and-map", |bencher| {
                bencher
                    .iter_custom(|rounds| (0..rounds).map(|_| through_mutex(&runtime, &mut workload, callers)).sum());
            });
            group.finish();
        }
    }
}

criterion_group!(benches, service);
criterion_main!(benches);
