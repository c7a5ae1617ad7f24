//! What can be asked of orders.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::Limits;
use crate::engine::fingerprint::fingerprint;
use crate::error::{Error, Result};
use crate::model::{
    Command, CustomerId, Kit, LocationId, Money, OrderId, PaymentTerms, Policy, Quantity, ReservationId, ReservedLine,
    Sku, SkuQuantity, Sourcing,
};

/// A command to orders.
pub type OrderCommand = Command<OrderAction>;

/// One line of an order that is placed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlaceLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
    /// The price of one unit.
    pub unit_price: Money,
}

/// How many units of a SKU one customer may have on order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseLimit {
    /// What.
    pub sku: Sku,
    /// How many.
    pub limit: Quantity,
}

/// An order that is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The order's id, chosen by who places it.
    pub order: OrderId,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// What is wanted. Lines of one SKU add up, at the first one's price.
    pub lines: Vec<PlaceLine>,
    /// What to do when there is not enough.
    pub policy: Policy,
    /// Which locations may serve it.
    pub sourcing: Sourcing,
    /// When it has to be paid.
    pub terms: PaymentTerms,
    /// The kits among the SKUs, as the catalog has them now. Not part of what is asked.
    pub kits: Vec<Kit>,
    /// The purchase limits of the SKUs, as the catalog has them now. Not part of what is asked.
    pub limits: Vec<PurchaseLimit>,
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { order, customer, lines, policy, sourcing, terms, kits: _, limits: _ } = self;
        let pay_within = match terms {
            PaymentTerms::OnDelivery => None,
            PaymentTerms::Prepaid { pay_within } => Some(pay_within),
        };
        (order, customer, lines, policy, sourcing, pay_within).hash(state);
    }
}

impl Place {
    /// An order for nothing yet: all or nothing, from `main`, paid on delivery.
    #[must_use]
    pub fn new(order: OrderId) -> Self {
        Self {
            order,
            customer: None,
            lines: Vec::new(),
            policy: Policy::default(),
            sourcing: Sourcing::default(),
            terms: PaymentTerms::default(),
            kits: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn with_line(mut self, sku: Sku, quantity: impl Into<Quantity>, unit_price: Money) -> Self {
        self.lines.push(PlaceLine { sku, quantity: quantity.into(), unit_price });
        self
    }

    /// Says whose it is.
    #[must_use]
    pub fn with_customer(mut self, customer: CustomerId) -> Self {
        self.customer = Some(customer);
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

    /// Has to be paid within so long, or it expires.
    #[must_use]
    pub fn prepaid(mut self, pay_within: Duration) -> Self {
        self.terms = PaymentTerms::Prepaid { pay_within };
        self
    }
}

/// What inventory said about an order's reservation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockAnswer {
    /// Stock is claimed.
    Reserved {
        /// What each line was granted.
        lines: Vec<ReservedLine>,
        /// Units of it that wait, by the SKU that is missing: of a kit, its component.
        waiting: Vec<SkuQuantity>,
    },
    /// The hold became a claim for good.
    Allocated,
    /// There was not enough.
    Rejected,
    /// The hold ran out.
    Expired,
    /// Units that waited came in, by the SKU that was missing.
    Filled(Vec<SkuQuantity>),
}

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentResult {
    /// The money is there.
    Paid,
    /// It is not; the customer may try again while the order lasts.
    Failed,
}

/// Which units of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderParts {
    /// All that can be.
    #[default]
    All,
    /// So many of these.
    Lines(Vec<SkuQuantity>),
}

/// What is asked of orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAction {
    /// A customer orders.
    Place(Place),
    /// Inventory answered.
    RecordReservation {
        /// Which order.
        order: OrderId,
        /// About which reservation; an answer about an earlier attempt changes nothing.
        reservation: ReservationId,
        /// What it said.
        answer: StockAnswer,
    },
    /// The customer begins to pay; the hold lasts at least `window` longer.
    BeginPayment {
        /// Which order.
        order: OrderId,
        /// How long the payment may take.
        window: Duration,
    },
    /// A payment ended.
    RecordPayment {
        /// Which order.
        order: OrderId,
        /// How.
        result: PaymentResult,
    },
    /// Goods leave.
    Ship {
        /// Which order.
        order: OrderId,
        /// How much of it.
        parts: OrderParts,
    },
    /// The order is off. What has shipped stays shipped. An order that is not known yet is remembered as
    /// cancelled, and refused when it is placed.
    Cancel {
        /// Which order.
        order: OrderId,
        /// Why.
        reason: Option<String>,
    },
    /// Goods come back.
    Return {
        /// Which order.
        order: OrderId,
        /// How much of what shipped.
        parts: OrderParts,
        /// Where they are put.
        location: LocationId,
    },
    /// An order that was not paid in time is off.
    Expire {
        /// Which order.
        order: OrderId,
    },
}

