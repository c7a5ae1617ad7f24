//! The outbox: events that were committed and wait to be published.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use compact_str::CompactString;

use crate::error::Result;
use crate::model::{Event, Timestamp};

/// How many shards an outbox has. An event's shard is chosen by its key, so that one key is in one shard.
pub const OUTBOX_SHARDS: u16 = 16;

/// The shard of an event: the same on every machine and for every event of one key.
#[must_use]
pub fn outbox_shard(event: &Event) -> u16 {
    u16::try_from(crate::engine::fingerprint(&event.key()) % u64::from(OUTBOX_SHARDS)).unwrap_or(0)
}

/// Identifies a row of an outbox; rows of one key are published in the order of these.
pub type OutboxId = u64;

/// An event that waits to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its identity.
    pub id: OutboxId,
    /// The event.
    pub event: Event,
    /// How often publishing it has failed.
    pub attempts: u32,
}

/// The right to publish the events of some shards, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who has it.
    pub worker: CompactString,
    /// The shards, each with its epoch: it grows whenever the shard changes hands, and an older one settles
    /// nothing.
    pub shards: Vec<(u16, u64)>,
}

/// What a worker may publish now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The right to.
    pub lease: Lease,
    /// The rows, by id. Of a key with a row that waits to be tried again or is quarantined there are none.
    pub rows: Vec<OutboxRow>,
}

/// A row that could not be published this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which.
    pub id: OutboxId,
    /// When to try again.
    pub retry_at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A row that cannot be published at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Which.
    pub id: OutboxId,
    /// Why.
    pub reason: String,
}

/// How an outbox stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxStats {
    /// Rows that wait, those held up included, those set aside not.
    pub pending: u64,
    /// Rows set aside. Each blocks its own key, and no other.
    pub quarantined: u64,
    /// When the oldest waiting event happened.
    pub oldest: Option<Timestamp>,
}

/// The outbox of one store: written by the store in the deciding transaction, emptied by the relay.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Takes or renews the lease on every shard that nobody else holds, for `lease`, and reads at most `limit` of
    /// their rows: those with the lowest ids that may be published. Rows that are held up do not count. Leases end
    /// by the outbox's own clock; one of which three quarters are left need not be renewed.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim>;

    /// Deletes rows that were published. Rows that are gone are ignored.
    ///
    /// # Errors
    /// `Contention`, never to be retried, if a shard of any of them is leased to somebody else by now; then nothing is
    /// deleted.
    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()>;

    /// Puts rows back, to be tried again later: each counts one attempt more, and holds up its key until then.
    ///
    /// # Errors
    /// `Contention` as for [`Outbox::settle`].
    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()>;

    /// Sets rows aside, with the reason. They stay, and block their own key, until they are requeued or discarded.
    ///
    /// # Errors
    /// `Contention` as for [`Outbox::settle`].
    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()>;

    /// Gives the lease back, so that another worker need not wait for its end. Shards that are somebody else's by now
    /// stay with him.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn surrender(&self, lease: &Lease) -> Result<()>;

    /// The rows that were set aside, with the reasons; `limit` at most.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>>;

    /// Lets rows that were set aside be tried again, as if they never had been. Other rows stay as they are. Answers
    /// how many were set aside.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize>;

    /// Throws rows away that were set aside. Other rows stay as they are. Answers how many were set aside.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn discard(&self, rows: &[OutboxId]) -> Result<usize>;

    /// How the outbox stands.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn stats(&self) -> Result<OutboxStats>;

    /// Waits until something may have been appended. A hint only: it may miss, and the relay polls as well.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    async fn appended(&self);
}
