//! Gates with a fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::conformance::Harness;
use stockpulse_core::conformance::gate::RULES;
use stockpulse_core::model::{LocationId, ReservationId, Sku, StockKey, Timestamp};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Clock, GateLevel};
use stockpulse_core::{Error, ErrorKind, Result};

use super::noticed::{Hasty, deadline, each_fault_is_noticed, nothing_is_noticed_without_a_fault};
use crate::harness::Memory;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    AnswersReversed,
    EmptyFails,
    LetsOneMore,
    TakesSomeLines,
    RefusesTheUnknown,
    ForgetsWhoEntered,
    RemembersRefusals,
    IgnoresCase,
    IgnoresLocation,
    ReadsBeforeItWrites,
    StuckWhenGivenUp,
    ReleasesAgain,
    SettledIsFree,
    SettledIsForGood,
    UnknownEndsAnother,
    PlacesForever,
    SettledForever,
    FirstFigureWins,
    LastFigureWins,
    FigureEndsPlaces,
    GrantCountsTwice,
    GivesBackWhatTheFigureHas,
}

const FAULTS: &[(Fault, &[&str])] = &[
    (Fault::AnswersReversed, &["answers_are_aligned"]),
    (Fault::EmptyFails, &["empty_batches_are_harmless"]),
    (Fault::LetsOneMore, &["no_more_are_let_through_than_there_are", "many_at_once_get_no_more_than_there_is"]),
    (Fault::TakesSomeLines, &["all_lines_or_none", "opposite_orders_do_not_meet"]),
    (Fault::RefusesTheUnknown, &["unknown_levels_are_for_the_database", "answers_are_aligned"]),
    (Fault::ForgetsWhoEntered, &["asked_again_it_takes_no_second_place", "the_same_at_once_takes_one_place"]),
    (Fault::RemembersRefusals, &["a_refusal_is_not_remembered"]),
    (Fault::IgnoresCase, &["levels_are_told_apart"]),
    (Fault::IgnoresLocation, &["levels_are_told_apart"]),
    (Fault::ReadsBeforeItWrites, &["many_at_once_get_no_more_than_there_is", "opposite_orders_do_not_meet"]),
    (Fault::StuckWhenGivenUp, &["a_call_may_be_given_up"]),
    (Fault::ReleasesAgain, &["a_released_place_is_free_again_once"]),
    (Fault::SettledIsFree, &["a_settled_place_stays_taken"]),
    (Fault::SettledIsForGood, &["a_settled_place_may_be_released"]),
    (Fault::UnknownEndsAnother, &["ends_of_the_unknown_change_nothing"]),
    (Fault::PlacesForever, &["a_place_ends_with_its_time"]),
    (Fault::SettledForever, &["a_settled_place_ends_with_its_time"]),
    (Fault::FirstFigureWins, &["a_higher_version_is_believed"]),
    (Fault::LastFigureWins, &["an_old_version_changes_nothing"]),
    (Fault::FigureEndsPlaces, &["a_place_outlives_a_reconciliation"]),
    (Fault::GrantCountsTwice, &["a_grant_counts_once_in_the_end"]),
    (Fault::GivesBackWhatTheFigureHas, &["what_the_figure_has_is_not_given_back_again"]),
];

#[derive(Clone, Debug, Default)]
struct Level {
    sellable: i64,
    version: u64,
    held: i64,
    sold: i64,
}

#[derive(Clone, Debug)]
struct Hold {
    /// Level, units, and the level's version when they were let through.
    lines: Vec<(StockKey, i64, u64)>,
    until: Timestamp,
    settled: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    levels: BTreeMap<StockKey, Level>,
    holds: BTreeMap<ReservationId, Hold>,
    refused: BTreeMap<ReservationId, StockKey>,
}

