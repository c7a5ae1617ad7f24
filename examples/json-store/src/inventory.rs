//! The inventory store.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{BackorderChange, LoadPlan, StockCommand, StockOutcome, StockWorkingSet};
use stockpulse_core::model::{
    Backorder, Counters, Movement, Quantity, Reservation, ReservationId, Sku, StockKey, StockLevel, Timestamp,
};
use stockpulse_core::port::{InventoryStore, LevelAudit, Outbox, Page};

use crate::document::{Document, OutcomeRow, Tables};
use crate::file::JsonFile;
use crate::options::StoreOptions;
use crate::outbox::JsonOutbox;
use crate::table::{Row, Table};

impl Row for StockLevel {
    type Key = StockKey;

    fn key(&self) -> StockKey {
        self.key.clone()
    }
}

impl Row for Reservation {
    type Key = ReservationId;

    fn key(&self) -> ReservationId {
        self.id
    }
}

impl Row for Backorder {
    type Key = (StockKey, u64);

    fn key(&self) -> Self::Key {
        (self.key.clone(), self.position)
    }
}

impl Row for Movement {
    type Key = (StockKey, u64);

    fn key(&self) -> Self::Key {
        (self.key.clone(), self.version)
    }
}

/// What the file holds of an inventory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryTables {
    levels: Table<StockLevel>,
    queues: Table<Backorder>,
    reservations: Table<Reservation>,
    movements: Table<Movement>,
    outcomes: Table<OutcomeRow<StockOutcome>>,
}

impl Tables for InventoryTables {
    const STORE: &'static str = "inventory";
}

impl InventoryTables {
    /// The rows that a batch needs.
    fn load(&self, batch: &[StockCommand]) -> StockWorkingSet {
        let mut plan = LoadPlan::of(batch);
        let mut set = StockWorkingSet::new();
        for row in plan.commands.iter().filter_map(|id| self.outcomes.get(id)) {
            set.insert_outcome(row.command, row.decided.clone());
        }
        for id in std::mem::take(&mut plan.reservations) {
            if let Some(reservation) = self.reservations.get(&id) {
                plan.add_lines_of(reservation);
                set.insert_reservation(reservation.clone());
            }
        }
        let mut keys = plan.levels;
        for sku in &plan.skus {
            keys.extend(self.keys_of(sku));
        }
        keys.sort_unstable();
        keys.dedup();
        for level in keys.iter().filter_map(|key| self.levels.get(key)) {
            set.insert_level(level.clone());
            for entry in self.queues.range((level.key.clone(), 0)..=(level.key.clone(), u64::MAX)) {
                set.insert_backorder(entry.clone());
            }
        }
        set
    }

    fn keys_of(&self, sku: &Sku) -> impl Iterator<Item = StockKey> {
        self.levels.rows().map(|level| &level.key).filter(move |key| key.sku == *sku).cloned()
    }

    fn save(&mut self, set: &StockWorkingSet) {
        for level in set.changed_levels() {
            self.levels.put(level.clone());
        }
        for (reservation, _) in set.changed_reservations() {
            self.reservations.put(reservation.clone());
        }
        for change in set.backorder_changes() {
            match change {
                BackorderChange::Added(entry) => self.queues.put(entry.clone()),
                BackorderChange::Left { key, position, quantity } => self.set_waiting(key, *position, *quantity),
            }
        }
        for movement in set.movements() {
            self.movements.put(movement.clone());
        }
        for (command, decided) in set.new_outcomes() {
            self.outcomes.put(OutcomeRow { command, decided: decided.clone() });
        }
    }

    fn set_waiting(&mut self, key: &StockKey, position: u64, quantity: Quantity) {
        let place = (key.clone(), position);
        if quantity.is_zero() {
            self.queues.remove(&place);
        } else if let Some(entry) = self.queues.get_mut(&place) {
            entry.quantity = quantity;
        }
    }

    /// A reservation with what waits of each line.
    fn view(&self, id: ReservationId) -> Option<Reservation> {
        let mut reservation = self.reservations.get(&id)?.clone();
        for line in &mut reservation.lines {
            let entry = line.queued_at.and_then(|position| self.queues.get(&(line.key.clone(), position)));
            line.backordered = entry.map_or(Quantity::ZERO, |entry| entry.quantity);
        }
        Some(reservation)
    }

