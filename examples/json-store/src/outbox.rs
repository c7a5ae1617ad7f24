//! The outbox of a store, in the same file.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stockpulse_core::model::{Event, Timestamp};
use stockpulse_core::port::{
    Claim, Failed, Lease, OUTBOX_SHARDS, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined, outbox_shard,
};
use stockpulse_core::{Error, ErrorKind, Result, Retry};

use crate::document::Tables;
use crate::file::JsonFile;
use crate::table::{Row, Table};

/// An event that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventRow {
    id: OutboxId,
    event: Event,
    attempts: u32,
    retry_at: Option<Timestamp>,
    /// Why it was set aside, if it was.
    set_aside: Option<String>,
}

impl Row for EventRow {
    type Key = OutboxId;

    fn key(&self) -> OutboxId {
        self.id
    }
}

impl EventRow {
    fn read(&self) -> OutboxRow {
        OutboxRow { id: self.id, event: self.event.clone(), attempts: self.attempts }
    }
}

/// Who publishes the events of a shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardRow {
    shard: u16,
    epoch: u64,
    /// Nobody, once it was given back.
    worker: Option<String>,
    until: Timestamp,
}

impl Row for ShardRow {
    type Key = u16;

    fn key(&self) -> u16 {
        self.shard
    }
}

/// What the file holds of an outbox.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboxTables {
    /// The last id that was given: none is given twice, though rows go.
    last_row: OutboxId,
    rows: Table<EventRow>,
    shards: Table<ShardRow>,
}

impl OutboxTables {
    pub(crate) fn last_row(&self) -> OutboxId {
        self.last_row
    }

    pub(crate) fn append(&mut self, event: Event) {
        self.last_row += 1;
        self.rows.put(EventRow { id: self.last_row, event, attempts: 0, retry_at: None, set_aside: None });
    }

    fn claim(&mut self, worker: &str, until: Timestamp, limit: NonZeroUsize, now: Timestamp) -> Claim {
        let mut mine = Vec::new();
        for shard in 0..OUTBOX_SHARDS {
            let free = ShardRow { shard, epoch: 0, worker: None, until: now };
            let mut row = self.shards.get(&shard).cloned().unwrap_or(free);
            match &row.worker {
                Some(holder) if holder == worker => {}
                Some(_) if row.until > now => continue,
                _ => row.epoch += 1,
            }
            row.worker = Some(worker.to_owned());
            row.until = until;
            mine.push((shard, row.epoch));
            self.shards.put(row);
        }
        let lease = Lease { worker: worker.into(), shards: mine };
        let rows = self.ready(&lease, limit, now);
        Claim { lease, rows }
    }

    /// The rows of a lease's shards that may be published.
    fn ready(&self, lease: &Lease, limit: NonZeroUsize, now: Timestamp) -> Vec<OutboxRow> {
        let mut held_up = BTreeSet::new();
        let mut ready = Vec::new();
        for row in self.rows.rows() {
            let shard = outbox_shard(&row.event);
            if !lease.shards.iter().any(|(leased, _)| *leased == shard) {
                continue;
            }
            let key = row.event.key();
            if row.set_aside.is_some() || row.retry_at.is_some_and(|at| at > now) {
                held_up.insert(key);
            } else if !held_up.contains(&key) {
                ready.push(row.read());
                if ready.len() == limit.get() {
                    break;
                }
            }
        }
        ready
    }

    /// Whether the lease is still good for all of these rows that exist.
    fn check(&self, lease: &Lease, rows: impl Iterator<Item = OutboxId>) -> Result<()> {
        for row in rows.filter_map(|id| self.rows.get(&id)) {
            let shard = outbox_shard(&row.event);
            if !self.shards.get(&shard).is_some_and(|held| lease.shards.contains(&(shard, held.epoch))) {
                let message = format!("the lease of {:?} on shard {shard} has passed on", lease.worker);
                return Err(Error::new(ErrorKind::Contention, message).with_retry(Retry::Never));
            }
        }
        Ok(())
    }

    fn surrender(&mut self, lease: &Lease) {
        for (shard, epoch) in &lease.shards {
            if let Some(row) = self.shards.get_mut(shard).filter(|row| row.epoch == *epoch) {
                row.worker = None;
            }
        }
    }

