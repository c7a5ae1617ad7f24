//! The reference outbox.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use compact_str::CompactString;
use tokio::sync::Notify;

use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{Event, EventKey, Timestamp};
use crate::port::{
    Claim, Clock, Failed, Lease, OUTBOX_SHARDS, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined, outbox_shard,
};

/// An outbox in memory. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryOutbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    appended: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Boxed: rows are large, and a tree that moves them around is slow and half empty.
    rows: BTreeMap<OutboxId, Box<Row>>,
    next: OutboxId,
    shards: Vec<Shard>,
    settled: u64,
}

#[derive(Debug)]
struct Row {
    event: Event,
    key: EventKey,
    shard: u16,
    attempts: u32,
    retry_at: Timestamp,
    quarantine: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    worker: CompactString,
    epoch: u64,
    until: Timestamp,
}

impl MemoryOutbox {
    /// An empty outbox whose leases end by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let shards = vec![Shard::default(); usize::from(OUTBOX_SHARDS)];
        let state = State { rows: BTreeMap::new(), next: 1, shards, settled: 0 };
        Self { shared: Arc::new(Shared { clock, appended: Notify::new(), state: Mutex::new(state) }) }
    }

    /// How many events were published and settled since it was made.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.lock().settled
    }

    /// The events that wait, in order, the quarantined included.
    #[must_use]
    pub fn pending(&self) -> Vec<Event> {
        self.lock().rows.values().map(|row| row.event.clone()).collect()
    }

    /// Appends events; the store that decided them calls it before it lets go of its own lock.
    pub(crate) fn append(&self, events: impl ExactSizeIterator<Item = Event>) {
        if events.len() == 0 {
            return;
        }
        let mut state = self.lock();
        for event in events {
            let (key, shard) = (event.key(), outbox_shard(&event));
            let row = Row { event, key, shard, attempts: 0, retry_at: Timestamp::default(), quarantine: None };
            let id = state.next;
            state.next += 1;
            state.rows.insert(id, Box::new(row));
        }
        drop(state);
        self.shared.appended.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Fails unless the lease still holds the shard of every row that exists.
    fn check(&self, lease: &Lease, mut rows: impl Iterator<Item = OutboxId>) -> Result<()> {
        let stale = rows.find_map(|id| {
            let shard = self.rows.get(&id)?.shard;
            let held = lease.shards.iter().find(|(held, _)| *held == shard).map(|(_, epoch)| *epoch);
            let current = self.shards.get(usize::from(shard)).map(|shard| shard.epoch);
            (held.is_none() || held != current).then_some(shard)
        });
        match stale {
            None => Ok(()),
            Some(shard) => {
                let message = format!("shard {shard} is leased to somebody else");
                // What was lost does not come back by asking again.
                Err(Error::new(ErrorKind::Contention, message).with_retry(Retry::Never).during("outbox"))
            }
        }
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let now = self.shared.clock.now();
        let mut state = self.lock();
        let mut held = Vec::new();
        for (index, shard) in (0..OUTBOX_SHARDS).zip(state.shards.iter_mut()) {
            if shard.worker != worker {
                if shard.until > now {
                    continue;
                }
                shard.worker = worker.into();
                shard.epoch += 1;
            }
            shard.until = now.plus(lease);
            held.push((index, shard.epoch));
        }
        let mut blocked: HashSet<&EventKey> = HashSet::new();
        let mut rows = Vec::new();
        for (id, row) in &state.rows {
            if rows.len() >= limit.get() {
                break;
            }
            if !held.iter().any(|(shard, _)| *shard == row.shard) {
                continue;
            }
            if row.quarantine.is_some() || row.retry_at > now {
                blocked.insert(&row.key);
            } else if !blocked.contains(&row.key) {
                rows.push(OutboxRow { id: *id, event: row.event.clone(), attempts: row.attempts });
            }
        }
        Ok(Claim { lease: Lease { worker: worker.into(), shards: held }, rows })
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        let mut state = self.lock();
        state.check(lease, rows.iter().copied())?;
        for id in rows {
            if state.rows.remove(id).is_some() {
                state.settled += 1;
            }
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        let mut state = self.lock();
        state.check(lease, rows.iter().map(|row| row.id))?;
        for failed in rows {
            if let Some(row) = state.rows.get_mut(&failed.id) {
                row.attempts += 1;
                row.retry_at = failed.retry_at;
            }
        }
        Ok(())
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        let mut state = self.lock();
        state.check(lease, rows.iter().map(|row| row.id))?;
        for quarantined in rows {
            if let Some(row) = state.rows.get_mut(&quarantined.id) {
                row.quarantine = Some(quarantined.reason.clone());
            }
        }
        Ok(())
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        let mut state = self.lock();
        for (index, epoch) in &lease.shards {
            if let Some(shard) = state.shards.get_mut(usize::from(*index)).filter(|shard| shard.epoch == *epoch) {
                shard.until = Timestamp::default();
                shard.worker = CompactString::default();
            }
        }
        Ok(())
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        let state = self.lock();
        let aside = state.rows.iter().filter_map(|(id, row)| {
            let reason = row.quarantine.clone()?;
            Some((OutboxRow { id: *id, event: row.event.clone(), attempts: row.attempts }, reason))
        });
        Ok(aside.take(limit.get()).collect())
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        let mut state = self.lock();
        let mut requeued = 0;
        for id in rows {
            if let Some(row) = state.rows.get_mut(id).filter(|row| row.quarantine.is_some()) {
                row.quarantine = None;
                row.attempts = 0;
                row.retry_at = Timestamp::default();
                requeued += 1;
            }
        }
        drop(state);
        self.shared.appended.notify_one();
        Ok(requeued)
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        let mut state = self.lock();
        let before = state.rows.len();
        for id in rows {
            if state.rows.get(id).is_some_and(|row| row.quarantine.is_some()) {
                state.rows.remove(id);
            }
        }
        let discarded = before - state.rows.len();
        drop(state);
        self.shared.appended.notify_one();
        Ok(discarded)
    }

    async fn stats(&self) -> Result<OutboxStats> {
        let state = self.lock();
        let aside = state.rows.values().filter(|row| row.quarantine.is_some()).count() as u64;
        let waiting = state.rows.values().filter(|row| row.quarantine.is_none());
        Ok(OutboxStats {
            pending: state.rows.len() as u64 - aside,
            quarantined: aside,
            oldest: waiting.map(|row| row.event.at).min(),
        })
    }

    async fn appended(&self) {
        self.shared.appended.notified().await;
    }
}
