//! How the bus is used.

use std::time::Duration;

use stockpulse_core::model::TopicMap;

/// How the bus on Redis Streams is used. All processes that use one bus should use the same options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamsOptions {
    /// Which topic each event type goes to; one per kind of thing unless set.
    pub topics: TopicMap,
    /// Partitions of each topic of a bus that is used for the first time; 8 unless set, 1 at least. A bus keeps those that
    /// it has. At most so many members of a group have something to do per topic.
    pub partitions: u16,
    /// The largest document, in bytes; 1 MiB unless set. Larger ones are refused.
    pub max_event_bytes: usize,
    /// How long the bus remembers the id of what was published, so that a publication that is tried again after a lost
    /// answer does not arrive twice; 30 s unless set. With zero it does not.
    pub remember: Duration,
    /// After how long a member that gives no sign of life counts as gone; 10 s unless set.
    pub lease: Duration,
    /// How often a member gives one, and looks whether others came or went; every second unless set.
    pub heartbeat: Duration,
    /// How many events of a partition a member reads ahead at most; 256 unless set.
    pub read_ahead: usize,
    /// How often a member on Redis Cluster, where it cannot wait for several partitions at once, looks for events; every
    /// 50 ms unless set.
    pub poll: Duration,
    /// How long an event is kept at least, for groups that are new; a day unless set.
    pub retention: Duration,
    /// After how long without any member a group counts as given up. What it has not read is dropped then like everything
    /// else that is older than `retention`; until then it is kept, however much that is. 7 days unless set.
    pub abandoned: Duration,
    /// How often a member drops what nobody needs any more; every minute unless set.
    pub trim: Duration,
}

impl Default for StreamsOptions {
    fn default() -> Self {
        Self {
            topics: TopicMap::default(),
            partitions: 8,
            max_event_bytes: 1 << 20,
            remember: Duration::from_secs(30),
            lease: Duration::from_secs(10),
            heartbeat: Duration::from_secs(1),
            read_ahead: 256,
            poll: Duration::from_millis(50),
            retention: Duration::from_secs(24 * 60 * 60),
            abandoned: Duration::from_secs(7 * 24 * 60 * 60),
            trim: Duration::from_secs(60),
        }
    }
}

impl StreamsOptions {
    /// Sets which topic each event type goes to.
    #[must_use]
    pub fn with_topics(mut self, topics: TopicMap) -> Self {
        self.topics = topics;
        self
    }

    /// Sets how many partitions each topic of a new bus gets.
    #[must_use]
    pub fn with_partitions(mut self, partitions: u16) -> Self {
        self.partitions = partitions;
        self
    }

    /// Sets how large a document may be.
    #[must_use]
    pub fn with_max_event_bytes(mut self, bytes: usize) -> Self {
        self.max_event_bytes = bytes;
        self
    }

    /// Sets after how long a silent member counts as gone, and how often it gives a sign of life.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration, heartbeat: Duration) -> Self {
        self.lease = lease;
        self.heartbeat = heartbeat;
        self
    }

    /// Sets how long events are kept at least, and after how long without members a group keeps them no more.
    #[must_use]
    pub fn with_retention(mut self, retention: Duration, abandoned: Duration) -> Self {
        self.retention = retention;
        self.abandoned = abandoned;
        self
    }
}

/// Whole milliseconds, as scripts want them.
pub(super) fn millis(duration: Duration) -> String {
    // A hundred years are for ever, and the sum with a time is a number that scripts can still count exactly.
    duration.as_millis().min(100 * 365 * 24 * 60 * 60 * 1_000).to_string()
}
