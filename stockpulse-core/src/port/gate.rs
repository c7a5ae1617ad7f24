//! The admission gate of a flash sale: cheap refusals before the database.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{Quantity, ReservationId, StockKey, StockQuantity};

/// A reservation that asks to be let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmitRequest {
    /// Which: asked again, it gets the same answer.
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
    /// There is not enough of this; no need to ask.
    Refused(StockKey),
    /// The gate does not know; ask the database.
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

    /// The database granted these: their places become sales.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn settle(&self, reservations: &[ReservationId]) -> Result<()>;

    /// The database refused these, or gave their stock back: their places are free again.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn release(&self, reservations: &[ReservationId]) -> Result<()>;

    /// Tells the gate what the database knows. A lower version than the one it knows is ignored.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()>;
}
