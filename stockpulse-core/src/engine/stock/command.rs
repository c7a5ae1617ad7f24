//! What can be asked of stock.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::engine::Limits;
use crate::engine::fingerprint::fingerprint;
use crate::error::{Error, Result};
use crate::model::{
    Command, Counters, CustomerId, Kit, LocationId, OrderId, Policy, Quantity, ReservationId, Sku, SkuQuantity,
    Sourcing, StockKey, StockQuantity, Timestamp,
};

/// A command to stock.
pub type StockCommand = Command<StockAction>;

/// How long stock is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Until somebody releases it.
    #[default]
    Forever,
    /// For so long, from the command's time.
    For(Duration),
    /// Until then.
    Until(Timestamp),
}

impl Hold {
    /// When the hold ends, if it was asked for at `at`.
    #[must_use]
    pub fn ends(self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Forever => None,
            Self::For(duration) => Some(at.plus(duration)),
            Self::Until(end) => Some(end),
        }
    }
}

/// What to do with a reservation that has the id already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// Refuse: an order reserves once.
    #[default]
    Refuse,
    /// Replace it, if it is still held or ended without shipping: a cart that changed, or that is tried once
    /// more. If the new one is refused, the old one stands.
    Replace,
}

/// One line of a reservation request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReserveLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
    /// From this location only; otherwise the request's sourcing decides.
    pub location: Option<LocationId>,
}

/// A reservation request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The reservation's id, chosen by who asks.
    pub reservation: ReservationId,
    /// The order it is for, if any.
    pub order: Option<OrderId>,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// What is wanted. Lines of one SKU add up.
    pub lines: SmallVec<[ReserveLine; 1]>,
    /// What to do when there is not enough.
    pub policy: Policy,
    /// Which locations may serve it.
    pub sourcing: Sourcing,
    /// How long to hold it.
    pub hold: Hold,
    /// What to do if the reservation exists.
    pub existing: Existing,
    /// The kits among the SKUs of the lines, as they are made up now. Not part of what is asked: a retry after
    /// the catalog changed is still the same command.
    pub kits: Vec<Kit>,
}

impl Hash for Reserve {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { reservation, order, customer, lines, policy, sourcing, hold, existing, kits: _ } = self;
        (reservation, order, customer).hash(state);
        lines.as_slice().hash(state);
        (policy, sourcing, hold, existing).hash(state);
    }
}

impl Reserve {
    /// A request for nothing yet: all or nothing, from `main`, held until released.
    #[must_use]
    pub fn new(reservation: ReservationId) -> Self {
        Self {
            reservation,
            order: None,
            customer: None,
            lines: SmallVec::new(),
            policy: Policy::default(),
            sourcing: Sourcing::default(),
            hold: Hold::default(),
            existing: Existing::default(),
            kits: Vec::new(),
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn with_line(mut self, sku: Sku, quantity: impl Into<Quantity>) -> Self {
        self.lines.push(ReserveLine { sku, quantity: quantity.into(), location: None });
        self
    }

    /// Adds a line that only this location may serve.
    #[must_use]
    pub fn with_line_at(mut self, key: StockKey, quantity: impl Into<Quantity>) -> Self {
        self.lines.push(ReserveLine { sku: key.sku, quantity: quantity.into(), location: Some(key.location) });
        self
    }

    /// Sets the policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the locations and how to choose among them.
    #[must_use]
    pub fn with_sourcing(mut self, sourcing: Sourcing) -> Self {
        self.sourcing = sourcing;
        self
    }

    /// Holds for so long.
    #[must_use]
    pub fn with_hold(mut self, duration: Duration) -> Self {
        self.hold = Hold::For(duration);
        self
    }

    /// Says whose it is.
    #[must_use]
    pub fn with_customer(mut self, customer: CustomerId) -> Self {
        self.customer = Some(customer);
        self
    }

    /// Says which order it is for.
    #[must_use]
    pub fn with_order(mut self, order: OrderId) -> Self {
        self.order = Some(order);
        self
    }

    /// Replaces a hold of the same id instead of being refused.
    #[must_use]
    pub fn replacing(mut self) -> Self {
        self.existing = Existing::Replace;
        self
    }

    /// The kit that a SKU is, if it is one.
    pub(crate) fn kit(&self, sku: &Sku) -> Option<&Kit> {
        self.kits.iter().find(|kit| kit.sku == *sku)
    }
}

/// Which units of a reservation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parts {
    /// All that can be: for fulfilment all units that are there, for release all that are open.
    #[default]
    All,
    /// So many of these SKUs, as they were asked for (kits by the kit's SKU), from whichever of the
    /// reservation's locations comes first.
    Skus(Vec<SkuQuantity>),
    /// So many at these levels.
    Levels(Vec<StockQuantity>),
}

/// Settings of a stock level to change; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LevelSettings {
    /// Units kept back from sale.
    pub safety_stock: Option<Quantity>,
    /// Units that may be promised beyond what is there; [`Quantity::MAX`] is no limit.
    pub backorder_limit: Option<Quantity>,
    /// At how many available units `stock.low` is raised; `Some(None)` never.
    pub low_stock_at: Option<Option<Quantity>>,
    /// Whether stock is counted. It can change only while nothing is claimed.
    pub tracked: Option<bool>,
    /// `Some(false)` brings a retired level back; `Some(true)` retires this level alone, while nothing is
    /// claimed.
    pub retired: Option<bool>,
}

