//! Where stock is kept.

use std::fmt::Debug;
use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::page::Page;
use crate::engine::Engine;
use crate::engine::stock::{StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::{Counters, Movement, Reservation, ReservationId, StockKey, StockLevel, Timestamp};

/// A stock level with what it should add up to, read in one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelAudit {
    /// The level.
    pub level: StockLevel,
    /// The sum of its movements.
    pub ledger: Counters,
    /// What live reservations claim of it: `reserved` and `backordered`; `on_hand` is 0.
    pub claims: Counters,
}

/// Where stock is kept. It holds no rule: it loads the rows that a batch needs, lets the [`Engine`] decide, and
/// saves what changed with its events, in one transaction.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait InventoryStore: Debug + Send + Sync + 'static {
    /// Decides and stores a batch: loads under lock what [`LoadPlan`](crate::engine::stock::LoadPlan) names, in
    /// its order; runs the engine in input order; saves, events included; commits once.
    ///
    /// A command whose id is known gets its stored outcome and changes nothing, twice in one batch included. The
    /// answers are aligned with the batch. The batch is one transaction, however large; an empty one does nothing.
    ///
    /// # Errors
    /// Infrastructure only. After `Indeterminate` the batch may have been committed: ask again with the same ids.
    ///
    /// # Cancel safety
    /// A dropped future splits nothing: either the whole batch is committed or none of it.
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>>;

    /// Reads stock levels, aligned with `keys`.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>>;

    /// Reads reservations, aligned with `ids`, each line with the units that wait.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>>;

    /// Held reservations whose hold ends at `before` or earlier, those that ended first in front; `limit` at most.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>>;

    /// The movements of a level with a version above `after`, in order; the cursor is the version. A level that does
    /// not exist has none.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>>;

    /// Stock levels in key order: by the bytes of SKU, then location. The cursor need not exist. A level that is
    /// there from the first page to the last is listed once, whatever is written meanwhile.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>>;

    /// Stock levels in key order with what they should add up to; each page is one snapshot.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>>;
}
