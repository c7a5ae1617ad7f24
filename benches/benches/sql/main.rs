//! Reservations on real databases, in one run beside what people write by hand and beside the ceiling; and what they cost
//! as tables grow.
//!
//! `cargo bench -p stockpulse-benches --bench sql -- [postgres] [mysql] [sqlite] [hot] [uniform] [zipf] [callers=1024] …
//! [lines=1] … [shards=1] … [growth] [alone]` measures part of it; `growth` only that, `alone` only StockPulse, for a
//! profiler.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark stops when its set-up is wrong, and prints")]

mod ceiling;
mod growth;
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
#[derive(Clone, Copy)]
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

/// What the arguments ask for.
struct Wanted(Vec<String>);

impl Wanted {
    fn names(&self, name: &str) -> bool {
        self.0.iter().any(|wanted| wanted == name)
    }

    /// One of these names, or all of them if none is asked for.
    fn one_of(&self, name: &str, names: &[&str]) -> bool {
        self.names(name) || !names.iter().any(|name| self.names(name))
    }

    fn number(&self, name: &str, number: usize) -> bool {
        let name = format!("{name}=");
        self.names(&format!("{name}{number}")) || !self.0.iter().any(|wanted| wanted.starts_with(&name))
    }

    fn database(&self, database: Database) -> bool {
        self.one_of(database.name(), &Database::ALL.map(Database::name))
    }

    fn case(&self, case: &Case) -> bool {
        self.one_of(case.skus.name(), &Skus::ALL.map(Skus::name))
            && self.number("callers", case.callers)
            && self.number("lines", case.lines)
            && self.number("shards", case.shards)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted = Wanted(std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect());
    let there = |database: &Database| match database.url() {
        _ if !wanted.database(*database) => false,
        Ok(_) => true,
        Err(reason) => {
            println!("SKIP {}: {reason}", database.name());
            false
        }
    };
    let databases: Vec<Database> = Database::ALL.into_iter().filter(there).collect();
    if !wanted.names("growth") {
        compare(&databases, &wanted).await;
    }
    if !wanted.names("alone") {
        growth::run(&databases).await;
    }
}

/// The table of all cases.
async fn compare(databases: &[Database], wanted: &Wanted) {
    println!(
        "| database | SKUs | lines | callers | shards | each second | p50 ms | p99 ms | the usual way | p99 ms | × | \
         the ceiling | % |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for database in databases {
        // The usual way is as fast as its 64 connections let it be, however many callers wait for them.
        let mut usual: Vec<(Skus, usize, usize, Measured)> = Vec::new();
        for case in CASES.iter().filter(|case| wanted.case(case)) {
            let place = Place::new(*database).await;
            let ours = ours::run(place.store().await, case.skus, case.callers, case.lines, case.shards, TIME).await;
            place.remove().await;
            print!(
                "| {} | {} | {} | {} | {} | {:.0} | {:.1} | {:.1} |",
                database.name(),
                case.skus.name(),
                case.lines,
                case.callers,
                case.shards,
                ours.per_second,
                ours.p50,
                ours.p99
            );
            if !wanted.names("alone") {
                let connections = case.callers.min(64);
                let same = |known: &&(Skus, usize, usize, Measured)| {
                    (known.0, known.1, known.2) == (case.skus, case.lines, connections)
                };
                let usual_way = match usual.iter().find(same) {
                    Some(known) => known.3,
                    None => {
                        let place = Place::new(*database).await;
                        let measured = usual::run(&place, case.skus, connections, case.lines, TIME).await;
                        place.remove().await;
                        usual.push((case.skus, case.lines, connections, measured));
                        measured
                    }
                };
                let times = ours.per_second / usual_way.per_second;
                print!(" {:.0} | {:.1} | {times:.1} |", usual_way.per_second, usual_way.p99);
                match ceiling(*database, *case).await {
                    Some(most) => {
                        print!(" {:.0} | {:.0} |", most.per_second, 100.0 * ours.per_second / most.per_second);
                    }
                    None => print!(" | |"),
                }
            }
            println!();
        }
    }
}

/// What the same rows take by themselves, in batches as large as those of so many callers: while half of them are being
/// committed, the other half waits.
async fn ceiling(database: Database, case: Case) -> Option<Measured> {
    if case.lines != 1 {
        return None;
    }
    let place = Place::new(database).await;
    let batch = (case.callers / case.shards / 2).clamp(1, 1_024);
    let measured = ceiling::run(&place, case.skus, batch, case.shards, TIME).await;
    place.remove().await;
    Some(measured)
}
