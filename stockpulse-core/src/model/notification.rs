//! Notifications: what a customer is told about an order.

use serde::{Deserialize, Serialize};

use super::id::{CustomerId, EventId, NotificationId, OrderId, derive};
use super::time::Timestamp;

/// What happened, as a template is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// The order was confirmed.
    OrderConfirmed,
    /// The order was confirmed in part.
    OrderAdjusted,
    /// The order was refused for want of stock.
    OrderRejected,
    /// The order was cancelled.
    OrderCancelled,
    /// The order ran out of time.
    OrderExpired,
    /// Goods are on their way.
    OrderShipped,
    /// Goods came back.
    OrderReturned,
}

/// One message to one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its identity, derived from the event: the same event makes the same notification.
    pub id: NotificationId,
    /// The event it is about.
    pub event: EventId,
    /// What happened.
    pub kind: NotificationKind,
    /// Which order.
    pub order: OrderId,
    /// Whom to tell.
    pub customer: CustomerId,
    /// When the event happened.
    pub at: Timestamp,
}

impl Notification {
    /// The notification that an event makes.
    #[must_use]
    pub fn new(event: EventId, kind: NotificationKind, order: OrderId, customer: CustomerId, at: Timestamp) -> Self {
        let id = NotificationId::new(derive(event.as_uuid(), "notification", 0));
        Self { id, event, kind, order, customer, at }
    }
}

/// How sending ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationStatus {
    /// Begun and not heard of since; sent again after a crash.
    Pending,
    /// The notifier took it.
    Sent,
    /// The notifier refused it for good, with its reason.
    Failed(String),
}

/// A row of the notification log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRecord {
    /// What was to be sent.
    pub notification: Notification,
    /// How it ended.
    pub status: NotificationStatus,
    /// How often sending was begun.
    pub attempts: u32,
    /// When it last changed.
    pub updated_at: Timestamp,
}
