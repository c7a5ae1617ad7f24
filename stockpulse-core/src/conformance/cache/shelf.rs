//! Writing to a cache under test, and reading from it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;

use crate::conformance::support::fresh;
use crate::conformance::{Harness, Violation};
use crate::port::{Cache, CacheKey, CachePut, Cached};

/// A time to live that no rule waits for.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// A time to live whose end rules wait for.
pub(super) const SHORT: Duration = Duration::from_millis(200);

/// A cache, and values whose version can be read in them.
#[derive(Debug)]
pub(super) struct Shelf {
    pub cache: Arc<dyn Cache>,
}

impl Shelf {
    pub(super) async fn open(harness: &dyn Harness<Arc<dyn Cache>>) -> Result<Self, Violation> {
        Ok(Self { cache: harness.open().await? })
    }

    /// Writes one value.
    pub(super) async fn put(&self, key: &CacheKey, version: u64, ttl: Duration) -> Result<(), Violation> {
        Ok(self.cache.put(vec![entry(key, version, ttl)]).await?)
    }

    /// Leaves a floor.
    pub(super) async fn invalidate(&self, key: &CacheKey, version: u64, ttl: Duration) -> Result<(), Violation> {
        Ok(self.cache.invalidate(&[(key.clone(), version)], ttl).await?)
    }

    /// The versions that are there, each with the value that was written with it.
    pub(super) async fn versions(&self, keys: &[CacheKey]) -> Result<Vec<Option<u64>>, Violation> {
        let answers = self.cache.get(keys).await?;
        ensure_eq!(answers.len(), keys.len(), "answers to as many keys");
        let mut versions = Vec::with_capacity(keys.len());
        for (key, answer) in keys.iter().zip(answers) {
            if let Some(Cached { version, value }) = &answer {
                ensure_eq!(*value, value_of(key, *version), "the value of {key:?} in version {version}");
            }
            versions.push(answer.map(|cached| cached.version));
        }
        Ok(versions)
    }

    /// The version that is there.
    pub(super) async fn version(&self, key: &CacheKey) -> Result<Option<u64>, Violation> {
        Ok(self.versions(std::slice::from_ref(key)).await?.into_iter().next().flatten())
    }
}

/// A key that no other rule uses.
pub(super) fn key() -> CacheKey {
    CacheKey::new("conformance", CompactString::from(fresh().to_string()))
}

/// A value to write.
pub(super) fn entry(key: &CacheKey, version: u64, ttl: Duration) -> CachePut {
    CachePut { key: key.clone(), cached: Cached { version, value: value_of(key, version) }, ttl }
}

fn value_of(key: &CacheKey, version: u64) -> Bytes {
    Bytes::from(format!("{}/{}/{version}", key.space, key.id))
}
