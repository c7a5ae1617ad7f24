//! The outbox of the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::MutexGuard;
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::{
    Claim, Clock, Failed, Lease, OUTBOX_SHARDS, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined, outbox_shard,
};
use stockpulse_core::{Error, ErrorKind, Result, Retry, SystemClock};

use super::Tables;
use super::store::Database;

/// What the relay left: of rows, and of leases.
#[derive(Debug, Default)]
pub(crate) struct Relayed {
    rows: BTreeMap<OutboxId, State>,
    leases: BTreeMap<u16, (String, u64, Timestamp)>,
}

#[derive(Clone, Debug, Default)]
struct State {
    attempts: u32,
    retry_at: Timestamp,
    aside: Option<String>,
}

#[derive(Debug)]
pub(crate) struct TableOutbox(pub(crate) Database);

impl TableOutbox {
    fn lock(&self) -> (MutexGuard<'_, Tables>, MutexGuard<'_, Relayed>) {
        (self.0.tables.lock().unwrap(), self.0.relayed.lock().unwrap())
    }
}

impl Relayed {
    fn row(&self, tables: &Tables, id: OutboxId) -> Option<OutboxRow> {
        let event = tables.outbox.get(&id)?.clone();
        Some(OutboxRow { id, event, attempts: self.rows.get(&id).map_or(0, |state| state.attempts) })
    }

    fn aside(&self, id: OutboxId) -> Option<&String> {
        self.rows.get(&id).and_then(|state| state.aside.as_ref())
    }

    /// The rows among these that exist, if the lease holds the shards of all of them.
    fn leased(&self, tables: &Tables, lease: &Lease, ids: &[OutboxId]) -> Result<Vec<OutboxId>> {
        let exist: Vec<_> = ids.iter().copied().filter(|id| tables.outbox.contains_key(id)).collect();
        let current = |id| {
            let shard = tables.outbox.get(id).map(outbox_shard)?;
            let (_, epoch, _) = self.leases.get(&shard)?;
            lease.shards.contains(&(shard, *epoch)).then_some(())
        };
        match exist.iter().all(|id| current(id).is_some()) {
            true => Ok(exist),
            false => Err(Error::new(ErrorKind::Contention, "leased to somebody else").with_retry(Retry::Never)),
        }
    }
}

#[async_trait]
impl Outbox for TableOutbox {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let now = SystemClock.now();
        let (tables, mut relayed) = self.lock();
        let mut shards = Vec::new();
        for shard in 0..OUTBOX_SHARDS {
            let (holder, epoch, until) = relayed.leases.entry(shard).or_default();
            if holder != worker {
                if *until > now {
                    continue;
                }
                worker.clone_into(holder);
                *epoch += 1;
            }
            *until = now.plus(lease);
            shards.push((shard, *epoch));
        }
        let mut blocked = BTreeSet::new();
        let mut rows = Vec::new();
        for (id, event) in &tables.outbox {
            let state = relayed.rows.get(id).cloned().unwrap_or_default();
            if state.aside.is_some() || state.retry_at > now {
                blocked.insert(event.key());
            }
            let held = shards.iter().any(|(shard, _)| *shard == outbox_shard(event));
            if held && rows.len() < limit.get() && !blocked.contains(&event.key()) {
                rows.push(OutboxRow { id: *id, event: event.clone(), attempts: state.attempts });
            }
        }
        Ok(Claim { lease: Lease { worker: worker.into(), shards }, rows })
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        let (mut tables, mut relayed) = self.lock();
        for id in relayed.leased(&tables, lease, rows)? {
            tables.outbox.remove(&id);
            relayed.rows.remove(&id);
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        let (tables, mut relayed) = self.lock();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let exist = relayed.leased(&tables, lease, &ids)?;
        for row in rows.iter().filter(|row| exist.contains(&row.id)) {
            let state = relayed.rows.entry(row.id).or_default();
            state.attempts += 1;
            state.retry_at = row.retry_at;
        }
        Ok(())
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        let (tables, mut relayed) = self.lock();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let exist = relayed.leased(&tables, lease, &ids)?;
        for row in rows.iter().filter(|row| exist.contains(&row.id)) {
            relayed.rows.entry(row.id).or_default().aside = Some(row.reason.clone());
        }
        Ok(())
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        let mut relayed = self.0.relayed.lock().unwrap();
        for (shard, epoch) in &lease.shards {
            if let Some((holder, _, until)) = relayed.leases.get_mut(shard).filter(|(_, current, _)| current == epoch) {
                holder.clear();
                *until = Timestamp::default();
            }
        }
        Ok(())
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        let (tables, relayed) = self.lock();
        let aside = tables.outbox.keys().filter_map(|id| Some((*id, relayed.aside(*id)?.clone())));
        Ok(aside.filter_map(|(id, reason)| Some((relayed.row(&tables, id)?, reason))).take(limit.get()).collect())
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        let mut relayed = self.0.relayed.lock().unwrap();
        let before = relayed.rows.len();
        relayed.rows.retain(|id, state| state.aside.is_none() || !rows.contains(id));
        Ok(before - relayed.rows.len())
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        let (mut tables, relayed) = self.lock();
        let before = tables.outbox.len();
        tables.outbox.retain(|id, _| relayed.aside(*id).is_none() || !rows.contains(id));
        Ok(before - tables.outbox.len())
    }

    async fn stats(&self) -> Result<OutboxStats> {
        let (tables, relayed) = self.lock();
        let mut stats = OutboxStats::default();
        for (id, event) in &tables.outbox {
            if relayed.aside(*id).is_some() {
                stats.quarantined += 1;
            } else {
                stats.pending += 1;
                stats.oldest = Some(stats.oldest.map_or(event.at, |oldest| oldest.min(event.at)));
            }
        }
        Ok(stats)
    }

    async fn appended(&self) {
        std::future::pending::<()>().await;
    }
}
