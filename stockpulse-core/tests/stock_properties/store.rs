//! A store of plain maps, which loads by plan and saves what changed, as one on SQL does; and what must hold of
//! it.

use std::collections::{BTreeMap, BTreeSet};

use stockpulse_core::engine::Decided;
use stockpulse_core::engine::stock::{
    BackorderChange, LoadPlan, RowChange, StockCommand, StockOutcome, StockWorkingSet,
};
use stockpulse_core::model::{
    Backorder, CommandId, Counters, Event, EventData, EventId, Movement, Reservation, ReservationId, StockEvent,
    StockKey, StockLevel,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) levels: BTreeMap<StockKey, StockLevel>,
    pub(crate) reservations: BTreeMap<ReservationId, Reservation>,
    pub(crate) queues: BTreeMap<(StockKey, u64), Backorder>,
    pub(crate) outcomes: BTreeMap<CommandId, Decided<StockOutcome>>,
    pub(crate) movements: Vec<Movement>,
    pub(crate) events: Vec<Event>,
}

impl Store {
    /// The rows that a batch needs, and no others.
    pub(crate) fn load(&self, batch: &[StockCommand]) -> StockWorkingSet {
        let mut set = StockWorkingSet::new();
        let mut plan = LoadPlan::of(batch);
        for id in &plan.commands {
            if let Some(decided) = self.outcomes.get(id) {
                set.insert_outcome(*id, decided.clone());
            }
        }
        for id in plan.reservations.clone() {
            if let Some(reservation) = self.reservations.get(&id) {
                plan.add_lines_of(reservation);
                set.insert_reservation(reservation.clone());
            }
        }
        let named: BTreeSet<_> = plan.levels.iter().collect();
        for level in self.levels.values() {
            if !named.contains(&level.key) && !plan.skus.contains(&level.key.sku) {
                continue;
            }
            set.insert_level(level.clone());
            if !level.backordered.is_zero() {
                self.queue(&level.key).for_each(|entry| set.insert_backorder(entry.clone()));
            }
        }
        set
    }

    /// Saves what changed.
    pub(crate) fn save(&mut self, set: &StockWorkingSet) {
        for level in set.changed_levels() {
            self.levels.insert(level.key.clone(), level.clone());
        }
        for (reservation, change) in set.changed_reservations() {
            let old = self.reservations.insert(reservation.id, reservation.clone());
            assert_eq!(change == RowChange::Created, old.is_none(), "{reservation:?}");
        }
        for change in set.backorder_changes() {
            match change {
                BackorderChange::Added(entry) => {
                    let old = self.queues.insert((entry.key.clone(), entry.position), entry.clone());
                    assert_eq!(old, None, "two claims wait in one place");
                }
                BackorderChange::Left { key, position, quantity } => {
                    let place = (key.clone(), *position);
                    let entry = self.queues.get_mut(&place).unwrap();
                    assert!(*quantity < entry.quantity);
                    entry.quantity = *quantity;
                    if quantity.is_zero() {
                        self.queues.remove(&place);
                    }
                }
            }
        }
        for (id, decided) in set.new_outcomes() {
            let old = self.outcomes.insert(id, decided.clone());
            assert_eq!(old, None, "a command was decided twice");
        }
        self.movements.extend(set.movements().iter().cloned());
        self.events.extend(set.events().iter().cloned());
    }

    fn queue(&self, key: &StockKey) -> impl Iterator<Item = &Backorder> {
        self.queues.range((key.clone(), 0)..=(key.clone(), u64::MAX)).map(|(_, entry)| entry)
    }

    /// The sum of a level's movements.
    pub(crate) fn ledger(&self, key: &StockKey) -> Counters {
        let movements = self.movements.iter().filter(|movement| movement.key == *key);
        movements.fold(Counters::default(), |sum, movement| sum.plus(movement.change))
    }

    /// The sum of the live claims on a level.
    pub(crate) fn claims(&self, key: &StockKey) -> Counters {
        let live = self.reservations.values().filter(|reservation| reservation.state.is_live());
        let lines = live.flat_map(|reservation| &reservation.lines).filter(|line| line.key == *key);
        let reserved = lines.map(|line| line.open().get()).sum();
        let backordered = self.queue(key).map(|entry| entry.quantity.get()).sum();
        Counters { on_hand: 0, reserved, backordered }
    }

    /// What must hold after every batch.
    pub(crate) fn prove_sound(&self) {
        for level in self.levels.values() {
            assert!(!level.is_oversold(), "oversold: {level:?}");
            let claims = self.claims(&level.key);
            assert_eq!(level.reserved.get(), claims.reserved, "{}: reserved", level.key);
            assert_eq!(level.backordered.get(), claims.backordered, "{}: backordered", level.key);
        }
        for reservation in self.reservations.values() {
            assert_eq!(reservation.state.is_live(), reservation.open() > 0, "{reservation:?}");
            let levels: BTreeSet<_> = reservation.lines.iter().map(|line| &line.key).collect();
            assert_eq!(levels.len(), reservation.lines.len(), "two lines on one level: {reservation:?}");
        }
    }

    /// The movements explain every level, one version after the other.
    pub(crate) fn prove_ledger(&self) {
        let mut sums: BTreeMap<&StockKey, (u64, Counters)> = BTreeMap::new();
        for movement in &self.movements {
            let (version, sum) = sums.entry(&movement.key).or_default();
            assert_eq!(movement.version, *version + 1, "{movement:?}");
            (*version, *sum) = (movement.version, sum.plus(movement.change));
        }
        let levels: BTreeMap<_, _> =
            self.levels.values().map(|level| (&level.key, (level.version, level.counters()))).collect();
        assert_eq!(levels, sums);
    }

    /// A working set that stays holds what was saved of it, no more and no less.
    pub(crate) fn prove_agrees(&self, set: &StockWorkingSet) {
        let levels: BTreeMap<_, _> = set.levels().map(|level| (&level.key, level)).collect();
        assert_eq!(levels, self.levels.iter().collect());
        let reservations: BTreeMap<_, _> = set.reservations().map(|one| (one.id, one)).collect();
        assert_eq!(reservations, self.reservations.iter().map(|(id, one)| (*id, one)).collect());
        let waiting: Vec<_> = self.levels.keys().flat_map(|key| set.backorders(key)).collect();
        assert_eq!(waiting, self.queues.values().collect::<Vec<_>>());
    }

    /// The `stock.updated` that were told, by id, and all other events.
    pub(crate) fn told(&self) -> (BTreeMap<EventId, StockLevel>, Vec<&Event>) {
        let (mut updates, mut others, mut ids) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        for event in &self.events {
            assert!(ids.insert(event.id()), "two events have one id: {event:?}");
            match &event.data {
                EventData::Stock(StockEvent::Updated(level)) => {
                    updates.insert(event.id(), level.clone());
                }
                _ => others.push(event),
            }
        }
        (updates, others)
    }
}

/// One `stock.updated` for each level that a batch changed, as it is after the batch.
pub(crate) fn prove_every_changed_level_is_told_once(set: &StockWorkingSet) {
    let told: Vec<_> = set
        .events()
        .iter()
        .filter_map(|event| match &event.data {
            EventData::Stock(StockEvent::Updated(level)) => Some((&level.key, level)),
            _ => None,
        })
        .collect();
    let changed: BTreeMap<_, _> = set.changed_levels().map(|level| (&level.key, level)).collect();
    assert_eq!(told.len(), changed.len());
    assert_eq!(told.into_iter().collect::<BTreeMap<_, _>>(), changed);
}
