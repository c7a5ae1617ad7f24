//! A clock that stands still until it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::model::{Timestamp, micros};
use crate::port::Clock;

/// A clock for tests and simulations: its time moves when it is told to, and wakes whoever sleeps until then.
/// Clones are the same clock.
///
/// A sleep is measured from its first poll. A test that advances the clock for a task on another thread has to know
/// that the task sleeps by then; on a current-thread runtime, yielding to it is enough.
#[derive(Clone, Debug)]
pub struct ManualClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    micros: AtomicI64,
    moved: Notify,
}

impl ManualClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { shared: Arc::new(Shared { micros: AtomicI64::new(now.as_micros()), moved: Notify::new() }) }
    }

    /// Moves the time on.
    pub fn advance(&self, duration: Duration) {
        let step = micros(duration);
        let later = |now: i64| Some(now.saturating_add(step));
        // The closure always answers, so there is no failure to look at.
        let _ = self.shared.micros.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
        self.shared.moved.notify_waiters();
    }

    /// Sets the time, to an earlier one too: machine clocks do step back.
    pub fn set(&self, now: Timestamp) {
        self.shared.micros.store(now.as_micros(), Ordering::Release);
        self.shared.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.shared.micros.load(Ordering::Acquire))
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now().plus(duration);
        loop {
            // Made before the look at the time, so that a move after it is not missed.
            let moved = self.shared.moved.notified();
            if self.now() >= until {
                return;
            }
            moved.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::join;

    use super::*;

    #[test]
    fn time_moves_only_when_told() {
        let clock = ManualClock::new(Timestamp::from_secs(10));
        let same = clock.clone();
        assert_eq!(clock.now(), Timestamp::from_secs(10));
        same.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_secs(15));
        clock.set(Timestamp::from_secs(3));
        assert_eq!(same.now(), Timestamp::from_secs(3));
        clock.set(Timestamp::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn a_sleep_ends_when_its_time_has_come_and_not_before() {
        let clock = ManualClock::new(Timestamp::from_secs(0));
        let mut sleep = clock.sleep(Duration::from_secs(10));
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(Duration::from_micros(9_999_999));
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(Duration::from_micros(1));
        assert!((&mut sleep).now_or_never().is_some());
        assert!(clock.sleep(Duration::ZERO).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_move_wakes_those_who_sleep_and_a_dropped_sleep_disturbs_nobody() {
        let clock = ManualClock::new(Timestamp::from_secs(0));
        let mut dropped = clock.sleep(Duration::from_secs(1));
        assert!((&mut dropped).now_or_never().is_none());
        drop(dropped);
        let sleepers = [1, 2, 3].map(|seconds| {
            let clock = clock.clone();
            tokio::spawn(async move { clock.sleep(Duration::from_secs(seconds)).await })
        });
        tokio::task::yield_now().await;
        let ((), woken) = join(async { clock.set(Timestamp::from_secs(3)) }, futures::future::join_all(sleepers)).await;
        assert!(woken.iter().all(Result::is_ok));
    }
}
