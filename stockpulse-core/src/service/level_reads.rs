//! Where availability is read from: the process, a shared cache, the store.

use std::sync::Arc;

use super::level_cache::LevelCache;
#[cfg(feature = "near-cache")]
use super::near_levels::NearLevels;
use crate::error::Result;
use crate::model::{StockKey, StockLevel};
use crate::port::InventoryStore;

/// Levels from the nearest place that has them.
#[derive(Clone, Debug)]
pub(super) struct LevelReads {
    #[cfg(feature = "near-cache")]
    pub(super) near: Option<NearLevels>,
    pub(super) shared: SharedReads,
}

/// Levels from a shared cache, if there is one, or the store.
#[derive(Clone, Debug)]
pub(super) struct SharedReads {
    pub(super) cache: Option<LevelCache>,
    pub(super) store: Arc<dyn InventoryStore>,
}

impl LevelReads {
    /// Reads levels, aligned with `keys`.
    pub(super) async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        #[cfg(feature = "near-cache")]
        if let Some(near) = &self.near {
            let read = |keys: Vec<StockKey>| {
                let shared = self.shared.clone();
                async move { shared.levels(&keys).await }
            };
            return near.levels(keys, read).await;
        }
        self.shared.levels(keys).await
    }

    /// What a function makes of a level. If the process has it, it is not copied.
    pub(super) async fn of<T>(&self, key: StockKey, read: impl Fn(&StockLevel) -> T) -> Result<Option<T>> {
        #[cfg(feature = "near-cache")]
        if let Some(level) = self.near.as_ref().and_then(|near| near.get(&key)) {
            return Ok(Some(read(&level)));
        }
        Ok(self.levels(&[key]).await?.first().and_then(Option::as_ref).map(read))
    }
}

impl SharedReads {
    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        match &self.cache {
            Some(cache) => cache.levels(self.store.as_ref(), keys).await,
            None => self.store.levels(keys).await,
        }
    }
}
