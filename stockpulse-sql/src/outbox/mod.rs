//! The outboxes: events that were committed and wait to be published.

mod claim;
mod pack;
mod settle;
mod tables;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::{Claim, Failed, Lease, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined};
use tokio::sync::Notify;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::pack::pack_rows;
pub(crate) use self::pack::{Pack, append, pack};
pub(crate) use self::tables::{CUSTOMERS, NOTIFICATIONS, ORDERS, OutboxTables, PRODUCTS, STOCK};
use crate::database::{Access, Database};
use crate::store::Shared;

/// The outbox of one context of a store. Clones share it.
#[derive(Clone, Debug)]
pub struct SqlOutbox<D: Database> {
    shared: Arc<Shared<D>>,
    tables: &'static OutboxTables,
    appended: Arc<Notify>,
}

impl<D: Database> SqlOutbox<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>, tables: &'static OutboxTables, appended: Arc<Notify>) -> Self {
        Self { shared, tables, appended }
    }
}

#[async_trait]
impl<D: Database> Outbox for SqlOutbox<D> {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let (tables, worker) = (self.tables, worker.to_owned());
        let claim = self.shared.transact("outbox.claim", Access::Write, move |session| {
            let worker = worker.clone();
            Box::pin(async move { claim::claim(session, tables, &worker, lease, limit.get()).await })
        });
        claim.await
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        let (tables, lease, rows) = (self.tables, lease.clone(), rows.to_vec());
        // Forgotten, it is published once more.
        let settled = self.shared.transact("outbox.settle", Access::Relaxed, move |session| {
            let (lease, rows) = (lease.clone(), rows.clone());
            Box::pin(async move { settle::settle(session, tables, &lease, &rows).await })
        });
        settled.await
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        let moved: Vec<_> = rows.iter().map(|row| (row.id, Some(row.retry_at), None)).collect();
        self.set_aside("outbox.release", lease, moved).await
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        let moved: Vec<_> = rows.iter().map(|row| (row.id, None, Some(row.reason.clone()))).collect();
        self.set_aside("outbox.quarantine", lease, moved).await
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        let (tables, lease) = (self.tables, lease.clone());
        let surrendered = self.shared.transact("outbox.surrender", Access::Write, move |session| {
            let lease = lease.clone();
            Box::pin(async move { claim::surrender(session, tables, &lease).await })
        });
        surrendered.await
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        let tables = self.tables;
        let listed = self.shared.transact("outbox.quarantined", Access::Read, move |session| {
            Box::pin(async move { settle::quarantined(session, tables, limit.get()).await })
        });
        listed.await
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        let (tables, rows) = (self.tables, rows.to_vec());
        let requeued = self.shared.transact("outbox.requeue", Access::Write, move |session| {
            let rows = rows.clone();
            Box::pin(async move { settle::requeue(session, tables, &rows).await })
        });
        let requeued = requeued.await?;
        self.appended.notify_one();
        Ok(requeued)
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        let (tables, rows) = (self.tables, rows.to_vec());
        let discarded = self.shared.transact("outbox.discard", Access::Write, move |session| {
            let rows = rows.clone();
            Box::pin(async move { settle::discard(session, tables, &rows).await })
        });
        let discarded = discarded.await?;
        self.appended.notify_one();
        Ok(discarded)
    }

    async fn stats(&self) -> Result<OutboxStats> {
        let tables = self.tables;
        let stats = self.shared.transact("outbox.stats", Access::Snapshot, move |session| {
            Box::pin(async move { claim::stats(session, tables).await })
        });
        stats.await
    }

    async fn appended(&self) {
        self.appended.notified().await;
    }
}

/// An event to be taken out of its pack: until when, or why for good.
type Moved = (OutboxId, Option<Timestamp>, Option<String>);

impl<D: Database> SqlOutbox<D> {
    async fn set_aside(&self, operation: &'static str, lease: &Lease, moved: Vec<Moved>) -> Result<()> {
        let (tables, lease) = (self.tables, lease.clone());
        let set_aside = self.shared.transact(operation, Access::Write, move |session| {
            let (lease, moved) = (lease.clone(), moved.clone());
            Box::pin(async move { settle::set_aside(session, tables, &lease, &moved).await })
        });
        set_aside.await
    }
}
