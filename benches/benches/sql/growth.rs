//! What a reservation costs while ten thousand, a hundred thousand and a million others are held.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;

use crate::ours;
use crate::place::{Database, Place};

const LIVE: [usize; 3] = [10_000, 100_000, 1_000_000];
const TIME: Duration = Duration::from_secs(3);
const CALLERS: usize = 1_024;

/// Prints a table for these databases.
pub(crate) async fn run(databases: &[Database]) {
    println!("\n| database | SKUs | live reservations at the beginning | each second |");
    println!("|---|---|--:|--:|");
    for database in databases {
        for skus in [Skus::Hot, Skus::Uniform] {
            let place = Place::new(*database).await;
            let store = place.store().await;
            let mut filler = Workload::new(skus, 0);
            let receive = filler.receive();
            store.execute(&Engine::new(), vec![receive]).await.expect("goods come in");
            for live in LIVE {
                let held =
                    usize::try_from(place.count("SELECT count(*) FROM stock_reservation WHERE state <= 2").await);
                let mut missing = live.saturating_sub(held.expect("a count"));
                while missing > 0 {
                    let batch = filler.batch(missing.min(1_024), 1);
                    missing -= batch.len();
                    store.execute(&Engine::new(), batch).await.expect("the store answers");
                }
                place.settle().await;
                let shards = NonZeroUsize::MIN;
                let measured = ours::reserve(Arc::clone(&store), skus, CALLERS, 1, shards, TIME).await;
                println!("| {} | {} | {live} | {:.0} |", database.name(), skus.name(), measured.per_second);
            }
            drop(store);
            place.remove().await;
        }
    }
}
