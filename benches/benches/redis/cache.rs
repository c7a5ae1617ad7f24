//! Reading availability through the cache.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::StockKey;
use stockpulse_core::port::InventoryStore;
use stockpulse_core::service::Inventory;
use stockpulse_redis::RedisCache;

use crate::server::Redis;
use crate::table::{ROUNDS, Row, Table, measure};
use crate::tool;
use crate::usual::CacheAside;

/// How many callers share a connection: how many calls are under way on it.
const CALLERS: usize = 64;
/// Levels read at once: a product page, and a listing.
const BATCHES: [usize; 2] = [1, 16];
/// How many levels `redis-benchmark` reads.
const LEVELS: usize = 400_000;

/// The tables of it.
pub(crate) async fn run(redis: &Redis) {
    let store = stocked().await;
    let cache = Arc::new(RedisCache::new(redis.connection()));
    let inventory = Inventory::builder(Arc::clone(&store)).with_cache(cache).start();
    let aside = CacheAside::new(redis, store).await;
    let bare = Bare::new(redis, &inventory).await;
    for batch in BATCHES {
        let mut table = Table::default();
        let name = format!("`MGET` of {batch}, redis-benchmark");
        for _ in 0..ROUNDS {
            if let Some(row) = bare.tool(redis, batch).await {
                table.add(&name, row);
            }
            table.add(format!("`MGET` of {batch}, the redis library"), bare.library(redis, batch).await);
            table.add(format!("`Inventory::availability` of {batch}"), ours(redis, &inventory, batch).await);
            table.add(format!("cache-aside, {batch} × `GET`"), usual(redis, &aside, batch).await);
        }
        table.print("levels read", &format!("`MGET` of {batch}, the redis library"));
    }
    redis.clear().await;
}

/// A store with all SKUs of the workload.
pub(crate) async fn stocked() -> Arc<dyn InventoryStore> {
    let store = MemoryInventoryStore::default();
    let receive = Workload::new(Skus::Uniform, 0).receive();
    store.execute(&Engine::new(), vec![receive]).await.expect("goods come in");
    Arc::new(store)
}

/// Callers who each choose SKUs of their own.
fn callers<T: Clone>(shared: &T) -> Vec<(T, Workload)> {
    (1..=CALLERS as u64).map(|seed| (shared.clone(), Workload::new(Skus::Uniform, seed))).collect()
}

fn keys(workload: &mut Workload, batch: usize) -> Vec<StockKey> {
    (0..batch).map(|_| StockKey::main(workload.sku())).collect()
}

async fn ours(redis: &Redis, inventory: &Inventory, batch: usize) -> Row {
    measure(redis, callers(inventory), batch, move |(inventory, mut workload)| async move {
        let levels = inventory.availability(&keys(&mut workload, batch)).await.expect("levels");
        assert!(levels.iter().all(Option::is_some));
        (inventory, workload)
    })
    .await
}

async fn usual(redis: &Redis, aside: &CacheAside, batch: usize) -> Row {
    measure(redis, callers(aside), batch, move |(mut aside, mut workload)| async move {
        assert_eq!(aside.levels(&keys(&mut workload, batch)).await.len(), batch);
        (aside, workload)
    })
    .await
}

/// The same values under keys of the same length, which do not end.
struct Bare {
    connection: MultiplexedConnection,
    prefix: Arc<str>,
}

impl Bare {
    async fn new(redis: &Redis, inventory: &Inventory) -> Self {
        let mut connection = redis.connect().await;
        let skus = Workload::new(Skus::Uniform, 0).skus().to_vec();
        let keys: Vec<StockKey> = skus.into_iter().map(StockKey::main).collect();
        inventory.availability(&keys).await.expect("levels");
        let cached = redis::cmd("KEYS").arg(format!("{}cache:*", redis.prefix)).query_async(&mut connection).await;
        let cached: Vec<String> = cached.expect("redis answers");
        assert_eq!(cached.len(), keys.len(), "every level is cached");
        let prefix = format!("{}bare:", redis.prefix);
        for (number, name) in cached.iter().enumerate() {
            let value: Vec<u8> = redis::cmd("GET").arg(name).query_async(&mut connection).await.expect("a value");
            let set = redis::cmd("SET").arg(bare(&prefix, number)).arg(value).query_async(&mut connection).await;
            let () = set.expect("redis answers");
        }
        Self { connection, prefix: prefix.into() }
    }

    async fn library(&self, redis: &Redis, batch: usize) -> Row {
        let shared = (self.connection.clone(), Arc::clone(&self.prefix));
        measure(redis, callers(&shared), batch, move |((mut connection, prefix), mut workload)| async move {
            let mut read = redis::cmd("MGET");
            for _ in 0..batch {
                let number = workload.sku().as_str()["SKU-".len()..].parse().expect("a number");
                read.arg(bare(&prefix, number));
            }
            let values: Vec<Vec<u8>> = read.query_async(&mut connection).await.expect("redis answers");
            assert!(values.iter().all(|value| !value.is_empty()));
            ((connection, prefix), workload)
        })
        .await
    }

    async fn tool(&self, redis: &Redis, batch: usize) -> Option<Row> {
        let name = format!("{}{{0}}v5:stock:__rand_int__", self.prefix);
        let command: Vec<&str> = std::iter::once("MGET").chain(std::iter::repeat_n(name.as_str(), batch)).collect();
        tool::run(redis, CALLERS, LEVELS / batch, batch, &command).await
    }
}

/// A key with the digits that `redis-benchmark` makes.
fn bare(prefix: &str, number: usize) -> String {
    format!("{prefix}{{0}}v5:stock:{number:012}")
}
