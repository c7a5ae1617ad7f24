//! Reservations: claims on stock, and how they end.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::id::{CustomerId, OrderId, ReservationId};
use super::product::Kit;
use super::quantity::Quantity;
use super::sku::StockKey;
use super::time::Timestamp;

/// Where a reservation stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ReservationState {
    /// Claimed until `expires_at`.
    Held = 1,
    /// Claimed for good: the order is confirmed.
    Allocated = 2,
    /// Everything that was not released has shipped.
    Fulfilled = 3,
    /// Given back.
    Released = 4,
    /// Ran out of time.
    Expired = 5,
}

impl ReservationState {
    /// Whether it still claims stock.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Held | Self::Allocated)
    }
}

/// One line of a reservation: a claim on one stock level. There is at most one line per level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationLine {
    /// The level.
    pub key: StockKey,
    /// Units claimed at first.
    pub quantity: Quantity,
    /// Of those, units that have shipped.
    pub fulfilled: Quantity,
    /// Of those, units that were given back.
    pub released: Quantity,
    /// Of the open units, those that wait for stock. Kept in the level's queue; a store fills it in when it
    /// answers a reader, and it is zero in what the engine loads and saves.
    pub backordered: Quantity,
    /// Its place in the level's queue ([`Backorder::position`](super::stock::Backorder::position)), if any of it
    /// was backordered.
    pub queued_at: Option<u64>,
}

impl ReservationLine {
    /// Units still claimed: neither shipped nor given back.
    #[must_use]
    pub const fn open(&self) -> Quantity {
        self.quantity.saturating_sub(self.fulfilled).saturating_sub(self.released)
    }
}

/// A claim on stock for one order or cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its identity, chosen by who reserves.
    pub id: ReservationId,
    /// The order it is for, if any.
    pub order: Option<OrderId>,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// Where it stands.
    pub state: ReservationState,
    /// What it claims, one line per level.
    pub lines: SmallVec<[ReservationLine; 1]>,
    /// The kits among the SKUs that were asked for, as they were made up at that time.
    pub kits: Vec<Kit>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the hold ends; `None` once allocated, or if it was made without a limit.
    pub expires_at: Option<Timestamp>,
    /// Counts the commands that changed it, from 1. Filling a backorder belongs to the level and does not count.
    pub version: u64,
}

impl Reservation {
    /// Units still claimed over all lines.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.lines.iter().map(|line| line.open().get()).sum()
    }

    /// Whether the hold has ended by `now` and waits to be expired.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state == ReservationState::Held && self.expires_at.is_some_and(|at| at <= now)
    }
}
