//! What the engine alone makes of the same commands: what a store has to answer and to hold.

use std::collections::BTreeMap;

use crate::conformance::Violation;
use crate::conformance::support::limit;
use crate::engine::Engine;
use crate::engine::stock::{StockCommand, StockOutcome, StockWorkingSet};
use crate::model::{Counters, Event, Movement, ReservationId, ReservationState, StockKey, StockLevel, Timestamp};
use crate::port::{InventoryStore, LevelAudit};

/// A working set that is never unloaded, with all that it said.
#[derive(Debug)]
pub(super) struct Reference {
    engine: Engine,
    set: StockWorkingSet,
    ledger: BTreeMap<StockKey, Vec<Movement>>,
    events: Vec<Event>,
}

impl Reference {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, set: StockWorkingSet::new(), ledger: BTreeMap::new(), events: Vec::new() }
    }

    /// Decides a batch.
    pub(super) fn decide(&mut self, batch: &[StockCommand]) -> Vec<StockOutcome> {
        let outcomes = self.engine.execute_stock(&mut self.set, batch);
        for movement in self.set.movements() {
            self.ledger.entry(movement.key.clone()).or_default().push(movement.clone());
        }
        self.events.extend_from_slice(self.set.events());
        self.set.clear_changes();
        outcomes
    }

    /// Decides a batch, lets the store decide it too, and compares the answers.
    pub(super) async fn both(&mut self, store: &dyn InventoryStore, batch: &[StockCommand]) -> Result<(), Violation> {
        let expected = self.decide(batch);
        let found = store.execute(&self.engine, batch.to_vec()).await?;
        ensure_eq!(found.len(), expected.len(), "outcomes of a batch of {}", batch.len());
        for ((found, expected), command) in found.iter().zip(&expected).zip(batch) {
            ensure_eq!(found, expected, "the outcome of {:?}", command);
        }
        Ok(())
    }

    /// All events so far, in order.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// A level's state, for commands that depend on it.
    pub(super) fn audit_of(&self, key: &StockKey) -> Option<LevelAudit> {
        self.set.level(key).filter(|level| level.version > 0).map(|level| self.audit(level))
    }

    fn levels(&self) -> Vec<StockLevel> {
        let mut levels: Vec<_> = self.set.levels().filter(|level| level.version > 0).cloned().collect();
        levels.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        levels
    }

    fn audit(&self, level: &StockLevel) -> LevelAudit {
        let movements = self.ledger.get(&level.key).into_iter().flatten();
        let live = self.set.reservations().filter(|reservation| reservation.state.is_live());
        let lines = live.flat_map(|reservation| &reservation.lines).filter(|line| line.key == level.key);
        let claims = Counters {
            on_hand: 0,
            reserved: lines.map(|line| line.open().get()).sum(),
            backordered: self.set.backorders(&level.key).map(|entry| entry.quantity.get()).sum(),
        };
        let ledger = movements.fold(Counters::default(), |sum, movement| sum.plus(movement.change));
        LevelAudit { level: level.clone(), ledger, claims }
    }

    /// Compares everything that can be read of a store with what the engine left.
    pub(super) async fn agrees(&self, store: &dyn InventoryStore) -> Result<(), Violation> {
        let levels = self.levels();
        let keys: Vec<StockKey> = levels.iter().map(|level| level.key.clone()).collect();
        let found = store.levels(&keys).await?;
        ensure_eq!(found, levels.iter().cloned().map(Some).collect::<Vec<_>>(), "levels");
        let page = store.list_levels(None, limit(levels.len() + 1)).await?;
        ensure_eq!(page.items, levels, "all levels, listed");
        let mut ids: Vec<ReservationId> = self.set.reservations().map(|reservation| reservation.id).collect();
        ids.sort_unstable();
        let found = store.reservations(&ids).await?;
        ensure_eq!(found, ids.iter().map(|id| self.set.view(*id)).collect::<Vec<_>>(), "reservations");
        for (key, ledger) in &self.ledger {
            let page = store.movements(key, 0, limit(ledger.len() + 1)).await?;
            ensure_eq!(page.items, *ledger, "movements of {key}");
        }
        let page = store.audit(None, limit(levels.len() + 1)).await?;
        ensure_eq!(page.items, levels.iter().map(|level| self.audit(level)).collect::<Vec<_>>(), "the audit");
        self.holds_agree(store).await
    }

    /// Compares the holds that end, of which those that end together may come in any order.
    async fn holds_agree(&self, store: &dyn InventoryStore) -> Result<(), Violation> {
        let held = self.set.reservations().filter(|reservation| reservation.state == ReservationState::Held);
        let mut holds: Vec<_> = held.filter_map(|hold| Some((hold.expires_at?, hold.id))).collect();
        holds.sort_unstable();
        let found = store.expiring(Timestamp::MAX, limit(holds.len() + 1)).await?;
        let end = |id: &ReservationId| self.set.reservation(*id).and_then(|hold| hold.expires_at);
        let mut found: Vec<_> = found.iter().map(|id| (end(id), *id)).collect();
        ensure!(found.is_sorted_by_key(|(end, _)| *end), "holds are not listed by their ends: {found:?}");
        found.sort_unstable();
        ensure_eq!(found, holds.iter().map(|(end, id)| (Some(*end), *id)).collect::<Vec<_>>(), "holds that end");
        Ok(())
    }
}
