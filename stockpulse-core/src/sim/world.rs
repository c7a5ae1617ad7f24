//! What everything in a simulation shares: time, chance, the trace, and what was seen.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::bug::Bug;
use super::check::History;
use super::dice::Dice;
use super::faults::{Fault, Faults};
use super::trace::Trace;
use super::violation::{Rule, Violation};
use crate::model::Timestamp;
use crate::port::Clock;

/// When every simulation begins, in seconds since the epoch.
const BEGINNING: i64 = 1_700_000_000;
/// Of more violations only the number is kept: one mistake often shows in many places.
const MAX_VIOLATIONS: usize = 20;

/// What a call is made to. It can be unreachable for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The databases of inventory.
    Inventory,
    /// The databases of orders, catalog, customers and notifications.
    Orders,
    /// Bus, cache, gate and notifier, which have outages of their own or none.
    Elsewhere,
}

#[derive(Debug)]
pub(super) struct World {
    start: Instant,
    faults: Faults,
    bug: Option<Bug>,
    /// Nothing goes wrong any more.
    calm: AtomicBool,
    dice: Mutex<Dice>,
    trace: Mutex<Trace>,
    tally: Mutex<Tally>,
    history: Mutex<History>,
    outages: Mutex<BTreeMap<Place, Duration>>,
}

/// What is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) injected: BTreeMap<Fault, u64>,
    pub(super) happened: BTreeMap<&'static str, u64>,
    pub(super) violations: Vec<Violation>,
    pub(super) more_violations: u64,
}

/// Every change is complete before a lock is given back, so a poisoned one holds no halves.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world at its beginning. Time is that of the current tokio runtime, which has to be paused.
    pub(super) fn new(seed: u64, faults: Faults, bug: Option<Bug>, keep_trace: bool) -> Self {
        Self {
            start: Instant::now(),
            faults,
            bug,
            calm: AtomicBool::new(false),
            dice: Mutex::new(Dice::new(seed)),
            trace: Mutex::new(Trace::new(keep_trace)),
            tally: Mutex::default(),
            history: Mutex::default(),
            outages: Mutex::default(),
        }
    }

    /// How long it has been going on.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What a right clock shows.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_secs(BEGINNING).plus(self.elapsed())
    }

    pub(super) fn dice(&self) -> MutexGuard<'_, Dice> {
        locked(&self.dice)
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        locked(&self.history)
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        locked(&self.tally)
    }

    pub(super) fn trace(&self) -> MutexGuard<'_, Trace> {
        locked(&self.trace)
    }

    pub(super) const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Whether this mistake is made.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether a fault strikes now. If so, it is counted.
    pub(super) fn strikes(&self, fault: Fault) -> bool {
        let strikes = !self.is_calm() && self.dice().chance(self.faults.probability(fault));
        if strikes {
            self.injected(fault);
        }
        strikes
    }

    pub(super) fn injected(&self, fault: Fault) {
        *self.tally().injected.entry(fault).or_default() += 1;
    }

    /// Counts something that happened.
    pub(super) fn count(&self, what: &'static str, times: u64) {
        *self.tally().happened.entry(what).or_default() += times;
    }

    pub(super) fn say(&self, line: fmt::Arguments<'_>) {
        let at = self.elapsed();
        self.trace().line(at, line);
    }

    pub(super) fn violated(&self, rule: Rule, what: String) {
        self.say(format_args!("VIOLATION {rule:?}: {what}"));
        let mut tally = self.tally();
        if tally.violations.len() < MAX_VIOLATIONS {
            tally.violations.push(Violation { rule, at: self.elapsed(), what });
        } else {
            tally.more_violations += 1;
        }
    }

    /// From now on nothing goes wrong.
    pub(super) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
        locked(&self.outages).clear();
        self.say(format_args!("-- nothing goes wrong any more"));
    }

    pub(super) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Nobody reaches this place for so long.
    pub(super) fn cut_off(&self, place: Place, duration: Duration) {
        let until = self.elapsed() + duration;
        locked(&self.outages).insert(place, until);
    }

    pub(super) fn is_cut_off(&self, place: Place) -> bool {
        locked(&self.outages).get(&place).is_some_and(|until| self.elapsed() < *until)
    }
}

/// The right time, for what never fails: the backends themselves.
#[derive(Clone, Debug)]
pub(super) struct WorldClock(pub(super) std::sync::Arc<World>);

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
