//! A cache that never goes back in time.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use compact_str::CompactString;

use crate::error::Result;

/// The key of a cached value: what kind of thing, and which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey {
    /// What kind of thing, such as `stock`.
    pub space: &'static str,
    /// Which.
    pub id: CompactString,
}

impl CacheKey {
    /// A key.
    #[must_use]
    pub fn new(space: &'static str, id: impl Into<CompactString>) -> Self {
        Self { space, id: id.into() }
    }
}

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The version; a lower one never replaces it.
    pub version: u64,
    /// The value.
    pub value: Bytes,
}

/// A value to cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePut {
    /// Its key.
    pub key: CacheKey,
    /// The value with its version.
    pub cached: Cached,
    /// How long it may be answered.
    pub ttl: Duration,
}

/// A cache of versioned values. It reads fast and decides nothing: a failure is a miss.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Cache: Debug + Send + Sync + 'static {
    /// Reads values, aligned with `keys`.
    ///
    /// # Errors
    /// Infrastructure only; the caller reads from the store.
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>>;

    /// Writes values. One whose version is lower than what is there, or than the floor that an invalidation left,
    /// is ignored; one of the same version is taken and lives as long as was said last. A batch may name a key twice:
    /// the highest version stays.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn put(&self, batch: Vec<CachePut>) -> Result<()>;

    /// Removes values, of whatever version, and leaves a floor: nothing below that version is taken, for `ttl`. What
    /// was removed raises the floor to its own version, and a lower floor takes nothing from a higher one that has not
    /// ended.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn invalidate(&self, floors: &[(CacheKey, u64)], ttl: Duration) -> Result<()>;
}
