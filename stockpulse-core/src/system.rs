//! The machine's own clock and random ids.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use uuid::{NoContext, Timestamp as UuidTimestamp, Uuid};

use crate::model::{Timestamp, micros};
use crate::port::{Clock, IdGenerator};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, micros))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Random UUIDs of version 7 (RFC 9562).
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdGenerator for RandomIds {
    fn next_id(&self, now: Timestamp) -> Uuid {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
        Uuid::new_v7(UuidTimestamp::from_unix(NoContext, micros / 1_000_000, nanos))
    }
}
