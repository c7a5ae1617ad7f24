//! A member's part in rebalances.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use stockpulse_core::port::Start;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::intake::Partition;
use super::shared::Shared;
use crate::{client, metrics};

/// How long the polling thread sleeps while it waits for something that wakes it.
const NAP: Duration = Duration::from_millis(10);
/// Between questions to a broker that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What a member does when partitions come and go. All of it runs on the polling thread.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) shared: Arc<Shared>,
    pub(crate) closed: CancellationToken,
    pub(crate) start: Start,
    pub(crate) drain: Duration,
    pub(crate) request_timeout: Duration,
}

type MemberConsumer = BaseConsumer<Member>;

impl Member {
    /// Whether the subscription or the bus is being closed.
    pub(crate) fn is_ending(&self) -> bool {
        self.shared.is_closing() || self.closed.is_cancelled()
    }

    fn assigned(&self, consumer: &MemberConsumer, list: &mut TopicPartitionList) {
        let begins = match self.start {
            Start::Earliest => HashSet::new(),
            Start::Latest => self.begin_with_the_next(consumer, list),
        };
        let partitions = list.elements().into_iter().map(|element| {
            let partition = partition(element.topic(), element.partition());
            let place = match element.offset() {
                Offset::Offset(offset) if begins.contains(&partition) => u64::try_from(offset).ok(),
                _ => None,
            };
            (partition, place)
        });
        let partitions: Vec<_> = partitions.collect();
        tracing::info!(group = self.shared.group, ?partitions, "partitions came");
        let assigned = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
            _ => consumer.assign(list),
        };
        log("partitions were not taken", assigned);
        self.shared.intake().assign(partitions);
    }

    /// Of partitions in which the group has no place yet, the end is its place. It is told to the brokers like any other, so
    /// that the group is known from then on: left to `auto.offset.reset`, what is published before the first
    /// acknowledgement would be skipped when the member is replaced.
    fn begin_with_the_next(&self, consumer: &MemberConsumer, list: &mut TopicPartitionList) -> HashSet<Partition> {
        let mut begins = HashSet::new();
        let places = self.insist("a group's place", || consumer.committed_offsets(list.clone(), self.request_timeout));
        let Some(places) = places else { return begins };
        for element in places.elements() {
            if matches!(element.offset(), Offset::Offset(_)) {
                continue;
            }
            let (topic, number) = (element.topic(), element.partition());
            let ends =
                self.insist("a partition's end", || consumer.fetch_watermarks(topic, number, self.request_timeout));
            let Some((_, end)) = ends else { return begins };
            log("a place was not set", list.set_partition_offset(topic, number, Offset::Offset(end)));
            begins.insert(partition(topic, number));
        }
        begins
    }

    /// Asks until there is an answer: beginning anywhere else would skip events or bring old ones. `None` when the member
    /// ends first.
    fn insist<T>(&self, what: &str, ask: impl Fn() -> KafkaResult<T>) -> Option<T> {
        while !self.is_ending() {
            match ask() {
                Ok(answer) => return Some(answer),
                Err(error) => {
                    tracing::warn!(%error, group = self.shared.group, "{what} is not known; asking again");
                    std::thread::park_timeout(ASK_AGAIN);
                }
            }
        }
        None
    }

    fn revoked(&self, consumer: &MemberConsumer, list: &TopicPartitionList) {
        let partitions: Vec<Partition> =
            list.elements().iter().map(|element| partition(element.topic(), element.partition())).collect();
        // Another member may have them already: what it does counts, not what this one says.
        let lost = consumer.assignment_lost();
        tracing::info!(group = self.shared.group, lost, ?partitions, "partitions go");
        if !lost {
            self.drain(&partitions);
            self.store(consumer);
            self.commit(consumer);
        }
        let paused = {
            let mut intake = self.shared.intake();
            let paused = intake.paused(&partitions);
            intake.revoke(&partitions);
            intake.set_draining(false);
            paused
        };
        // A pause outlives the assignment, and nobody would end it.
        log("partitions stay paused", consumer.resume(&to_list(&paused)));
        let given_up = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
            _ => consumer.unassign(),
        };
        log("partitions were not given back", given_up);
        self.shared.changed.notify_waiters();
    }

    /// Waits for what is in flight, for a bounded time.
    fn drain(&self, partitions: &[Partition]) {
        let deadline = Instant::now() + self.drain;
        self.shared.intake().set_draining(true);
        while Instant::now() < deadline && !self.is_ending() && self.shared.intake().in_flight_of(partitions) > 0 {
            std::thread::park_timeout(NAP);
        }
    }

    /// Stores the places that moved, for the next commit.
    pub(crate) fn store(&self, consumer: &MemberConsumer) {
        let places = self.shared.intake().moved();
        store(consumer, &places);
    }

    /// Commits what is stored, and waits for it.
    pub(crate) fn commit(&self, consumer: &MemberConsumer) -> Option<KafkaError> {
        match consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => None,
            Err(error) => {
                tracing::warn!(%error, group = self.shared.group, "places were not committed; events come again");
                Some(error)
            }
        }
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        metrics::consumer(&self.shared.group, &statistics);
        metrics::in_flight(&self.shared.group, self.shared.intake().in_flight());
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client::failed(&error, reason);
    }
}

impl ConsumerContext for Member {
    fn rebalance(&self, consumer: &MemberConsumer, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        metrics::rebalanced(&self.shared.group);
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, list),
            _ => self.revoked(consumer, list),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        // librdkafka keeps what was not committed, and commits it next time.
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => tracing::warn!(%error, group = self.shared.group, "places were not committed"),
        }
    }
}

/// Stores places. What is no longer this member's is ignored: its next member has a place of its own.
fn store(consumer: &MemberConsumer, places: &[(Partition, u64)]) {
    for (Partition { topic, number }, place) in places {
        let mut list = TopicPartitionList::with_capacity(1);
        let offset = Offset::Offset(i64::try_from(*place).unwrap_or(i64::MAX));
        let stored = list.add_partition_offset(topic, *number, offset).and_then(|()| consumer.store_offsets(&list));
        match stored {
            Ok(()) | Err(KafkaError::StoreOffset(RDKafkaErrorCode::State)) => {}
            Err(error) => tracing::warn!(%error, %topic, partition = number, "a place was not stored"),
        }
    }
}

/// Partitions as librdkafka wants them.
pub(crate) fn to_list(partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for Partition { topic, number } in partitions {
        list.add_partition(topic, *number);
    }
    list
}

fn partition(topic: &str, number: i32) -> Partition {
    Partition { topic: topic.into(), number }
}

/// Logs a failure after which things go on.
pub(crate) fn log(what: &str, result: KafkaResult<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "{what}");
    }
}
