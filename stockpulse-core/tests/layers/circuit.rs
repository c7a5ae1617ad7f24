//! Calls that are not made, since those before them failed.

use std::num::NonZeroU32;
use std::time::Duration;

use futures::FutureExt;
use stockpulse_core::layer::{CircuitLayer, Layered};
use stockpulse_core::memory::{ManualClock, MemoryCache};
use stockpulse_core::port::Cache;
use stockpulse_core::{ErrorKind, Result, Retry};

use super::faulty::{Fault, Faulty};
use super::ports::{Ports, cached};
use crate::support::{clock, kind};

const PAUSE: Duration = Duration::from_secs(2);

type Guarded = Layered<Layered<MemoryCache, Faulty>, CircuitLayer>;

/// A cache whose circuit opens after three failures, for two seconds.
fn guarded(faulty: &Faulty) -> (ManualClock, Guarded) {
    let (time, clock) = clock();
    let layer =
        CircuitLayer::default().with_failures(NonZeroU32::new(3).unwrap()).with_open_for(PAUSE).with_clock(clock);
    (time, Layered::new(Layered::new(Ports::new().cache, faulty.clone()), layer))
}

async fn call(cache: &Guarded) -> Result<()> {
    cache.get(&[cached()]).await.map(drop)
}

#[tokio::test]
async fn it_opens_after_failures_in_a_row_and_closes_when_a_trial_is_answered() {
    let faulty = Faulty::default();
    let (time, cache) = guarded(&faulty);
    for failure in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Unexpected] {
        faulty.fails(1, failure);
        assert_eq!(kind(call(&cache).await), Some(failure));
    }
    assert_eq!(faulty.calls().len(), 3);
    time.advance(PAUSE - Duration::from_micros(1));
    let error = call(&cache).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry(), error.operation()),
        (ErrorKind::Unavailable, Retry::Exhausted, "cache.get")
    );
    assert_eq!(faulty.calls(), [], "nobody is asked while it is open");
    time.advance(Duration::from_micros(1));
    faulty.fails(1, ErrorKind::Unavailable);
    assert!(call(&cache).await.is_err() && call(&cache).await.is_err());
    assert_eq!(faulty.calls().len(), 1, "one trial, which failed");
    time.advance(PAUSE);
    assert!(call(&cache).await.is_ok() && call(&cache).await.is_ok());
    assert_eq!(faulty.calls().len(), 2);
    faulty.fails(2, ErrorKind::Timeout);
    assert!(call(&cache).await.is_err() && call(&cache).await.is_err());
    assert!(call(&cache).await.is_ok(), "closed, it counts from the beginning");
}

#[tokio::test]
async fn failures_with_answers_between_them_and_errors_that_are_answers_open_nothing() {
    let faulty = Faulty::default();
    let (_, cache) = guarded(&faulty);
    for _ in 0..3 {
        faulty.fails(2, ErrorKind::Timeout);
        assert!(call(&cache).await.is_err() && call(&cache).await.is_err());
        assert!(call(&cache).await.is_ok());
    }
    faulty.fails(9, ErrorKind::InvalidInput);
    for _ in 0..9 {
        assert_eq!(kind(call(&cache).await), Some(ErrorKind::InvalidInput));
    }
    assert!(call(&cache).await.is_ok());
}

#[tokio::test]
async fn one_trial_at_a_time_and_one_that_is_dropped_is_none() {
    let faulty = Faulty::default();
    let (time, cache) = guarded(&faulty);
    faulty.fails(3, ErrorKind::Unavailable);
    for _ in 0..3 {
        assert!(call(&cache).await.is_err());
    }
    time.advance(PAUSE);
    faulty.will([Fault::Hang]);
    let mut trial = Box::pin(call(&cache));
    assert!((&mut trial).now_or_never().is_none());
    assert_eq!(kind(call(&cache).await), Some(ErrorKind::Unavailable), "a trial is under way");
    drop(trial);
    assert!(call(&cache).await.is_ok(), "the next call is the trial");
}
