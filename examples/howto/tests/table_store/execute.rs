use std::collections::BTreeMap;
use stockpulse_core::Result;
use stockpulse_core::engine::stock::{BackorderChange, LoadPlan, StockCommand, StockOutcome, StockWorkingSet};
use stockpulse_core::engine::{Decided, Engine};
use stockpulse_core::model::{
    Backorder, CommandId, Event, EventKey, Movement, Quantity, Reservation, ReservationId, Sku, StockKey, StockLevel,
};

/// What is asked of the database, within one open transaction. Reads lock the row, or the place where it would be.
trait Transaction {
    fn outcome(&mut self, id: CommandId) -> Result<Option<Decided<StockOutcome>>>;
    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>>;
    fn level(&mut self, key: &StockKey) -> Result<Option<StockLevel>>;
    fn keys_of(&mut self, sku: &Sku) -> Result<Vec<StockKey>>;
    fn queue(&mut self, key: &StockKey) -> Result<Vec<Backorder>>;

    fn put_level(&mut self, level: &StockLevel) -> Result<()>;
    fn put_reservation(&mut self, reservation: &Reservation) -> Result<()>;
    fn put_backorder(&mut self, backorder: &Backorder) -> Result<()>;
    /// Sets how many units of an entry wait; of none, deletes it.
    fn set_waiting(&mut self, key: &StockKey, position: u64, quantity: Quantity) -> Result<()>;
    fn add_movement(&mut self, movement: &Movement) -> Result<()>;
    fn add_outcome(&mut self, id: CommandId, decided: &Decided<StockOutcome>) -> Result<()>;
    /// Gives the row an id above those of earlier rows of the same key.
    fn add_outbox_row(&mut self, key: &EventKey, shard: u16, event: &Event) -> Result<()>;
}

fn execute(db: &mut impl Transaction, engine: &Engine, batch: &[StockCommand]) -> Result<Vec<StockOutcome>> {
    let mut plan = LoadPlan::of(batch);
    let mut set = StockWorkingSet::new();
    // 1. What was decided before.
    for id in &plan.commands {
        if let Some(decided) = db.outcome(*id)? {
            set.insert_outcome(*id, decided);
        }
    }
    // 2. Reservations, in the plan's order; their lines name more levels.
    for id in plan.reservations.clone() {
        if let Some(reservation) = db.reservation(id)? {
            plan.add_lines_of(&reservation);
            set.insert_reservation(reservation);
        }
    }
    // 3. Levels, all of them in one order: by SKU, then location.
    let mut keys = plan.levels.clone();
    for sku in &plan.skus {
        keys.extend(db.keys_of(sku)?);
    }
    keys.sort_unstable();
    keys.dedup();
    for key in &keys {
        let Some(level) = db.level(key)? else { continue };
        let waits = !level.backordered.is_zero();
        set.insert_level(level);
        // 4. The queue of a level where claims wait.
        for backorder in if waits { db.queue(key)? } else { Vec::new() } {
            set.insert_backorder(backorder);
        }
    }

    let outcomes = engine.execute_stock(&mut set, batch);

    for level in set.changed_levels() {
        db.put_level(level)?;
    }
    for (reservation, _new_or_known) in set.changed_reservations() {
        db.put_reservation(reservation)?;
    }
    // In this order: an entry may be added, and taken from, in one batch.
    for change in set.backorder_changes() {
        match change {
            BackorderChange::Added(backorder) => db.put_backorder(backorder)?,
            BackorderChange::Left { key, position, quantity } => db.set_waiting(key, *position, *quantity)?,
        }
    }
    for movement in set.movements() {
        db.add_movement(movement)?;
    }
    for (id, decided) in set.new_outcomes() {
        db.add_outcome(id, decided)?;
    }
    // Outbox rows come last, in the order of the events.
    for event in set.events() {
        db.add_outbox_row(&event.key(), stockpulse_core::port::outbox_shard(event), event)?;
    }
    Ok(outcomes) // and commit, once
}

/// For example: everything in memory, for one transaction at a time.
#[derive(Default, Debug, Clone)]
struct Tables {
    outcomes: BTreeMap<CommandId, Decided<StockOutcome>>,
    reservations: BTreeMap<ReservationId, Reservation>,
    levels: BTreeMap<StockKey, StockLevel>,
    queues: BTreeMap<(StockKey, u64), Backorder>,
    movements: BTreeMap<(StockKey, u64), Movement>,
    outbox: BTreeMap<u64, Event>,
    last_row: u64,
}

impl Transaction for Tables {
    fn outcome(&mut self, id: CommandId) -> Result<Option<Decided<StockOutcome>>> {
        Ok(self.outcomes.get(&id).cloned())
    }
    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>> {
        Ok(self.reservations.get(&id).cloned())
    }
    fn level(&mut self, key: &StockKey) -> Result<Option<StockLevel>> {
        Ok(self.levels.get(key).cloned())
    }
    fn keys_of(&mut self, sku: &Sku) -> Result<Vec<StockKey>> {
        Ok(self.levels.keys().filter(|key| key.sku == *sku).cloned().collect())
    }
    fn queue(&mut self, key: &StockKey) -> Result<Vec<Backorder>> {
        Ok(self.queues.values().filter(|entry| entry.key == *key).cloned().collect())
    }
    fn put_level(&mut self, level: &StockLevel) -> Result<()> {
        self.levels.insert(level.key.clone(), level.clone());
        Ok(())
    }
    fn put_reservation(&mut self, reservation: &Reservation) -> Result<()> {
        self.reservations.insert(reservation.id, reservation.clone());
        Ok(())
    }
    fn put_backorder(&mut self, backorder: &Backorder) -> Result<()> {
        self.queues.insert((backorder.key.clone(), backorder.position), backorder.clone());
        Ok(())
    }
    fn set_waiting(&mut self, key: &StockKey, position: u64, quantity: Quantity) -> Result<()> {
        let place = (key.clone(), position);
        if quantity.is_zero() {
            self.queues.remove(&place);
        } else if let Some(entry) = self.queues.get_mut(&place) {
            entry.quantity = quantity;
        }
        Ok(())
    }
    fn add_movement(&mut self, movement: &Movement) -> Result<()> {
        self.movements.insert((movement.key.clone(), movement.version), movement.clone());
        Ok(())
    }
    fn add_outcome(&mut self, id: CommandId, decided: &Decided<StockOutcome>) -> Result<()> {
        self.outcomes.insert(id, decided.clone());
        Ok(())
    }
    fn add_outbox_row(&mut self, _: &EventKey, _: u16, event: &Event) -> Result<()> {
        self.last_row += 1;
        self.outbox.insert(self.last_row, event.clone());
        Ok(())
    }
}
