//! Not asking what does not answer.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::{Call, CallKind};
use super::layered::{Layer, Layered};
use super::timeout::TimeoutLayer;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::Timestamp;
use crate::port::Clock;
use crate::system::SystemClock;

/// How many calls fail in a row before the circuit opens, unless set.
const FAILURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// How long it stays open before a call is tried, unless set.
const OPEN_FOR: Duration = Duration::from_secs(1);

/// Fails calls at once after several in a row have failed, so that callers do not wait for what is down.
///
/// After a pause one call goes through as a trial. If it is answered, the circuit is closed and all calls go through again;
/// if not, the pause begins anew. A call that fails at once answers `Unavailable` and [`Retry::Exhausted`].
///
/// What counts is that a backend did not do its work: `Unavailable`, `Timeout` and `Unexpected`. An error that is an answer,
/// such as `InvalidInput` or `Contention`, shows that somebody is there. A call that is dropped shows nothing: put a timeout
/// inside the circuit, as [`fail_fast`] does.
///
/// It belongs before what one can do without: a cache, a gate, a notifier. Before a store it only changes which error a
/// caller gets.
#[derive(Debug)]
pub struct CircuitLayer {
    failures: NonZeroU32,
    open_for: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calls go through; so many failed since one was answered.
    Closed(u32),
    /// Calls fail until then.
    Open(Timestamp),
    /// One call is tried, and others fail.
    Trial,
}

impl Default for CircuitLayer {
    /// Opens after 5 failures, for a second.
    fn default() -> Self {
        let state = Mutex::new(State::Closed(0));
        Self { failures: FAILURES, open_for: OPEN_FOR, clock: Arc::new(SystemClock), state }
    }
}

impl CircuitLayer {
    /// Sets after how many failures in a row it opens; 5 unless set.
    #[must_use]
    pub fn with_failures(mut self, failures: NonZeroU32) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how long it stays open before a call is tried; a second unless set.
    #[must_use]
    pub fn with_open_for(mut self, open_for: Duration) -> Self {
        self.open_for = open_for;
        self
    }

    /// Sets the clock that the pause is measured by; the machine's unless set.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call may go through, and whether it is a trial.
    fn enter(&self) -> Option<Entered<'_>> {
        let mut state = self.state();
        match *state {
            State::Closed(_) => Some(Entered { layer: self, trial: false }),
            State::Open(until) if until <= self.clock.now() => {
                *state = State::Trial;
                Some(Entered { layer: self, trial: true })
            }
            State::Open(_) | State::Trial => None,
        }
    }
}

/// A call that went through. A trial that is dropped before it is answered lets the next call try.
struct Entered<'a> {
    layer: &'a CircuitLayer,
    trial: bool,
}

impl Entered<'_> {
    fn ended(mut self, answered: bool) {
        let mut state = self.layer.state();
        let open = || State::Open(self.layer.clock.now().plus(self.layer.open_for));
        *state = match (*state, answered) {
            // A call from before the circuit opened says nothing of now.
            (state @ (State::Open(_) | State::Trial), _) if !self.trial => state,
            (_, true) => State::Closed(0),
            (State::Closed(failed), false) if failed + 1 < self.layer.failures.get() => State::Closed(failed + 1),
            (_, false) => open(),
        };
        self.trial = false;
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.trial {
            *self.layer.state() = State::Open(self.layer.clock.now());
        }
    }
}

impl Layer for CircuitLayer {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        if call.kind() == CallKind::Wait {
            return call.make().await;
        }
        let Some(entered) = self.enter() else {
            let error =
                Error::new(ErrorKind::Unavailable, "it failed several times in a row and is left alone for now");
            return Err(error.during(call.operation()).with_retry(Retry::Exhausted));
        };
        let answer = call.make().await;
        let failed =
            |error: &Error| matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Unexpected);
        entered.ended(!answer.as_ref().is_err_and(failed));
        answer
    }
}

/// A port that answers within a time or fails, and fails at once while it does not answer.
pub type FailFast<P> = Layered<Layered<P, TimeoutLayer>, CircuitLayer>;

/// Puts a cache or gate where it can cost a caller no more than `budget`, and after five calls that cost so much, nothing:
/// they fail at once, but for one trial a second.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use stockpulse_core::layer::fail_fast;
/// use stockpulse_core::{SystemClock, memory::{MemoryCache, MemoryInventoryStore}, service::Inventory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = MemoryCache::new(Arc::new(SystemClock));
/// let cache = Arc::new(fail_fast(cache, Duration::from_millis(50)));
/// let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).with_cache(cache).start();
/// # }
/// ```
#[must_use]
pub fn fail_fast<P>(port: P, budget: Duration) -> FailFast<P> {
    Layered::new(Layered::new(port, TimeoutLayer::after(budget)), CircuitLayer::default())
}