#[derive(Debug)]
struct Broken {
    clock: Arc<dyn Clock>,
    fault: Fault,
    state: Mutex<State>,
    busy: AtomicBool,
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &StockKey) -> StockKey {
        match self.fault {
            Fault::IgnoresCase => {
                StockKey::new(Sku::new(key.sku.as_str().to_lowercase()).unwrap(), key.location.clone())
            }
            Fault::IgnoresLocation => StockKey::new(key.sku.clone(), LocationId::main()),
            _ => key.clone(),
        }
    }

    fn admit_one(&self, state: &mut State, request: &AdmitRequest) -> Admission {
        let id = request.reservation;
        if state.holds.contains_key(&id) && !self.is(Fault::ForgetsWhoEntered) {
            return Admission::Admitted;
        }
        if let Some(key) = state.refused.get(&id) {
            return Admission::Refused(key.clone());
        }
        let mut lines = Vec::new();
        let mut short = None;
        for line in &request.lines {
            let (key, units) = (self.key(&line.key), line.quantity.get());
            match state.levels.get(&key) {
                None if self.is(Fault::RefusesTheUnknown) => return Admission::Refused(key),
                None => return Admission::Unknown,
                Some(level) => {
                    let more = i64::from(self.is(Fault::LetsOneMore));
                    if level.sellable - level.held - level.sold + more < units {
                        short = short.or(Some(key));
                    } else {
                        lines.push((key, units, level.version));
                    }
                }
            }
        }
        if short.is_none() || self.is(Fault::TakesSomeLines) {
            for (key, units, _) in &lines {
                state.levels.get_mut(key).unwrap().held += units;
            }
        }
        if let Some(key) = short {
            if self.is(Fault::RemembersRefusals) {
                state.refused.insert(id, key.clone());
            }
            return Admission::Refused(key);
        }
        state.holds.insert(id, Hold { lines, until: self.clock.now().plus(request.ttl), settled: false });
        Admission::Admitted
    }

    fn give_back(&self, state: &mut State, hold: &Hold) {
        for (key, units, version) in &hold.lines {
            let level = state.levels.get_mut(key).unwrap();
            match hold.settled {
                false => level.held -= units,
                true if self.is(Fault::SettledIsForGood) => {}
                true if level.version == *version || self.is(Fault::GivesBackWhatTheFigureHas) => level.sold -= units,
                true => {}
            }
        }
    }

    fn expire(&self, state: &mut State) {
        let now = self.clock.now();
        let over = |hold: &Hold| hold.until <= now && !self.is(Fault::PlacesForever);
        let over: Vec<ReservationId> = state.holds.iter().filter(|(_, hold)| over(hold)).map(|(id, _)| *id).collect();
        for id in over {
            let hold = state.holds.remove(&id).unwrap();
            if !hold.settled || !self.is(Fault::SettledForever) {
                self.give_back(state, &hold);
            }
        }
    }

    fn admit_all(&self, state: &mut State, batch: &[AdmitRequest]) -> Vec<Admission> {
        self.expire(state);
        batch.iter().map(|request| self.admit_one(state, request)).collect()
    }
}

#[async_trait]
impl AdmissionGate for Broken {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        match self.fault {
            Fault::EmptyFails if batch.is_empty() => return Err(Error::new(ErrorKind::InvalidInput, "no requests")),
            Fault::StuckWhenGivenUp => {
                if self.busy.swap(true, Ordering::AcqRel) {
                    return Ok(vec![Admission::Unknown; batch.len()]);
                }
                tokio::task::yield_now().await;
                self.busy.store(false, Ordering::Release);
            }
            Fault::ReadsBeforeItWrites => {
                let mut state = self.state.lock().unwrap().clone();
                let answers = self.admit_all(&mut state, batch);
                tokio::time::sleep(Duration::from_millis(1)).await;
                *self.state.lock().unwrap() = state;
                return Ok(answers);
            }
            _ => {}
        }
        let mut answers = self.admit_all(&mut self.state.lock().unwrap(), batch);
        if self.is(Fault::AnswersReversed) {
            answers.reverse();
        }
        Ok(answers)
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        let state = &mut *self.state.lock().unwrap();
        self.expire(state);
        for id in reservations {
            let Some(hold) = state.holds.get_mut(id).filter(|hold| !hold.settled) else { continue };
            hold.settled = true;
            for (key, units, version) in &hold.lines {
                let level = state.levels.get_mut(key).unwrap();
                level.held -= units;
                let counts = level.version == *version || self.fault == Fault::GrantCountsTwice;
                if counts && self.fault != Fault::SettledIsFree {
                    level.sold += units;
                }
            }
        }
        Ok(())
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        let state = &mut *self.state.lock().unwrap();
        self.expire(state);
        for id in reservations {
            let id = if self.is(Fault::UnknownEndsAnother) && !state.holds.contains_key(id) {
                state.holds.keys().next().copied()
            } else {
                Some(*id)
            };
            let Some(id) = id else { continue };
            if let Some(hold) = state.holds.get(&id).cloned() {
                if !self.is(Fault::ReleasesAgain) {
                    state.holds.remove(&id);
                }
                self.give_back(state, &hold);
            }
        }
        Ok(())
    }

    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()> {
        let state = &mut *self.state.lock().unwrap();
        for GateLevel { key, sellable, version } in levels {
            let key = self.key(key);
            let known = state.levels.contains_key(&key);
            let level = state.levels.entry(key).or_default();
            let old = known && *version <= level.version && !self.is(Fault::LastFigureWins);
            if old || (known && self.is(Fault::FirstFigureWins)) {
                continue;
            }
            (level.sellable, level.version, level.sold) = (sellable.get(), *version, 0);
            if self.is(Fault::FigureEndsPlaces) {
                level.held = 0;
            }
        }
        Ok(())
    }
}

fn harness(fault: Fault) -> impl Harness<Arc<dyn AdmissionGate>> {
    let make = move |clock| {
        Arc::new(Broken { clock, fault, state: Mutex::default(), busy: AtomicBool::default() })
            as Arc<dyn AdmissionGate>
    };
    Hasty { harness: Memory::new(make, Arc::clone), forgets: false, deadline: deadline(fault != Fault::None) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_notices_a_broken_gate() {
    each_fault_is_noticed(RULES, FAULTS, harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rule_notices_a_gate_that_is_whole() {
    nothing_is_noticed_without_a_fault(RULES, || harness(Fault::None)).await;
}
