//! Orders: what a customer asked for and what became of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command::{Actor, Cause};
use super::event::SkuQuantity;
use super::id::{CommandId, CustomerId, OrderId, ReservationId};
use super::money::Money;
use super::product::Kit;
use super::quantity::Quantity;
use super::sku::{LocationId, Sku};
use super::time::Timestamp;

/// What to do when there is not enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Everything or nothing.
    #[default]
    AllOrNothing,
    /// Grant what there is; the order is adjusted.
    Partial,
    /// Promise the rest from stock to come, within each level's backorder limit; otherwise nothing.
    Backorder,
}

/// In which order locations serve the lines of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// In the order the locations are named.
    #[default]
    Priority,
    /// The first location that can serve every line; if none can, by priority.
    SingleSource,
    /// As few locations as possible: one for all lines if there is one, otherwise for each line the location
    /// with the most, those already used by the order first.
    FewestSplits,
    /// One that the application registered with the engine, by its name.
    Custom(String),
}

/// Which locations may serve an order, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sourcing {
    /// How to choose among the locations.
    pub strategy: Strategy,
    /// The candidates, by priority; empty means `main` alone.
    pub locations: Vec<LocationId>,
}

/// When an order has to be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentTerms {
    /// On delivery or by invoice: stock is allocated as soon as it is confirmed.
    #[default]
    OnDelivery,
    /// Before anything ships: unpaid after `pay_within`, the order expires.
    Prepaid {
        /// How long the customer has, from placing the order.
        pay_within: Duration,
    },
}

/// Where the payment of an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PaymentStatus {
    /// Nothing to pay before shipping.
    NotRequired = 1,
    /// To be paid.
    Due = 2,
    /// The customer is paying.
    Started = 3,
    /// Paid.
    Paid = 4,
    /// Paid, but there is nothing to deliver: the money must go back.
    RefundDue = 5,
}

impl PaymentStatus {
    /// Whether goods may leave.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::NotRequired | Self::Paid)
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum OrderStatus {
    /// Accepted; stock has not been decided yet.
    Placed = 1,
    /// Stock is reserved, for all of it or, if lines were adjusted, for what there was.
    Confirmed = 2,
    /// Part of it has shipped.
    PartlyShipped = 3,
    /// All that was granted and not cancelled has shipped.
    Shipped = 4,
    /// There was not enough stock.
    Rejected = 5,
    /// Cancelled by somebody; what had shipped stays shipped.
    Cancelled = 6,
    /// Not paid in time.
    Expired = 7,
    /// Everything that shipped came back.
    Returned = 8,
}

impl OrderStatus {
    /// Whether the order ended without being delivered.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Rejected | Self::Cancelled | Self::Expired)
    }

    /// Whether nothing more is to happen of itself: the order ended, well or badly.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Shipped | Self::Rejected | Self::Cancelled | Self::Expired | Self::Returned)
    }
}

/// One line of an order: one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// What.
    pub sku: Sku,
    /// The price of one unit.
    pub unit_price: Money,
    /// Units asked for.
    pub quantity: Quantity,
    /// Units that stock was found for or promised, `quantity` at most.
    pub granted: Quantity,
    /// Of the granted, units that wait for stock to come in.
    pub backordered: Quantity,
    /// Of the granted, units that have shipped.
    pub shipped: Quantity,
    /// Of the shipped, units that came back.
    pub returned: Quantity,
    /// Units that count against the customer's purchase limit; none if the product had no limit when it was
    /// ordered.
    pub counted: Quantity,
}

impl OrderLine {
    /// Units that can ship now: granted, there, and not shipped yet.
    #[must_use]
    pub const fn shippable(&self) -> Quantity {
        self.granted.saturating_sub(self.shipped).saturating_sub(self.backordered)
    }

    /// Units that the customer has.
    #[must_use]
    pub const fn returnable(&self) -> Quantity {
        self.shipped.saturating_sub(self.returned)
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its identity.
    pub id: OrderId,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// What was ordered; each SKU once. Empty in the tombstone of an order cancelled before it was placed.
    pub lines: Vec<OrderLine>,
    /// The kits among the SKUs, as they were made up when it was placed.
    pub kits: Vec<Kit>,
    /// Units that wait for stock to come in, by the SKU that is missing: of a kit, its component.
    pub waiting: Vec<SkuQuantity>,
    /// What to do when there is not enough.
    pub policy: Policy,
    /// Which locations serve it.
    pub sourcing: Sourcing,
    /// When it has to be paid.
    pub terms: PaymentTerms,
    /// Where it stands.
    pub status: OrderStatus,
    /// Where its payment stands.
    pub payment: PaymentStatus,
    /// Until when it has to be paid, if it has to.
    pub pay_by: Option<Timestamp>,
    /// Until when its stock is held, as far as the order knows. `None` when nothing but the order can end the
    /// claim: from the start if it is not to be paid first, otherwise once inventory has allocated it.
    pub held_until: Option<Timestamp>,
    /// Which attempt at stock is current, from 1.
    pub attempt: u32,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Counts its history's entries, from 1.
    pub version: u64,
}

impl Order {
    /// The reservation of the current attempt at stock.
    #[must_use]
    pub fn reservation(&self) -> ReservationId {
        self.id.reservation(self.attempt)
    }

    /// Whether less was granted than was asked for.
    #[must_use]
    pub fn is_adjusted(&self) -> bool {
        self.lines.iter().any(|line| !line.granted.is_zero())
            && self.lines.iter().any(|line| line.granted < line.quantity)
    }

    /// What the granted units cost, or `None` on overflow or mixed currencies; zero lines have no total.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        let mut lines = self.lines.iter().map(|line| line.unit_price.checked_mul(line.granted.get()));
        let first = lines.next()??;
        lines.try_fold(first, |sum, line| sum.checked_add(line?))
    }

    /// Whether the order waits for a payment that is overdue at `now`.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        !self.status.is_terminal()
            && matches!(self.payment, PaymentStatus::Due | PaymentStatus::Started)
            && self.pay_by.is_some_and(|by| by <= now)
    }
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum OrderChange {
    /// It was placed.
    Placed = 1,
    /// Stock was reserved for all of it.
    Confirmed = 2,
    /// Stock was reserved for part of it.
    Adjusted = 3,
    /// There was not enough stock.
    Rejected = 4,
    /// The customer began to pay; the hold was extended.
    PaymentStarted = 5,
    /// It was paid.
    Paid = 6,
    /// A payment failed; another may follow.
    PaymentFailed = 7,
    /// It was paid when nothing could be delivered any more: a refund is due.
    PaidLate = 8,
    /// It was reported paid once more; nothing changed.
    PaidAgain = 9,
    /// Part of it shipped.
    ShippedPartly = 10,
    /// The rest of it shipped.
    Shipped = 11,
    /// It was cancelled.
    Cancelled = 12,
    /// Goods came back.
    Returned = 13,
    /// It was not paid in time.
    Expired = 14,
    /// Its hold ran out while a payment was under way; stock is asked for again.
    HoldLost = 15,
    /// Backordered units came in.
    Filled = 16,
    /// Its stock, held until then, is claimed for good: it can ship.
    Allocated = 17,
}

/// One entry of an order's history: what, when, who, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The order.
    pub order: OrderId,
    /// The order's version after it.
    pub version: u64,
    /// What happened.
    pub change: OrderChange,
    /// The status after it.
    pub status: OrderStatus,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What it followed from.
    pub cause: Cause,
    /// The command that did it.
    pub command: CommandId,
    /// Why, in words, if somebody said so.
    pub reason: Option<String>,
}
