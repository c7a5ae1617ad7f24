//! The bus on Redis Streams: partitions with leases, consumer groups, dead letters.

mod cursor;
mod dead_letters;
mod fetch;
mod keys;
mod member;
mod options;
mod publish;
mod reader;
mod script;
mod settle;
mod share;
mod shared;
mod subscription;
mod trim;
mod watch;
mod wire;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Published, Publisher, SubscribeOptions, Subscriber, Subscription};

pub use self::dead_letters::{DeadLetter, DeadLetterId};
pub use self::options::StreamsOptions;
use self::shared::Shared;
use self::subscription::StreamsSubscription;
use crate::RedisConnection;

/// A bus on Redis Streams, for those who run Redis anyway and no Kafka. Redis 6.2 or newer, or Valkey.
///
/// It is as durable as Redis is: with `appendonly yes` and `appendfsync everysec` a killed server loses nothing of what was
/// acknowledged, a crash of its machine up to a second; with `appendfsync always` that loses nothing either. A failover loses
/// what the replica had not got. `maxmemory-policy` has to be `noeviction`.
///
/// - Each topic has partitions, a stream each, and an event goes to the partition of its `partition_key`. All keys of a
///   partition share a hash tag, so a cluster spreads the partitions over its nodes. There a member looks for events every
///   [`StreamsOptions::poll`]; elsewhere it hears of them at once.
/// - An event is refused if its type is unknown, if its document is larger than [`StreamsOptions::max_event_bytes`], or one
///   of its attributes longer than 1,024 bytes. One that was published within [`StreamsOptions::remember`] is acknowledged
///   and not appended again.
/// - The members of a group share the partitions evenly, each under a lease by Redis's clock. When one joins, leaves or
///   falls silent, few partitions move, and who gets one claims what is pending there. What a member says about a partition
///   that was taken from it changes nothing.
/// - What is acknowledged is written at once, event by event: what lies behind a gap does not come again.
/// - All living members of a group subscribe to the same event types; another is refused with `Config`.
/// - An event is dropped when it is older than [`StreamsOptions::retention`] and every group has acknowledged it; members
///   see to that. A group without members for as long as [`StreamsOptions::abandoned`] does not count any more.
///
/// Clones share one connection: when one is closed, all are, and so are its subscriptions.
#[derive(Clone, Debug)]
pub struct RedisStreamsBus {
    shared: Arc<Shared>,
}

impl RedisStreamsBus {
    /// A bus over a connection, which may serve others as well. Each subscription makes one more, to wait on.
    ///
    /// # Errors
    /// `Config` for a prefix or the name of a topic with a brace, of which hash tags are made.
    pub fn new(connection: RedisConnection, options: StreamsOptions) -> Result<Self> {
        keys::check(connection.options(), &options.topics)?;
        Ok(Self { shared: Arc::new(Shared::new(connection, options)) })
    }

    /// Makes the bus, unless there is one: from then on it has so many partitions. Whoever publishes or subscribes first does
    /// it as well. Answers whether there was none.
    ///
    /// # Errors
    /// What Redis reports.
    ///
    /// # Cancel safety
    /// A dropped future leaves open whether it happened.
    pub async fn create(&self) -> Result<bool> {
        self.shared.create().await.map_err(|error| error.during("bus.create"))
    }

    /// What a group put aside, oldest first, at most so many.
    ///
    /// # Errors
    /// What Redis reports.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn dead_letters(&self, group: &str, limit: NonZeroUsize) -> Result<Vec<DeadLetter>> {
        self.shared.dead_letters(group, limit).await.map_err(|error| error.during("bus.dead_letters"))
    }

    /// Delivers dead letters again, each to the group that put it aside and to no other, after everything that waits in its
    /// partition. They are dead letters no more. Answers how many there were; those that do not exist are passed over.
    ///
    /// # Errors
    /// What Redis reports; those before the one that failed were replayed.
    ///
    /// # Cancel safety
    /// A dropped future leaves open which were replayed; each was wholly or not at all.
    pub async fn replay(&self, ids: &[DeadLetterId]) -> Result<usize> {
        self.shared.replay(ids).await.map_err(|error| error.during("bus.replay"))
    }

    /// Drops dead letters. Answers how many there were; those that do not exist are passed over.
    ///
    /// # Errors
    /// What Redis reports; those before the one that failed were dropped.
    ///
    /// # Cancel safety
    /// A dropped future leaves open which were dropped.
    pub async fn discard(&self, ids: &[DeadLetterId]) -> Result<usize> {
        self.shared.discard(ids).await.map_err(|error| error.during("bus.discard"))
    }

    /// Drops the events that are older than [`StreamsOptions::retention`] and that every group is done with. Members do it
    /// for the partitions that they read, every [`StreamsOptions::trim`]; a bus without any needs to be asked. Redis drops
    /// whole blocks of entries, and so keeps up to a hundred more in a partition. Answers how many were dropped.
    ///
    /// # Errors
    /// What Redis reports; what was dropped until then stays dropped.
    ///
    /// # Cancel safety
    /// A dropped future may have dropped a part.
    pub async fn trim(&self) -> Result<u64> {
        let trim = async { self.shared.trim(&self.shared.partitions_of(&self.shared.topics()).await?).await };
        trim.await.map_err(|error| error.during("bus.trim"))
    }

    /// Forgets a group that has no members: its places and its dead letters. One of that name begins anew. Answers whether
    /// it was known.
    ///
    /// # Errors
    /// `InvalidInput` if it has members; otherwise what Redis reports.
    ///
    /// # Cancel safety
    /// A dropped future may have forgotten it in some partitions; asking again does the rest.
    pub async fn forget(&self, group: &str) -> Result<bool> {
        self.shared.forget(group).await.map_err(|error| error.during("bus.forget"))
    }
}

#[async_trait]
impl Publisher for RedisStreamsBus {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.shared.publish(batch).await.map_err(|error| error.during("bus.publish"))
    }

    async fn close(&self) -> Result<()> {
        self.shared.closed.cancel();
        // What was under way has ended once nobody reads this.
        drop(self.shared.publishing.write().await);
        Ok(())
    }
}

#[async_trait]
impl Subscriber for RedisStreamsBus {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        let joined = StreamsSubscription::join(Arc::clone(&self.shared), options).await;
        Ok(Box::new(joined.map_err(|error| error.during("bus.subscribe"))?))
    }
}
