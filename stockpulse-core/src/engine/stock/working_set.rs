//! The rows that commands work on, and what they changed.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;
use indexmap::map::Entry;
use indexmap::{Equivalent, IndexMap};

use super::outcome::StockOutcome;
use crate::engine::decided::Decided;
use crate::model::{
    Backorder, CommandId, Event, EventData, LocationId, Movement, Quantity, Reservation, ReservationId, Sku,
    StockEvent, StockKey, StockLevel,
};

/// Keeps its entries in the order in which they came, one after the other: a small index that is cheap to grow, and
/// places that what changed can be found by without asking for it again.
type Map<K, V> = IndexMap<K, V, RandomState>;

/// The rows that a batch of commands needs: loaded by a store under lock, changed by the engine, saved by the
/// store.
///
/// What is not in it does not exist, so a store loads everything that [`LoadPlan`](super::LoadPlan) names. A
/// store that lives in memory keeps one for good, and takes the changes after each batch.
#[derive(Debug, Default)]
pub struct StockWorkingSet {
    levels: Map<StockKey, LevelRow>,
    reservations: Map<ReservationId, ReservationRow>,
    outcomes: Map<CommandId, Decided<StockOutcome>>,
    /// Places in `levels`, `reservations` and `outcomes`.
    dirty_levels: Vec<usize>,
    dirty_reservations: Vec<usize>,
    new_outcomes: Vec<usize>,
    movements: Vec<Movement>,
    /// Of each of `movements`, the place of its level.
    moved: Vec<usize>,
    /// How many of `movements` earlier batches have told of.
    sealed: usize,
    backorders: Vec<BackorderChange>,
    events: Vec<Event>,
    epoch: u64,
}

/// One level with its queue of waiting claims.
#[derive(Debug)]
pub(super) struct LevelRow {
    pub(super) level: StockLevel,
    pub(super) queue: BTreeMap<u64, Backorder>,
    dirty: bool,
    /// Where in the current command's draws this level is, if `mark` is the current epoch.
    pub(super) draw: usize,
    pub(super) mark: u64,
}

#[derive(Debug)]
struct ReservationRow {
    reservation: Reservation,
    change: Option<RowChange>,
}

/// A level's key that need not be put together to look for it.
struct KeyParts<'a>(&'a Sku, &'a LocationId);

impl Hash for KeyParts<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As it is derived for a `StockKey`.
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl Equivalent<StockKey> for KeyParts<'_> {
    fn equivalent(&self, key: &StockKey) -> bool {
        *self.0 == key.sku && *self.1 == key.location
    }
}

/// Whether a changed row is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It did not exist before.
    Created,
    /// It existed.
    Updated,
}

/// What happened to an entry of a level's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackorderChange {
    /// A claim began to wait.
    Added(Backorder),
    /// So many units of it wait now; zero removes it.
    Left {
        /// The level.
        key: StockKey,
        /// The entry's place in the queue.
        position: u64,
        /// Units that still wait.
        quantity: Quantity,
    },
}

impl StockWorkingSet {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a level.
    pub fn insert_level(&mut self, level: StockLevel) {
        match self.levels.get_mut(&level.key) {
            Some(row) => row.level = level,
            None => {
                self.push_row(level);
            }
        }
    }

    /// Loads a reservation.
    pub fn insert_reservation(&mut self, reservation: Reservation) {
        self.reservations.insert(reservation.id, ReservationRow { reservation, change: None });
    }

    /// Loads an entry of a loaded level's queue.
    pub fn insert_backorder(&mut self, backorder: Backorder) {
        if let Some(row) = self.levels.get_mut(&backorder.key) {
            row.queue.insert(backorder.position, backorder);
        }
    }

    /// Loads the stored outcome of a command.
    pub fn insert_outcome(&mut self, command: CommandId, decided: Decided<StockOutcome>) {
        self.outcomes.insert(command, decided);
    }

    /// A level.
    #[must_use]
    pub fn level(&self, key: &StockKey) -> Option<&StockLevel> {
        self.levels.get(key).map(|row| &row.level)
    }

    /// All levels, in the order in which they were loaded or created.
    pub fn levels(&self) -> impl Iterator<Item = &StockLevel> {
        self.levels.values().map(|row| &row.level)
    }

    /// A reservation as it is stored: without what waits. [`StockWorkingSet::view`] has that too.
    #[must_use]
    pub fn reservation(&self, id: ReservationId) -> Option<&Reservation> {
        self.reservations.get(&id).map(|row| &row.reservation)
    }

