//! The cache in memory.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::fast::RandomState;

use crate::error::Result;
use crate::model::Timestamp;
use crate::port::{Cache, CacheKey, CachePut, Cached, Clock};

/// How many values are kept, unless set.
const MAX_ENTRIES: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// A bounded cache in memory. Clones share it.
///
/// It keeps at most `max_entries` values and as many floors; of either, the one that was written longest ago makes
/// room for a new one. A value or floor that was dropped so is forgotten, and then an older version is taken again:
/// set the bound above what is invalidated within the floors' lifetime.
///
/// An invalidation removes a value of any version. If that was above the new floor, the floor is raised to it.
#[derive(Clone, Debug)]
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    max_entries: NonZeroUsize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    values: Aged<Cached>,
    floors: Aged<u64>,
}

impl MemoryCache {
    /// An empty cache of at most 100,000 values, whose lifetimes end by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, max_entries: MAX_ENTRIES, state: Arc::default() }
    }

    /// Sets how many values and how many floors are kept.
    #[must_use]
    pub fn with_max_entries(mut self, entries: NonZeroUsize) -> Self {
        self.max_entries = entries;
        self
    }

    /// How many values it keeps, some of which may have ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().values.entries.len()
    }

    /// Whether it keeps no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every change is complete before the lock is given back, so a poisoned one holds no halves.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        let now = self.clock.now();
        let mut state = self.lock();
        Ok(keys.iter().map(|key| state.values.get(key, now).cloned()).collect())
    }

    async fn put(&self, batch: Vec<CachePut>) -> Result<()> {
        let now = self.clock.now();
        let mut state = self.lock();
        for CachePut { key, cached, ttl } in batch {
            let there = state.values.get(&key, now).map_or(0, |there| there.version);
            let floor = state.floors.get(&key, now).copied().unwrap_or(0);
            if cached.version >= there.max(floor) {
                state.values.insert(key, cached, now.plus(ttl), self.max_entries);
            }
        }
        Ok(())
    }

    async fn invalidate(&self, floors: &[(CacheKey, u64)], ttl: Duration) -> Result<()> {
        let now = self.clock.now();
        let mut state = self.lock();
        for (key, version) in floors {
            let there = state.values.get(key, now).map_or(0, |there| there.version);
            state.values.remove(key);
            let (floor, until) = state.floors.entry(key, now).map_or((0, now), |(floor, until)| (*floor, until));
            let (floor, until) = (floor.max(there).max(*version), until.max(now.plus(ttl)));
            state.floors.insert(key.clone(), floor, until, self.max_entries);
        }
        Ok(())
    }
}

/// Things that end, and the order in which they were written.
#[derive(Debug)]
struct Aged<T> {
    entries: HashMap<CacheKey, Entry<T>, RandomState>,
    by_age: BTreeMap<u64, CacheKey>,
    next: u64,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    until: Timestamp,
    age: u64,
}

impl<T> Default for Aged<T> {
    fn default() -> Self {
        Self { entries: HashMap::default(), by_age: BTreeMap::new(), next: 0 }
    }
}

impl<T> Aged<T> {
    /// What is there and has not ended, with its end. What has ended is removed.
    fn entry(&mut self, key: &CacheKey, now: Timestamp) -> Option<(&T, Timestamp)> {
        if self.entries.get(key)?.until <= now {
            self.remove(key);
        }
        self.entries.get(key).map(|entry| (&entry.value, entry.until))
    }

    fn get(&mut self, key: &CacheKey, now: Timestamp) -> Option<&T> {
        self.entry(key, now).map(|(value, _)| value)
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_age.remove(&entry.age);
        }
    }

    fn insert(&mut self, key: CacheKey, value: T, until: Timestamp, max_entries: NonZeroUsize) {
        self.remove(&key);
        while self.entries.len() >= max_entries.get() {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.entries.remove(&oldest);
        }
        self.by_age.insert(self.next, key.clone());
        self.entries.insert(key, Entry { value, until, age: self.next });
        self.next += 1;
    }
}
