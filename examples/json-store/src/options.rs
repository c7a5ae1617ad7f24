//! How a store is opened.

use std::sync::Arc;

use stockpulse_core::SystemClock;
use stockpulse_core::port::Clock;

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Until file and folder are on the disk (fsync): what is committed survives a loss of power.
    #[default]
    Synced,
    /// For nothing: what is committed survives the end of the process, and may be lost with the machine. For tests.
    Unsynced,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// What a commit waits for; [`Durability::Synced`] unless set.
    pub durability: Durability,
    /// The clock of the outbox's leases and pauses; the machine's unless set.
    pub clock: Arc<dyn Clock>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { durability: Durability::default(), clock: Arc::new(SystemClock) }
    }
}

impl StoreOptions {
    /// Sets what a commit waits for.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets the clock of the outbox's leases and pauses.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
