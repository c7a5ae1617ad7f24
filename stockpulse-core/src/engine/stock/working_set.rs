//! The rows that commands work on, and what they changed.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::outcome::StockOutcome;
use crate::engine::decided::Decided;
use crate::model::{
    Backorder, CommandId, Event, EventData, Movement, Quantity, Reservation, ReservationId, Sku, StockEvent, StockKey,
    StockLevel,
};

type Map<K, V> = HashMap<K, V, RandomState>;

/// The rows that a batch of commands needs: loaded by a store under lock, changed by the engine, saved by the
/// store.
///
/// What is not in it does not exist, so a store loads everything that [`LoadPlan`](super::LoadPlan) names. A
/// store that lives in memory keeps one for good, and takes the changes after each batch.
#[derive(Debug, Default)]
pub struct StockWorkingSet {
    index: Map<StockKey, usize>,
    rows: Vec<LevelRow>,
    reservations: Map<ReservationId, ReservationRow>,
    outcomes: Map<CommandId, Decided<StockOutcome>>,
    dirty_levels: Vec<usize>,
    dirty_reservations: Vec<ReservationId>,
    new_outcomes: Vec<CommandId>,
    movements: Vec<Movement>,
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
        match self.index.get(&level.key) {
            Some(&row) => self.rows[row].level = level,
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
        if let Some(&row) = self.index.get(&backorder.key) {
            self.rows[row].queue.insert(backorder.position, backorder);
        }
    }

    /// Loads the stored outcome of a command.
    pub fn insert_outcome(&mut self, command: CommandId, decided: Decided<StockOutcome>) {
        self.outcomes.insert(command, decided);
    }

    /// A level.
    #[must_use]
    pub fn level(&self, key: &StockKey) -> Option<&StockLevel> {
        self.find(key).map(|row| &self.rows[row].level)
    }

    /// All levels, in the order in which they were loaded or created.
    pub fn levels(&self) -> impl Iterator<Item = &StockLevel> {
        self.rows.iter().map(|row| &row.level)
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

    /// All reservations, in no order.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.reservations.values().map(|row| &row.reservation)
    }

    /// The stored outcome of a command.
    #[must_use]
    pub fn outcome(&self, command: CommandId) -> Option<&Decided<StockOutcome>> {
        self.outcomes.get(&command)
    }