/// What is asked of stock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockAction {
    /// Goods came in. Levels that do not exist are created.
    Receive {
        /// What and where.
        lines: SmallVec<[StockQuantity; 1]>,
    },
    /// On-hand is corrected by a difference.
    Adjust {
        /// The level.
        key: StockKey,
        /// The difference; not zero.
        change: i64,
        /// Why: damaged, stolen, found.
        reason: Option<CompactString>,
    },
    /// On-hand is what a stock-take counted.
    Count {
        /// The level; created if it does not exist.
        key: StockKey,
        /// What was counted.
        counted: Quantity,
        /// Why, or by which stock-take.
        reason: Option<CompactString>,
    },
    /// Goods move between locations.
    Transfer {
        /// What.
        sku: Sku,
        /// From where.
        from: LocationId,
        /// To where; the level is created if it does not exist.
        to: LocationId,
        /// How many.
        quantity: Quantity,
    },
    /// Stock is claimed.
    Reserve(Reserve),
    /// A hold is to end later. A hold is never shortened.
    Extend {
        /// Which.
        reservation: ReservationId,
        /// Until when.
        hold: Hold,
    },
    /// A hold becomes a claim for good.
    Allocate {
        /// Which.
        reservation: ReservationId,
    },
    /// Claimed units leave.
    Fulfil {
        /// Which.
        reservation: ReservationId,
        /// How much of it.
        parts: Parts,
    },
    /// Claims are given back.
    Release {
        /// Which.
        reservation: ReservationId,
        /// How much of it.
        parts: Parts,
        /// If the reservation is unknown, remember that it was released, so that a late request for it is
        /// refused. Without it an unknown reservation is refused as such.
        tombstone: bool,
    },
    /// A hold that has ended is given back.
    Expire {
        /// Which.
        reservation: ReservationId,
    },
    /// Goods come back from a customer and can be sold again.
    Return {
        /// What and where it is put.
        lines: SmallVec<[StockQuantity; 1]>,
        /// The order they belong to, if known.
        order: Option<OrderId>,
    },
    /// Settings of a level change; the level is created if it does not exist.
    Configure {
        /// The level.
        key: StockKey,
        /// What changes.
        settings: LevelSettings,
    },
    /// A SKU is sold no more, at any location. Refused while claims are live.
    Retire {
        /// Which.
        sku: Sku,
    },
    /// The reconciler's repair: the counters become what claims and ledger say they should be.
    Reconcile {
        /// The level.
        key: StockKey,
        /// The level's version that the audit saw; refused if it has changed.
        version: u64,
        /// The sum of the level's movements.
        ledger: Counters,
        /// The sum of the live claims on it.
        claims: Counters,
    },
}

impl StockAction {
    /// What tells a retry from a conflict.
    pub(crate) fn fingerprint(&self) -> u64 {
        fingerprint(self)
    }

