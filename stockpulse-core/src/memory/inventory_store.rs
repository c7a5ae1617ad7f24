//! The reference inventory store: a working set that is never unloaded.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::holds::Holds;
use super::outbox::MemoryOutbox;
use crate::codec;
use crate::engine::stock::{StockCommand, StockOutcome, StockWorkingSet};
use crate::engine::{Decided, Engine};
use crate::error::{Error, Result};
use crate::model::{
    Backorder, CommandId, Counters, Event, Movement, Reservation, ReservationId, ReservationState, StockKey,
    StockLevel, Timestamp,
};
use crate::port::{Clock, InventoryStore, LevelAudit, Page};
use crate::system::SystemClock;

/// An inventory store in memory, for tests, demonstrations and simulations. Clones share it. What it holds is
/// gone with the process, unless [`MemoryInventoryStore::snapshot`] is kept.
#[derive(Clone, Debug)]
pub struct MemoryInventoryStore {
    state: Arc<Mutex<State>>,
    outbox: MemoryOutbox,
}

#[derive(Debug, Default)]
struct State {
    set: StockWorkingSet,
    keys: BTreeSet<StockKey>,
    /// The movements of each level, by its place in the working set.
    ledgers: Vec<Vec<Movement>>,
    holds: Holds,
}

/// Everything a store holds.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    levels: Vec<StockLevel>,
    backorders: Vec<Backorder>,
    reservations: Vec<Reservation>,
    outcomes: Vec<(CommandId, Decided<StockOutcome>)>,
    movements: Vec<Movement>,
    outbox: Vec<Event>,
}

impl Default for MemoryInventoryStore {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl MemoryInventoryStore {
    /// An empty store whose outbox leases end by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), outbox: MemoryOutbox::new(clock) }
    }

    /// Its outbox.
    #[must_use]
    pub fn outbox(&self) -> MemoryOutbox {
        self.outbox.clone()
    }

    /// Everything it holds, in the [`codec`]'s form: the same store gives the same bytes.
    ///
    /// # Errors
    /// `Unexpected` if it cannot be written.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        let state = self.lock();
        let mut reservations: Vec<Reservation> = state.set.reservations().cloned().collect();
        reservations.sort_unstable_by_key(|reservation| reservation.id);
        let mut outcomes: Vec<_> = state.set.outcomes().map(|(id, decided)| (id, decided.clone())).collect();
        outcomes.sort_unstable_by_key(|(id, _)| *id);
        codec::encode(&Snapshot {
            levels: state.keys.iter().filter_map(|key| state.set.level(key).cloned()).collect(),
            backorders: state.keys.iter().flat_map(|key| state.set.backorders(key).cloned()).collect(),
            reservations,
            outcomes,
            movements: state.keys.iter().flat_map(|key| state.ledger(key)).cloned().collect(),
            outbox: self.outbox.pending(),
        })
    }

    /// A store that holds what a snapshot held.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are no snapshot.
    pub fn restore(clock: Arc<dyn Clock>, snapshot: &[u8]) -> Result<Self> {
        let snapshot: Snapshot = codec::decode(snapshot)?;
        let store = Self::new(clock);
        store.outbox.append(snapshot.outbox.into_iter());
        let mut state = store.lock();
        for level in snapshot.levels {
            state.keys.insert(level.key.clone());
            state.set.insert_level(level);
        }
        for backorder in snapshot.backorders {
            state.set.insert_backorder(backorder);
        }
        for reservation in snapshot.reservations {
            state.holds.insert(&reservation);
            state.set.insert_reservation(reservation);
        }
        for (id, decided) in snapshot.outcomes {
            state.set.insert_outcome(id, decided);
        }
        let levels = state.keys.len();
        state.ledgers.resize_with(levels, Vec::new);
        for movement in snapshot.movements {
            let place = state.set.find(&movement.key);
            let place = place.ok_or_else(|| Error::corrupt(format!("a movement of no level: {}", movement.key)))?;
            state.ledgers[place].push(movement);
        }
        drop(state);
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ledger(&self, key: &StockKey) -> &[Movement] {
        self.set.find(key).and_then(|place| self.ledgers.get(place)).map_or(&[], Vec::as_slice)
    }

    /// Takes what the engine changed into ledger and indexes.
    fn save(&mut self) {
        for (place, movement) in self.set.drain_moved() {
            if place >= self.ledgers.len() {
                self.ledgers.resize_with(place + 1, Vec::new);
            }
            let ledger = &mut self.ledgers[place];
            if ledger.is_empty() {
                self.keys.insert(movement.key.clone());
            }
            ledger.push(movement);
        }
        for (reservation, _) in self.set.changed_reservations() {
            self.holds.insert(reservation);
        }
    }

    fn audit(&self, level: &StockLevel, claims: &BTreeMap<StockKey, Counters>) -> LevelAudit {
        let movements = self.ledger(&level.key).iter();
        let ledger = movements.fold(Counters::default(), |sum, movement| sum.plus(movement.change));
        let mut claims = claims.get(&level.key).copied().unwrap_or_default();
        claims.backordered = self.set.backorders(&level.key).map(|entry| entry.quantity.get()).sum();
        LevelAudit { level: level.clone(), ledger, claims }
    }
}

#[async_trait]
impl InventoryStore for MemoryInventoryStore {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        let mut state = self.lock();
        let outcomes = engine.execute_stock(&mut state.set, &batch);
        state.save();
        self.outbox.append(state.set.drain_events());
        state.set.clear_changes();
        Ok(outcomes)
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        let state = self.lock();
        Ok(keys.iter().map(|key| state.set.level(key).cloned()).collect())
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        let state = self.lock();
        Ok(ids.iter().map(|id| state.set.view(*id)).collect())
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        let mut guard = self.lock();
        let State { set, holds, .. } = &mut *guard;
        Ok(holds.due(before, limit.get(), |id| {
            let held = set.reservation(id).filter(|reservation| reservation.state == ReservationState::Held);
            held.and_then(|reservation| reservation.expires_at)
        }))
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        let state = self.lock();
        let ledger = state.ledger(key);
        let begin = ledger.partition_point(|movement| movement.version <= after);
        let rest = ledger.get(begin..).unwrap_or_default().iter().cloned();
        Ok(Page::collect(rest, limit.get(), |movement| movement.version))
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        let state = self.lock();
        let levels = from(&state.keys, after).filter_map(|key| state.set.level(key).cloned());
        Ok(Page::collect(levels, limit.get(), |level| level.key.clone()))
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let state = self.lock();
        let mut claims: BTreeMap<StockKey, Counters> = BTreeMap::new();
        for reservation in state.set.reservations().filter(|reservation| reservation.state.is_live()) {
            for line in &reservation.lines {
                claims.entry(line.key.clone()).or_default().reserved += line.open().get();
            }
        }
        let levels = from(&state.keys, after).filter_map(|key| state.set.level(key));
        Ok(Page::collect(levels.map(|level| state.audit(level, &claims)), limit.get(), |audit| audit.level.key.clone()))
    }
}

/// The keys after `after`, in order.
pub(super) fn from<K: Ord>(keys: &BTreeSet<K>, after: Option<K>) -> impl Iterator<Item = &K> {
    keys.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
}

#[cfg(test)]
mod tests;
