//! Notification log and notifier, as a node sees them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::node::Node;
use super::super::world::Place;
use crate::error::Result;
use crate::memory::RecordingNotifier;
use crate::model::{
    Customer, Notification, NotificationId, NotificationRecord, NotificationStatus, OrderId, Timestamp,
};
use crate::port::{Delivered, NotificationLog, Notifier, Page};

#[derive(Debug)]
pub(in crate::sim) struct NodeLog {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: Arc<dyn NotificationLog>,
}

#[async_trait]
impl NotificationLog for NodeLog {
    async fn begin(&self, batch: &[Notification], now: Timestamp) -> Result<Vec<bool>> {
        self.node.call(Place::Orders, "notifications.begin", self.inner.begin(batch, now)).await
    }

    async fn finish(&self, batch: &[(NotificationId, NotificationStatus)], now: Timestamp) -> Result<()> {
        self.node.call(Place::Orders, "notifications.finish", self.inner.finish(batch, now)).await
    }

    async fn about(
        &self,
        order: OrderId,
        after: Option<NotificationId>,
        limit: NonZeroUsize,
    ) -> Result<Page<NotificationRecord, NotificationId>> {
        self.node.call(Place::Orders, "notifications.about", self.inner.about(order, after, limit)).await
    }
}

#[derive(Debug)]
pub(in crate::sim) struct NodeNotifier {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: RecordingNotifier,
}

#[async_trait]
impl Notifier for NodeNotifier {
    async fn send(&self, customer: &Customer, notification: &Notification) -> Result<Delivered> {
        let (kind, order) = (notification.kind, notification.order);
        self.node.world().say(format_args!("{} tells {}: {order} {kind:?}", self.node.name(), customer.name));
        self.node.call(Place::Elsewhere, "notifier.send", self.inner.send(customer, notification)).await
    }
}
