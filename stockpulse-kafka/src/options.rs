//! How the bus on Kafka is set up.

mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use stockpulse_core::model::{EventType, TopicMap};

use crate::plain::PlainTopic;

/// How Kafka is reached and used: every timeout, bound and buffer has a name here, and [`KafkaOptions::with_setting`]
/// reaches the rest of librdkafka's configuration.
#[derive(Clone, PartialEq)]
pub struct KafkaOptions {
    /// The brokers to begin with, as `host:port,host:port`.
    pub brokers: String,
    /// The name that brokers log; `stockpulse` unless set.
    pub client_id: String,
    /// Which topic each event type goes to; [`TopicMap::default`] unless set.
    pub topics: TopicMap,
    /// What stands before the name of every topic and group: nothing unless set. Two buses with different prefixes share
    /// a cluster and nothing else.
    pub prefix: String,
    /// Topics that other systems write, by name without the prefix, and how to read them; none unless set.
    pub plain: BTreeMap<String, PlainTopic>,
    /// The largest document, in bytes; 1 MiB less a place for the headers, unless set. Larger ones are refused, and put
    /// aside if somebody else published them. The topic's `max.message.bytes` has to allow it.
    pub max_event_bytes: usize,

    /// After how long an event that no broker acknowledged counts as failed; 120 s unless set.
    pub delivery_timeout: Duration,
    /// How long events are collected before a request is sent; 1 ms unless set, as the relay hands over many at once.
    pub linger: Duration,
    /// How much may be under way to the brokers, in KiB, where each event counts as one at least; 65,536 unless set, which
    /// is 64 MiB. Publishing waits for room. It bounds the memory while brokers cannot be reached.
    pub buffer_kib: u32,
    /// How long closing waits until everything is acknowledged; 30 s unless set.
    pub flush_timeout: Duration,

    /// After how long brokers count a silent member as gone; 45 s unless set. Brokers allow 6 s at least.
    pub session_timeout: Duration,
    /// How often a member gives a sign of life; every 3 s unless set. It learns of a rebalance by it.
    pub heartbeat: Duration,
    /// How long a member may go without polling; 5 min unless set. The polling thread never waits for a handler.
    pub max_poll_interval: Duration,
    /// How often places are committed; every second unless set.
    pub commit_interval: Duration,
    /// How long a partition that moves waits for what is in flight; 5 s unless set. What is not acknowledged by then goes
    /// to the next member.
    pub drain: Duration,
    /// How many events a subscription holds ready beyond those in flight; 2,048 unless set.
    pub prefetch: usize,
    /// How many bytes of documents a subscription holds ready; 16 MiB unless set. librdkafka holds as much again.
    pub prefetch_bytes: usize,
    /// How long leaving a group may take; 10 s unless set.
    pub close_timeout: Duration,
    /// The name under which a process is known to its groups (static membership); none unless set. Restarted within
    /// `session_timeout`, it gets its partitions back without a rebalance. Each process needs its own.
    pub instance_id: Option<String>,

    /// How long a question to the cluster may take: metadata, committed places, creating a topic; 10 s unless set.
    pub request_timeout: Duration,
    /// How often lag and the like are measured; every 30 s unless set.
    pub statistics_interval: Duration,
    /// Copies of topics that the bus makes itself, for dead letters and retries; the broker's default unless set.
    pub replication: Option<u16>,
    /// The groups whose handlers do not depend on the order of events, without the prefix, and the delays of their retry
    /// topics; none unless set.
    pub retry_topics: BTreeMap<String, Vec<Duration>>,

    /// Settings of librdkafka for every client, which override all others.
    pub settings: BTreeMap<String, String>,
    /// Settings of librdkafka for producers.
    pub producer_settings: BTreeMap<String, String>,
    /// Settings of librdkafka for consumers.
    pub consumer_settings: BTreeMap<String, String>,
}

