//! What customers are told about orders.

use async_trait::async_trait;

use crate::engine::saga;
use crate::error::Result;
use crate::model::{EventData, EventType, Notification};
use crate::service::Notifications;
use crate::worker::{Handled, Handler, Incoming};

/// Tells customers what happened to their orders. Orders without a customer tell nobody.
#[derive(Clone, Debug)]
pub struct NotificationHandler {
    notifications: Notifications,
}

impl NotificationHandler {
    /// A handler for a notification service.
    #[must_use]
    pub const fn new(notifications: Notifications) -> Self {
        Self { notifications }
    }
}

#[async_trait]
impl Handler for NotificationHandler {
    fn group(&self) -> &str {
        "notifications"
    }

    fn event_types(&self) -> Vec<EventType> {
        vec![
            EventType::OrderConfirmed,
            EventType::OrderAdjusted,
            EventType::OrderRejected,
            EventType::OrderCancelled,
            EventType::OrderExpired,
            EventType::OrderShipped,
            EventType::OrderReturned,
        ]
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let notifications: Vec<Notification> = batch
            .iter()
            .filter_map(|event| match &event.data {
                EventData::Order(order) => {
                    let (kind, customer) = (saga::notification(order)?, order.customer?);
                    Some(Notification::new(event.envelope.id, kind, order.order, customer, event.envelope.time))
                }
                _ => None,
            })
            .collect();
        self.notifications.send_all(&notifications).await?;
        Ok(vec![Handled::Done; batch.len()])
    }
}
