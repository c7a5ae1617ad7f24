//! Batches that are made ready while others are being written, with somebody else in between.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Reserve, StockAction, StockOutcome};
use stockpulse_core::model::{Command, CommandId, Quantity, ReservationId, Sku, StockKey, Timestamp};
use stockpulse_core::port::{InventoryStore, LevelAudit};
use stockpulse_core::service::Inventory;
use stockpulse_sql::Context;
use tokio::task::JoinSet;

use crate::support::{Kind, Place};

const SKUS: u128 = 5;
const STOCK: u32 = 250;
/// So many at once that batches overlap; what they ask for in all is more than there is.
const CALLERS: u128 = 600;
const EACH: u128 = 3;

fn sku(id: u128) -> Sku {
    Sku::new(format!("SKU-{}", id % SKUS)).unwrap()
}

fn request(id: u128) -> Reserve {
    Reserve::new(ReservationId::from_u128(id)).with_line(sku(id), 1)
}

/// Another process that knows nothing of the first one's levels, and makes wrong what that expects of them.
async fn interfere(store: Arc<dyn InventoryStore>) -> BTreeMap<Sku, u32> {
    let mut granted = BTreeMap::new();
    for id in 1_000_000..1_000_060 {
        let command =
            Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), StockAction::Reserve(request(id)));
        let outcome = store.execute(&Engine::new(), vec![command]).await.unwrap().remove(0);
        *granted.entry(sku(id)).or_default() += u32::from(matches!(outcome, StockOutcome::Reserved(_)));
    }
    granted
}

async fn nothing_is_oversold_or_lost(kind: Kind) {
    if kind.skips() {
        return;
    }
    let place = Place::new(kind).await.unwrap();
    let (one, other) = (place.connect(&[Context::Inventory]).await.unwrap(), place.connect(&[]).await.unwrap());
    let inventory = Inventory::builder(Arc::clone(&one.inventory)).start();
    for id in 0..SKUS {
        inventory.receive(sku(id), STOCK).await.unwrap();
    }
    let other = tokio::spawn(interfere(other.inventory));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let inventory = inventory.clone();
        callers.spawn(async move {
            let mut granted = Vec::new();
            for number in 0..EACH {
                // Every fourth asks for what its neighbour asks for, under the same id: it is granted once.
                let id = 1 + (caller - u128::from(caller % 4 == 3)) * EACH + number;
                if inventory.reserve(request(id)).await.unwrap().is_accepted() {
                    granted.push(id);
                }
            }
            granted
        });
    }
    let mut granted = other.await.unwrap();
    let mut ids: Vec<u128> = callers.join_all().await.concat();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        *granted.entry(sku(id)).or_default() += 1;
    }
    for (sku, granted) in granted {
        let level = one.inventory.levels(&[StockKey::main(sku)]).await.unwrap().remove(0).unwrap();
        assert_eq!((level.reserved, granted), (Quantity::from(STOCK), STOCK), "all of it, and no more: {level:?}");
    }
    let audits = one.inventory.audit(None, NonZeroUsize::new(100).unwrap()).await.unwrap();
    for LevelAudit { level, ledger, claims } in audits.items {
        let reserved = level.reserved.get();
        assert_eq!((ledger.on_hand, ledger.reserved, claims.reserved), (level.on_hand.get(), reserved, reserved));
    }
    inventory.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_nothing_is_oversold_or_lost() {
    nothing_is_oversold_or_lost(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mysql_nothing_is_oversold_or_lost() {
    nothing_is_oversold_or_lost(Kind::MySql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_nothing_is_oversold_or_lost() {
    nothing_is_oversold_or_lost(Kind::Sqlite).await;
}
