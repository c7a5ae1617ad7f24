//! Caches with a fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::conformance::Harness;
use stockpulse_core::conformance::cache::RULES;
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::{Cache, CacheKey, CachePut, Cached, Clock};
use stockpulse_core::{Error, ErrorKind, Result};

use super::noticed::{Hasty, deadline, each_fault_is_noticed, nothing_is_noticed_without_a_fault};
use crate::harness::Memory;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    AnswersReversed,
    EmptyFails,
    CutsValues,
    IgnoresCase,
    JoinsSpaceAndId,
    LastWriterWins,
    FirstWriterWins,
    VersionsAsDoubles,
    ReadsBeforeItWrites,
    StuckWhenGivenUp,
    KeepsTheValue,
    NoFloors,
    LatestFloorWins,
    ForgetsWhatWasRemoved,
    FloorsForever,
    ValueReplacesFloor,
    ValuesForever,
    ValuesEndEarly,
    SameVersionIsOld,
}

const FAULTS: &[(Fault, &[&str])] = &[
    (Fault::AnswersReversed, &["answers_are_aligned"]),
    (Fault::EmptyFails, &["empty_batches_are_harmless"]),
    (Fault::CutsValues, &["values_come_back_as_they_were"]),
    (Fault::IgnoresCase, &["keys_are_told_apart"]),
    (Fault::JoinsSpaceAndId, &["keys_are_told_apart"]),
    (Fault::LastWriterWins, &["a_lower_version_replaces_nothing", "the_highest_of_a_batch_stays"]),
    (Fault::FirstWriterWins, &["a_higher_version_replaces_a_lower_one", "the_highest_of_a_batch_stays"]),
    (Fault::VersionsAsDoubles, &["large_versions_are_told_apart"]),
    (Fault::ReadsBeforeItWrites, &["the_highest_of_many_at_once_stays"]),
    (Fault::StuckWhenGivenUp, &["a_call_may_be_given_up"]),
    (Fault::KeepsTheValue, &["an_invalidation_removes_the_value"]),
    (Fault::NoFloors, &["nothing_below_a_floor_is_taken", "floors_only_rise", "what_was_removed_is_a_floor"]),
    (Fault::LatestFloorWins, &["floors_only_rise"]),
    (Fault::ForgetsWhatWasRemoved, &["what_was_removed_is_a_floor"]),
    (Fault::FloorsForever, &["a_floor_ends_with_its_time"]),
    (Fault::ValueReplacesFloor, &["a_floor_outlives_the_value_above_it"]),
    (Fault::ValuesForever, &["a_value_ends_with_its_time", "a_floor_outlives_the_value_above_it"]),
    (Fault::ValuesEndEarly, &["a_value_stays_until_its_time"]),
    (Fault::SameVersionIsOld, &["the_same_version_renews_a_value"]),
];

/// A value or a floor, and its end.
type Entries<T> = BTreeMap<CacheKey, (T, Timestamp)>;

#[derive(Clone, Debug, Default)]
struct State {
    values: Entries<Cached>,
    floors: Entries<u64>,
}

#[derive(Clone, Debug)]
struct Broken {
    clock: Arc<dyn Clock>,
    fault: Fault,
    state: Arc<Mutex<State>>,
    busy: Arc<AtomicBool>,
}

impl Broken {
    fn key(&self, key: &CacheKey) -> CacheKey {
        match self.fault {
            Fault::IgnoresCase => CacheKey::new(key.space, key.id.to_lowercase()),
            Fault::JoinsSpaceAndId => CacheKey::new("all", format!("{}:{}", key.space, key.id)),
            _ => key.clone(),
        }
    }

    fn is_older(&self, version: u64, there: u64) -> bool {
        match self.fault {
            Fault::LastWriterWins => false,
            Fault::FirstWriterWins => there > 0,
            Fault::VersionsAsDoubles if there >= 1 << 53 => version < there - 1,
            Fault::SameVersionIsOld => version <= there,
            _ => version < there,
        }
    }

