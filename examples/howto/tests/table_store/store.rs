//! Reading the tables, and the harness.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{Harness, InventoryBackend};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{StockCommand, StockOutcome};
use stockpulse_core::model::{
    Counters, Movement, Reservation, ReservationId, ReservationState, StockKey, StockLevel, Timestamp,
};
use stockpulse_core::port::{InventoryStore, LevelAudit, Page};

use super::outbox::{Relayed, TableOutbox};
use super::{Tables, execute};

/// What is stored, for one transaction at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    pub(crate) tables: Arc<Mutex<Tables>>,
    pub(crate) relayed: Arc<Mutex<Relayed>>,
}

#[derive(Debug)]
struct TableStore(Database);

impl TableStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap()
    }
}

fn after<K: Ord, V>(table: &BTreeMap<K, V>, key: Option<K>) -> impl Iterator<Item = &V> {
    table.range((key.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)).map(|(_, value)| value)
}

fn audit(tables: &Tables, level: &StockLevel) -> LevelAudit {
    let movements = tables.movements.values().filter(|movement| movement.key == level.key);
    let live = tables.reservations.values().filter(|reservation| reservation.state.is_live());
    let lines = live.flat_map(|reservation| &reservation.lines).filter(|line| line.key == level.key);
    let queue = tables.queues.values().filter(|entry| entry.key == level.key);
    let claims = Counters {
        on_hand: 0,
        reserved: lines.map(|line| line.open().get()).sum(),
        backordered: queue.map(|entry| entry.quantity.get()).sum(),
    };
    let ledger = movements.fold(Counters::default(), |sum, movement| sum.plus(movement.change));
    LevelAudit { level: level.clone(), ledger, claims }
}

#[async_trait]
impl InventoryStore for TableStore {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        execute(&mut *self.tables(), engine, &batch)
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        let tables = self.tables();
        Ok(keys.iter().map(|key| tables.levels.get(key).cloned()).collect())
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        let tables = self.tables();
        let mut found: Vec<_> = ids.iter().map(|id| tables.reservations.get(id).cloned()).collect();
        for line in found.iter_mut().flatten().flat_map(|reservation| &mut reservation.lines) {
            let entry = line.queued_at.and_then(|position| tables.queues.get(&(line.key.clone(), position)));
            line.backordered = entry.map(|entry| entry.quantity).unwrap_or_default();
        }
        Ok(found)
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        let tables = self.tables();
        let held = tables.reservations.values().filter(|hold| hold.state == ReservationState::Held);
        let mut ends: Vec<_> = held.filter_map(|hold| Some((hold.expires_at?, hold.id))).collect();
        ends.retain(|(end, _)| *end <= before);
        ends.sort_unstable();
        Ok(ends.into_iter().map(|(_, id)| id).take(limit.get()).collect())
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        let tables = self.tables();
        let rest = tables.movements.range((Bound::Excluded((key.clone(), after)), Bound::Unbounded));
        let of_key = rest.map(|(_, movement)| movement).take_while(|movement| movement.key == *key);
        Ok(Page::collect(of_key.cloned(), limit.get(), |movement| movement.version))
    }

    async fn list_levels(&self, key: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        let tables = self.tables();
        Ok(Page::collect(after(&tables.levels, key).cloned(), limit.get(), |level| level.key.clone()))
    }

    async fn audit(&self, key: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let tables = self.tables();
        let audits = after(&tables.levels, key).map(|level| audit(&tables, level));
        Ok(Page::collect(audits, limit.get(), |audit| audit.level.key.clone()))
    }
}

/// Opens the store on tables that are kept where a real one has a file.
#[derive(Default)]
pub(crate) struct TableHarness(Mutex<Database>);

fn connect(database: &Database) -> InventoryBackend {
    InventoryBackend { store: Arc::new(TableStore(database.clone())), outbox: Arc::new(TableOutbox(database.clone())) }
}

#[async_trait]
impl Harness<InventoryBackend> for TableHarness {
    async fn open(&self) -> Result<InventoryBackend> {
        *self.0.lock().unwrap() = Database::default();
        Ok(connect(&self.0.lock().unwrap()))
    }

    async fn reopen(&self, backend: InventoryBackend) -> Result<InventoryBackend> {
        drop(backend);
        Ok(connect(&self.0.lock().unwrap()))
    }

    async fn another(&self) -> Result<Option<InventoryBackend>> {
        Ok(Some(connect(&self.0.lock().unwrap())))
    }
}
