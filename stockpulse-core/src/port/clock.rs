//! Time and identity: the only places they come from.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::model::Timestamp;

/// Tells the time, and waits.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    async fn sleep(&self, duration: Duration);
}

/// Makes ids.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait IdGenerator: Debug + Send + Sync + 'static {
    /// A new UUIDv7 for this time.
    fn next_id(&self, now: Timestamp) -> Uuid;
}
