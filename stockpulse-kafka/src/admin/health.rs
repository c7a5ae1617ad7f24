//! What is seen of a cluster.

use std::fmt;

/// Something about a topic that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The topic.
    pub topic: String,
    /// What it is about: `exists`, `partitions`, `replication`, or the name of a setting.
    pub what: String,
    /// How it should be.
    pub expected: String,
    /// How it is.
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, what, expected, found } = self;
        write!(f, "{topic}: {what} is {found}, and should be {expected}")
    }
}

/// The state of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Brokers that the cluster knows.
    pub brokers: usize,
    /// Topics of the bus that are missing.
    pub missing: Vec<String>,
    /// Partitions of the bus's topics that have no leader: nothing can be published to them or read.
    pub leaderless: usize,
    /// Partitions of the bus's topics that have fewer copies in sync than they should.
    pub under_replicated: usize,
}

impl Health {
    /// Whether everything can be published and read.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.missing.is_empty() && self.leaderless == 0
    }
}
