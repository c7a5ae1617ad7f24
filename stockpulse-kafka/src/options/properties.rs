//! What librdkafka's clients are made with.

use std::collections::BTreeMap;
use std::fmt;

use super::KafkaOptions;

/// What stands where a secret would.
const REDACTED: &str = "[redacted]";

impl KafkaOptions {
    /// All properties that clients are made with, for printing: secrets are not in it. Those of producers come first, then
    /// those of consumers (without the group's name), each with its role in front.
    #[must_use]
    pub fn effective(&self) -> Vec<(String, String)> {
        let roles = [("producer", self.producer_properties()), ("consumer", self.consumer_properties())];
        let named = roles.into_iter().flat_map(|(role, properties)| {
            properties.into_iter().map(move |(key, value)| {
                let value = if is_secret(&key) { REDACTED.to_owned() } else { value };
                (format!("{role}.{key}"), value)
            })
        });
        named.collect()
    }

    /// What a producer is made with.
    pub(crate) fn producer_properties(&self) -> BTreeMap<String, String> {
        let mut properties = self.common_properties();
        let messages = self.buffer_kib.clamp(1, 1_000_000);
        set(&mut properties, "enable.idempotence", &"true");
        set(&mut properties, "acks", &"all");
        set(&mut properties, "compression.codec", &"lz4");
        // The default differs from what Java clients choose.
        set(&mut properties, "partitioner", &"murmur2_random");
        set(&mut properties, "delivery.timeout.ms", &self.delivery_timeout.as_millis());
        set(&mut properties, "linger.ms", &self.linger.as_millis());
        // Twice what is let in: the bound is ours, and librdkafka counts a record a little longer.
        set(&mut properties, "queue.buffering.max.messages", &(messages.saturating_mul(2)));
        set(&mut properties, "queue.buffering.max.kbytes", &(u64::from(messages) * 2));
        set(&mut properties, "message.max.bytes", &self.max_record_bytes());
        properties.extend(self.producer_settings.clone());
        properties.extend(self.settings.clone());
        properties
    }

    /// What a consumer is made with, but for its group.
    pub(crate) fn consumer_properties(&self) -> BTreeMap<String, String> {
        let mut properties = self.common_properties();
        // A position that is no more, since the topic's retention passed it: what there is, not only what comes.
        set(&mut properties, "auto.offset.reset", &"earliest");
        set(&mut properties, "enable.auto.commit", &"true");
        set(&mut properties, "enable.auto.offset.store", &"false");
        set(&mut properties, "auto.commit.interval.ms", &self.commit_interval.as_millis());
        set(&mut properties, "allow.auto.create.topics", &"false");
        set(&mut properties, "partition.assignment.strategy", &"range,roundrobin");
        set(&mut properties, "isolation.level", &"read_committed");
        // What is held is bounded by its bytes. A bound by number is met at once by small records, and then nothing is
        // fetched for the whole back-off, though the queue is empty long before.
        set(&mut properties, "queued.min.messages", &"10000");
        set(&mut properties, "queued.max.messages.kbytes", &"16384");
        set(&mut properties, "fetch.queue.backoff.ms", &"10");
        set(&mut properties, "session.timeout.ms", &self.session_timeout.as_millis());
        set(&mut properties, "heartbeat.interval.ms", &self.heartbeat.as_millis());
        set(&mut properties, "max.poll.interval.ms", &self.max_poll_interval.as_millis());
        if let Some(id) = &self.instance_id {
            set(&mut properties, "group.instance.id", id);
        }
        properties.extend(self.consumer_settings.clone());
        properties.extend(self.settings.clone());
        properties
    }

    /// What a client is made with that neither produces nor consumes.
    pub(crate) fn admin_properties(&self) -> BTreeMap<String, String> {
        let mut properties = self.common_properties();
        properties.extend(self.settings.clone());
        properties
    }

    /// The largest record: a document with its headers and its key.
    pub(crate) fn max_record_bytes(&self) -> usize {
        self.max_event_bytes.saturating_add(16 << 10).clamp(1_000, 1_000_000_000)
    }

    fn common_properties(&self) -> BTreeMap<String, String> {
        let mut properties = BTreeMap::new();
        set(&mut properties, "bootstrap.servers", &self.brokers);
        set(&mut properties, "client.id", &self.client_id);
        set(&mut properties, "statistics.interval.ms", &self.statistics_interval.as_millis());
        set(&mut properties, "reconnect.backoff.ms", &"50");
        set(&mut properties, "reconnect.backoff.max.ms", &"1000");
        properties
    }
}

fn set(properties: &mut BTreeMap<String, String>, key: &str, value: &dyn fmt::Display) {
    properties.insert(key.to_owned(), value.to_string());
}

/// Whether a property's value may not be seen. Anything that looks like one, since a list would miss the next release's.
fn is_secret(key: &str) -> bool {
    let secret = ["password", "secret", "jaas", "credential", "token", "key.pem", "oauthbearer.config", "private.key"];
    secret.iter().any(|part| key.contains(part))
}