impl KafkaOptions {
    /// Delays of retry topics, unless others are chosen.
    pub const RETRY_DELAYS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(60), Duration::from_secs(600)];

    /// Defaults for brokers, as `host:port,host:port`.
    #[must_use]
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            client_id: "stockpulse".to_owned(),
            topics: TopicMap::default(),
            prefix: String::new(),
            plain: BTreeMap::new(),
            max_event_bytes: (1 << 20) - (16 << 10),
            delivery_timeout: Duration::from_secs(120),
            linger: Duration::from_millis(1),
            buffer_kib: 65_536,
            flush_timeout: Duration::from_secs(30),
            session_timeout: Duration::from_secs(45),
            heartbeat: Duration::from_secs(3),
            max_poll_interval: Duration::from_secs(300),
            commit_interval: Duration::from_secs(1),
            drain: Duration::from_secs(5),
            prefetch: 2_048,
            prefetch_bytes: 16 << 20,
            close_timeout: Duration::from_secs(10),
            instance_id: None,
            request_timeout: Duration::from_secs(10),
            statistics_interval: Duration::from_secs(30),
            replication: None,
            retry_topics: BTreeMap::new(),
            settings: BTreeMap::new(),
            producer_settings: BTreeMap::new(),
            consumer_settings: BTreeMap::new(),
        }
    }

    /// Sets which topic each event type goes to.
    #[must_use]
    pub fn with_topics(mut self, topics: TopicMap) -> Self {
        self.topics = topics;
        self
    }

    /// Sets what stands before the name of every topic and group.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Says that another system writes plain JSON to a topic, and how to read it.
    #[must_use]
    pub fn with_plain_topic(mut self, topic: impl Into<String>, plain: PlainTopic) -> Self {
        self.plain.insert(topic.into(), plain);
        self
    }

    /// Says that a group's handler does not depend on the order of events: one that is to be tried again goes to
    /// `<topic>.<group>.retry.5s`, then `.1m`, then `.10m`, then to the dead letters, and nothing waits behind it.
    #[must_use]
    pub fn with_retry_topics(mut self, group: impl Into<String>, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.retry_topics.insert(group.into(), delays.into_iter().collect());
        self
    }

    /// Sets the name under which the process is known to its groups.
    #[must_use]
    pub fn with_instance_id(mut self, id: impl Into<String>) -> Self {
        self.instance_id = Some(id.into());
        self
    }

    /// Sets any property of librdkafka, for every client. The guarantees of the bus rest on those that it sets itself,
    /// such as `enable.idempotence` and `enable.auto.offset.store`: see [`KafkaOptions::effective`].
    #[must_use]
    pub fn with_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// Sets any property of librdkafka, for producers.
    #[must_use]
    pub fn with_producer_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.producer_settings.insert(key.into(), value.into());
        self
    }

    /// Sets any property of librdkafka, for consumers.
    #[must_use]
    pub fn with_consumer_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.consumer_settings.insert(key.into(), value.into());
        self
    }

    /// The topic of an event type, with the prefix.
    #[must_use]
    pub fn topic(&self, event_type: EventType) -> String {
        format!("{}{}", self.prefix, self.topics.topic(event_type))
    }

    /// The topics of these event types, with the prefix, each once.
    #[must_use]
    pub fn topic_names(&self, event_types: &[EventType]) -> Vec<String> {
        let names: BTreeSet<String> = event_types.iter().map(|known| self.topic(*known)).collect();
        names.into_iter().collect()
    }

    /// The group as brokers know it.
    #[must_use]
    pub fn group(&self, group: &str) -> String {
        format!("{}{group}", self.prefix)
    }
}

impl fmt::Debug for KafkaOptions {
    /// The effective configuration, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("KafkaOptions");
        debug.field("prefix", &self.prefix).field("topics", &self.topics).field("retry_topics", &self.retry_topics);
        for (key, value) in self.effective() {
            debug.field(&key, &value);
        }
        debug.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_neither_listed_nor_in_debug() {
        let keys = ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"];
        let options =
            keys.iter().fold(KafkaOptions::new("host:9092"), |options, key| options.with_setting(*key, "hunter2"));
        let shown = format!("{options:?} {:?}", options.effective());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("consumer.sasl.password"));
        assert_eq!(options.producer_properties()["sasl.password"], "hunter2");
    }

    #[test]
    fn any_setting_can_be_overridden_for_all_or_one_role() {
        let options = KafkaOptions::new("host:9092")
            .with_setting("client.id", "mine")
            .with_producer_setting("linger.ms", "7")
            .with_consumer_setting("isolation.level", "read_uncommitted");
        assert_eq!(options.producer_properties()["client.id"], "mine");
        assert_eq!(options.producer_properties()["linger.ms"], "7");
        assert_eq!(options.consumer_properties()["isolation.level"], "read_uncommitted");
        assert!(!options.consumer_properties().contains_key("linger.ms"));
    }

    #[test]
    fn topics_and_groups_have_the_prefix() {
        let options = KafkaOptions::new("host:9092").with_prefix("test-");
        assert_eq!(options.topic(EventType::OrderPlaced), "test-stockpulse.orders");
        assert_eq!(options.topic_names(&[EventType::OrderPlaced, EventType::OrderShipped]), ["test-stockpulse.orders"]);
        assert_eq!(options.group("inventory"), "test-inventory");
    }
}
