//! The names of keys.

use stockpulse_core::model::TopicMap;
use stockpulse_core::{Error, ErrorKind, Result};

use crate::RedisOptions;

/// One partition of a topic. All its keys have the same hash tag, and so lie on the same node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) topic: String,
    pub(super) number: u32,
    /// The stream, with which the names of all its other keys begin.
    pub(super) stream: String,
}

impl Partition {
    pub(super) fn new(options: &RedisOptions, topic: &str, number: u32) -> Self {
        let stream = format!("{}bus:{{{topic}:{number}}}", options.prefix);
        Self { topic: topic.to_owned(), number, stream }
    }

    /// The ids of what was published lately.
    pub(super) fn ids(&self) -> String {
        format!("{}:ids", self.stream)
    }

    /// When each group showed a sign of life.
    pub(super) fn seen(&self) -> String {
        format!("{}:seen", self.stream)
    }

    /// Who of a group reads it.
    pub(super) fn lease(&self, group: &str) -> String {
        format!("{}:lease:{group}", self.stream)
    }

    /// What a group put aside.
    pub(super) fn dead_letters(&self, group: &str) -> String {
        format!("{}:dead:{group}", self.stream)
    }
}

/// How many partitions each topic of the bus has.
pub(super) fn partitions(options: &RedisOptions) -> String {
    format!("{}bus:partitions", options.prefix)
}

/// The members of a group.
pub(super) fn group(options: &RedisOptions, group: &str) -> String {
    format!("{}bus:group:{group}", options.prefix)
}

/// Fails if a name would end a hash tag before its time: partitions would lie on different nodes than their leases.
pub(super) fn check(options: &RedisOptions, topics: &TopicMap) -> Result<()> {
    let all = topics.topics(stockpulse_core::model::EventType::ALL);
    match all.into_iter().chain([options.prefix.as_str()]).find(|name| name.contains(['{', '}'])) {
        Some(name) => Err(Error::new(ErrorKind::Config, format!("'{name}': a prefix or topic with a brace"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_partition_share_its_hash_tag() {
        let partition = Partition::new(&RedisOptions::new("redis://host"), "orders", 3);
        assert_eq!(partition.stream, "stockpulse:bus:{orders:3}");
        assert_eq!(partition.lease("a}b"), "stockpulse:bus:{orders:3}:lease:a}b");
        let topics = TopicMap::per_aggregate("a}b");
        let refused = check(&RedisOptions::new("redis://host"), &topics).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(check(&RedisOptions::new("redis://host").with_prefix("{shop}"), &TopicMap::default()).is_err());
        check(&RedisOptions::new("redis://host"), &TopicMap::default()).unwrap();
    }
}
