//! Availability through a cache.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use stockpulse_core::memory::{MemoryCache, MemoryInventoryStore};
use stockpulse_core::port::{Cache, CacheKey, CachePut, Cached};
use stockpulse_core::service::Inventory;
use stockpulse_core::{Error, ErrorKind, Result};

use crate::support::store::WatchedStore;
use crate::support::{clock, key, sku};

#[tokio::test]
async fn a_level_is_read_once_and_then_from_the_cache_until_it_ends() {
    let (time, clock) = clock();
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).with_cache(Arc::new(MemoryCache::new(clock))).start();
    inventory.receive(sku("CUP"), 10).await.unwrap();
    inventory.receive(sku("POT"), 3).await.unwrap();
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 10.into());
    assert_eq!(store.reads(), 1);
    inventory.adjust(sku("CUP"), -1, "broken").await.unwrap();
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 10.into(), "a moment old");
    assert_eq!(store.reads(), 1);

    // What is missing is read, and everything comes in the order in which it was asked for.
    let keys = [key("NOWHERE"), key("CUP"), key("POT"), key("CUP")];
    let levels = inventory.availability(&keys).await.unwrap();
    let on_hand: Vec<_> = levels.iter().map(|level| level.as_ref().map(|level| level.on_hand.get())).collect();
    assert_eq!(on_hand, [None, Some(10), Some(3), Some(10)]);
    assert_eq!(store.reads(), 2);
    assert_eq!(
        inventory.levels(&[key("CUP")]).await.unwrap()[0].as_ref().unwrap().on_hand,
        9.into(),
        "the store itself"
    );
    time.advance(Duration::from_secs(60));
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 9.into());
}

/// A cache that fails.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Cache for Broken {
    async fn get(&self, _keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        Err(Error::new(ErrorKind::Unavailable, "the cache is down"))
    }

    async fn put(&self, _batch: Vec<CachePut>) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "the cache is down"))
    }

    async fn invalidate(&self, _floors: &[(CacheKey, u64)], _ttl: Duration) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "the cache is down"))
    }
}

/// A cache that has something unreadable for everything.
#[derive(Debug)]
struct Garbled;

#[async_trait]
impl Cache for Garbled {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        Ok(vec![Some(Cached { version: 1, value: (b"?" as &[u8]).into() }); keys.len()])
    }

    async fn put(&self, _batch: Vec<CachePut>) -> Result<()> {
        Ok(())
    }

    async fn invalidate(&self, _floors: &[(CacheKey, u64)], _ttl: Duration) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_cache_that_fails_or_cannot_be_read_is_a_miss() {
    for cache in [Arc::new(Broken) as Arc<dyn Cache>, Arc::new(Garbled)] {
        let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).with_cache(cache).start();
        inventory.receive(sku("CUP"), 10).await.unwrap();
        assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 10.into());
        inventory.adjust(sku("CUP"), -1, "broken").await.unwrap();
        assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 9.into());
    }
}
