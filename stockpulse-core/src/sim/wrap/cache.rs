//! The cache, as a node sees it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::super::bug::Bug;
use super::super::faults::Fault;
use super::super::node::Node;
use super::super::violation::Rule;
use super::super::world::{Place, World, WorldClock, locked};
use crate::error::Result;
use crate::memory::MemoryCache;
use crate::port::{Cache, CacheKey, CachePut, Cached};

const PLACE: Place = Place::Elsewhere;

/// The cache that all nodes share. It can be emptied.
#[derive(Debug)]
pub(in crate::sim) struct SharedCache {
    world: Arc<World>,
    inner: Mutex<MemoryCache>,
    /// For [`Bug::StaleCache`], instead of the other.
    careless: Mutex<BTreeMap<CacheKey, Cached>>,
}

impl SharedCache {
    pub(in crate::sim) fn new(world: Arc<World>) -> Arc<Self> {
        let inner = Mutex::new(MemoryCache::new(Arc::new(WorldClock(Arc::clone(&world)))));
        Arc::new(Self { world, inner, careless: Mutex::default() })
    }

    /// Forgets everything.
    pub(in crate::sim) fn wipe(&self) {
        *locked(&self.inner) = MemoryCache::new(Arc::new(WorldClock(Arc::clone(&self.world))));
        locked(&self.careless).clear();
    }

    /// The cache as it is at this moment.
    pub(in crate::sim) fn now(&self) -> MemoryCache {
        locked(&self.inner).clone()
    }

    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        if self.world.has(Bug::StaleCache) {
            let careless = locked(&self.careless);
            return Ok(keys.iter().map(|key| careless.get(key).cloned()).collect());
        }
        self.now().get(keys).await
    }

    /// Writes, and looks whether anything went back in time.
    async fn put(&self, batch: Vec<CachePut>) -> Result<()> {
        let keys: Vec<CacheKey> = batch.iter().map(|put| put.key.clone()).collect();
        let before = self.get(&keys).await?;
        if self.world.has(Bug::StaleCache) {
            locked(&self.careless).extend(batch.into_iter().map(|put| (put.key, put.cached)));
        } else {
            self.now().put(batch).await?;
        }
        let after = self.get(&keys).await?;
        for ((key, before), after) in keys.iter().zip(before).zip(after) {
            let (before, after) = (before.map(|cached| cached.version), after.map(|cached| cached.version));
            self.world.say(format_args!("cache: {key:?} was {before:?}, is {after:?}"));
            if before > after {
                let what = format!("{key:?} went from version {before:?} back to {after:?}");
                self.world.violated(Rule::CacheConverges, what);
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(in crate::sim) struct NodeCache {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) shared: Arc<SharedCache>,
}

#[async_trait]
impl Cache for NodeCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        self.node.call(PLACE, "cache.get", self.shared.get(keys)).await
    }

    async fn put(&self, batch: Vec<CachePut>) -> Result<()> {
        let world = self.node.world();
        let put = async {
            if world.strikes(Fault::CacheLost) {
                return Ok(());
            }
            if world.strikes(Fault::CacheLate) {
                let late = world.dice().between(Duration::from_millis(1), Duration::from_secs(5));
                let shared = Arc::clone(&self.shared);
                drop(tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    shared.put(batch).await
                }));
                return Ok(());
            }
            self.shared.put(batch).await
        };
        self.node.call(PLACE, "cache.put", put).await
    }

    async fn invalidate(&self, floors: &[(CacheKey, u64)], ttl: Duration) -> Result<()> {
        let inner = self.shared.now();
        self.node.call(PLACE, "cache.invalidate", inner.invalidate(floors, ttl)).await
    }
}
