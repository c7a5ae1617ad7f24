//! Reading what can be sold from the process itself.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::model::StockKey;
use stockpulse_core::service::{Inventory, NearLevels, NearOptions};
use stockpulse_redis::RedisCache;
use tokio::runtime::Handle;

use crate::cache::stocked;
use crate::server::Redis;
use crate::table::{ROUNDS, TIME, now};

/// How many reads there are between two looks at the clock, and from one that is timed to the next.
const READS: usize = 1_024;
/// Levels read at once.
const BATCH: usize = 16;

/// The table of it.
pub(crate) async fn run(redis: &Redis) {
    let near = NearLevels::new(NearOptions { ttl: Duration::from_secs(3_600), ..NearOptions::default() });
    let inventory = Inventory::builder(stocked().await)
        .with_cache(Arc::new(RedisCache::new(redis.connection())))
        .with_near_levels(near)
        .start();
    let keys: Arc<[StockKey]> = Workload::new(Skus::Uniform, 0).skus().iter().cloned().map(StockKey::main).collect();
    inventory.availability(&keys).await.expect("levels");
    println!("\n| near levels | threads | levels each second of a core | p99 ns of a call |\n|---|--:|--:|--:|");
    let cores = available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        for (name, batch) in [("`Inventory::sellable`", 1), ("`Inventory::availability` of 16", BATCH)] {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                rounds.push(on(threads, &inventory, &keys, batch).await);
            }
            rounds.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
            let (per_core, p99) = rounds[ROUNDS / 2];
            println!("| {name} | {threads} | {per_core:.0} | {p99} |");
        }
    }
    inventory.close().await;
    redis.clear().await;
}

/// Levels read in a second of a processor on each of so many threads, and nanoseconds that 99 of 100 calls took at most.
#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
async fn on(threads: usize, inventory: &Inventory, keys: &Arc<[StockKey]>, batch: usize) -> (f64, u64) {
    let runtime = Handle::current();
    let readers: Vec<_> = (0..threads)
        .map(|_| {
            let (runtime, inventory, keys) = (runtime.clone(), inventory.clone(), Arc::clone(keys));
            std::thread::spawn(move || runtime.block_on(read(&inventory, &keys, batch)))
        })
        .collect();
    let join = move || readers.into_iter().map(|reader| reader.join().expect("no reader panics")).collect();
    let read: Vec<(f64, Vec<u64>)> = tokio::task::spawn_blocking(join).await.expect("readers");
    let per_core = read.iter().map(|(rate, _)| rate).sum::<f64>() / threads as f64;
    let mut waits: Vec<u64> = read.into_iter().flat_map(|(_, waits)| waits).collect();
    waits.sort_unstable();
    (per_core, waits[waits.len() * 99 / 100])
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
async fn read(inventory: &Inventory, keys: &[StockKey], batch: usize) -> (f64, Vec<u64>) {
    let (begun, before, mut read, mut waits) = (now(), processor(), 0_usize, Vec::new());
    let mut chunks = keys.chunks_exact(batch).cycle();
    while begun.elapsed() < TIME {
        for number in 0..READS {
            let keys = chunks.next().expect("keys");
            let timed = (number == 0).then(now);
            if let [key] = keys {
                assert!(inventory.sellable(key.clone()).await.expect("a level").get() > 0);
            } else {
                assert!(inventory.availability(keys).await.expect("levels").iter().all(Option::is_some));
            }
            if let Some(timed) = timed {
                waits.push(u64::try_from(timed.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
        }
        read += READS * batch;
    }
    (read as f64 / (processor() - before).as_secs_f64(), waits)
}

/// The time of processors that this thread has taken: what others do meanwhile does not count.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
