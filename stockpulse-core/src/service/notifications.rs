//! The notification service: tells customers what happened to their orders, once.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::catalog::Customers;
use super::context::Context;
use crate::error::Result;
use crate::model::{
    Customer, CustomerId, Notification, NotificationId, NotificationRecord, NotificationStatus, OrderId,
};
use crate::port::{Clock, Delivered, NotificationLog, Notifier, Page};

/// Tells customers what happened to their orders. The log makes sure that an event that comes twice tells nobody
/// twice; only a crash between sending and writing it down repeats a message, with the same id. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Notifications {
    log: Arc<dyn NotificationLog>,
    notifier: Arc<dyn Notifier>,
    customers: Customers,
    context: Context,
}

impl Notifications {
    /// A service on a log, a notifier, and the customers it writes to.
    #[must_use]
    pub fn new(log: Arc<dyn NotificationLog>, notifier: Arc<dyn Notifier>, customers: Customers) -> Self {
        Self { log, notifier, customers, context: Context::default() }
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.context.clock = clock;
        self
    }

    /// Sends what was not sent before. A customer who is unknown or has no address is refused, and that is logged.
    ///
    /// # Errors
    /// What the log or the notifier reports; what was sent until then is logged, and the rest can be sent again.
    pub async fn send_all(&self, batch: &[Notification]) -> Result<()> {
        let wanted = self.log.begin(batch, self.context.now()).await?;
        let mut begun = HashSet::with_capacity(batch.len());
        let wanted = batch.iter().zip(wanted).filter(|(notification, wanted)| *wanted && begun.insert(notification.id));
        let to_send: Vec<&Notification> = wanted.map(|(notification, _)| notification).collect();
        if to_send.is_empty() {
            return Ok(());
        }
        let ids: Vec<CustomerId> = to_send.iter().map(|notification| notification.customer).collect();
        let customers = self.customers.customers(&ids).await?;
        let mut ended = Vec::with_capacity(to_send.len());
        let mut failure = None;
        for (notification, customer) in to_send.into_iter().zip(customers) {
            match self.send(customer, notification).await {
                Ok(Delivered::Sent) => ended.push((notification.id, NotificationStatus::Sent)),
                Ok(Delivered::Refused(reason)) => ended.push((notification.id, NotificationStatus::Failed(reason))),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        self.log.finish(&ended, self.context.now()).await?;
        failure.map_or(Ok(()), |error| Err(error.during("notifications.send")))
    }

    /// The notifications about an order, oldest first.
    ///
    /// # Errors
    /// What the log reports.
    pub async fn about(
        &self,
        order: OrderId,
        after: Option<NotificationId>,
        limit: NonZeroUsize,
    ) -> Result<Page<NotificationRecord, NotificationId>> {
        self.log.about(order, after, limit).await
    }

    async fn send(&self, customer: Option<Customer>, notification: &Notification) -> Result<Delivered> {
        match customer {
            None => Ok(Delivered::Refused(format!("customer {} is unknown", notification.customer))),
            Some(customer) => self.notifier.send(&customer, notification).await,
        }
    }
}
