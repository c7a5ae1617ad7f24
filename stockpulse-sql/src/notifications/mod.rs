//! Where it is kept who was told what.

mod rows;
mod transaction;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::model::{
    Notification, NotificationId, NotificationRecord, NotificationStatus, OrderId, Timestamp,
};
use stockpulse_core::port::{NotificationLog, Page};

use crate::context::Context;
use crate::database::{Access, Database};
use crate::store::SqlStore;

#[async_trait]
impl<D: Database> NotificationLog for SqlStore<D> {
    async fn begin(&self, batch: &[Notification], now: Timestamp) -> Result<Vec<bool>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let batch = Arc::new(batch.to_vec());
        let begun = self.shared.transact("notifications.begin", Access::Write, move |session| {
            let batch = Arc::clone(&batch);
            Box::pin(async move { transaction::begin(session, &batch, now).await })
        });
        begun.await
    }

    async fn finish(&self, batch: &[(NotificationId, NotificationStatus)], now: Timestamp) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let batch = Arc::new(batch.to_vec());
        let finished = self.shared.transact("notifications.finish", Access::Write, move |session| {
            let batch = Arc::clone(&batch);
            Box::pin(async move { transaction::finish(session, &batch, now).await })
        });
        if finished.await? {
            self.shared.wake(Context::Notifications);
        }
        Ok(())
    }

    async fn about(
        &self,
        order: OrderId,
        after: Option<NotificationId>,
        limit: NonZeroUsize,
    ) -> Result<Page<NotificationRecord, NotificationId>> {
        let found = self.shared.transact("notifications.about", Access::Snapshot, move |session| {
            Box::pin(async move { transaction::about(session, order, after, limit.get()).await })
        });
        found.await
    }
}
