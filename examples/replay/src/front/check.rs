//! Whether cache and gate know at the end what the store holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stockpulse_core::layer::{Call, Layer, Layered};
use stockpulse_core::model::{Quantity, ReservationId, StockKey, StockLevel, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Cache, Clock, IdGenerator, InventoryStore};
use stockpulse_core::service::Inventory;
use stockpulse_core::{RandomIds, Result, SystemClock};
use tokio::time::sleep;

use super::Front;
use crate::report::{CacheFigures, GateFigures, Report};

/// How many levels are asked about at once.
const BATCH: usize = 500;
/// How long it is looked whether the last events have arrived, and the pause after each time. It is less than a level lives
/// in the cache: one that nobody refreshed has to be found out.
const LATEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// How long a place at the gate lasts if this process dies before it gives it back.
const PLACE: Duration = Duration::from_secs(10);

impl Front {
    /// Reports how many levels cache and gate have, and how many of them are not as in the store. Events may still be on
    /// their way, so that it is looked again for a while before something is called wrong.
    ///
    /// # Errors
    /// What store, cache and gate report.
    pub async fn check(&self, store: &Arc<dyn InventoryStore>, keys: &[StockKey], report: &mut Report) -> Result<()> {
        let end = SystemClock.now().plus(LATEST);
        loop {
            if let Some(cache) = &self.cache {
                report.cache = Some(cached(cache, store, keys).await?);
            }
            if let Some(gate) = &self.gate {
                report.gate = Some(told(gate, store, keys).await?);
            }
            let cache_differs = report.cache.is_some_and(|cache| cache.levels_different > 0);
            let gate_differs = report.gate.is_some_and(|gate| gate.levels_different > 0);
            if !(cache_differs || gate_differs) || SystemClock.now() > end {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }
}

/// Counts the levels that are read from the store.
#[derive(Clone, Debug, Default)]
struct Misses(Arc<AtomicU64>);

impl Layer for Misses {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        self.0.fetch_add(call.items().unwrap_or(0) as u64, Ordering::Relaxed);
        call.make().await
    }
}

/// Compares what the cache has with the store.
async fn cached(cache: &Arc<dyn Cache>, store: &Arc<dyn InventoryStore>, keys: &[StockKey]) -> Result<CacheFigures> {
    let misses = Misses::default();
    let counted = Layered::new(Arc::clone(store), misses.clone());
    let reads = Inventory::builder(Arc::new(counted)).with_cache(Arc::clone(cache)).start();
    let mut figures = CacheFigures::default();
    for keys in keys.chunks(BATCH) {
        let (cached, stored) = (reads.availability(keys).await?, store.levels(keys).await?);
        figures.levels += keys.len() as u64;
        figures.levels_different +=
            cached.iter().zip(&stored).filter(|(cached, stored)| cached != stored).count() as u64;
    }
    figures.levels -= misses.0.load(Ordering::Relaxed);
    Ok(figures)
}

/// Asks the gate for what the store says can be sold of each level, and for one unit more. Where any number may be
/// backordered there is no last unit: it is asked for one.
async fn told(
    gate: &Arc<dyn AdmissionGate>,
    store: &Arc<dyn InventoryStore>,
    keys: &[StockKey],
) -> Result<GateFigures> {
    let mut figures = GateFigures::default();
    for keys in keys.chunks(BATCH) {
        let levels = store.levels(keys).await?;
        let questions: Vec<(Vec<AdmitRequest>, Vec<Admission>)> = levels.iter().flatten().map(question).collect();
        let requests: Vec<AdmitRequest> = questions.iter().flat_map(|(requests, _)| requests).cloned().collect();
        let answers = gate.admit(&requests).await?;
        let taken: Vec<ReservationId> = requests.iter().map(|request| request.reservation).collect();
        gate.release(&taken).await?;
        let mut answers = answers.into_iter();
        for (_, expected) in questions {
            let answers: Vec<Admission> = answers.by_ref().take(expected.len()).collect();
            let known = !answers.contains(&Admission::Unknown);
            figures.levels += u64::from(known);
            figures.levels_different += u64::from(known && answers != expected);
        }
    }
    Ok(figures)
}

/// What to ask of a level, one after the other, and what a gate that knows it answers.
fn question(level: &StockLevel) -> (Vec<AdmitRequest>, Vec<Admission>) {
    let request = |quantity| {
        let reservation = ReservationId::new(RandomIds.next_id(SystemClock.now()));
        AdmitRequest { reservation, lines: vec![StockQuantity::new(level.key.clone(), quantity)], ttl: PLACE }
    };
    let refused = Admission::Refused(level.key.clone());
    match level.sellable() {
        _ if level.backorder_limit == Quantity::MAX => (vec![request(1.into())], vec![Admission::Admitted]),
        Quantity::ZERO => (vec![request(1.into())], vec![refused]),
        all => (vec![request(all), request(1.into())], vec![Admission::Admitted, refused]),
    }
}
