//! Making calls again.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::layered::Layer;
use crate::error::{Result, Retry};
use crate::port::{Clock, IdGenerator};
use crate::system::{RandomIds, SystemClock};
use crate::worker::Backoff;

/// How often a call is made at most, unless set.
const TRIES: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// The bounds of the pauses, unless set: short, since a caller waits.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(20), longest: Duration::from_secs(1) };

/// Makes a call again whose error says [`Retry::Safe`], with the same arguments and so with the same command ids: if
/// the first one was decided and its answer lost, the answer is the first one's.
///
/// It pauses between tries for a random time up to a bound that doubles (full jitter, see
/// [Exponential Backoff and Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)), so
/// that callers who failed together do not come back together. When no try is left, the answer is the last error,
/// marked [`Retry::Exhausted`].
///
/// Dropping the call ends it, in a pause too; nothing of it goes on behind the caller's back.
#[derive(Clone, Debug)]
pub struct RetryLayer {
    tries: NonZeroU32,
    backoff: Backoff,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl Default for RetryLayer {
    /// Five tries, pauses of up to 20, 40, 80 and 160 ms.
    fn default() -> Self {
        Self { tries: TRIES, backoff: BACKOFF, clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) }
    }
}

impl RetryLayer {
    /// Sets how often a call is made at most, the first time included; 5 unless set.
    #[must_use]
    pub fn with_tries(mut self, tries: NonZeroU32) -> Self {
        self.tries = tries;
        self
    }

    /// Sets the bounds of the pauses between tries; from 20 ms to 1 s unless set.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the clock that it pauses by; the machine's unless set.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the chance in the pauses comes from: the hash of a new id. Random ones unless set.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }
}

impl Layer for RetryLayer {
    const REPEATS: bool = true;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        let mut failures = 0_u32;
        loop {
            let error = match call.make().await {
                Err(error) if error.retry() == Retry::Safe => error,
                answer => return answer,
            };
            failures += 1;
            if failures >= self.tries.get() {
                return Err(error.with_retry(Retry::Exhausted));
            }
            tracing::debug!(operation = call.operation(), %error, failures, "trying again");
            let chance = self.ids.next_id(self.clock.now());
            self.clock.sleep(self.backoff.jittered(failures, chance)).await;
        }
    }
}
