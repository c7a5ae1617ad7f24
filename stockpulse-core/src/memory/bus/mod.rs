//! The bus in memory: topics with partitions, consumer groups, dead letters.

mod assignment;
mod connection;
mod cursor;
mod duplicates;
mod group;
mod log;
mod subscription;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::group::DeadLetter;

use self::connection::Connection;
use self::duplicates::Duplicates;
#[cfg(feature = "sim")]
pub(crate) use self::duplicates::SplitMix64;
use self::subscription::MemorySubscription;
use crate::SystemClock;
use crate::error::Result;
use crate::model::{Envelope, TopicMap};
use crate::port::{Clock, Published, Publisher, SubscribeOptions, Subscriber, Subscription};

/// How many partitions a topic has, unless set.
const PARTITIONS: u32 = 8;
/// The largest document, unless set: what Kafka takes by default.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// A bus in memory, the reference for every other: logs with partitions, consumer groups with committed offsets,
/// rebalances, retries that keep the order, dead letters.
///
/// - A topic is made when it is first published or subscribed to. An event goes to the partition of its
///   `partition_key`, the same that Kafka's Java clients choose.
/// - Logs are kept as long as the bus lives: a new group can read everything, and memory grows with every event.
/// - A group is known from its first subscription on and outlives its members. They share its partitions evenly;
///   when one joins, leaves or is dropped, few of them move, and those that move start over from their committed
///   offset. All members of a group subscribe to the same event types, or `subscribe` answers `Config`.
/// - A member that has `max_in_flight` events in flight receives none until it acknowledges some.
/// - [`Nack::Retry`](crate::port::Nack::Retry) delivers the events behind it again too, except those that were
///   acknowledged, and counts that as a redelivery of each.
///
/// A clone is another connection to the same bus. [`Publisher::close`] closes one connection: it publishes nothing
/// more, and its subscriptions answer `Closed`; other connections and all events stay.
pub struct MemoryBus {
    connection: Arc<Connection>,
}

impl MemoryBus {
    /// An empty bus by the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self { connection: Arc::new(Connection::new(Arc::new(SystemClock), PARTITIONS, MAX_EVENT_BYTES)) }
    }

    /// Sets which topic each event type goes to; [`TopicMap::default`] unless set. For before the first use.
    #[must_use]
    pub fn with_topics(self, topics: TopicMap) -> Self {
        self.connection.lock().topics = topics;
        self
    }

    /// Sets how many partitions a topic has that is made from now on; 8 unless set, 1 at least.
    #[must_use]
    pub fn with_partitions(self, partitions: u32) -> Self {
        self.connection.lock().partitions = partitions.max(1);
        self
    }

    /// Sets how large an event's document may be; 1 MiB unless set. Larger ones are refused.
    #[must_use]
    pub fn with_max_event_bytes(self, bytes: usize) -> Self {
        self.connection.lock().max_event_bytes = bytes;
        self
    }

    /// Sets the clock that delays of retries are measured by.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        self.connection.lock().clock = clock;
        self
    }

    /// Appends events a second time with this probability, as a publisher does that was not told of its success: to
    /// the same partition, behind up to 16 further events, or when a reader has read all others. Which ones depends
    /// on the seed and the event's id alone. [`MemoryBus::published`] does not count the copies.
    #[must_use]
    pub fn with_duplicates(self, probability: f64, seed: u64) -> Self {
        self.connection.lock().duplicates = Some(Duplicates::new(probability, seed));
        self
    }

    /// How many events were acknowledged to their publishers.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.connection.lock().published
    }

    /// How many events a group has not finished: those it waits for and those in flight. `None` for a group that
    /// never subscribed.
    #[must_use]
    pub fn lag(&self, group: &str) -> Option<u64> {
        let state = self.connection.lock();
        state.groups.get(group).map(|group| group.lag(&state.logs))
    }

    /// What a group put aside, oldest first.
    #[must_use]
    pub fn dead_letters(&self, group: &str) -> Vec<DeadLetter> {
        self.connection.lock().groups.get(group).map(group::Group::dead_letters).unwrap_or_default()
    }

    /// Delivers what a group put aside again, to it alone, after everything that waits. Answers how many events there
    /// were.
    pub fn replay_dead_letters(&self, group: &str) -> usize {
        let mut guard = self.connection.lock();
        let state = &mut *guard;
        let count = state.groups.get_mut(group).map_or(0, |group| group.replay(&mut state.logs));
        drop(guard);
        self.connection.wake();
        count
    }

    /// Forgets a group's offsets, as a broker may: it receives everything again, from the oldest event on. What is in
    /// flight can no longer be acknowledged. Answers whether the group is known.
    pub fn rewind(&self, group: &str) -> bool {
        let known = self.connection.lock().groups.get_mut(group).map(group::Group::rewind).is_some();
        self.connection.wake();
        known
    }

    /// Makes publishing fail for the next so many events, with [`Published::Failed`].
    pub fn fail_next_publishes(&self, events: u64) {
        self.connection.lock().failures = events;
    }

    /// Makes the bus unavailable, or available again. Meanwhile every call answers `Unavailable`; nothing is lost.
    pub fn set_available(&self, available: bool) {
        self.connection.lock().available = available;
        self.connection.wake();
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for MemoryBus {
    /// Another connection to the same bus, open whether or not this one is.
    fn clone(&self) -> Self {
        Self { connection: Arc::new(self.connection.another()) }
    }
}

impl fmt::Debug for MemoryBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("MemoryBus");
        debug
            .field("published", &self.published())
            .field("closed", &self.connection.is_closed())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Publisher for MemoryBus {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.connection.publish(batch)
    }

    async fn close(&self) -> Result<()> {
        self.connection.close();
        Ok(())
    }
}

#[async_trait]
impl Subscriber for MemoryBus {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        let member = self.connection.join(&options)?;
        Ok(Box::new(MemorySubscription::new(Arc::clone(&self.connection), options.group, member)))
    }
}
