//! The metrics of the bus on Kafka, through the `metrics` facade, beside those of
//! [`ObserveLayer`](stockpulse_core::layer::ObserveLayer).
//!
//! Labels are `group`, `topic` and `partition`: there is never one for a SKU, an order or a customer.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use rdkafka::statistics::Statistics;

/// Gauge: events that a group has not acknowledged yet, by `group`, `topic` and `partition`. Measured by the member that
/// reads the partition, every [`KafkaOptions::statistics_interval`](crate::KafkaOptions::statistics_interval).
pub const LAG: &str = "stockpulse_kafka_lag";
/// Gauge: events received and neither acknowledged nor put back, by `group`.
pub const IN_FLIGHT: &str = "stockpulse_kafka_in_flight";
/// Counter: events to be tried again, by `group`.
pub const RETRIES: &str = "stockpulse_kafka_retries_total";
/// Counter: records put aside, by `group` and `topic`.
pub const DEAD_LETTERS: &str = "stockpulse_kafka_dead_letters_total";
/// Counter: times that partitions moved, by `group`.
pub const REBALANCES: &str = "stockpulse_kafka_rebalances_total";
/// Gauge: records on their way to the brokers.
pub const PUBLISHING: &str = "stockpulse_kafka_publishing";

/// Tells the installed recorder what the metrics mean. For once, after the recorder was installed.
pub fn describe() {
    describe_gauge!(LAG, Unit::Count, "Events that a group has not acknowledged, by group, topic and partition");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Events received and not yet settled, by group");
    describe_counter!(RETRIES, Unit::Count, "Events to be tried again, by group");
    describe_counter!(DEAD_LETTERS, Unit::Count, "Records put aside, by group and topic");
    describe_counter!(REBALANCES, Unit::Count, "Times that partitions moved, by group");
    describe_gauge!(PUBLISHING, Unit::Count, "Records on their way to the brokers");
}

pub(crate) fn producer(statistics: &Statistics) {
    gauge!(PUBLISHING).set(precise(statistics.msg_cnt));
}

pub(crate) fn consumer(group: &str, statistics: &Statistics) {
    for (name, topic) in &statistics.topics {
        for (number, partition) in &topic.partitions {
            // The lag beyond what was acknowledged; -1 when it is not known, as for partitions of other members.
            if let Ok(lag) = u64::try_from(partition.consumer_lag_stored) {
                let labels = [("group", group.to_owned()), ("topic", name.clone()), ("partition", number.to_string())];
                gauge!(LAG, &labels).set(precise(lag));
            }
        }
    }
}

pub(crate) fn in_flight(group: &str, events: usize) {
    gauge!(IN_FLIGHT, "group" => group.to_owned()).set(precise(u64::try_from(events).unwrap_or(u64::MAX)));
}

pub(crate) fn retried(group: &str, events: usize) {
    counter!(RETRIES, "group" => group.to_owned()).increment(u64::try_from(events).unwrap_or(u64::MAX));
}

pub(crate) fn dead_letter(group: &str, topic: &str) {
    counter!(DEAD_LETTERS, "group" => group.to_owned(), "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn rebalanced(group: &str) {
    counter!(REBALANCES, "group" => group.to_owned()).increment(1);
}

/// A count; those above 2^32 are shown as that.
fn precise(count: u64) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
