//! Records in the process itself.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use moka::ops::compute::Op;
use moka::sync::Cache;

use super::cacheable::Cacheable;
use crate::model::{Product, StockLevel};

/// How a near cache is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearOptions {
    /// How many records are kept; 100,000 unless set. Those that are asked for least often make room.
    pub max_records: NonZeroUsize,
    /// How long a record is answered when no event refreshes it; 5 s unless set.
    pub ttl: Duration,
}

impl Default for NearOptions {
    fn default() -> Self {
        const MAX_RECORDS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();
        Self { max_records: MAX_RECORDS, ttl: Duration::from_secs(5) }
    }
}

/// Records that a process keeps ready to answer, in front of a shared cache or of the store: [`NearLevels`] or
/// [`NearProducts`]. Clones share them.
///
/// Give it to the service that reads through it, and to a [`CacheHandler`](crate::worker::CacheHandler) in a consumer
/// group of the process' own, which writes each record that changes. An older version never replaces a newer one, so
/// events may come late, twice and while a record is read. Callers who miss the same record at once share one reading of
/// it.
///
/// How long a record lives is measured by the machine's clock, not by a [`Clock`](crate::port::Clock).
#[derive(Clone, Debug)]
pub struct Near<R: Cacheable> {
    records: Cache<R::Key, Arc<R>, RandomState>,
}

/// Stock levels in the process, for [`InventoryBuilder::with_near_levels`](crate::service::InventoryBuilder::with_near_levels).
pub type NearLevels = Near<StockLevel>;
/// Products in the process, for [`Catalog::with_near_products`](crate::service::Catalog::with_near_products).
pub type NearProducts = Near<Product>;

impl<R: Cacheable> Default for Near<R> {
    fn default() -> Self {
        Self::new(NearOptions::default())
    }
}

impl<R: Cacheable> Near<R> {
    /// An empty one.
    #[must_use]
    pub fn new(options: NearOptions) -> Self {
        let bound = u64::try_from(options.max_records.get()).unwrap_or(u64::MAX);
        let records =
            Cache::builder().max_capacity(bound).time_to_live(options.ttl).build_with_hasher(RandomState::default());
        Self { records }
    }

    /// A record, if it is here.
    pub(super) fn get(&self, key: &R::Key) -> Option<Arc<R>> {
        self.records.get(key)
    }

    /// Keeps records, unless newer ones are here.
    pub(crate) fn refresh<'a>(&self, records: impl IntoIterator<Item = &'a R>) {
        for record in records {
            self.records.entry_by_ref(record.key()).and_compute_with(|there| match there {
                Some(there) if there.value().version() > record.version() => Op::Nop,
                _ => Op::Put(Arc::new(record.clone())),
            });
        }
    }

    /// How many records are here, once what is too much or too old has gone.
    #[cfg(test)]
    #[cfg(all(feature = "memory", feature = "near-cache"))]
    pub(super) fn len(&self) -> u64 {
        self.records.run_pending_tasks();
        self.records.entry_count()
    }
}
