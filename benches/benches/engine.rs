//! The engine alone: reservations of one and of five lines, on one hot SKU and over a thousand, in batches, with
//! duplicate check, movement, event and stored outcome, beside a mutex and a map in the same run.

#![expect(clippy::unwrap_used, reason = "a benchmark stops when its set-up is wrong")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Reserve, StockAction, StockCommand, StockWorkingSet};
use stockpulse_core::model::{Command, CommandId, Quantity, ReservationId, Sku, StockKey, StockLevel, Timestamp};

const BATCH: usize = 1_024;
const BATCHES: usize = 64;

fn skus(count: usize) -> Vec<Sku> {
    (0..count).map(|number| Sku::new(format!("SKU-{number:05}")).unwrap()).collect()
}

/// SplitMix64, so that every run has the same commands.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn commands(skus: &[Sku], lines: usize) -> Vec<Vec<StockCommand>> {
    let mut state = 1;
    let mut next = 0_u128;
    let mut command = || {
        next += 1;
        let id = (next << 64) | u128::from(random(&mut state));
        let mut reserve = Reserve::new(ReservationId::from_u128(id)).with_hold(std::time::Duration::from_secs(900));
        for _ in 0..lines {
            let index = usize::try_from(random(&mut state) % skus.len() as u64).unwrap();
            reserve = reserve.with_line(skus[index].clone(), 1);
        }
        let at = Timestamp::from_micros(i64::try_from(next).unwrap());
        Command::new(CommandId::from_u128(id ^ 1), at, StockAction::Reserve(reserve))
    };
    (0..BATCHES).map(|_| (0..BATCH).map(|_| command()).collect()).collect()
}

fn stocked(skus: &[Sku]) -> StockWorkingSet {
    let mut set = StockWorkingSet::new();
    for sku in skus {
        let level = StockLevel::new(StockKey::main(sku.clone()));
        set.insert_level(StockLevel { on_hand: Quantity::MAX, ..level });
    }
    set
}

/// What people write first: a lock, a map of counters, a map of reservations.
#[derive(Default)]
struct Plain {
    available: HashMap<Sku, i64>,
    reserved: HashMap<ReservationId, (Sku, i64)>,
}

fn engine(criterion: &mut Criterion) {
    let engine = Engine::new();
    for (name, count, lines) in
        [("hot/1-line", 1, 1), ("uniform/1-line", 1_000, 1), ("hot/5-lines", 1, 5), ("uniform/5-lines", 1_000, 5)]
    {
        let skus = skus(count);
        let batches = commands(&skus, lines);
        let mut group = criterion.benchmark_group(format!("engine/{name}"));
        group.throughput(Throughput::Elements((BATCH * BATCHES) as u64)).sample_size(20);
        group.bench_function("engine", |bencher| {
            bencher.iter_batched_ref(
                || (stocked(&skus), Vec::new()),
                |(set, ledger)| {
                    for batch in &batches {
                        black_box(engine.execute_stock(set, batch));
                        set.drain_movements(ledger);
                        black_box(set.drain_events().count());
                        set.clear_changes();
                    }
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_function("mutex-and-map", |bencher| {
            bencher.iter_batched_ref(
                || {
                    let available = skus.iter().map(|sku| (sku.clone(), i64::MAX)).collect();
                    Mutex::new(Plain { available, ..Plain::default() })
                },
                |plain| {
                    let plain: &Mutex<Plain> = plain;
                    for command in batches.iter().flatten() {
                        let StockAction::Reserve(reserve) = &command.action else { continue };
                        let mut plain = plain.lock().unwrap();
                        for line in &reserve.lines {
                            let available = plain.available.get_mut(&line.sku).unwrap();
                            if *available >= line.quantity.get() {
                                *available -= line.quantity.get();
                                plain.reserved.insert(reserve.reservation, (line.sku.clone(), line.quantity.get()));
                            }
                        }
                    }
                },
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
