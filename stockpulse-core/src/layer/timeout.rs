//! Giving up on calls that take too long.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, CallKind};
use super::layered::Layer;
use crate::error::{Error, ErrorKind, Result};
use crate::port::Clock;
use crate::system::SystemClock;

/// How long a call may take, unless set: longer than a database that gives up after 5 s by itself and says more.
const AFTER: Duration = Duration::from_secs(10);

/// Gives a call up after a time: it is dropped, and answers `Timeout` with the operation's name.
///
/// What was asked may still happen, as with every timeout: ask again with the same id. Calls that wait by nature
/// ([`CallKind::Wait`]) may take as long as they like.
#[derive(Clone, Debug)]
pub struct TimeoutLayer {
    after: Duration,
    clock: Arc<dyn Clock>,
}

impl Default for TimeoutLayer {
    /// Gives up after 10 s.
    fn default() -> Self {
        Self::after(AFTER)
    }
}

impl TimeoutLayer {
    /// Gives up after this time.
    #[must_use]
    pub fn after(after: Duration) -> Self {
        Self { after, clock: Arc::new(SystemClock) }
    }

    /// Sets the clock that the time is measured by; the machine's unless set.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Layer for TimeoutLayer {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        if call.kind() == CallKind::Wait {
            return call.make().await;
        }
        let operation = call.operation();
        tokio::select! {
            // An answer that is there counts, however late.
            biased;
            answer = call.make() => answer,
            () = self.clock.sleep(self.after) => {
                let message = format!("no answer within {:?}", self.after);
                Err(Error::new(ErrorKind::Timeout, message).during(operation))
            }
        }
    }
}
