//! How a bus is set up and used.

use std::time::Duration;

/// How the bus in a database is used. All processes that use one bus should use the same options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusOptions {
    /// Partitions of a bus that is used for the first time; 16 unless set, 1 at least. A bus keeps those that it has. At
    /// most so many members of a group have something to do.
    pub partitions: u16,
    /// The largest document, in bytes; 1 MiB unless set. Larger ones are refused. MySQL needs a `max_allowed_packet` of
    /// more than twice as much.
    pub max_event_bytes: usize,
    /// How often a member that waits looks for events that other processes published; every 50 ms unless set. What this
    /// process publishes through the same store is noticed at once.
    pub poll: Duration,
    /// After how long a member that gives no sign of life counts as gone; 10 s unless set. It gives one three times as
    /// often.
    pub lease: Duration,
    /// How long a place that moved on over events of no interest may stay unwritten; 1 s unless set. What was
    /// acknowledged is written at once.
    pub flush: Duration,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            partitions: 16,
            max_event_bytes: 1 << 20,
            poll: Duration::from_millis(50),
            lease: Duration::from_secs(10),
            flush: Duration::from_secs(1),
        }
    }
}

impl BusOptions {
    /// Sets how many partitions a new bus gets.
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

    /// Sets how often a member that waits looks for events.
    #[must_use]
    pub fn with_poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// Sets after how long a silent member counts as gone.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }
}
