//! Stock levels in the process itself.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, join_all};
use moka::ops::compute::Op;
use moka::sync::Cache;

use crate::error::{Error, Result};
use crate::model::{StockKey, StockLevel};

/// How the near cache is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearOptions {
    /// How many levels are kept; 100,000 unless set. Those that are asked for least often make room.
    pub max_levels: NonZeroUsize,
    /// How long a level is answered when no event refreshes it; 5 s unless set.
    pub ttl: Duration,
}

impl Default for NearOptions {
    fn default() -> Self {
        const MAX_LEVELS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();
        Self { max_levels: MAX_LEVELS, ttl: Duration::from_secs(5) }
    }
}

/// Stock levels that a process keeps ready to answer, in front of a shared cache or of the store. Clones share them.
///
/// Give it to [`InventoryBuilder::with_near_levels`](super::InventoryBuilder::with_near_levels), and to a
/// [`CacheHandler`](crate::worker::CacheHandler) in a consumer group of the process' own, which writes each level that
/// changes. An older version never replaces a newer one, so events may come late, twice and while a level is read. Callers
/// who miss the same level at once share one reading of it.
///
/// How long a level lives is measured by the machine's clock, not by a [`Clock`](crate::port::Clock).
#[derive(Clone, Debug)]
pub struct NearLevels {
    levels: Cache<StockKey, Arc<StockLevel>, RandomState>,
    flights: Arc<Mutex<Flights>>,
}

/// The readings that are under way, by level.
type Flights = HashMap<StockKey, Flight, RandomState>;
/// The reading of a batch of levels.
type Flight = Shared<BoxFuture<'static, Result<Arc<Levels>, Arc<Error>>>>;
/// What was found.
type Levels = HashMap<StockKey, StockLevel, RandomState>;

impl Default for NearLevels {
    fn default() -> Self {
        Self::new(NearOptions::default())
    }
}

impl NearLevels {
    /// An empty one.
    #[must_use]
    pub fn new(options: NearOptions) -> Self {
        let bound = u64::try_from(options.max_levels.get()).unwrap_or(u64::MAX);
        let levels =
            Cache::builder().max_capacity(bound).time_to_live(options.ttl).build_with_hasher(RandomState::default());
        Self { levels, flights: Arc::default() }
    }

    /// A level, if it is here.
    pub(super) fn get(&self, key: &StockKey) -> Option<Arc<StockLevel>> {
        self.levels.get(key)
    }

    /// Keeps levels, unless newer ones are here.
    pub(crate) fn refresh<'a>(&self, levels: impl IntoIterator<Item = &'a StockLevel>) {
        for level in levels {
            self.levels.entry_by_ref(&level.key).and_compute_with(|there| match there {
                Some(there) if there.value().version > level.version => Op::Nop,
                _ => Op::Put(Arc::new(level.clone())),
            });
        }
    }

    /// Levels that are here, and the others by `read`, aligned with `keys`. Reading goes on in a task of its own when the
    /// caller is gone, for others may wait for it.
    pub(super) async fn levels<R, F>(&self, keys: &[StockKey], read: R) -> Result<Vec<Option<StockLevel>>>
    where
        R: FnOnce(Vec<StockKey>) -> F,
        F: Future<Output = Result<Vec<Option<StockLevel>>>> + Send + 'static,
    {
        let mut answers: Vec<Option<StockLevel>> =
            keys.iter().map(|key| self.get(key).map(|level| StockLevel::clone(&level))).collect();
        let missing = |answers: &[Option<StockLevel>]| -> Vec<StockKey> {
            keys.iter().zip(answers).filter(|(_, answer)| answer.is_none()).map(|(key, _)| key.clone()).collect()
        };
        let wanted = missing(&answers);
        if wanted.is_empty() {
            return Ok(answers);
        }
        for found in join_all(self.board(wanted, read)).await {
            let found = found.map_err(|error| error.duplicate())?;
            for (key, answer) in keys.iter().zip(&mut answers) {
                if answer.is_none() {
                    *answer = found.get(key).cloned();
                }
            }
        }
        Ok(answers)
    }

    /// The readings that bring these levels: those that are under way, and a new one for the rest.
    fn board<R, F>(&self, wanted: Vec<StockKey>, read: R) -> Vec<Flight>
    where
        R: FnOnce(Vec<StockKey>) -> F,
        F: Future<Output = Result<Vec<Option<StockLevel>>>> + Send + 'static,
    {
        let mut flights = self.flights();
        let mut boarded: Vec<Flight> = Vec::new();
        let mut rest: Vec<StockKey> = Vec::new();
        for key in wanted {
            match flights.get(&key) {
                Some(flight) if boarded.iter().any(|known| known.ptr_eq(flight)) => {}
                Some(flight) => boarded.push(flight.clone()),
                None if rest.contains(&key) => {}
                None => rest.push(key),
            }
        }
        if rest.is_empty() {
            return boarded;
        }
        let (near, reading) = (self.clone(), read(rest.clone()));
        let landing = Landing { near: self.clone(), keys: rest.clone() };
        let flight: Flight = async move {
            // Also when reading panics: the next caller reads anew.
            let _landing = landing;
            let found = reading.await.map_err(Arc::new)?;
            near.refresh(found.iter().flatten());
            Ok(Arc::new(found.into_iter().flatten().map(|level| (level.key.clone(), level)).collect()))
        }
        .boxed()
        .shared();
        for key in rest {
            flights.insert(key, flight.clone());
        }
        tokio::spawn(flight.clone());
        boarded.push(flight);
        boarded
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a reading off the list when it has ended.
struct Landing {
    near: NearLevels,
    keys: Vec<StockKey>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.near.flights();
        for key in &self.keys {
            flights.remove(key);
        }
    }
}
