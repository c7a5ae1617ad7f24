//! Properties of the stock engine, against a plain sequential model: random histories of every command over a few
//! SKUs, locations, kits and reservations, with duplicates, conflicts and commands that make no sense.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "stock_properties/ask.rs"]
mod ask;
#[path = "stock_properties/model.rs"]
mod model;
#[path = "stock_properties/model_reserve.rs"]
mod model_reserve;
#[path = "stock_properties/store.rs"]
mod store;

use std::collections::BTreeMap;

use ask::{Ask, History, engine, history};
use model::{Answer, Model};
use proptest::prelude::*;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Existing, Refusal, StockAction, StockCommand, StockOutcome, StockWorkingSet};
use stockpulse_core::model::{EventData, Reservation, ReservationId, ReservationState, StockEvent};
use store::Store;

/// Cases are counted so that the three properties take a few seconds in debug; `PROPTEST_CASES` asks for more.
fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A history decided command by command on a working set that stays.
struct Resident {
    engine: Engine,
    set: StockWorkingSet,
    store: Store,
    commands: Vec<StockCommand>,
}

impl Resident {
    fn new() -> Self {
        Self { engine: engine(), set: StockWorkingSet::new(), store: Store::default(), commands: Vec::new() }
    }

    /// Decides what is asked next, saves it, and keeps the command.
    fn next(&mut self, ask: &Ask) -> (StockCommand, StockOutcome) {
        let command = ask.command(&self.commands, &self.store);
        let outcome = self.run(std::slice::from_ref(&command)).remove(0);
        self.commands.push(command.clone());
        (command, outcome)
    }

    fn run(&mut self, batch: &[StockCommand]) -> Vec<StockOutcome> {
        let outcomes = self.engine.execute_stock(&mut self.set, batch);
        self.store.save(&self.set);
        self.set.clear_changes();
        outcomes
    }

    /// A command that comes once more gets the same answer and changes nothing.
    fn prove_idempotent(&mut self, command: &StockCommand, first: &StockOutcome) {
        let again = self.engine.execute_stock(&mut self.set, std::slice::from_ref(command)).remove(0);
        assert_eq!(again, *first, "asked again");
        assert_eq!(self.set.changed_levels().count(), 0, "asked again, a level changed");
        assert_eq!(self.set.changed_reservations().count(), 0, "asked again, a reservation changed");
        assert_eq!(self.set.new_outcomes().count(), 0, "asked again, an outcome was stored");
        assert!(
            self.set.movements().is_empty() && self.set.events().is_empty() && self.set.backorder_changes().is_empty()
        );
    }
}

/// A refused command changes nothing but its stored outcome; an order is told.
fn prove_unchanged(before: &Store, after: &Store, command: &StockCommand, refusal: &Refusal) {
    assert_eq!(before.levels, after.levels);
    assert_eq!(before.reservations, after.reservations);
    assert_eq!(before.queues, after.queues);
    assert_eq!(before.movements, after.movements);
    let known = before.outcomes.contains_key(&command.id);
    assert_eq!(after.outcomes.len(), before.outcomes.len() + usize::from(!known));
    let told = &after.events[before.events.len()..];
    let wanted = match &command.action {
        StockAction::Reserve(request) if !known && !matches!(refusal, Refusal::ReservationExists(_)) => {
            let old = before.reservations.get(&request.reservation);
            request.order.is_some() && old.is_none_or(|old| !old.state.is_live())
        }
        _ => false,
    };
    assert_eq!(told.len(), usize::from(wanted), "{refusal:?}: {told:?}");
    for event in told {
        assert!(matches!(event.data, EventData::Stock(StockEvent::Rejected(_))), "{event:?}");
    }
}

/// A reservation ends once: what has ended stays as it is, unless it was asked to be replaced and never shipped.
fn prove_ends_once(before: &BTreeMap<ReservationId, Reservation>, after: &Store, command: &StockCommand) {
    for (id, old) in before.iter().filter(|(_, old)| !old.state.is_live()) {
        let new = &after.reservations[id];
        let replaced = matches!(&command.action,
            StockAction::Reserve(request) if request.existing == Existing::Replace && request.reservation == *id);
        if replaced && old.state != ReservationState::Fulfilled {
            assert!(new == old || new.version == old.version + 1);
        } else {
            assert_eq!(new, old, "a reservation that had ended changed");
        }
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn the_engine_decides_as_the_model_does(history in history()) {
        let mut resident = Resident::new();
        let mut model = Model::default();
        for ask in &history.asks {
            let before = resident.store.clone();
            let (command, outcome) = resident.next(ask);
            let expected = model.decide(&command);
            prop_assert_eq!(Answer::of(&outcome), expected, "{:?}", command);
            resident.store.prove_sound();
            resident.store.prove_agrees(&resident.set);
            model.prove_agrees(&resident.set);
            prove_ends_once(&before.reservations, &resident.store, &command);
            if let StockOutcome::Refused(refusal) = &outcome {
                prove_unchanged(&before, &resident.store, &command, refusal);
            }
            resident.prove_idempotent(&command, &outcome);
        }
        resident.store.prove_ledger();
    }
}

/// Decides the history one by one, and again in batches with `run`; both must come to the same.
fn prove_batches_equal_singles(
    history: &History,
    mut run: impl FnMut(&Engine, &mut Store, &[StockCommand]) -> Vec<StockOutcome>,
) {
    let mut singles = Resident::new();
    let outcomes: Vec<_> = history.asks.iter().map(|ask| singles.next(ask).1).collect();
    let mut store = Store::default();
    let (mut from, engine) = (0, engine());
    for size in history.cuts.iter().cycle() {
        let batch = &singles.commands[from..(from + size).min(singles.commands.len())];
        assert_eq!(run(&engine, &mut store, batch), outcomes[from..from + batch.len()]);
        from += batch.len();
        if from == singles.commands.len() {
            break;
        }
    }
    store.prove_ledger();
    assert_eq!(store.movements, singles.store.movements);
    assert_eq!(store.levels, singles.store.levels);
    assert_eq!(store.reservations, singles.store.reservations);
    assert_eq!(store.queues, singles.store.queues);
    assert_eq!(store.outcomes, singles.store.outcomes);
    let (updates, others) = store.told();
    let (all_updates, all_others) = singles.store.told();
    assert_eq!(others, all_others);
    for (id, update) in updates {
        assert_eq!(all_updates.get(&id), Some(&update), "an update depends on how the batch was cut");
    }
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn a_batch_equals_its_commands_one_by_one(history in history()) {
        let mut set = StockWorkingSet::new();
        prove_batches_equal_singles(&history, |engine, store, batch| {
            let outcomes = engine.execute_stock(&mut set, batch);
            store::prove_every_changed_level_is_told_once(&set);
            store.save(&set);
            set.clear_changes();
            store.prove_agrees(&set);
            outcomes
        });
    }

    /// What SQL stores do: a new working set for each batch, with the rows of its load plan and no others.
    #[test]
    fn a_set_that_is_loaded_by_plan_equals_one_that_stays(history in history()) {
        prove_batches_equal_singles(&history, |engine, store, batch| {
            let mut set = store.load(batch);
            let outcomes = engine.execute_stock(&mut set, batch);
            store.save(&set);
            store.prove_sound();
            outcomes
        });
    }
}