    /// The reservation it is about, if any.
    #[must_use]
    pub const fn reservation(&self) -> Option<ReservationId> {
        match self {
            Self::Reserve(Reserve { reservation, .. })
            | Self::Extend { reservation, .. }
            | Self::Allocate { reservation }
            | Self::Fulfil { reservation, .. }
            | Self::Release { reservation, .. }
            | Self::Expire { reservation } => Some(*reservation),
            _ => None,
        }
    }

    /// The SKU named first, if any: what a service shards by.
    #[must_use]
    pub fn first_sku(&self) -> Option<&Sku> {
        match self {
            Self::Receive { lines } | Self::Return { lines, .. } => lines.first().map(|line| &line.key.sku),
            Self::Adjust { key, .. }
            | Self::Count { key, .. }
            | Self::Configure { key, .. }
            | Self::Reconcile { key, .. } => Some(&key.sku),
            Self::Transfer { sku, .. } | Self::Retire { sku } => Some(sku),
            Self::Reserve(reserve) => reserve.lines.first().map(|line| &line.sku),
            Self::Extend { .. }
            | Self::Allocate { .. }
            | Self::Fulfil { .. }
            | Self::Release { .. }
            | Self::Expire { .. } => None,
        }
    }

    /// Checks what can be checked without looking at stock.
    ///
    /// # Errors
    /// `InvalidInput` that names what is wrong.
    pub fn validate(&self, limits: &Limits) -> Result<()> {
        match self {
            Self::Receive { lines } | Self::Return { lines, .. } => {
                limits.check_lines(lines.len())?;
                lines.iter().try_for_each(|line| positive(&line.key.sku, line.quantity))
            }
            Self::Adjust { key, change, .. } => match change {
                0 => Err(Error::invalid(format!("{key}: an adjustment by 0"))),
                change => Quantity::new(change.saturating_abs()).map(drop),
            },
            Self::Transfer { sku, from, to, quantity } => {
                if from == to {
                    return Err(Error::invalid(format!("{sku}: a transfer from {from} to itself")));
                }
                positive(sku, *quantity)
            }
            Self::Reserve(reserve) => validate_reserve(reserve, limits),
            Self::Fulfil { parts, .. } | Self::Release { parts, .. } => validate_parts(parts, limits),
            Self::Reconcile { key, claims, .. } => {
                let reserved = Quantity::new(claims.reserved)?;
                if claims.backordered < 0 || claims.backordered > reserved.get() {
                    let waiting = claims.backordered;
                    return Err(Error::invalid(format!("{key}: {waiting} of {reserved} claimed units wait")));
                }
                Ok(())
            }
            Self::Count { .. }
            | Self::Extend { .. }
            | Self::Allocate { .. }
            | Self::Expire { .. }
            | Self::Configure { .. }
            | Self::Retire { .. } => Ok(()),
        }
    }
}

fn positive(sku: &Sku, quantity: Quantity) -> Result<()> {
    if quantity.is_zero() { Err(Error::invalid(format!("{sku}: quantity is 0"))) } else { Ok(()) }
}

fn validate_parts(parts: &Parts, limits: &Limits) -> Result<()> {
    match parts {
        Parts::All => Ok(()),
        Parts::Skus(lines) => {
            limits.check_lines(lines.len())?;
            lines.iter().try_for_each(|line| positive(&line.sku, line.quantity))
        }
        Parts::Levels(lines) => {
            limits.check_lines(lines.len())?;
            lines.iter().try_for_each(|line| positive(&line.key.sku, line.quantity))
        }
    }
}

fn validate_reserve(reserve: &Reserve, limits: &Limits) -> Result<()> {
    limits.check_lines(reserve.lines.len())?;
    if reserve.sourcing.locations.len() > limits.max_locations {
        let (given, most) = (reserve.sourcing.locations.len(), limits.max_locations);
        return Err(Error::invalid(format!("{given} locations are more than {most}")));
    }
    reserve.lines.iter().try_for_each(|line| positive(&line.sku, line.quantity))?;
    for kit in &reserve.kits {
        limits.check_lines(kit.components.len())?;
        for (index, component) in kit.components.iter().enumerate() {
            positive(&component.sku, component.quantity)?;
            if kit.components.iter().take(index).any(|earlier| earlier.sku == component.sku) {
                return Err(Error::invalid(format!("kit {}: component {} twice", kit.sku, component.sku)));
            }
        }
    }
    Ok(())
}
