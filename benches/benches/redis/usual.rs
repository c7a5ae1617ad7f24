//! The usual way, through the redis library with one connection that all callers share.

use std::sync::Arc;

use redis::Script;
use redis::aio::MultiplexedConnection;
use stockpulse_core::model::{StockKey, StockLevel};
use stockpulse_core::port::InventoryStore;
use uuid::Uuid;

use crate::server::Redis;

/// How long a level lives in milliseconds, as StockPulse's.
const TTL: u64 = 30_000;

/// Cache-aside: `GET`, and what is missing is read from the store and `SET`. It lets an older level replace a newer one.
#[derive(Clone, Debug)]
pub(crate) struct CacheAside {
    prefix: Arc<str>,
    connection: MultiplexedConnection,
    store: Arc<dyn InventoryStore>,
}

impl CacheAside {
    pub(crate) async fn new(redis: &Redis, store: Arc<dyn InventoryStore>) -> Self {
        Self { prefix: format!("{}aside:", redis.prefix).into(), connection: redis.connect().await, store }
    }

    pub(crate) async fn levels(&mut self, keys: &[StockKey]) -> Vec<StockLevel> {
        let mut levels = Vec::with_capacity(keys.len());
        for key in keys {
            let name = format!("{}{}:{}", self.prefix, key.sku, key.location);
            let get = redis::cmd("GET").arg(&name).query_async(&mut self.connection).await;
            let cached: Option<Vec<u8>> = get.expect("redis answers");
            let level = match cached {
                Some(cached) => serde_json::from_slice(&cached).expect("a level"),
                None => {
                    let found = self.store.levels(std::slice::from_ref(key)).await.expect("the store answers").pop();
                    let level: StockLevel = found.flatten().expect("a level");
                    let value = serde_json::to_vec(&level).expect("a text");
                    let mut set = redis::cmd("SET");
                    set.arg(name).arg(value).arg("PX").arg(TTL);
                    set.query_async::<()>(&mut self.connection).await.expect("redis answers");
                    level
                }
            };
            levels.push(level);
        }
        levels
    }
}

/// A reservation by a script: check, count down, write the hold and when it ends. Nobody gives back what ran out, tells it
/// what the database knows, or asks twice.
const RESERVE: &str = "
local units = tonumber(ARGV[1])
local left = tonumber(redis.call('GET', KEYS[1]))
if not left then return -1 end
if left < units then return 0 end
redis.call('DECRBY', KEYS[1], units)
redis.call('HSET', KEYS[2], 'sku', ARGV[2], 'quantity', units, 'expires_at', ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4])
return 1";

/// The hold has become a sale.
const SETTLE: &str = "
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1";

/// Reservations by a script.
#[derive(Clone, Debug)]
pub(crate) struct PlainGate {
    prefix: Arc<str>,
    connection: MultiplexedConnection,
    reserve: Arc<Script>,
    settle: Arc<Script>,
}

impl PlainGate {
    /// One with so many units of a SKU.
    pub(crate) async fn new(redis: &Redis, sku: &str, units: i64) -> Self {
        let (prefix, mut connection) = (format!("{}plain:", redis.prefix), redis.connect().await);
        let mut set = redis::cmd("SET");
        set.arg(format!("{prefix}stock:{sku}")).arg(units);
        set.query_async::<()>(&mut connection).await.expect("redis answers");
        let (reserve, settle) = (Arc::new(Script::new(RESERVE)), Arc::new(Script::new(SETTLE)));
        Self { prefix: prefix.into(), connection, reserve, settle }
    }

    /// Whether a new reservation got a unit.
    pub(crate) async fn reserve(&mut self, sku: &str, id: Uuid) -> bool {
        let (prefix, id) = (&self.prefix, id.to_string());
        let mut call = self.reserve.key(format!("{prefix}stock:{sku}"));
        call.key(format!("{prefix}hold:{id}")).key(format!("{prefix}expiry"));
        call.arg(1).arg(sku).arg(1_900_000_000_000_u64).arg(id);
        call.invoke_async::<i64>(&mut self.connection).await.expect("redis answers") == 1
    }

    /// Ends one that has become a sale.
    pub(crate) async fn settle(&mut self, id: Uuid) {
        let (prefix, id) = (&self.prefix, id.to_string());
        let mut call = self.settle.key(format!("{prefix}hold:{id}"));
        call.key(format!("{prefix}expiry")).arg(id);
        call.invoke_async::<i64>(&mut self.connection).await.expect("redis answers");
    }
}
