//! The admission gate of a flash sale: cheap refusals before the database.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{Quantity, ReservationId, StockKey, StockLevel, StockQuantity};

/// A reservation that asks to be let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmitRequest {
    /// Which: let through once, it is let through again until its `ttl` has passed, and takes no second place. A refusal
    /// takes no place and is not remembered.
    pub reservation: ReservationId,
    /// What it wants; each level once.
    pub lines: Vec<StockQuantity>,
    /// How long its place is kept if nobody settles or releases it.
    pub ttl: Duration,
}

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Go on and ask the database.
    Admitted,
    /// There is not enough of this level, one of those that are short; no need to ask.
    Refused(StockKey),
    /// The gate does not know one of the levels; ask the database. It takes no place.
    Unknown,
}

/// What the database knows of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateLevel {
    /// The level.
    pub key: StockKey,
    /// Units that can be sold.
    pub sellable: Quantity,
    /// The level's version.
    pub version: u64,
}

impl From<&StockLevel> for GateLevel {
    /// What a gate has to know of a level. Of one that is retired nothing can be sold.
    fn from(level: &StockLevel) -> Self {
        let sellable = if level.retired { Quantity::ZERO } else { level.sellable() };
        Self { key: level.key.clone(), sellable, version: level.version }
    }
}

/// A counter before the database, for flash sales. It can only refuse early; whatever it lets through the
/// database decides. When it fails, everybody is let through.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AdmissionGate: Debug + Send + Sync + 'static {
    /// Lets requests through or not, each with all its lines or none. The answers are aligned with the batch.
    ///
    /// # Errors
    /// Infrastructure only; the caller asks the database.
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>>;

    /// The database granted these: their places become sales, and stay taken until a version of the level that is
    /// higher than the one they were let through at is reconciled, which has them, or until their `ttl` is over. A command
    /// that is asked again long after it was granted is settled again; without an end it would count until the level
    /// changes, and that may be never while the gate refuses everybody. Unknown ids, and those settled before, change
    /// nothing.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn settle(&self, reservations: &[ReservationId]) -> Result<()>;

    /// The database refused these, or gave their stock back: their places are free again, once. A place that was
    /// settled and is in the figure that was reconciled since stays as it is: the figure's next version gives it back.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn release(&self, reservations: &[ReservationId]) -> Result<()>;

    /// Tells the gate what the database knows. A version that is not higher than the one it knows is ignored. Places that
    /// are neither settled nor released stay taken.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()>;
}
