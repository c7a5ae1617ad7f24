//! The server's clock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stockpulse_core::Result;
use tokio::time::Instant;

/// How many milliseconds a slice of time has. Places end by the slice.
pub(super) const SLICE: u64 = 250;
/// After how long a process asks again.
const ASKED: Duration = Duration::from_millis(100);
/// How long it goes on from what it heard while somebody asks.
const USABLE: Duration = Duration::from_secs(1);

/// A shard's clock, as far as this process knows it.
#[derive(Debug, Default)]
pub(super) struct Clock {
    heard: Mutex<Option<Heard>>,
    /// Held by the one who asks.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Instant,
    millis: u64,
    /// Whether whoever asked left something to be done.
    more: bool,
}

impl Clock {
    /// Milliseconds of the server's clock, which is not behind them. `sweep` ends places, and answers what the time is and
    /// whether there is more to end. One caller at a time does it; only those who know no time wait for that one.
    pub(super) async fn now<F>(&self, sweep: impl FnOnce() -> F) -> Result<u64>
    where
        F: Future<Output = Result<(u64, bool)>>,
    {
        if let Some(now) = self.known(|heard, age| age < ASKED && !heard.more) {
            return Ok(now);
        }
        let _turn = match (self.asking.try_lock(), self.known(|_, age| age < USABLE)) {
            (Ok(turn), _) => turn,
            (Err(_), Some(now)) => return Ok(now),
            (Err(_), None) => self.asking.lock().await,
        };
        // Those who waited have heard.
        if let Some(now) = self.known(|heard, age| age < ASKED && !heard.more) {
            return Ok(now);
        }
        let (millis, more) = sweep().await?;
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Heard { at: Instant::now(), millis, more });
        Ok(millis)
    }

    fn known(&self, good: impl Fn(&Heard, Duration) -> bool) -> Option<u64> {
        let heard = (*self.heard.lock().unwrap_or_else(PoisonError::into_inner))?;
        let age = heard.at.elapsed();
        good(&heard, age).then(|| heard.millis.saturating_add(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
    }
}
