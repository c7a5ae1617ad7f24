//! A bus under a prefix of its own for each rule.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{BusBackend, Harness};
use stockpulse_redis::{RedisConnection, RedisOptions, RedisStreamsBus};

use super::support::{fresh, quick, server};

/// Opens buses on a server or cluster.
pub(crate) struct Redis {
    server: std::result::Result<RedisOptions, String>,
    /// Where it opened last.
    prefix: Mutex<String>,
}

/// Buses on the server that the environment names.
pub(crate) fn redis() -> Redis {
    Redis::new(server().map(RedisOptions::new))
}

impl Redis {
    /// Buses at this place.
    pub(crate) fn new(server: std::result::Result<RedisOptions, String>) -> Self {
        Self { server, prefix: Mutex::default() }
    }

    fn backend(&self) -> Result<BusBackend> {
        let options = self.server.clone().unwrap().with_prefix(self.prefix.lock().unwrap().as_str());
        let bus = Arc::new(RedisStreamsBus::new(RedisConnection::new(options)?, quick())?);
        Ok(BusBackend { publisher: bus.clone(), subscriber: bus })
    }
}

#[async_trait]
impl Harness<BusBackend> for Redis {
    async fn open(&self) -> Result<BusBackend> {
        *self.prefix.lock().unwrap() = fresh();
        self.backend()
    }

    async fn reopen(&self, backend: BusBackend) -> Result<BusBackend> {
        drop(backend);
        self.backend()
    }

    async fn another(&self) -> Result<Option<BusBackend>> {
        self.backend().map(Some)
    }

    fn skip(&self) -> Option<String> {
        self.server.clone().err()
    }
}
