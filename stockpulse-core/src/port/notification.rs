//! Telling customers, and remembering that they were told.

use std::fmt::Debug;
use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::page::Page;
use crate::error::Result;
use crate::model::{
    Customer, Notification, NotificationId, NotificationRecord, NotificationStatus, OrderId, Timestamp,
};

/// How sending one notification ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken.
    Sent,
    /// It was refused for good, with the reason: there is no such address.
    Refused(String),
}

/// Sends notifications: by mail, by message, to a log.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Sends one notification. After a crash the same one may be sent again, with the same id.
    ///
    /// # Errors
    /// What may succeed when tried again: the mail server is down.
    async fn send(&self, customer: &Customer, notification: &Notification) -> Result<Delivered>;
}

/// Remembers which notifications were sent, so that an event that comes twice tells nobody twice.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait NotificationLog: Debug + Send + Sync + 'static {
    /// Begins to send: writes those that are new, counts one more attempt for those pending, and answers for each
    /// whether it is to be sent, aligned with the batch. What was sent or refused before is not, and counts no attempt.
    /// A notification that is twice in one batch is to be sent once, and counts one attempt.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn begin(&self, batch: &[Notification], now: Timestamp) -> Result<Vec<bool>>;

    /// Writes how sending ended, and the event that tells of it, in one transaction. A second end of the same
    /// notification changes nothing; neither does `Pending`, which is no end, nor an end of what was never begun.
    ///
    /// The event has index 0, sequence 1 and the time `now`. Its command id is derived from the notification's, so
    /// that the same end is the same event.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn finish(&self, batch: &[(NotificationId, NotificationStatus)], now: Timestamp) -> Result<()>;

    /// The notifications about an order, by the time of their event, oldest first. The cursor is one of them.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn about(
        &self,
        order: OrderId,
        after: Option<NotificationId>,
        limit: NonZeroUsize,
    ) -> Result<Page<NotificationRecord, NotificationId>>;
}
