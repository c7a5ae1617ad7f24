//! Reservations on real databases, in one run beside what people write by hand and beside the ceiling.
//!
//! `cargo bench -p stockpulse-benches --bench sql -- [postgres] [mysql] [sqlite] [hot] [uniform] [zipf]` measures part of
//! it.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark stops when its set-up is wrong, and prints")]

mod load;
mod ours;
mod place;
mod usual;

use std::time::Duration;

use stockpulse_benches::Skus;

use self::load::Measured;
use self::place::{Database, Place};

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(3);

/// One line of the table.
struct Case {
    skus: Skus,
    lines: usize,
    callers: usize,
    shards: usize,
}

const CASES: &[Case] = &[
    Case { skus: Skus::Hot, lines: 1, callers: 1, shards: 1 },
    Case { skus: Skus::Hot, lines: 1, callers: 64, shards: 1 },
    Case { skus: Skus::Hot, lines: 1, callers: 1_024, shards: 1 },
    Case { skus: Skus::Hot, lines: 1, callers: 8_192, shards: 1 },
    Case { skus: Skus::Uniform, lines: 1, callers: 64, shards: 1 },
    Case { skus: Skus::Uniform, lines: 1, callers: 1_024, shards: 1 },
    Case { skus: Skus::Uniform, lines: 1, callers: 1_024, shards: 2 },
    Case { skus: Skus::Uniform, lines: 3, callers: 1_024, shards: 1 },
    Case { skus: Skus::Zipf, lines: 1, callers: 1_024, shards: 1 },
    Case { skus: Skus::Zipf, lines: 1, callers: 8_192, shards: 2 },
];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |name: &str, names: &[&str]| {
        let named = |name: &str| wanted.iter().any(|wanted| wanted == name);
        named(name) || !names.iter().any(|name| named(name))
    };
    println!("| database | SKUs | lines | callers | shards | each second | p50 ms | p99 ms | the usual way | × |");
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for database in Database::ALL {
        if !is_wanted(database.name(), &Database::ALL.map(Database::name)) {
            continue;
        }
        if let Err(reason) = database.url() {
            println!("SKIP {}: {reason}", database.name());
            continue;
        }
        // The usual way is as fast as its 64 connections let it be, however many callers wait for them.
        let mut usual: Vec<(Skus, usize, usize, Measured)> = Vec::new();
        for case in CASES.iter().filter(|case| is_wanted(case.skus.name(), &Skus::ALL.map(Skus::name))) {
            let connections = case.callers.min(64);
            let known = usual.iter().find(|known| (known.0, known.1, known.2) == (case.skus, case.lines, connections));
            let usual_way = match known {
                Some(known) => known.3,
                None => {
                    let place = Place::new(database).await;
                    let measured = usual::run(&place, case.skus, connections, case.lines, TIME).await;
                    place.remove().await;
                    usual.push((case.skus, case.lines, connections, measured));
                    measured
                }
            };
            let place = Place::new(database).await;
            let ours = ours::run(place.store().await, case.skus, case.callers, case.lines, case.shards, TIME).await;
            place.remove().await;
            println!(
                "| {} | {} | {} | {} | {} | {:.0} | {:.1} | {:.1} | {:.0} (p99 {:.1} ms) | {:.1} |",
                database.name(),
                case.skus.name(),
                case.lines,
                case.callers,
                case.shards,
                ours.per_second,
                ours.p50,
                ours.p99,
                usual_way.per_second,
                usual_way.p99,
                ours.per_second / usual_way.per_second
            );
        }
    }
}
