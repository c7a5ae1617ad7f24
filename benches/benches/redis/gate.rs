//! Asking the gate.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::stock::{Decision, Reserve};
use stockpulse_core::layer::CoalescedGate;
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{Quantity, ReservationId, Sku, StockKey, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};
use stockpulse_core::service::Inventory;
use stockpulse_redis::RedisGate;

use crate::server::{Redis, new_id};
use crate::table::{ROUNDS, Row, Table, measure};
use crate::tool;
use crate::usual::PlainGate;

/// How many requests are under way at a time.
const UNDER_WAY: usize = 256;
/// How many of them are asked for at once, where that is said.
const BATCH: usize = 64;
/// How often `redis-benchmark` runs its script.
const CALLS: usize = 300_000;
/// As `Inventory` asks.
const TTL: Duration = Duration::from_secs(60);

/// Whether there is anything left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stock {
    Endless,
    SoldOut,
}

impl Stock {
    const fn units(self) -> Quantity {
        match self {
            Self::Endless => Quantity::MAX,
            Self::SoldOut => Quantity::ZERO,
        }
    }
}

/// The tables of it.
pub(crate) async fn run(redis: &Redis) {
    for (stock, title) in [(Stock::Endless, "let through"), (Stock::SoldOut, "refused")] {
        let mut table = Table::default();
        for _ in 0..ROUNDS {
            if let Some(row) = ceiling(redis).await {
                table.add("a script that does nothing, redis-benchmark", row);
            }
            table.add("a plain script, one by one", plain(redis, stock).await);
            redis.clear().await;
            if stock == Stock::Endless {
                table.add("the same, settled by another", settled(redis).await);
                redis.clear().await;
            }
            table.add("`RedisGate`, one by one", alone(redis, stock, 1).await);
            redis.clear().await;
            table.add("`RedisGate`, one by one, calls shared", shared(redis, stock).await);
            redis.clear().await;
            table.add(format!("`RedisGate`, {BATCH} at once"), alone(redis, stock, BATCH).await);
            redis.clear().await;
            let name = match stock {
                Stock::Endless => "`Inventory::reserve` on the memory store, settled too",
                Stock::SoldOut => "`Inventory::reserve`",
            };
            table.add(name, service(redis, stock).await);
            redis.clear().await;
        }
        table.print(title, "a plain script, one by one");
    }
}

fn cup() -> Sku {
    Sku::new("SKU-00000").expect("a SKU")
}

/// A gate that was told.
async fn told(redis: &Redis, stock: Stock) -> RedisGate {
    let gate = RedisGate::new(redis.connection());
    let level = GateLevel { key: StockKey::main(cup()), sellable: stock.units(), version: 1 };
    gate.reconcile(&[level]).await.expect("redis answers");
    gate
}

async fn alone(redis: &Redis, stock: Stock, batch: usize) -> Row {
    ours(redis, told(redis, stock).await, stock, batch).await
}

async fn shared(redis: &Redis, stock: Stock) -> Row {
    let gate = CoalescedGate::new(Arc::new(told(redis, stock).await));
    ours(redis, gate, stock, 1).await
}

async fn ours<G: AdmissionGate + Clone>(redis: &Redis, gate: G, stock: Stock, batch: usize) -> Row {
    let callers = vec![(gate, StockKey::main(cup())); UNDER_WAY / batch];
    measure(redis, callers, batch, move |(gate, key)| async move {
        let request = || {
            let lines = vec![StockQuantity::new(key.clone(), 1.into())];
            AdmitRequest { reservation: ReservationId::new(new_id()), lines, ttl: TTL }
        };
        let requests: Vec<AdmitRequest> = std::iter::repeat_with(request).take(batch).collect();
        for answer in gate.admit(&requests).await.expect("redis answers") {
            assert_eq!(answer == Admission::Admitted, stock == Stock::Endless, "{answer:?}");
        }
        (gate, key)
    })
    .await
}

async fn plain(redis: &Redis, stock: Stock) -> Row {
    let gate = PlainGate::new(redis, cup().as_str(), stock.units().get()).await;
    let callers = vec![(gate, cup()); UNDER_WAY];
    measure(redis, callers, 1, move |(mut gate, sku)| async move {
        assert_eq!(gate.reserve(sku.as_str(), new_id()).await, stock == Stock::Endless);
        (gate, sku)
    })
    .await
}

/// A script that reserves, and one that hears that the reservation was granted.
async fn settled(redis: &Redis) -> Row {
    let gate = PlainGate::new(redis, cup().as_str(), Stock::Endless.units().get()).await;
    let callers = vec![(gate, cup()); UNDER_WAY];
    measure(redis, callers, 1, move |(mut gate, sku)| async move {
        let id = new_id();
        assert!(gate.reserve(sku.as_str(), id).await);
        gate.settle(id).await;
        (gate, sku)
    })
    .await
}

/// Everything that a reservation asks of the gate, and no database.
async fn service(redis: &Redis, stock: Stock) -> Row {
    let gate = told(redis, stock).await;
    let store = Arc::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(store).with_gate(Arc::new(gate)).start();
    inventory.receive(cup(), Quantity::MAX).await.expect("goods come in");
    let callers = vec![(inventory.clone(), cup()); UNDER_WAY];
    let row = measure(redis, callers, 1, move |(inventory, sku): (Inventory, Sku)| async move {
        let reserve = Reserve::new(inventory.new_reservation_id()).with_line(sku.clone(), 1);
        let decision = inventory.reserve(reserve).await.expect("the store answers");
        assert_eq!(matches!(decision, Decision::Accepted(_)), stock == Stock::Endless, "{decision:?}");
        (inventory, sku)
    })
    .await;
    inventory.close().await;
    row
}

/// A script that gets what the gate's gets for one request, and answers at once.
async fn ceiling(redis: &Redis) -> Option<Row> {
    let load = redis::cmd("SCRIPT").arg("LOAD").arg("return {1}").query_async(&mut redis.connect().await).await;
    let hash: String = load.expect("redis answers");
    let base = format!("{}gate:{{0/1}}", redis.prefix);
    let name = format!("{}:main", cup());
    let command = ["EVALSHA", &hash, "1", &base, "__rand_int__0000", "60000", "1", &name, "1"];
    tool::run(redis, UNDER_WAY, CALLS, 1, &command).await
}