    /// What the open lines of live reservations claim of each level.
    fn claims(&self) -> BTreeMap<&StockKey, i64> {
        let mut claims = BTreeMap::new();
        for line in self.reservations.rows().filter(|of| of.state.is_live()).flat_map(|of| &of.lines) {
            *claims.entry(&line.key).or_default() += line.open().get();
        }
        claims
    }

    fn audit(&self, level: &StockLevel, claims: &BTreeMap<&StockKey, i64>) -> LevelAudit {
        let key = &level.key;
        let movements = self.movements.range((key.clone(), 0)..=(key.clone(), u64::MAX));
        let waiting = self.queues.range((key.clone(), 0)..=(key.clone(), u64::MAX)).map(|entry| entry.quantity.get());
        LevelAudit {
            level: level.clone(),
            ledger: movements.fold(Counters::default(), |sum, movement| sum.plus(movement.change)),
            claims: Counters {
                on_hand: 0,
                reserved: claims.get(key).copied().unwrap_or_default(),
                backordered: waiting.sum(),
            },
        }
    }
}

/// An inventory store in one JSON file. Clones are handles on the same opening.
#[derive(Debug, Clone)]
pub struct JsonInventoryStore {
    file: JsonFile<InventoryTables>,
}

impl JsonInventoryStore {
    /// Opens the store in a file, and makes the file if it does not exist. It reads the file, and so blocks.
    ///
    /// # Errors
    /// `Contention` if it is open already, here or in another process; `Corrupt` if the file is damaged or not ours;
    /// `Config` if it is another kind of store; `Unsupported` if it has another version; `Unavailable` if the file
    /// system fails. The message names the file.
    pub fn open(path: impl Into<PathBuf>, options: StoreOptions) -> Result<Self> {
        Ok(Self { file: JsonFile::open(path.into(), options)? })
    }

    /// The outbox that its events go to.
    #[must_use]
    pub fn outbox(&self) -> impl Outbox + Clone + use<> {
        JsonOutbox(self.file.clone())
    }
}

#[async_trait]
impl InventoryStore for JsonInventoryStore {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        let engine = engine.clone();
        let execute = move |document: &mut Document<InventoryTables>| {
            let mut set = document.tables.load(&batch);
            let outcomes = engine.execute_stock(&mut set, &batch);
            document.tables.save(&set);
            for event in set.drain_events() {
                document.outbox.append(event);
            }
            Ok(outcomes)
        };
        self.file.change("inventory.execute", execute).await
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        let document = self.file.read();
        Ok(keys.iter().map(|key| document.tables.levels.get(key).cloned()).collect())
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        let document = self.file.read();
        Ok(ids.iter().map(|id| document.tables.view(*id)).collect())
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        let document = self.file.read();
        let overdue = document.tables.reservations.rows().filter(|reservation| reservation.is_overdue(before));
        let mut ends: Vec<_> = overdue.map(|reservation| (reservation.expires_at, reservation.id)).collect();
        ends.sort_unstable();
        Ok(ends.into_iter().take(limit.get()).map(|(_, id)| id).collect())
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        let document = self.file.read();
        let above = (key.clone(), after);
        let movements = document.tables.movements.after(Some(&above)).take_while(|movement| movement.key == *key);
        Ok(page(movements.cloned(), limit, |movement| movement.version))
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        let document = self.file.read();
        let levels = document.tables.levels.after(after.as_ref());
        Ok(page(levels.cloned(), limit, |level| level.key.clone()))
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let tables = &self.file.read().tables;
        let claims = tables.claims();
        let audits = tables.levels.after(after.as_ref()).map(|level| tables.audit(level, &claims));
        Ok(page(audits, limit, |audit| audit.level.key.clone()))
    }
}

/// A page of rows: one more than the limit is looked at, to know whether there are more.
pub(crate) fn page<R, C>(rows: impl Iterator<Item = R>, limit: NonZeroUsize, cursor: impl Fn(&R) -> C) -> Page<R, C> {
    Page::collect(rows.take(limit.get().saturating_add(1)), limit.get(), cursor)
}
