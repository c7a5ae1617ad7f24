//! A bus under a prefix of its own for each rule.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{BusBackend, Harness};

use super::support::{bus, fresh, quick, server};

/// Opens buses on the server.
pub(crate) struct Redis {
    server: std::result::Result<String, String>,
    /// Where it opened last.
    prefix: Mutex<String>,
}

/// Buses on the server that the environment names.
pub(crate) fn redis() -> Redis {
    Redis { server: server(), prefix: Mutex::default() }
}

impl Redis {
    fn backend(&self) -> BusBackend {
        let bus = Arc::new(bus(self.server.as_deref().unwrap(), &self.prefix.lock().unwrap(), quick()));
        BusBackend { publisher: bus.clone(), subscriber: bus }
    }
}

#[async_trait]
impl Harness<BusBackend> for Redis {
    async fn open(&self) -> Result<BusBackend> {
        *self.prefix.lock().unwrap() = fresh();
        Ok(self.backend())
    }

    async fn reopen(&self, backend: BusBackend) -> Result<BusBackend> {
        drop(backend);
        Ok(self.backend())
    }

    async fn another(&self) -> Result<Option<BusBackend>> {
        Ok(Some(self.backend()))
    }

    fn skip(&self) -> Option<String> {
        self.server.clone().err()
    }
}
