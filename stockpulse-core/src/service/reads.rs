//! Reading through caches: the process, a shared cache, the store.

mod cacheable;
mod flights;
#[cfg(feature = "near-cache")]
mod near;
mod shared;
#[cfg(test)]
#[cfg(all(feature = "memory", feature = "near-cache"))]
mod tests;

use std::sync::Arc;

pub use self::cacheable::Cacheable;
use self::flights::Flights;
#[cfg(feature = "near-cache")]
pub use self::near::{Near, NearLevels, NearOptions, NearProducts};
pub(crate) use self::shared::SharedCache;
use crate::error::Result;
use crate::port::Cache;

/// Records of one kind, from the nearest place that has them. Clones share their readings.
#[derive(Debug)]
pub(super) struct Reads<R: Cacheable> {
    #[cfg(feature = "near-cache")]
    near: Option<Near<R>>,
    cache: Option<SharedCache<R>>,
    store: Arc<R::Store>,
    flights: Flights<R>,
}

// Derived, it would ask for stores that can be cloned.
impl<R: Cacheable> Clone for Reads<R> {
    fn clone(&self) -> Self {
        Self {
            #[cfg(feature = "near-cache")]
            near: self.near.clone(),
            cache: self.cache.clone(),
            store: Arc::clone(&self.store),
            flights: self.flights.clone(),
        }
    }
}

impl<R: Cacheable> Reads<R> {
    /// Reads from a store, and as yet through nothing.
    pub(super) fn new(store: Arc<R::Store>) -> Self {
        Self {
            #[cfg(feature = "near-cache")]
            near: None,
            cache: None,
            store,
            flights: Flights::default(),
        }
    }

    /// Reads through a shared cache.
    pub(super) fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = Some(SharedCache::new(cache));
        self
    }

    /// Reads from the process first.
    #[cfg(feature = "near-cache")]
    pub(super) fn with_near(mut self, near: Near<R>) -> Self {
        self.near = Some(near);
        self
    }

    /// Reads records, aligned with `keys`. Those who miss the same record at once share one reading of it.
    pub(super) async fn many(&self, keys: &[R::Key]) -> Result<Vec<Option<R>>> {
        if !self.has_caches() {
            return R::load(&self.store, keys).await;
        }
        let mut answers: Vec<Option<R>> = keys.iter().map(|key| self.near(key).map(Arc::unwrap_or_clone)).collect();
        self.cached(keys, &mut answers).await;
        let wanted = missing(keys, &answers);
        if wanted.is_empty() {
            return Ok(answers);
        }
        let read = |keys: Vec<R::Key>| {
            let this = self.clone();
            async move { this.stored(&keys).await }
        };
        for found in self.flights.read(wanted, read).await? {
            for (key, answer) in keys.iter().zip(&mut answers) {
                if answer.is_none() {
                    *answer = found.get(key).cloned();
                }
            }
        }
        Ok(answers)
    }

    /// What a function makes of a record. If the process has it, it is not copied.
    pub(super) async fn one<T>(&self, key: R::Key, read: impl Fn(&R) -> T) -> Result<Option<T>> {
        if let Some(record) = self.near(&key) {
            return Ok(Some(read(&record)));
        }
        Ok(self.many(&[key]).await?.first().and_then(Option::as_ref).map(read))
    }

    /// Adds what the process does not have and the shared cache has, and keeps it.
    async fn cached(&self, keys: &[R::Key], answers: &mut [Option<R>]) {
        let Some(cache) = &self.cache else { return };
        let wanted = missing(keys, answers);
        if wanted.is_empty() {
            return;
        }
        let found = cache.get(&wanted).await;
        self.keep(&found);
        for (answer, record) in answers.iter_mut().filter(|answer| answer.is_none()).zip(found) {
            *answer = record;
        }
    }

    /// Reads what no cache has. The caches take it, unless they have heard of something newer since.
    async fn stored(&self, keys: &[R::Key]) -> Result<Vec<Option<R>>> {
        let found = R::load(&self.store, keys).await?;
        if let Some(cache) = &self.cache {
            cache.refresh(found.iter().flatten()).await;
        }
        self.keep(&found);
        Ok(found)
    }

    #[cfg(feature = "near-cache")]
    fn keep(&self, found: &[Option<R>]) {
        if let Some(near) = &self.near {
            near.refresh(found.iter().flatten());
        }
    }

    #[cfg(not(feature = "near-cache"))]
    fn keep(&self, _: &[Option<R>]) {}

    #[cfg(feature = "near-cache")]
    fn near(&self, key: &R::Key) -> Option<Arc<R>> {
        self.near.as_ref()?.get(key)
    }

    #[cfg(not(feature = "near-cache"))]
    fn near(&self, _: &R::Key) -> Option<Arc<R>> {
        None
    }

    #[cfg(feature = "near-cache")]
    fn has_caches(&self) -> bool {
        self.near.is_some() || self.cache.is_some()
    }

    #[cfg(not(feature = "near-cache"))]
    fn has_caches(&self) -> bool {
        self.cache.is_some()
    }
}

/// The keys that are not answered yet.
fn missing<R: Cacheable>(keys: &[R::Key], answers: &[Option<R>]) -> Vec<R::Key> {
    keys.iter().zip(answers).filter(|(_, answer)| answer.is_none()).map(|(key, _)| key.clone()).collect()
}
