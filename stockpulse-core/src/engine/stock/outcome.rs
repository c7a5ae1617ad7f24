//! What was decided about stock.

use std::fmt;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::model::{
    OrderId, Quantity, ReservationId, ReservationState, ReservedLine, Shortage, Sku, StockKey, StockQuantity, Timestamp,
};

/// What was decided about a [`StockCommand`](super::StockCommand).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StockOutcome {
    /// On-hand or settings changed.
    Moved(Moved),
    /// Stock is claimed.
    Reserved(Reserved),
    /// The hold ends later.
    Extended(Extended),
    /// The hold became a claim for good.
    Allocated(Allocated),
    /// Claimed units left.
    Fulfilled(Fulfilled),
    /// Claims were given back; no lines if there was nothing left to give back.
    Released(Released),
    /// The hold ended; no lines if it had ended otherwise before.
    Expired(Released),
    /// The SKU is sold no more.
    Retired(Retired),
    /// No; nothing changed.
    Refused(Refusal),
}

/// On-hand or settings changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Moved {
    /// What lies at each level that was named, after it.
    pub on_hand: SmallVec<[StockQuantity; 1]>,
    /// Claims that were waiting and that this covered.
    pub filled: Vec<Filled>,
}

/// A claim that waited and that is now covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Filled {
    /// Whose claim.
    pub reservation: ReservationId,
    /// The order it is for.
    pub order: Option<OrderId>,
    /// The level.
    pub key: StockKey,
    /// Units that no longer wait.
    pub quantity: Quantity,
}

/// Stock is claimed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reserved {
    /// The reservation.
    pub reservation: ReservationId,
    /// What was granted for each line that was asked for.
    pub lines: SmallVec<[ReservedLine; 1]>,
    /// When the hold ends, if it does.
    pub expires_at: Option<Timestamp>,
}

impl Clone for Reserved {
    fn clone(&self) -> Self {
        Self { reservation: self.reservation, lines: copied(&self.lines), expires_at: self.expires_at }
    }
}

/// A clone, for the one line that most requests have several times faster than [`SmallVec`]'s own.
pub(super) fn copied<T: Clone>(lines: &SmallVec<[T; 1]>) -> SmallVec<[T; 1]> {
    let mut copies = SmallVec::with_capacity(lines.len());
    for line in lines {
        copies.push(line.clone());
    }
    copies
}

impl Reserved {
    /// Whether everything that was asked for was granted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.lines.iter().all(|line| line.granted == line.requested)
    }
}

/// The hold ends later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Extended {
    /// The reservation.
    pub reservation: ReservationId,
    /// When the hold ends now; `None` if never.
    pub expires_at: Option<Timestamp>,
}

/// The hold became a claim for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Allocated {
    /// The reservation.
    pub reservation: ReservationId,
}

/// Claimed units left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fulfilled {
    /// The reservation.
    pub reservation: ReservationId,
    /// What left, and from where.
    pub lines: SmallVec<[StockQuantity; 1]>,
    /// Where the reservation stands now: allocated while units are left to ship.
    pub state: ReservationState,
}

/// Claims were given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Released {
    /// The reservation.
    pub reservation: ReservationId,
    /// What was given back; nothing if the reservation had ended before.
    pub lines: SmallVec<[StockQuantity; 1]>,
    /// Where the reservation stands now.
    pub state: ReservationState,
}

/// A SKU is sold no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retired {
    /// Which.
    pub sku: Sku,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// Not enough of these.
    Short(Vec<Shortage>),
    /// No location in question keeps this SKU.
    UnknownSku(Sku),
    /// There is no such level.
    UnknownLevel(StockKey),
    /// There is no such reservation.
    UnknownReservation(ReservationId),
    /// There is a reservation with this id already, in this state.
    ReservationExists(ReservationState),
    /// The reservation is in a state that does not allow it.
    WrongState(ReservationState),
    /// The hold has ended, or would have before it began.
    HoldEnded(Timestamp),
    /// The hold has not ended yet.
    HoldLasts(Timestamp),
    /// The reservation has not so many open units of this SKU, or they have not come in.
    NotClaimed {
        /// What.
        sku: Sku,
        /// Units asked for.
        requested: Quantity,
        /// Units that could be had.
        open: Quantity,
    },
    /// On-hand would fall below what is promised.
    Committed {
        /// The level.
        key: StockKey,
        /// What on-hand would become.
        on_hand: i64,
        /// Units promised that lie there.
        committed: Quantity,
    },
    /// The SKU is retired.
    RetiredSku(Sku),
    /// The SKU or level has live claims.
    Claimed {
        /// The level.
        key: StockKey,
        /// Units claimed.
        reserved: Quantity,
    },
    /// The level changed since it was read.
    Stale {
        /// The version it has.
        version: u64,
    },
    /// The application's sourcing strategy of this name is not registered.
    UnknownStrategy(String),
    /// The command id was used before, for something else.
    Conflict,
    /// The command makes no sense; the text says why.
    Invalid(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(lines) => {
                f.write_str("not enough stock")?;
                for line in lines {
                    write!(f, "; {}: {} asked, {} to be had", line.sku, line.requested, line.sellable)?;
                }
                Ok(())
            }
            Self::UnknownSku(sku) => write!(f, "unknown SKU {sku}"),
            Self::UnknownLevel(key) => write!(f, "no stock level {key}"),
            Self::UnknownReservation(id) => write!(f, "unknown reservation {id}"),
            Self::ReservationExists(state) => write!(f, "the reservation exists already and is {state:?}"),
            Self::WrongState(state) => write!(f, "the reservation is {state:?}"),
            Self::HoldEnded(at) => write!(f, "the hold ended at {at}"),
            Self::HoldLasts(until) => write!(f, "the hold lasts until {until}"),
            Self::NotClaimed { sku, requested, open } => {
                write!(f, "{sku}: {requested} asked, {open} can be had from the reservation")
            }
            Self::Committed { key, on_hand, committed } => {
                write!(f, "{key}: on-hand would be {on_hand}, and {committed} are promised")
            }
            Self::RetiredSku(sku) => write!(f, "SKU {sku} is retired"),
            Self::Claimed { key, reserved } => write!(f, "{key}: {reserved} units are claimed"),
            Self::Stale { version } => write!(f, "the level changed; it has version {version}"),
            Self::UnknownStrategy(name) => write!(f, "sourcing strategy '{name}' is not registered"),
            Self::Conflict => f.write_str("the command id was used before for something else"),
            Self::Invalid(reason) => f.write_str(reason),
        }
    }
}

/// A decision: yes with what was decided, or no with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<T, R = Refusal> {
    /// Yes.
    Accepted(T),
    /// No, and nothing changed.
    Refused(R),
}

impl<T, R> Decision<T, R> {
    /// What was decided, if it was a yes.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(value) => Some(value),
            Self::Refused(_) => None,
        }
    }

    /// The reason, if it was a no.
    pub fn refused(self) -> Option<R> {
        match self {
            Self::Accepted(_) => None,
            Self::Refused(refusal) => Some(refusal),
        }
    }

    /// Whether it was a yes.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}
