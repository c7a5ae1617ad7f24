//! Records in a cache that processes share.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::cacheable::Cacheable;
use crate::codec;
use crate::layer::CoalescedCache;
use crate::port::{Cache, CacheKey, CachePut, Cached};

/// How long what was invalidated is kept from coming back older: longer than any reading of a store takes, which may
/// have begun before.
const FLOOR_TTL: Duration = Duration::from_secs(60);

/// Records of one kind in a [`Cache`], whose readers share calls. One that fails is a miss, and what it was not told ends with its time.
#[derive(Clone, Debug)]
pub(crate) struct SharedCache<R> {
    cache: CoalescedCache,
    kind: PhantomData<fn() -> R>,
}

impl<R: Cacheable> SharedCache<R> {
    pub(crate) fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache: CoalescedCache::new(cache), kind: PhantomData }
    }

    /// What is there, aligned with `keys`.
    pub(super) async fn get(&self, keys: &[R::Key]) -> Vec<Option<R>> {
        let names: Vec<CacheKey> = keys.iter().map(name::<R>).collect();
        let cached = self.cache.get(&names).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cache failed; reading from the store");
            Vec::new()
        });
        let read = |cached: Cached| codec::decode(&cached.value).ok();
        let mut records: Vec<Option<R>> = cached.into_iter().map(|entry| entry.and_then(read)).collect();
        records.resize(keys.len(), None);
        records
    }

    /// Writes records as they are now; the cache ignores those that are older than what it has.
    pub(crate) async fn refresh<'a>(&self, records: impl IntoIterator<Item = &'a R>) {
        let entry = |record: &R| {
            let value = Bytes::from(codec::encode(record).ok()?);
            let cached = Cached { version: record.version(), value };
            Some(CachePut { key: name::<R>(record.key()), cached, ttl: R::TTL })
        };
        let batch: Vec<CachePut> = records.into_iter().filter_map(entry).collect();
        if !batch.is_empty()
            && let Err(error) = self.cache.put(batch).await
        {
            tracing::warn!(%error, "cache was not refreshed");
        }
    }

    /// Removes records that have changed, of which only the version is known. What was read before comes too late.
    pub(crate) async fn invalidate<'a>(&self, versions: impl IntoIterator<Item = (&'a R::Key, u64)>) {
        let floors: Vec<(CacheKey, u64)> =
            versions.into_iter().map(|(key, version)| (name::<R>(key), version)).collect();
        if !floors.is_empty()
            && let Err(error) = self.cache.invalidate(&floors, FLOOR_TTL).await
        {
            tracing::warn!(%error, "cache was not told what has changed");
        }
    }
}

fn name<R: Cacheable>(key: &R::Key) -> CacheKey {
    CacheKey::new(R::SPACE, R::name(key))
}
