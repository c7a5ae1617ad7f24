//! The cache on Redis.

mod buckets;

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::Value;
use stockpulse_core::port::{Cache, CacheKey, CachePut, Cached};
use stockpulse_core::{Error, Result};

use self::buckets::Buckets;
use crate::RedisConnection;
use crate::lua::{Lua, ScriptCall, milliseconds};

static PUT: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("cache/put.lua")));
static INVALIDATE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("cache/invalidate.lua")));

/// How many characters of a record are its version.
const VERSION: usize = 20;

/// A cache of versioned values on Redis. Clones share the connection.
///
/// Any batch is one round trip: `MGET` reads, a script writes or invalidates. On a cluster it is one for each bucket that
/// the batch touches, side by side; which bucket a key is in is part of its name, as a hash tag.
///
/// A value and its floor are two keys that end by Redis' own expiry. A server that runs out of memory and evicts may forget
/// a floor before its time, and then takes an older value again until that ends; `maxmemory-policy volatile-ttl` evicts
/// what ends soonest first.
#[derive(Clone, Debug)]
pub struct RedisCache {
    connection: RedisConnection,
    buckets: Buckets,
}

impl RedisCache {
    /// A cache over this connection. Its keys begin with the options' prefix and `cache:`.
    #[must_use]
    pub fn new(connection: RedisConnection) -> Self {
        let buckets = Buckets::new(connection.options());
        Self { connection, buckets }
    }

    async fn read(&self, names: Vec<String>) -> Result<Vec<Option<Cached>>> {
        let mut command = redis::cmd("MGET");
        command.arg(&names);
        let values: Vec<Value> = self.connection.query(&command).await?;
        if values.len() != names.len() {
            return Err(Error::corrupt("redis answered more or fewer values than were asked for"));
        }
        Ok(values.into_iter().map(cached).collect())
    }

    async fn run(&self, script: &Lua, calls: Vec<ScriptCall>) -> Result<()> {
        let runs = calls.iter().map(|call| self.connection.script::<()>(script, call));
        futures::future::try_join_all(runs).await.map(drop)
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        let groups = self.buckets.group(keys);
        let reads = groups.iter().map(|(bucket, indices)| {
            let keys = indices.iter().filter_map(|index| keys.get(*index));
            self.read(keys.map(|key| self.buckets.value(*bucket, key)).collect())
        });
        let read = futures::future::try_join_all(reads).await.map_err(|error| error.during("cache.get"))?;
        let mut answers = vec![None; keys.len()];
        for ((_, indices), values) in groups.iter().zip(read) {
            for (index, value) in indices.iter().zip(values) {
                if let Some(place) = answers.get_mut(*index) {
                    *place = value;
                }
            }
        }
        Ok(answers)
    }

    async fn put(&self, batch: Vec<CachePut>) -> Result<()> {
        let mut calls = self.buckets.calls();
        for CachePut { key, cached, ttl } in &batch {
            let call = calls.of(key);
            let mut record = digits(cached.version).into_bytes();
            record.extend_from_slice(&cached.value);
            call.argument(record);
            call.argument(milliseconds(*ttl).to_string());
        }
        self.run(&PUT, calls.into_vec()).await.map_err(|error| error.during("cache.put"))
    }

    async fn invalidate(&self, floors: &[(CacheKey, u64)], ttl: Duration) -> Result<()> {
        let mut calls = self.buckets.calls().starting_with(milliseconds(ttl).to_string());
        for (key, version) in floors {
            calls.of(key).argument(digits(*version));
        }
        self.run(&INVALIDATE, calls.into_vec()).await.map_err(|error| error.during("cache.invalidate"))
    }
}

/// A version whose order is that of its text.
pub(crate) fn digits(version: u64) -> String {
    format!("{version:0VERSION$}")
}

/// What a record says. One that makes no sense, which somebody else wrote, is a miss.
fn cached(value: Value) -> Option<Cached> {
    let Value::BulkString(record) = value else { return None };
    let version = std::str::from_utf8(record.get(..VERSION)?).ok()?.parse().ok()?;
    Some(Cached { version, value: Bytes::from(record).slice(VERSION..) })
}
