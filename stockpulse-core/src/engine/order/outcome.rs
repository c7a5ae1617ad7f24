//! What was decided about orders.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{OrderId, OrderStatus, PaymentStatus, Quantity, Sku};

/// What was decided about an [`OrderCommand`](super::OrderCommand).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderOutcome {
    /// Done, or nothing left to do; where the order stands now.
    Accepted(OrderState),
    /// No; nothing changed.
    Refused(OrderRefusal),
}

/// Where an order stands after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrderState {
    /// The order.
    pub order: OrderId,
    /// Its status.
    pub status: OrderStatus,
    /// Where its payment stands.
    pub payment: PaymentStatus,
    /// Its version.
    pub version: u64,
    /// Whether the command changed the order.
    pub changed: bool,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderRefusal {
    /// There is no such order.
    UnknownOrder(OrderId),
    /// There is an order with this id already, in this state.
    OrderExists(OrderStatus),
    /// The order is in a state that does not allow it.
    WrongState(OrderStatus),
    /// Its payment is in a state that does not allow it.
    WrongPayment(PaymentStatus),
    /// Its stock is held with an end, and inventory has not said yet that it is allocated for good.
    NotAllocated,
    /// The order has not so many units of this SKU to ship or return.
    NotEnough {
        /// What.
        sku: Sku,
        /// Units asked for.
        requested: Quantity,
        /// Units that could be had.
        available: Quantity,
    },
    /// The customer would have more on order than the product allows.
    PurchaseLimit {
        /// What.
        sku: Sku,
        /// Units the customer may have.
        limit: Quantity,
        /// Units on order already.
        ordered: Quantity,
    },
    /// The time to pay is not over.
    NotDue,
    /// The command id was used before, for something else.
    Conflict,
    /// The command makes no sense; the text says why.
    Invalid(String),
}

impl fmt::Display for OrderRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOrder(order) => write!(f, "unknown order {order}"),
            Self::OrderExists(status) => write!(f, "the order exists already and is {status:?}"),
            Self::WrongState(status) => write!(f, "the order is {status:?}"),
            Self::WrongPayment(payment) => write!(f, "the order's payment is {payment:?}"),
            Self::NotAllocated => f.write_str("its stock is not allocated yet"),
            Self::NotEnough { sku, requested, available } => {
                write!(f, "{sku}: {requested} asked, the order has {available}")
            }
            Self::PurchaseLimit { sku, limit, ordered } => {
                write!(f, "{sku}: a customer may have {limit}, and has {ordered} on order")
            }
            Self::NotDue => f.write_str("the time to pay is not over"),
            Self::Conflict => f.write_str("the command id was used before for something else"),
            Self::Invalid(reason) => f.write_str(reason),
        }
    }
}