impl OrderAction {
    /// The order it is about.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Place(place) => place.order,
            Self::RecordReservation { order, .. }
            | Self::BeginPayment { order, .. }
            | Self::RecordPayment { order, .. }
            | Self::Ship { order, .. }
            | Self::Cancel { order, .. }
            | Self::Return { order, .. }
            | Self::Expire { order } => *order,
        }
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        fingerprint(self)
    }

    /// Checks what can be checked without looking at the order.
    ///
    /// # Errors
    /// `InvalidInput` that names what is wrong.
    pub fn validate(&self, limits: &Limits) -> Result<()> {
        match self {
            Self::Place(place) => validate_place(place, limits),
            Self::Ship { parts: OrderParts::Lines(lines), .. }
            | Self::Return { parts: OrderParts::Lines(lines), .. } => {
                limits.check_lines(lines.len())?;
                lines.iter().try_for_each(|line| positive(&line.sku, line.quantity))
            }
            Self::BeginPayment { window, .. } if window.is_zero() => {
                Err(Error::invalid("a payment window of no length"))
            }
            Self::Cancel { reason: Some(reason), .. } if reason.len() > MAX_REASON => {
                Err(Error::invalid(format!("a reason of {} bytes is longer than {MAX_REASON}", reason.len())))
            }
            _ => Ok(()),
        }
    }
}

/// The longest reason, in bytes.
const MAX_REASON: usize = 1024;

fn positive(sku: &Sku, quantity: Quantity) -> Result<()> {
    if quantity.is_zero() { Err(Error::invalid(format!("{sku}: quantity is 0"))) } else { Ok(()) }
}

fn validate_place(place: &Place, limits: &Limits) -> Result<()> {
    limits.check_lines(place.lines.len())?;
    let (given, most) = (place.sourcing.locations.len(), limits.max_locations);
    if given > most {
        return Err(Error::invalid(format!("{given} locations are more than {most}")));
    }
    let mut prices = BTreeMap::new();
    let mut total: Option<Money> = None;
    for line in &place.lines {
        positive(&line.sku, line.quantity)?;
        if line.unit_price.minor < 0 {
            return Err(Error::invalid(format!("{}: price {} is negative", line.sku, line.unit_price)));
        }
        // Lines of one SKU add up at the first one's price; another currency is a mistake all the same.
        let price: Money = *prices.entry(&line.sku).or_insert(line.unit_price);
        let cost = price.checked_mul(line.quantity.get()).filter(|_| price.currency == line.unit_price.currency);
        let sum = match (total, cost) {
            (Some(total), Some(cost)) => total.checked_add(cost),
            (_, cost) => cost,
        };
        total = Some(sum.ok_or_else(|| {
            Error::invalid(format!("{}: the order's total is too large or mixes currencies", line.sku))
        })?);
    }
    match place.terms {
        PaymentTerms::Prepaid { pay_within } if pay_within.is_zero() => {
            Err(Error::invalid("prepaid, with no time to pay"))
        }
        _ => Ok(()),
    }
}
