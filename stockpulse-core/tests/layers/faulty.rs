//! A layer of an application's own: it writes down every call, and makes calls fail.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use stockpulse_core::layer::{Call, Layer};
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::Clock;
use stockpulse_core::{Error, ErrorKind, Result};

/// What becomes of the next call.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It fails, and nothing was done.
    Before(Error),
    /// It was done, and the answer was lost.
    After(ErrorKind),
    /// It was done, and never answers.
    Hang,
}

/// A call's name, and how many items it was about.
pub(crate) type Seen = (&'static str, Option<usize>);

/// Clones share what they know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faulty {
    faults: Arc<Mutex<VecDeque<Fault>>>,
    calls: Arc<Mutex<Vec<Seen>>>,
}

impl Faulty {
    pub(crate) fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// The next calls fail with errors of this kind.
    pub(crate) fn fails(&self, times: usize, kind: ErrorKind) {
        self.will((0..times).map(|_| Fault::Before(Error::new(kind, "made to fail"))));
    }

    /// The calls since it was last asked, with what each was about.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Layer for Faulty {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        self.calls.lock().unwrap().push((call.operation(), call.items()));
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None => call.make().await,
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(kind)) => {
                call.make().await?;
                Err(Error::new(kind, "the answer was lost"))
            }
            Some(Fault::Hang) => {
                call.make().await?;
                std::future::pending().await
            }
        }
    }
}

/// A clock on which nobody waits: a sleep moves the time and is written down.
#[derive(Clone, Debug)]
pub(crate) struct Leaps {
    time: ManualClock,
    sleeps: Arc<Mutex<Vec<Duration>>>,
}

impl Leaps {
    pub(crate) fn new() -> Self {
        Self { time: ManualClock::new(crate::support::start()), sleeps: Arc::default() }
    }

    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.sleeps.lock().unwrap())
    }
}

#[async_trait]
impl Clock for Leaps {
    fn now(&self) -> Timestamp {
        self.time.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.sleeps.lock().unwrap().push(duration);
        self.time.advance(duration);
    }
}
