//! The outboxes, as their relays see them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::super::bug::Bug;
use super::super::check;
use super::super::node::Node;
use super::super::world::Place;
use crate::error::Result;
use crate::port::{Claim, Failed, Lease, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined};

#[derive(Debug)]
pub(in crate::sim) struct NodeOutbox {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) place: Place,
    /// The CloudEvents source of its relay.
    pub(in crate::sim) source: &'static str,
    pub(in crate::sim) inner: Arc<dyn Outbox>,
}

#[async_trait]
impl Outbox for NodeOutbox {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let world = self.node.world();
        let claim = async {
            let mut claim = self.inner.claim(worker, lease, limit).await?;
            check::events::claimed(world, self.source, &claim.rows);
            if world.has(Bug::SettleBeforePublish) {
                let rows: Vec<OutboxId> = claim.rows.iter().map(|row| row.id).collect();
                self.inner.settle(&claim.lease, &rows).await?;
            }
            if world.has(Bug::ReorderOutbox) {
                claim.rows.reverse();
            }
            let (rows, shards) = (claim.rows.len(), claim.lease.shards.len());
            world.say(format_args!("{} claims {rows} rows of {shards} shards of {}", worker, self.source));
            Ok(claim)
        };
        self.node.call(self.place, "outbox.claim", claim).await
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        self.node.call(self.place, "outbox.settle", self.inner.settle(lease, rows)).await
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        self.node.call(self.place, "outbox.release", self.inner.release(lease, rows)).await
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        self.node.call(self.place, "outbox.quarantine", self.inner.quarantine(lease, rows)).await
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        self.node.call(self.place, "outbox.surrender", self.inner.surrender(lease)).await
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        self.node.call(self.place, "outbox.quarantined", self.inner.quarantined(limit)).await
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        self.node.call(self.place, "outbox.requeue", self.inner.requeue(rows)).await
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        self.node.call(self.place, "outbox.discard", self.inner.discard(rows)).await
    }

    async fn stats(&self) -> Result<OutboxStats> {
        self.node.call(self.place, "outbox.stats", self.inner.stats()).await
    }

    async fn appended(&self) {
        self.inner.appended().await;
        self.node.pass().await;
    }
}
