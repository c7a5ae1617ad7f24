//! Being a member of a group: signs of life, and leases of partitions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use redis::Value;
use stockpulse_core::port::{Clock, IdGenerator, Start};
use stockpulse_core::{Error, ErrorKind, RandomIds, Result, SystemClock};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::keys::{self, Partition};
use super::options::millis;
use super::script::{ACQUIRE, RELEASE, RENEW, STAY, call};
use super::share::share;
use super::shared::Shared;
use super::wire::{int, list, strange, text};

/// How often a member looks for partitions that it should have and others have not given back yet.
const HURRY: Duration = Duration::from_millis(100);

/// A partition that a member may read, until somebody else takes it.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) generation: u64,
    /// The last entry that the group has read.
    pub(super) last: String,
    /// An entry that has to wait.
    pub(super) retry: Option<(String, Instant)>,
}

/// A member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) shared: Arc<Shared>,
    pub(super) group: String,
    pub(super) id: String,
    /// The event types, one to a line.
    types: String,
    /// All partitions of the group's topics; a delivery tag names them by their place here.
    pub(super) partitions: Vec<Partition>,
    held: Mutex<BTreeMap<u32, Lease>>,
    /// Told when other partitions are held than before, or something failed.
    pub(super) changed: Notify,
    failed: Mutex<Option<Error>>,
    left: AtomicBool,
}

impl Member {
    pub(super) fn new(shared: Arc<Shared>, group: String, types: String, partitions: Vec<Partition>) -> Self {
        Self {
            shared,
            group,
            id: RandomIds.next_id(SystemClock.now()).to_string(),
            types,
            partitions,
            held: Mutex::default(),
            changed: Notify::new(),
            failed: Mutex::default(),
            left: AtomicBool::new(false),
        }
    }

    /// Gives a group that is new its place in every partition.
    pub(super) async fn begin(&self, start: Start) -> Result<()> {
        let start = match start {
            Start::Earliest => "0",
            Start::Latest => "$",
        };
        let made = self.partitions.iter().map(|partition| async move {
            let mut create = redis::cmd("XGROUP");
            create.arg("CREATE").arg(&partition.stream).arg(&self.group).arg(start).arg("MKSTREAM");
            match self.shared.connection.query::<Value>(&create).await {
                Err(error) if !error.to_string().contains("BUSYGROUP") => Err(error),
                _ => Ok(()),
            }
        });
        join_all(made).await.into_iter().collect()
    }

    pub(super) fn held(&self) -> MutexGuard<'_, BTreeMap<u32, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A partition turned out to be somebody else's.
    pub(super) fn lose(&self, index: u32, generation: u64) {
        let mut held = self.held();
        if held.get(&index).is_some_and(|lease| lease.generation == generation) {
            held.remove(&index);
            self.changed.notify_one();
        }
    }

    /// Fails once for each time that the member was taken for dead and not let in again.
    pub(super) fn check(&self) -> Result<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    pub(super) fn has_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Shows that it is alive until it has left.
    pub(super) async fn live(self: Arc<Self>) {
        let mut wait = self.shared.options.heartbeat;
        let mut trimmed = Instant::now();
        while !self.has_left() {
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            wait = match self.beat().await {
                Ok(true) => self.shared.options.heartbeat,
                Ok(false) => HURRY.min(self.shared.options.heartbeat),
                Err(error) => {
                    tracing::warn!(%error, group = self.group, "a member of a group could not show that it is alive");
                    if error.kind() == ErrorKind::Config {
                        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        self.changed.notify_one();
                    }
                    self.shared.options.heartbeat
                }
            };
            if trimmed.elapsed() >= self.shared.options.trim {
                trimmed = Instant::now();
                let held: Vec<u32> = self.held().keys().copied().collect();
                let partitions = held.into_iter().filter_map(|index| self.partition(index));
                if let Err(error) = self.shared.trim(partitions).await {
                    tracing::warn!(%error, group = self.group, "what nobody needs could not be dropped");
                }
            }
        }
    }

