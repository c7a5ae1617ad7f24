//! Stock levels read through a cache.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::codec;
use crate::error::Result;
use crate::model::{StockKey, StockLevel};
use crate::port::{Cache, CacheKey, CachePut, Cached, InventoryStore};

/// How long a level may be answered from the cache when no event refreshes it.
const LEVEL_TTL: Duration = Duration::from_secs(30);

/// Stock levels in a [`Cache`].
#[derive(Clone, Debug)]
pub(crate) struct LevelCache {
    cache: Arc<dyn Cache>,
}

impl LevelCache {
    pub(crate) fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache }
    }

    /// Reads levels, those that are missing from the store. A cache that fails is a miss.
    pub(crate) async fn levels(
        &self,
        store: &dyn InventoryStore,
        keys: &[StockKey],
    ) -> Result<Vec<Option<StockLevel>>> {
        let names: Vec<CacheKey> = keys.iter().map(name).collect();
        let cached = self.cache.get(&names).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cache failed; reading from the store");
            vec![None; keys.len()]
        });
        let mut levels: Vec<Option<StockLevel>> = Vec::with_capacity(keys.len());
        for entry in cached {
            levels.push(entry.and_then(|cached| codec::decode(&cached.value).ok()));
        }
        levels.resize(keys.len(), None);
        let missing: Vec<usize> =
            (0..keys.len()).filter(|index| levels.get(*index).is_some_and(Option::is_none)).collect();
        if missing.is_empty() {
            return Ok(levels);
        }
        let wanted: Vec<StockKey> = missing.iter().filter_map(|index| keys.get(*index).cloned()).collect();
        let found = store.levels(&wanted).await?;
        self.refresh(found.iter().flatten()).await;
        for (index, level) in missing.into_iter().zip(found) {
            if let Some(place) = levels.get_mut(index) {
                *place = level;
            }
        }
        Ok(levels)
    }

    /// Writes levels as they are now; the cache ignores those that are older than what it has.
    pub(crate) async fn refresh(&self, levels: impl Iterator<Item = &StockLevel>) {
        let entry = |level: &StockLevel| {
            let value = Bytes::from(codec::encode(level).ok()?);
            Some(CachePut { key: name(&level.key), cached: Cached { version: level.version, value }, ttl: LEVEL_TTL })
        };
        let batch: Vec<CachePut> = levels.filter_map(entry).collect();
        if !batch.is_empty()
            && let Err(error) = self.cache.put(batch).await
        {
            tracing::warn!(%error, "cache was not refreshed");
        }
    }
}

/// A level's name in the cache. SKUs hold no control characters, so the separator is unambiguous.
fn name(key: &StockKey) -> CacheKey {
    CacheKey::new("stock", format!("{}\u{1f}{}", key.sku, key.location))
}
