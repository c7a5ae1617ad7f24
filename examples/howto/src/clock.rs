//! A clock that an example can set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::model::{Timestamp, micros};
use stockpulse_core::port::Clock;

/// A clock for services that shows the time it was set to. Clones are the same clock.
///
/// It is for services, which only ask for the time. Workers wait on their clock, so give them the machine's.
#[derive(Clone, Debug, Default)]
pub struct SetClock {
    micros: Arc<AtomicI64>,
}

impl SetClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { micros: Arc::new(AtomicI64::new(now.as_micros())) }
    }

    /// Moves the time on.
    pub fn advance(&self, duration: Duration) {
        self.micros.fetch_add(micros(duration), Ordering::AcqRel);
    }
}

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::Acquire))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