    pub(super) fn partition(&self, index: u32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(index).ok()?)
    }

    /// Shows that it is alive, and sees to it that it reads its share of the partitions. Answers whether it does.
    pub(super) async fn beat(&self) -> Result<bool> {
        let lease = millis(self.shared.options.lease);
        let options = self.shared.connection.options();
        let stay = call([&keys::group(options, &self.group)], [&self.id, &lease, &self.types]);
        let living = list(self.shared.connection.script::<Value>(&STAY, &stay).await?)?;
        let mut living = living.into_iter().map(text).collect::<Result<Vec<String>>>()?;
        if living.is_empty() {
            let message = format!("group '{}' has members that subscribe to other event types", self.group);
            return Err(Error::new(ErrorKind::Config, message));
        }
        living.sort_unstable();
        let place = living.iter().position(|member| *member == self.id).unwrap_or_default();
        let share = share(self.partitions.len(), place, living.len());
        self.renew(&lease).await?;
        // Given back one by one, and the places of all members are counted the same way: nobody waits for ever.
        while let Some(index) = self.surplus(share) {
            self.release(index).await?;
        }
        // Members look at the partitions in different orders, so that they seldom meet at one.
        let count = self.partitions.len();
        let first = place * count / living.len();
        for index in (first..count).chain(0..first) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let held = self.held().len();
            if held >= share || self.has_left() {
                break;
            }
            if !self.held().contains_key(&index) {
                self.acquire(index, &lease).await?;
            }
        }
        Ok(self.held().len() == share)
    }

    async fn renew(&self, lease: &str) -> Result<()> {
        let held: Vec<(u32, u64)> = self.held().iter().map(|(index, held)| (*index, held.generation)).collect();
        let renewed = held.into_iter().map(|(index, generation)| async move {
            let Some(partition) = self.partition(index) else { return Ok(()) };
            let keys = [partition.lease(&self.group), partition.seen()];
            let renew =
                call(keys.each_ref().map(String::as_str), [&self.group, &self.id, &generation.to_string(), lease]);
            if self.shared.connection.script::<i64>(&RENEW, &renew).await? == 0 {
                self.lose(index, generation);
            }
            Ok(())
        });
        join_all(renewed).await.into_iter().collect()
    }

    /// Takes a partition that is one too many out of those that are held.
    fn surplus(&self, share: usize) -> Option<u32> {
        let mut held = self.held();
        if held.len() <= share {
            return None;
        }
        let (index, _) = held.pop_last()?;
        self.changed.notify_one();
        Some(index)
    }

    async fn release(&self, index: u32) -> Result<()> {
        let Some(partition) = self.partition(index) else { return Ok(()) };
        let release = call([&partition.lease(&self.group)], [&self.id]);
        self.shared.connection.script::<i64>(&RELEASE, &release).await.map(drop)
    }

    async fn acquire(&self, index: u32, lease: &str) -> Result<()> {
        let Some(partition) = self.partition(index) else { return Ok(()) };
        let keys = [partition.stream.clone(), partition.lease(&self.group), partition.seen()];
        let acquire = call(keys.each_ref().map(String::as_str), [&self.group, &self.id, lease]);
        let answer = list(self.shared.connection.script::<Value>(&ACQUIRE, &acquire).await?)?;
        let mut parts = answer.into_iter();
        let Some(generation) = parts.next() else { return Ok(()) };
        let (Some(last), Some(retry), Some(wait)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(strange("a lease"));
        };
        let generation = u64::try_from(int(&generation)?).unwrap_or_default();
        let wait = Duration::from_millis(u64::try_from(int(&wait)?).unwrap_or_default());
        // Counted from the answer on: sooner, and it would be tried again before its time.
        let retry = Some((text(retry)?, Instant::now() + wait)).filter(|_| wait > Duration::ZERO);
        self.held().insert(index, Lease { generation, last: text(last)?, retry });
        self.changed.notify_one();
        Ok(())
    }

    /// Leaves the group, once: gives every partition back that Redis may think it has.
    pub(super) async fn leave(&self) -> Result<()> {
        if self.left.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.held().clear();
        let released = (0_u32..).zip(&self.partitions).map(|(index, _)| self.release(index));
        let released: Result<()> = join_all(released).await.into_iter().collect();
        let mut gone = redis::cmd("HDEL");
        gone.arg(keys::group(self.shared.connection.options(), &self.group)).arg(&self.id);
        let gone = self.shared.connection.query::<Value>(&gone).await.map(drop);
        released.and(gone)
    }
}