    /// All stored outcomes, in no order.
    pub fn outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<StockOutcome>)> {
        self.outcomes.iter().map(|(id, decided)| (*id, decided))
    }

    /// The claims that wait at a level, first in first.
    pub fn backorders(&self, key: &StockKey) -> impl Iterator<Item = &Backorder> {
        self.find(key).into_iter().flat_map(|row| self.rows[row].queue.values())
    }

    /// The levels that changed since the changes were last cleared, as they are now.
    pub fn changed_levels(&self) -> impl Iterator<Item = &StockLevel> {
        self.dirty_levels.iter().map(|row| &self.rows[*row].level)
    }

    /// The reservations that changed, as they are now, and whether they are new.
    pub fn changed_reservations(&self) -> impl Iterator<Item = (&Reservation, RowChange)> {
        self.dirty_reservations.iter().filter_map(|id| {
            let row = self.reservations.get(id)?;
            Some((&row.reservation, row.change?))
        })
    }

    /// The commands that were decided, with their outcomes, in order.
    pub fn new_outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<StockOutcome>)> {
        self.new_outcomes.iter().filter_map(|id| Some((*id, self.outcomes.get(id)?)))
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
        self.sealed = 0;
    }

    /// Takes the new events.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Forgets what changed: it was saved. The rows stay.
    pub fn clear_changes(&mut self) {
        for row in self.dirty_levels.drain(..) {
            self.rows[row].dirty = false;
        }
        for id in self.dirty_reservations.drain(..) {
            if let Some(row) = self.reservations.get_mut(&id) {
                row.change = None;
            }
        }
        self.new_outcomes.clear();
        self.movements.clear();
        self.sealed = 0;
        self.backorders.clear();
        self.events.clear();
    }

    /// Ends a batch: tells of every level that it changed once, as it is now.
    pub(crate) fn seal(&mut self) {
        let mut updates = Vec::with_capacity(self.dirty_levels.len());
        let mut index = 0;
        let mut command = None;
        for movement in self.movements.iter().skip(self.sealed) {
            index = if command == Some(movement.command) { index + 1 } else { 0 };
            command = Some(movement.command);
            let Some(row) = self.find(&movement.key) else { continue };
            let level = &self.rows[row].level;
            if level.version == movement.version {
                updates.push(Event {
                    command: movement.command,
                    index: UPDATE_EVENTS + index,
                    sequence: level.version,
                    at: movement.at,
                    trace: None,
                    data: EventData::Stock(StockEvent::Updated(level.clone())),
                });
            }
        }
        self.events.append(&mut updates);
        self.sealed = self.movements.len();
    }

    pub(super) fn find(&self, key: &StockKey) -> Option<usize> {
        self.index.get(key).copied()
    }

    pub(super) fn find_or_create(&mut self, key: &StockKey) -> usize {
        match self.find(key) {
            Some(row) => row,
            None => self.push_row(StockLevel::new(key.clone())),
        }
    }

    /// The levels of a SKU in the order of their keys, whichever order they were loaded in.
    pub(super) fn rows_of_sku(&self, sku: &Sku) -> Vec<usize> {
        let mut rows: Vec<_> = (0..self.rows.len()).filter(|row| self.rows[*row].level.key.sku == *sku).collect();
        rows.sort_unstable_by(|one, other| self.rows[*one].level.key.cmp(&self.rows[*other].level.key));
        rows
    }

    pub(super) fn row(&self, row: usize) -> &LevelRow {
        &self.rows[row]
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut LevelRow {
        &mut self.rows[row]
    }

    /// A level to be changed; it will be saved.
    pub(super) fn touch(&mut self, row: usize) -> &mut LevelRow {
        let touched = &mut self.rows[row];
        if !touched.dirty {
            touched.dirty = true;
            self.dirty_levels.push(row);
        }
        touched
    }

    /// Units of the entry at `position` that wait.
    pub(super) fn waiting(&self, row: usize, position: u64) -> Quantity {
        self.rows[row].queue.get(&position).map_or(Quantity::ZERO, |entry| entry.quantity)
    }

    pub(super) fn enqueue(&mut self, row: usize, backorder: Backorder) {
        self.backorders.push(BackorderChange::Added(backorder.clone()));
        self.rows[row].queue.insert(backorder.position, backorder);
    }

    /// Takes units from an entry of a queue, and the entry itself when nothing is left.
    pub(super) fn dequeue(&mut self, row: usize, position: u64, units: Quantity) {
        let row = &mut self.rows[row];
        let Some(entry) = row.queue.get_mut(&position) else { return };
        entry.quantity = entry.quantity.saturating_sub(units);
        let quantity = entry.quantity;
        self.backorders.push(BackorderChange::Left { key: entry.key.clone(), position, quantity });
        if quantity.is_zero() {
            row.queue.remove(&position);
        }
    }

    /// Saves a reservation, new or changed.
    pub(super) fn put_reservation(&mut self, reservation: Reservation) {
        let id = reservation.id;
        let before = self.reservations.get(&id).map(|row| row.change);
        let change = match before {
            None => RowChange::Created,
            Some(None) => RowChange::Updated,
            Some(Some(change)) => change,
        };
        if !matches!(before, Some(Some(_))) {
            self.dirty_reservations.push(id);
        }
        self.reservations.insert(id, ReservationRow { reservation, change: Some(change) });
    }

    pub(super) fn put_outcome(&mut self, command: CommandId, decided: Decided<StockOutcome>) {
        self.new_outcomes.push(command);
        self.outcomes.insert(command, decided);
    }

    pub(super) fn push_movement(&mut self, movement: Movement) {
        self.movements.push(movement);
    }

    pub(super) fn push_event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Begins a round of draws: no level is drawn from yet.
    pub(super) fn next_epoch(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch
    }

    fn push_row(&mut self, level: StockLevel) -> usize {
        let row = self.rows.len();
        self.index.insert(level.key.clone(), row);
        self.rows.push(LevelRow { level, queue: BTreeMap::new(), dirty: false, draw: 0, mark: 0 });
        row
    }
}

/// Where the indexes of `stock.updated` events begin among a command's events, so that how a batch was cut does
/// not change the ids of the others.
const UPDATE_EVENTS: u32 = 1 << 31;
