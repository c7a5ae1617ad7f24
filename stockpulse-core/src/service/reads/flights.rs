//! One reading for all who miss the same at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared, try_join_all};

use super::cacheable::Cacheable;
use crate::error::{Error, Result};

/// What a reading found.
pub(super) type Found<R> = HashMap<<R as Cacheable>::Key, R, RandomState>;
/// The reading of a batch of records.
type Flight<R> = Shared<Reading<R>>;
type Reading<R> = BoxFuture<'static, Result<Arc<Found<R>>, Arc<Error>>>;
/// The readings that somebody waits for, by record.
type UnderWay<R> = HashMap<<R as Cacheable>::Key, WeakShared<Reading<R>>, RandomState>;

/// Lets callers who want the same record at once share one reading of it. Clones share their readings.
#[derive(Clone, Debug)]
pub(super) struct Flights<R: Cacheable> {
    under_way: Arc<Mutex<UnderWay<R>>>,
}

impl<R: Cacheable> Default for Flights<R> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<R: Cacheable> Flights<R> {
    /// Reads records by `read`, unless they are being read. A reading goes on as long as somebody waits for it, whoever
    /// began it.
    pub(super) async fn read<F>(
        &self,
        keys: Vec<R::Key>,
        read: impl FnOnce(Vec<R::Key>) -> F,
    ) -> Result<Vec<Arc<Found<R>>>>
    where
        F: Future<Output = Result<Vec<Option<R>>>> + Send + 'static,
    {
        let boarded = self.board(keys, read);
        try_join_all(boarded).await.map_err(|error| error.duplicate())
    }

    /// The readings that bring these records: those that are under way, and a new one for the rest.
    fn board<F>(&self, wanted: Vec<R::Key>, read: impl FnOnce(Vec<R::Key>) -> F) -> Vec<Flight<R>>
    where
        F: Future<Output = Result<Vec<Option<R>>>> + Send + 'static,
    {
        let mut under_way = self.under_way();
        let mut boarded: Vec<Flight<R>> = Vec::new();
        let mut rest: Vec<R::Key> = Vec::new();
        for key in wanted {
            match under_way.get(&key).and_then(WeakShared::upgrade) {
                Some(flight) if boarded.iter().any(|known| known.ptr_eq(&flight)) => {}
                Some(flight) => boarded.push(flight),
                None if rest.contains(&key) => {}
                None => rest.push(key),
            }
        }
        if rest.is_empty() {
            return boarded;
        }
        let reading = read(rest.clone());
        let landing = Landing { flights: self.clone(), keys: rest.clone() };
        let flight: Flight<R> = async move {
            // Also when reading panics: the next caller reads anew.
            let landing = landing;
            let found = reading.await.map_err(Arc::new)?;
            let found = landing.keys.iter().cloned().zip(found).filter_map(|(key, record)| Some((key, record?)));
            Ok(Arc::new(found.collect()))
        }
        .boxed()
        .shared();
        // It is not finished, so it can be found.
        if let Some(weak) = flight.downgrade() {
            under_way.extend(rest.into_iter().map(|key| (key, weak.clone())));
        }
        boarded.push(flight);
        boarded
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay<R>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records are being read.
    #[cfg(test)]
    #[cfg(all(feature = "memory", feature = "near-cache"))]
    pub(super) fn len(&self) -> usize {
        self.under_way().len()
    }
}

/// Takes a reading off the list when it has ended, or nobody waits for it any more. If another one of the same record
/// has begun at that moment, that one is not shared with those who come later.
struct Landing<R: Cacheable> {
    flights: Flights<R>,
    keys: Vec<R::Key>,
}

impl<R: Cacheable> Drop for Landing<R> {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way();
        for key in &self.keys {
            under_way.remove(key);
        }
    }
}
