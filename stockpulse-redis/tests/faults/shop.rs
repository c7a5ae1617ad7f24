//! A shop with the cache and the gate in front of its store, and nothing to wait for them.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::stock::{Decision, Reserve};
use stockpulse_core::layer::{Layered, fail_fast};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{CommandId, Envelope, Event, EventData, ReservationId, Sku};
use stockpulse_core::model::{StockEvent, StockKey, StockLevel, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Cache, CacheKey, Cached, Clock, IdGenerator};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{CacheHandler, Handler, Incoming};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_redis::{RedisCache, RedisConnection, RedisGate, RedisOptions};
use tokio::time::timeout;

use crate::support::counted::Counted;
use crate::support::fresh;
use crate::support::node::until;

/// What Redis may cost a call.
const BUDGET: Duration = Duration::from_millis(100);
/// Longer than any test lasts: what is not ended by the budget is not ended.
const NEVER: Duration = Duration::from_secs(3_600);

/// For what would otherwise hang; nothing here takes so long.
pub(crate) const A_MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Shop {
    pub(crate) inventory: Inventory,
    pub(crate) cache: Arc<RedisCache>,
    pub(crate) gate: Arc<RedisGate>,
    commands: Counted,
}

impl Shop {
    /// A shop whose calls of Redis are ended by a short budget or never.
    pub(crate) fn open(options: RedisOptions) -> Self {
        Self::with(options, BUDGET)
    }

    /// A shop that waits for Redis as long as it takes.
    pub(crate) fn patient(options: RedisOptions) -> Self {
        Self::with(options, NEVER)
    }

    fn with(options: RedisOptions, budget: Duration) -> Self {
        let mut options = options.with_prefix(fresh());
        (options.connect_timeout, options.response_timeout) = (Duration::from_millis(300), NEVER);
        let connection = RedisConnection::new(options).unwrap();
        let cache = Arc::new(RedisCache::new(connection.clone()));
        let gate = Arc::new(RedisGate::new(connection));
        let commands = Counted::default();
        let store = Layered::new(MemoryInventoryStore::default(), commands.clone());
        let guarded_cache: Arc<dyn Cache> = cache.clone();
        let guarded_gate: Arc<dyn AdmissionGate> = gate.clone();
        let inventory = Inventory::builder(Arc::new(store))
            .with_cache(Arc::new(fail_fast(guarded_cache, budget)))
            .with_gate(Arc::new(fail_fast(guarded_gate, budget)))
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
        self.inventory.levels(&[key()]).await.unwrap().remove(0).unwrap()
    }

    /// Sells a unit, or not.
    pub(crate) async fn sell(&self) -> bool {
        let reserve = Reserve::new(self.inventory.new_reservation_id()).with_line(cup(), 1);
        matches!(self.inventory.reserve(reserve).await.unwrap(), Decision::Accepted(_))
    }

    /// Sells so many units, each of them there.
    pub(crate) async fn sells(&self, units: usize) {
        timeout(A_MINUTE, async {
            for _ in 0..units {
                assert!(self.sell().await);
            }
        })
        .await
        .unwrap();
    }

    /// What the gate says when it is asked directly, if it answers within a second.
    pub(crate) async fn gate_says(&self) -> Option<Admission> {
        let request = request();
        let a_second = Duration::from_secs(1);
        let answer = timeout(a_second, self.gate.admit(std::slice::from_ref(&request))).await.ok()?.ok()?.pop();
        timeout(a_second, self.gate.release(&[request.reservation])).await.ok()?.ok()?;
        answer
    }

    /// What the cache has, if it answers within a second.
    pub(crate) async fn cached(&self) -> Option<Cached> {
        let name = [CacheKey::new("stock", format!("{}\u{1f}{}", key().sku, key().location))];
        timeout(Duration::from_secs(1), self.cache.get(&name)).await.ok()?.ok()?.pop().flatten()
    }

    /// After an event of the level, the cache has what the store has, and it is what callers get.
    pub(crate) async fn cache_converges(&self) {
        let level = self.level().await;
        until("the cache has what the store has", || async {
            self.tell().await;
            let cached = self.cached().await?;
            let answered = self.inventory.availability(&[key()]).await.unwrap().pop().flatten();
            (cached.version == level.version && answered.as_ref() == Some(&level)).then_some(())
        })
        .await;
    }

    /// How many commands reached the store.
    pub(crate) fn commands(&self) -> usize {
        self.commands.count()
    }
}

pub(crate) fn cup() -> Sku {
    Sku::new("CUP").unwrap()
}

pub(crate) fn key() -> StockKey {
    StockKey::main(cup())
}

/// A request for one unit that nobody made before.
pub(crate) fn request() -> AdmitRequest {
    let reservation = ReservationId::new(RandomIds.next_id(SystemClock.now()));
    AdmitRequest { reservation, lines: vec![StockQuantity::new(key(), 1.into())], ttl: A_MINUTE }
}