    /// A reservation as a reader sees it: with the units of each line that wait for stock.
    #[must_use]
    pub fn view(&self, id: ReservationId) -> Option<Reservation> {
        let mut reservation = self.reservation(id)?.clone();
        for line in &mut reservation.lines {
            if let (Some(position), Some(row)) = (line.queued_at, self.find(&line.key)) {
                line.backordered = self.waiting(row, position);
            }
        }
        Some(reservation)
    }

    /// All reservations, in the order in which they were loaded or made.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.reservations.values().map(|row| &row.reservation)
    }

    /// The stored outcome of a command.
    #[must_use]
    pub fn outcome(&self, command: CommandId) -> Option<&Decided<StockOutcome>> {
        self.outcomes.get(&command)
    }

    /// All stored outcomes, in the order in which they were loaded or decided.
    pub fn outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<StockOutcome>)> {
        self.outcomes.iter().map(|(id, decided)| (*id, decided))
    }

    /// The claims that wait at a level, first in first.
    pub fn backorders(&self, key: &StockKey) -> impl Iterator<Item = &Backorder> {
        self.levels.get(key).into_iter().flat_map(|row| row.queue.values())
    }

    /// The levels that changed since the changes were last cleared, as they are now.
    pub fn changed_levels(&self) -> impl Iterator<Item = &StockLevel> {
        self.dirty_levels.iter().map(|row| &self.levels[*row].level)
    }

    /// The reservations that changed, as they are now, and whether they are new.
    pub fn changed_reservations(&self) -> impl Iterator<Item = (&Reservation, RowChange)> {
        self.dirty_reservations.iter().filter_map(|place| {
            let row = &self.reservations[*place];
            Some((&row.reservation, row.change?))
        })
    }

    /// The commands that were decided, with their outcomes, in order.
    pub fn new_outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<StockOutcome>)> {
        self.new_outcomes.iter().filter_map(|place| self.outcomes.get_index(*place)).map(|(id, decided)| (*id, decided))
    }

    /// What happened to the queues, in order.
    #[must_use]
    pub fn backorder_changes(&self) -> &[BackorderChange] {
        &self.backorders
    }

    /// The movements, in order.
    #[must_use]
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// The events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Moves the new movements to the end of `ledger`.
    pub fn drain_movements(&mut self, ledger: &mut Vec<Movement>) {
        ledger.append(&mut self.movements);
        self.moved.clear();
        self.sealed = 0;
    }

    /// Takes the new movements, each with its level's place among [`StockWorkingSet::levels`].
    #[cfg(feature = "memory")]
    pub(crate) fn drain_moved(&mut self) -> impl Iterator<Item = (usize, Movement)> {
        self.sealed = 0;
        self.moved.drain(..).zip(self.movements.drain(..))
    }

    /// Takes the new events. Where they were is used again for the next ones.
    pub fn drain_events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// Forgets what changed: it was saved. The rows stay.
    pub fn clear_changes(&mut self) {
        for row in self.dirty_levels.drain(..) {
            self.levels[row].dirty = false;
        }
        for place in self.dirty_reservations.drain(..) {
            self.reservations[place].change = None;
        }
        self.new_outcomes.clear();
        self.movements.clear();
        self.moved.clear();
        self.sealed = 0;
        self.backorders.clear();
        self.events.clear();
    }

    /// Forgets everything, and keeps the memory: for a store that loads the rows of one batch after the other.
    pub fn clear(&mut self) {
        self.clear_changes();
        self.levels.clear();
        self.reservations.clear();
        self.outcomes.clear();
    }

    /// Makes room for what a batch of so many commands usually adds.
    pub(crate) fn reserve(&mut self, commands: usize) {
        self.outcomes.reserve(commands);
        self.reservations.reserve(commands);
        self.movements.reserve(commands);
        self.moved.reserve(commands);
        self.events.reserve(commands);
        self.new_outcomes.reserve(commands);
        self.dirty_reservations.reserve(commands);
    }

    /// Ends a batch: tells of every level that it changed once, as it is now.
    pub(crate) fn seal(&mut self) {
        let mut index = 0;
        let mut command = None;
        for (movement, row) in self.movements.iter().zip(&self.moved).skip(self.sealed) {
            index = if command == Some(movement.command) { index + 1 } else { 0 };
            command = Some(movement.command);
            let level = &self.levels[*row].level;
            if level.version == movement.version {
                self.events.push(Event {
                    command: movement.command,
                    index: UPDATE_EVENTS + index,
                    sequence: level.version,
                    at: movement.at,
                    trace: None,
                    data: EventData::Stock(StockEvent::Updated(level.clone())),
                });
            }
        }
        self.sealed = self.movements.len();
    }

    /// The place of a level among [`StockWorkingSet::levels`].
    pub(crate) fn find(&self, key: &StockKey) -> Option<usize> {
        self.levels.get_index_of(key)
    }

    #[inline]
    pub(super) fn find_at(&self, sku: &Sku, location: &LocationId) -> Option<usize> {
        self.levels.get_index_of(&KeyParts(sku, location))
    }

    pub(super) fn find_or_create(&mut self, key: &StockKey) -> usize {
        match self.find(key) {
            Some(row) => row,
            None => self.push_row(StockLevel::new(key.clone())),
        }
    }

    /// The levels of a SKU in the order of their keys, whichever order they were loaded in.
    pub(super) fn rows_of_sku(&self, sku: &Sku) -> Vec<usize> {
        let of_sku = self.levels.keys().enumerate().filter(|(_, key)| key.sku == *sku);
        let mut rows: Vec<(usize, &StockKey)> = of_sku.collect();
        rows.sort_unstable_by_key(|(_, key)| *key);
        rows.into_iter().map(|(row, _)| row).collect()
    }

    #[inline]
    pub(super) fn row(&self, row: usize) -> &LevelRow {
        &self.levels[row]
    }

    #[inline]
    pub(super) fn row_mut(&mut self, row: usize) -> &mut LevelRow {
        &mut self.levels[row]
    }

    /// A level to be changed; it will be saved.
    #[inline]
    pub(super) fn touch(&mut self, row: usize) -> &mut LevelRow {
        let touched = &mut self.levels[row];
        if !touched.dirty {
            touched.dirty = true;
            self.dirty_levels.push(row);
        }
        touched
    }

    /// Units of the entry at `position` that wait.
    pub(super) fn waiting(&self, row: usize, position: u64) -> Quantity {
        self.levels[row].queue.get(&position).map_or(Quantity::ZERO, |entry| entry.quantity)
    }

    pub(super) fn enqueue(&mut self, row: usize, backorder: Backorder) {
        self.backorders.push(BackorderChange::Added(backorder.clone()));
        self.levels[row].queue.insert(backorder.position, backorder);
    }

    /// Takes units from an entry of a queue, and the entry itself when nothing is left.
    pub(super) fn dequeue(&mut self, row: usize, position: u64, units: Quantity) {
        let row = &mut self.levels[row];
        let Some(entry) = row.queue.get_mut(&position) else { return };
        entry.quantity = entry.quantity.saturating_sub(units);
        let quantity = entry.quantity;
        self.backorders.push(BackorderChange::Left { key: entry.key.clone(), position, quantity });
        if quantity.is_zero() {
            row.queue.remove(&position);
        }
    }

    /// Saves a reservation, new or changed.
    #[inline]
    pub(super) fn put_reservation(&mut self, reservation: Reservation) {
        match self.reservations.entry(reservation.id) {
            Entry::Occupied(mut entry) => {
                let place = entry.index();
                let row = entry.get_mut();
                row.reservation = reservation;
                if row.change.is_none() {
                    row.change = Some(RowChange::Updated);
                    self.dirty_reservations.push(place);
                }
            }
            Entry::Vacant(entry) => {
                self.dirty_reservations.push(entry.index());
                entry.insert(ReservationRow { reservation, change: Some(RowChange::Created) });
            }
        }
    }

    #[inline]
    pub(super) fn put_outcome(&mut self, command: CommandId, decided: Decided<StockOutcome>) {
        let (place, _) = self.outcomes.insert_full(command, decided);
        self.new_outcomes.push(place);
    }

    /// Writes the movement of the level at `row`.
    #[inline]
    pub(super) fn push_movement(&mut self, row: usize, movement: Movement) {
        self.movements.push(movement);
        self.moved.push(row);
    }

    #[inline]
    pub(super) fn push_event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Begins a round of draws: no level is drawn from yet.
    pub(super) fn next_epoch(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch
    }

    fn push_row(&mut self, level: StockLevel) -> usize {
        let key = level.key.clone();
        let row = LevelRow { level, queue: BTreeMap::new(), dirty: false, draw: 0, mark: 0 };
        self.levels.insert_full(key, row).0
    }
}

/// Where the indexes of `stock.updated` events begin among a command's events, so that how a batch was cut does
/// not change the ids of the others.
const UPDATE_EVENTS: u32 = 1 << 31;