    fn put_into(&self, state: &mut State, put: CachePut, now: Timestamp) {
        let key = self.key(&put.key);
        state.values.retain(|_, (_, until)| *until > now || self.fault == Fault::ValuesForever);
        state.floors.retain(|_, (_, until)| *until > now || self.fault == Fault::FloorsForever);
        let there = state.values.get(&key).map(|(cached, _)| cached.version);
        let floor = state.floors.get(&key).map(|(floor, _)| *floor);
        let below = |there: Option<u64>| there.is_some_and(|there| self.is_older(put.cached.version, there));
        if below(there) || floor.is_some_and(|floor| put.cached.version < floor && below(Some(floor))) {
            return;
        }
        if self.fault == Fault::ValueReplacesFloor {
            state.floors.remove(&key);
        }
        let ttl = if self.fault == Fault::ValuesEndEarly { Duration::from_millis(100) } else { put.ttl };
        state.values.insert(key, (put.cached, now.plus(ttl)));
    }
}

#[async_trait]
impl Cache for Broken {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        if self.fault == Fault::EmptyFails && keys.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "no keys"));
        }
        let (now, state) = (self.clock.now(), self.state.lock().unwrap());
        let there = |key: &CacheKey| {
            let (mut cached, until) = state.values.get(&self.key(key))?.clone();
            if self.fault == Fault::CutsValues {
                cached.value.truncate(1 << 16);
            }
            (until > now || self.fault == Fault::ValuesForever).then_some(cached)
        };
        let mut answers: Vec<_> = keys.iter().map(there).collect();
        if self.fault == Fault::AnswersReversed {
            answers.reverse();
        }
        Ok(answers)
    }

    async fn put(&self, batch: Vec<CachePut>) -> Result<()> {
        let now = self.clock.now();
        if self.fault == Fault::StuckWhenGivenUp {
            if self.busy.swap(true, Ordering::AcqRel) {
                return Ok(());
            }
            tokio::task::yield_now().await;
            self.busy.store(false, Ordering::Release);
        }
        if self.fault == Fault::ReadsBeforeItWrites {
            let mut state = self.state.lock().unwrap().clone();
            tokio::time::sleep(Duration::from_millis(1)).await;
            batch.into_iter().for_each(|put| self.put_into(&mut state, put, now));
            *self.state.lock().unwrap() = state;
            return Ok(());
        }
        let mut state = self.state.lock().unwrap();
        batch.into_iter().for_each(|put| self.put_into(&mut state, put, now));
        Ok(())
    }

    async fn invalidate(&self, floors: &[(CacheKey, u64)], ttl: Duration) -> Result<()> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        for (key, version) in floors {
            let key = self.key(key);
            if self.fault == Fault::KeepsTheValue {
                continue;
            }
            let removed = state.values.remove(&key).map_or(0, |(cached, _)| cached.version);
            let (floor, until) = state.floors.get(&key).copied().unwrap_or((0, now));
            let entry = match self.fault {
                Fault::NoFloors => continue,
                Fault::LatestFloorWins => (*version, now.plus(ttl)),
                Fault::ForgetsWhatWasRemoved => (floor.max(*version), until.max(now.plus(ttl))),
                _ => (floor.max(removed).max(*version), until.max(now.plus(ttl))),
            };
            state.floors.insert(key, entry);
        }
        Ok(())
    }
}

fn harness(fault: Fault) -> impl Harness<Arc<dyn Cache>> {
    let make =
        move |clock| Arc::new(Broken { clock, fault, state: Arc::default(), busy: Arc::default() }) as Arc<dyn Cache>;
    Hasty { harness: Memory::new(make, Arc::clone), forgets: false, deadline: deadline(fault != Fault::None) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_notices_a_broken_cache() {
    each_fault_is_noticed(RULES, FAULTS, harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rule_notices_a_cache_that_is_whole() {
    nothing_is_noticed_without_a_fault(RULES, || harness(Fault::None)).await;
}
