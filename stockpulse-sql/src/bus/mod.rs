//! The bus in a database: a log with partitions, consumer groups with leases, dead letters.

mod append;
mod cursor;
mod dead_letters;
mod fetch;
mod groups;
mod heartbeat;
mod options;
mod prune;
mod publish;
mod reader;
mod settle;
mod share;
mod subscription;
mod tables;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::model::{Envelope, Timestamp};
use stockpulse_core::port::{Published, Publisher, SubscribeOptions, Subscriber, Subscription};
use tokio::sync::Notify;

pub use self::dead_letters::{DeadLetter, DeadLetterId};
pub use self::options::BusOptions;
use self::publish::Connection;
use self::subscription::SqlSubscription;
use crate::database::{Access, Database};
use crate::store::Shared;

/// A durable bus in the database of a store, for deployments without a broker. It needs the tables of
/// [`Context::Bus`](crate::Context::Bus).
///
/// - There is one log, cut into partitions. An event goes to the partition of its `partition_key`. What is published at
///   the same time is appended in one transaction, which holds its partitions until it commits: offsets become visible
///   in their order, and no reader passes over an event that commits late.
/// - An event is refused if its document is larger than [`BusOptions::max_event_bytes`], or one of its attributes longer
///   than 1,024 bytes.
/// - The members of a group share the partitions evenly, each under a lease by the database's clock. When one joins,
///   leaves or falls silent, few partitions move, and those that move start over from the group's place. What a member
///   says about a partition that was taken from it changes nothing.
/// - What is acknowledged is written at once, up to the first event that is not done. What was acknowledged beyond that
///   one comes again if its partition moves.
/// - All living members of a group subscribe to the same event types; another is refused with `Config`.
/// - Events are kept until [`SqlBus::prune`] deletes them.
///
/// Clones share one connection: when one is closed, all are, and so are its subscriptions.
/// [`SqlStore::bus`](crate::SqlStore::bus) makes another.
#[derive(Clone, Debug)]
pub struct SqlBus<D: Database> {
    connection: Arc<Connection<D>>,
}

impl<D: Database> SqlBus<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>, changed: Arc<Notify>, options: BusOptions) -> Self {
        Self { connection: Arc::new(Connection::new(shared, changed, options)) }
    }

    /// What groups put aside, oldest first, at most so many.
    ///
    /// # Errors
    /// What the database reports.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn dead_letters(&self, limit: NonZeroUsize) -> Result<Vec<DeadLetter>> {
        let limit = i64::try_from(limit.get()).unwrap_or(i64::MAX);
        let listed = self.connection.shared.transact("bus.dead_letters", Access::Read, move |session| {
            Box::pin(async move { dead_letters::list(session, limit).await })
        });
        listed.await
    }

    /// Delivers dead letters again, each to the group that put it aside and to no other, after everything that waits.
    /// They are dead letters no more. Answers how many there were; those that do not exist are passed over.
    ///
    /// # Errors
    /// What the database reports; then nothing has changed, unless it is `Indeterminate`.
    ///
    /// # Cancel safety
    /// A dropped future leaves open whether it happened; it happens wholly or not at all.
    pub async fn replay(&self, ids: &[DeadLetterId]) -> Result<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        let partitions = self.connection.partitions().await?;
        let ids: Arc<[DeadLetterId]> = ids.into();
        let replayed = self.connection.shared.transact("bus.replay", Access::Write, move |session| {
            let ids = Arc::clone(&ids);
            Box::pin(async move { dead_letters::replay(session, &ids, partitions).await })
        });
        let replayed = replayed.await?;
        self.connection.changed.notify_waiters();
        Ok(replayed)
    }

    /// Forgets dead letters. Answers how many there were; those that do not exist are passed over.
    ///
    /// # Errors
    /// What the database reports; then nothing has changed, unless it is `Indeterminate`.
    ///
    /// # Cancel safety
    /// A dropped future leaves open whether it happened; it happens wholly or not at all.
    pub async fn discard(&self, ids: &[DeadLetterId]) -> Result<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        let ids: Arc<[DeadLetterId]> = ids.into();
        let discarded = self.connection.shared.transact("bus.discard", Access::Write, move |session| {
            let ids = Arc::clone(&ids);
            Box::pin(async move { dead_letters::discard(session, &ids).await })
        });
        discarded.await
    }

    /// Deletes events that happened before a time, from the oldest on, up to the first of each partition that is younger
    /// or that a group has not passed. A new group begins behind what was deleted. A group that is not used any more
    /// keeps all that follows: [`SqlBus::forget`] it. Answers how many were deleted, a thousand to a transaction.
    ///
    /// # Errors
    /// What the database reports; what was deleted until then stays deleted.
    ///
    /// # Cancel safety
    /// A dropped future may have deleted a part.
    pub async fn prune(&self, before: Timestamp) -> Result<u64> {
        let mut pruned = 0;
        for partition in 0..self.connection.partitions().await? {
            let mut more = true;
            while more {
                let deleted = self.connection.shared.transact("bus.prune", Access::Write, move |session| {
                    Box::pin(async move { prune::prune(session, partition, before).await })
                });
                let (deleted, again) = deleted.await?;
                pruned += deleted;
                more = again;
            }
        }
        Ok(pruned)
    }

    /// Forgets a group that has no members: its places and its dead letters. One of that name begins anew. Answers
    /// whether it was known.
    ///
    /// # Errors
    /// `InvalidInput` if it has members; otherwise what the database reports.
    ///
    /// # Cancel safety
    /// A dropped future leaves open whether it happened; it happens wholly or not at all.
    pub async fn forget(&self, group: &str) -> Result<bool> {
        let group = group.to_owned();
        let forgotten = self.connection.shared.transact("bus.forget", Access::Write, move |session| {
            let group = group.clone();
            Box::pin(async move { prune::forget(session, &group).await })
        });
        forgotten.await
    }
}

#[async_trait]
impl<D: Database> Publisher for SqlBus<D> {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.connection.publish(batch).await.map_err(|error| error.during("bus.publish"))
    }

    async fn close(&self) -> Result<()> {
        self.connection.close().await;
        Ok(())
    }
}

#[async_trait]
impl<D: Database> Subscriber for SqlBus<D> {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        let joined = SqlSubscription::join(Arc::clone(&self.connection), options).await;
        Ok(Box::new(joined.map_err(|error| error.during("bus.subscribe"))?))
    }
}
