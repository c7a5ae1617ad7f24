//! Caches, gates and buses under a prefix of their own for each rule.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{BusBackend, Harness};
use stockpulse_core::port::{AdmissionGate, Cache};
use stockpulse_redis::{RedisCache, RedisConnection, RedisGate, RedisOptions, RedisStreamsBus};

use crate::bus::support::quick;
use crate::support::{fresh, server};

/// Opens what a function makes of a connection.
pub(crate) struct Redis<B> {
    server: std::result::Result<RedisOptions, String>,
    make: fn(RedisConnection) -> B,
    /// Where it opened last.
    prefix: Mutex<String>,
}

/// Caches on the server that the environment names.
pub(crate) fn caches() -> Redis<Arc<dyn Cache>> {
    Redis::new(server().map(RedisOptions::new), |connection| Arc::new(RedisCache::new(connection)))
}

/// Gates on the server that the environment names.
pub(crate) fn gates() -> Redis<Arc<dyn AdmissionGate>> {
    Redis::new(server().map(RedisOptions::new), |connection| Arc::new(RedisGate::new(connection)))
}

/// Gates of so many shards that most requests of several levels span them.
pub(crate) fn sharded_gates() -> Redis<Arc<dyn AdmissionGate>> {
    Redis::new(server().map(RedisOptions::new), sharded)
}

/// A gate of five shards.
pub(crate) fn sharded(connection: RedisConnection) -> Arc<dyn AdmissionGate> {
    Arc::new(RedisGate::new(connection).with_shards(NonZeroU16::new(5).unwrap()))
}

/// Buses on the server that the environment names.
pub(crate) fn buses() -> Redis<BusBackend> {
    Redis::new(server().map(RedisOptions::new), bus)
}

/// A bus that notices soon who comes, leaves or dies.
pub(crate) fn bus(connection: RedisConnection) -> BusBackend {
    let bus = Arc::new(RedisStreamsBus::new(connection, quick()).unwrap());
    BusBackend { publisher: bus.clone(), subscriber: bus }
}

impl<B> Redis<B> {
    pub(crate) fn new(server: std::result::Result<RedisOptions, String>, make: fn(RedisConnection) -> B) -> Self {
        Self { server, make, prefix: Mutex::default() }
    }

    fn backend(&self) -> Result<B> {
        let options = self.server.clone().unwrap().with_prefix(self.prefix.lock().unwrap().clone());
        Ok((self.make)(RedisConnection::new(options)?))
    }
}

#[async_trait]
impl<B: Clone + Send + Sync + 'static> Harness<B> for Redis<B> {
    async fn open(&self) -> Result<B> {
        *self.prefix.lock().unwrap() = fresh();
        self.backend()
    }

    async fn reopen(&self, backend: B) -> Result<B> {
        drop(backend);
        self.backend()
    }

    async fn another(&self) -> Result<Option<B>> {
        self.backend().map(Some)
    }

    fn skip(&self) -> Option<String> {
        self.server.as_ref().err().cloned()
    }
}
