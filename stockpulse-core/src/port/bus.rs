//! The bus: publishing events, and receiving them.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use compact_str::CompactString;

use crate::error::Result;
use crate::model::{Envelope, EventType};

/// What became of one published envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The bus has it for good.
    Acknowledged,
    /// The bus does not have it, or has not said so; try again.
    Failed(String),
    /// The bus will never take it: it is too large, or no envelope at all.
    Refused(String),
}

/// Publishes events.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Publisher: Debug + Send + Sync + 'static {
    /// Publishes a batch. The answers are aligned with it; only [`Published::Acknowledged`] counts. Envelopes of
    /// one partition key keep their order as long as none of them fails.
    ///
    /// # Errors
    /// What concerns the whole batch: the bus cannot be reached, or was closed (`Closed`). An envelope that the bus
    /// cannot take is no error: it is [`Published::Refused`], and the others of the batch go.
    ///
    /// # Cancel safety
    /// A dropped future leaves open which envelopes were published; later calls are not disturbed.
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>>;

    /// Flushes and closes: what was acknowledged is on the bus, and nothing more is published.
    ///
    /// # Errors
    /// What was not flushed.
    async fn close(&self) -> Result<()>;
}

/// Where a new consumer group begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event that the bus still has.
    #[default]
    Earliest,
    /// With the next event.
    Latest,
}

/// What to subscribe to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// The consumer group. Each event goes to one member of each group.
    pub group: CompactString,
    /// The event types; others on the same topics are skipped.
    pub event_types: Vec<EventType>,
    /// Where a group begins that the bus does not know. One that it knows goes on at its place.
    pub start: Start,
    /// How many events may be received and not yet acknowledged; 4,096 unless set.
    pub max_in_flight: usize,
}

impl SubscribeOptions {
    /// Everything of these types, from the earliest on.
    #[must_use]
    pub fn new(group: impl Into<CompactString>, event_types: impl IntoIterator<Item = EventType>) -> Self {
        Self {
            group: group.into(),
            event_types: event_types.into_iter().collect(),
            start: Start::default(),
            max_in_flight: 4_096,
        }
    }

    /// Sets where a new group begins.
    #[must_use]
    pub fn with_start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Sets how many events may be received and not yet acknowledged.
    #[must_use]
    pub fn with_max_in_flight(mut self, events: usize) -> Self {
        self.max_in_flight = events;
        self
    }
}

/// Opens subscriptions.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Subscriber: Debug + Send + Sync + 'static {
    /// Joins a group.
    ///
    /// # Errors
    /// `Unavailable` when the bus cannot be reached, `Config` for a topic that does not exist.
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>>;
}

/// Names a delivery to its subscription; meaningless to any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryTag {
    /// Which assignment of partitions it was made under. An older one acknowledges nothing.
    pub generation: u64,
    /// The partition, counted over all topics of the subscription.
    pub partition: u32,
    /// The place in it.
    pub offset: u64,
}

/// An event as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// For acknowledging it.
    pub tag: DeliveryTag,
    /// The event.
    pub envelope: Envelope,
    /// How often it was delivered to this group before, as far as the bus knows.
    pub redeliveries: u32,
}

/// Why an event is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nack {
    /// Deliver it again, not before so long. Later events of its partition wait behind it; those that were received
    /// already may be delivered again too, unless they were acknowledged.
    Retry(Duration),
    /// Put it aside with this reason, and go on. For the group that is as good as an acknowledgement; other groups receive
    /// the event as ever.
    DeadLetter(String),
}

/// A member of a consumer group. Events are delivered at least once, in order within a partition.
///
/// Dropping it without [`Subscription::close`] is a crash: it leaves the group, as soon as the bus notices, and what it
/// did not acknowledge is delivered again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Subscription: Debug + Send + 'static {
    /// Waits for events and answers with at least one, `max` at most. While `max_in_flight` events are not acknowledged
    /// it waits for that.
    ///
    /// # Errors
    /// `Closed` when the bus or the subscription was closed; otherwise what may succeed when tried again.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing: what it would have answered is answered next time.
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>>;

    /// Says that events were handled for good. Any order will do, and twice does no harm; the group's place moves on
    /// when everything before it was acknowledged. Tags of an older generation are ignored.
    ///
    /// What was acknowledged does not come again once the subscription is closed in order. A crash may lose the latest
    /// acknowledgements, and those events are delivered again.
    ///
    /// # Errors
    /// What may succeed when tried again; the events may be delivered again.
    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()>;

    /// Says that events were not handled, and what to do with them.
    ///
    /// # Errors
    /// As for [`Subscription::ack`].
    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()>;

    /// Leaves the group. What was not acknowledged goes to another member, or to whoever joins next. Afterwards
    /// [`Subscription::receive`] answers `Closed`; closing again does nothing.
    ///
    /// # Errors
    /// What could not be written; the events may be delivered again.
    async fn close(&mut self) -> Result<()>;
}