    /// Those of the rows that were set aside, each once.
    fn set_aside_of(&self, rows: &[OutboxId]) -> BTreeSet<OutboxId> {
        let is_aside = |id: &OutboxId| self.rows.get(id).is_some_and(|row| row.set_aside.is_some());
        rows.iter().copied().filter(is_aside).collect()
    }

    fn stats(&self) -> OutboxStats {
        let mut stats = OutboxStats::default();
        for row in self.rows.rows() {
            if row.set_aside.is_some() {
                stats.quarantined += 1;
            } else {
                stats.pending += 1;
                stats.oldest = Some(stats.oldest.map_or(row.event.at, |oldest| oldest.min(row.event.at)));
            }
        }
        stats
    }
}

/// The outbox of the store whose file it is.
#[derive(Debug, Clone)]
pub(crate) struct JsonOutbox<T>(pub(crate) JsonFile<T>);

#[async_trait]
impl<T: Tables> Outbox for JsonOutbox<T> {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let worker = worker.to_owned();
        let clock = self.0.clock();
        let claim = move |outbox: &mut OutboxTables| {
            // Asked under the lock: a claim that waited must not give a lease that has ended.
            let now = clock.now();
            outbox.claim(&worker, now.plus(lease), limit, now)
        };
        self.0.change("outbox.claim", move |document| Ok(claim(&mut document.outbox))).await
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        let (lease, rows) = (lease.clone(), rows.to_vec());
        let settle = move |outbox: &mut OutboxTables| {
            outbox.check(&lease, rows.iter().copied())?;
            for id in &rows {
                outbox.rows.remove(id);
            }
            Ok(())
        };
        self.0.change("outbox.settle", move |document| settle(&mut document.outbox)).await
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        let (lease, rows) = (lease.clone(), rows.to_vec());
        let release = move |outbox: &mut OutboxTables| {
            outbox.check(&lease, rows.iter().map(|failed| failed.id))?;
            for failed in &rows {
                if let Some(row) = outbox.rows.get_mut(&failed.id) {
                    row.attempts = row.attempts.saturating_add(1);
                    row.retry_at = Some(failed.retry_at);
                }
            }
            Ok(())
        };
        self.0.change("outbox.release", move |document| release(&mut document.outbox)).await
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        let (lease, rows) = (lease.clone(), rows.to_vec());
        let quarantine = move |outbox: &mut OutboxTables| {
            outbox.check(&lease, rows.iter().map(|bad| bad.id))?;
            for bad in rows {
                if let Some(row) = outbox.rows.get_mut(&bad.id) {
                    row.set_aside = Some(bad.reason);
                }
            }
            Ok(())
        };
        self.0.change("outbox.quarantine", move |document| quarantine(&mut document.outbox)).await
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        let surrender = move |outbox: &mut OutboxTables| {
            outbox.surrender(&lease);
            Ok(())
        };
        self.0.change("outbox.surrender", move |document| surrender(&mut document.outbox)).await
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        let document = self.0.read();
        let aside = document.outbox.rows.rows().filter_map(|row| Some((row.read(), row.set_aside.clone()?)));
        Ok(aside.take(limit.get()).collect())
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        let rows = rows.to_vec();
        let requeue = move |outbox: &mut OutboxTables| {
            let aside = outbox.set_aside_of(&rows);
            for row in aside.iter().filter_map(|id| outbox.rows.get(id).cloned()).collect::<Vec<_>>() {
                outbox.rows.put(EventRow { attempts: 0, retry_at: None, set_aside: None, ..row });
            }
            aside.len()
        };
        self.0.change("outbox.requeue", move |document| Ok(requeue(&mut document.outbox))).await
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        let rows = rows.to_vec();
        let discard = move |outbox: &mut OutboxTables| {
            let aside = outbox.set_aside_of(&rows);
            for id in &aside {
                outbox.rows.remove(id);
            }
            aside.len()
        };
        self.0.change("outbox.discard", move |document| Ok(discard(&mut document.outbox))).await
    }

    async fn stats(&self) -> Result<OutboxStats> {
        Ok(self.0.read().outbox.stats())
    }

    async fn appended(&self) {
        self.0.appended().await;
    }
}
