//! How topics are made.

use std::collections::BTreeMap;
use std::time::Duration;

/// How topics are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// Partitions; 12 unless set. At most so many members of a group have something to do. A key's partition depends on it,
    /// so it is not to be changed while order matters.
    pub partitions: u16,
    /// Copies; the broker's default unless set. In production 3, with `min.insync.replicas` 2.
    pub replication: Option<u16>,
    /// How long records are kept; 7 days unless set, `None` for ever.
    pub retention: Option<Duration>,
    /// Other settings of the topic, such as `min.insync.replicas`.
    pub settings: BTreeMap<String, String>,
}

impl Default for TopicSettings {
    fn default() -> Self {
        let retention = Some(Duration::from_secs(7 * 24 * 60 * 60));
        Self { partitions: 12, replication: None, retention, settings: BTreeMap::new() }
    }
}

impl TopicSettings {
    /// Sets the number of partitions.
    #[must_use]
    pub fn with_partitions(mut self, partitions: u16) -> Self {
        self.partitions = partitions;
        self
    }

    /// Sets the number of copies.
    #[must_use]
    pub fn with_replication(mut self, copies: u16) -> Self {
        self.replication = Some(copies);
        self
    }

    /// Sets how long records are kept.
    #[must_use]
    pub fn with_retention(mut self, retention: Option<Duration>) -> Self {
        self.retention = retention;
        self
    }

    /// Sets another setting of the topic.
    #[must_use]
    pub fn with_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// All of them but partitions and copies, as brokers name them.
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let retention = self.retention.map_or_else(|| "-1".to_owned(), |kept| kept.as_millis().to_string());
        let mut properties = BTreeMap::from([("retention.ms".to_owned(), retention)]);
        properties.extend(self.settings.clone());
        properties
    }
}
