//! A shop with the cache and the gate in front of its store, and nothing to wait for them.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::engine::stock::{Decision, Reserve};
use stockpulse_core::layer::{Layered, fail_fast};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{CommandId, Envelope, Event, EventData, Sku, StockEvent, StockKey, StockLevel};
use stockpulse_core::port::{AdmissionGate, Cache, Clock};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{CacheHandler, Handler, Incoming};
use stockpulse_redis::{RedisCache, RedisConnection, RedisGate, RedisOptions};

use crate::support::counted::Counted;
use crate::support::fresh;

/// What Redis may cost a call.
const BUDGET: Duration = Duration::from_millis(100);
/// Longer than any test lasts: what is not ended by the budget is not ended.
const NEVER: Duration = Duration::from_secs(3_600);

pub(crate) struct Shop {
    pub(crate) inventory: Inventory,
    pub(crate) cache: Arc<RedisCache>,
    pub(crate) gate: Arc<RedisGate>,
    commands: Counted,
}

impl Shop {
    /// A shop whose calls of Redis are ended by the budget or never.
    pub(crate) fn open(url: &str) -> Self {
        let mut options = RedisOptions::new(url).with_prefix(fresh());
        (options.connect_timeout, options.response_timeout) = (Duration::from_millis(300), NEVER);
        let connection = RedisConnection::new(options).unwrap();
        let cache = Arc::new(RedisCache::new(connection.clone()));
        let gate = Arc::new(RedisGate::new(connection));
        let commands = Counted::default();
        let store = Layered::new(MemoryInventoryStore::default(), commands.clone());
        let guarded_cache: Arc<dyn Cache> = cache.clone();
        let guarded_gate: Arc<dyn AdmissionGate> = gate.clone();
        let inventory = Inventory::builder(Arc::new(store))
            .with_cache(Arc::new(fail_fast(guarded_cache, BUDGET)))
            .with_gate(Arc::new(fail_fast(guarded_gate, BUDGET)))
            .start();
        Self { inventory, cache, gate, commands }
    }

    /// Tells cache and gate what the database knows, as the event of the level does.
    pub(crate) async fn tell(&self) {
        let level = self.level().await;
        let (command, at, sequence) = (CommandId::from_u128(1), SystemClock.now(), level.version);
        let data = EventData::Stock(StockEvent::Updated(level));
        let event = Event { command, index: 0, sequence, at, trace: None, data };
        let event = Incoming { envelope: Envelope::seal(&event, "/stock").unwrap(), data: event.data };
        let handler = CacheHandler::new("test").with_cache(self.cache.clone()).with_gate(self.gate.clone());
        handler.handle(&[event]).await.unwrap();
    }

    /// The level in the store.
    pub(crate) async fn level(&self) -> StockLevel {
        self.inventory.levels(&[StockKey::main(cup())]).await.unwrap().remove(0).unwrap()
    }

    /// Sells a unit, or not.
    pub(crate) async fn sell(&self) -> bool {
        let reserve = Reserve::new(self.inventory.new_reservation_id()).with_line(cup(), 1);
        matches!(self.inventory.reserve(reserve).await.unwrap(), Decision::Accepted(_))
    }

    /// How many commands reached the store.
    pub(crate) fn commands(&self) -> usize {
        self.commands.count()
    }
}

pub(crate) fn cup() -> Sku {
    Sku::new("CUP").unwrap()
}
