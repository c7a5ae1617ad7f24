//! The thread that polls a consumer, and the only one that touches it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message};
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::{Clock, DeliveryTag, Start};
use stockpulse_core::{Result, SystemClock};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::intake::{Foreign, Found, Partition};
use super::lane::Fetched;
use super::member::{Member, log, to_list};
use super::shared::Shared;
use super::source::Source;
use crate::aside::Origin;
use crate::error::failure;
use crate::wire::{Decoded, Decoder};

/// How long one poll waits. Acknowledgements are stored, and retries come, this much late at most.
const POLL: Duration = Duration::from_millis(20);
/// How long nobody may make room until everything is paused, so that polling goes on.
const PATIENCE: Duration = Duration::from_millis(500);
/// Before a consumer that failed for good is built anew.
const REBUILD: Duration = Duration::from_secs(1);
/// Most records that are handed over at once.
const BATCH: usize = 512;

/// Polls one subscription's consumer until it is closed.
pub(crate) struct Poller {
    pub(crate) config: ClientConfig,
    pub(crate) shared: Arc<Shared>,
    pub(crate) closed: CancellationToken,
    pub(crate) start: Start,
    pub(crate) drain: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) decoder: Decoder,
    pub(crate) sources: Vec<Source>,
}

impl Poller {
    /// A consumer that has not joined yet.
    pub(crate) fn connect(&self) -> Result<BaseConsumer<Member>> {
        let member = Member {
            shared: Arc::clone(&self.shared),
            closed: self.closed.clone(),
            start: self.start,
            drain: self.drain,
            request_timeout: self.request_timeout,
        };
        let consumer = BaseConsumer::from_config_and_context(&self.config, member).map_err(|error| failure(&error))?;
        let topics: Vec<&str> = self.sources.iter().map(|source| &*source.topic).collect();
        consumer.subscribe(&topics).map_err(|error| failure(&error))?;
        Ok(consumer)
    }

    /// Polls until the subscription or the bus is closed; then says how leaving went.
    pub(crate) fn run(self, mut consumer: BaseConsumer<Member>, left: oneshot::Sender<Result<()>>) {
        while let Err(error) = self.poll(&consumer) {
            tracing::error!(%error, group = self.shared.group, "a consumer failed for good and is built anew");
            self.shared.intake().revoke_all();
            self.shared.fail(failure(&error));
            // It leaves the group before another one takes its place.
            drop(consumer);
            consumer = loop {
                std::thread::park_timeout(REBUILD);
                if self.shared.is_closing() || self.closed.is_cancelled() {
                    let _ = left.send(Ok(()));
                    return;
                }
                match self.connect() {
                    Ok(consumer) => break consumer,
                    Err(error) => self.shared.fail(error),
                }
            };
        }
        consumer.context().store(&consumer);
        let committed = consumer.context().commit(&consumer);
        self.shared.intake().revoke_all();
        drop(consumer);
        // Nobody listens if the subscription was dropped.
        let _ = left.send(committed.map_or(Ok(()), |error| Err(failure(&error).during("bus.leave"))));
        self.shared.changed.notify_waiters();
    }

    /// Polls until the member ends, or the consumer does.
    fn poll(&self, consumer: &BaseConsumer<Member>) -> Result<(), KafkaError> {
        let mut room_at = Instant::now();
        while !consumer.context().is_ending() {
            let now = Instant::now();
            let plan = self.shared.intake().plan(now, now.duration_since(room_at) > PATIENCE);
            consumer.context().store(consumer);
            if !plan.pause.is_empty() {
                log("partitions were not paused", consumer.pause(&to_list(&plan.pause)));
            }
            if !plan.resume.is_empty() {
                log("partitions were not resumed", consumer.resume(&to_list(&plan.resume)));
            }
            if plan.room > 0 {
                room_at = now;
            } else if now.duration_since(room_at) <= PATIENCE {
                // Nothing is polled that there is no room for. Whoever makes some ends the nap.
                std::thread::park_timeout(POLL);
                continue;
            }
            // Where everything is paused there is nothing to be had, and polling serves rebalances.
            self.fetch(consumer, plan.room.clamp(1, BATCH))?;
        }
        Ok(())
    }

    /// Polls for records, and hands over what there is.
    fn fetch(&self, consumer: &BaseConsumer<Member>, most: usize) -> Result<(), KafkaError> {
        let mut batch = Vec::new();
        let mut wait = POLL;
        // An empty poll may have been a rebalance: what was polled before is handed over before anything else is polled.
        while batch.len() < most
            && let Some(polled) = consumer.poll(wait)
        {
            wait = Duration::ZERO;
            match polled {
                Ok(record) => batch.extend(self.found(&record)),
                Err(error) => passing(error)?,
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let mut foreign = false;
        let mut intake = self.shared.intake();
        for (partition, found) in batch {
            foreign |= matches!(found, Found::Foreign { .. });
            intake.push(&partition, found);
        }
        drop(intake);
        self.shared.changed.notify_waiters();
        if foreign {
            self.shared.foreign.notify_one();
        }
        Ok(())
    }

    /// What a record is. `None` for one of a topic that was not asked for, which does not happen.
    fn found(&self, record: &BorrowedMessage<'_>) -> Option<(Partition, Found)> {
        let source = self.sources.iter().find(|source| *source.topic == *record.topic())?;
        let offset = u64::try_from(record.offset()).ok()?;
        let partition = Partition { topic: Arc::clone(&source.topic), number: record.partition() };
        let found = match self.decoder.decode(record, &source.base) {
            Decoded::Event(envelope) => Found::Event(Arc::new(Fetched {
                offset,
                origin: origin(source, record),
                envelope,
                not_before: source.delay.map(|delay| due(delay, record)),
                redeliveries: 0,
            })),
            Decoded::Other => Found::Skipped(offset),
            Decoded::Foreign(reason) => {
                let record = Foreign {
                    tag: DeliveryTag { generation: 0, partition: 0, offset },
                    partition: partition.clone(),
                    origin: origin(source, record),
                    key: record.key().map(Bytes::copy_from_slice),
                    value: record.payload().map(Bytes::copy_from_slice),
                    headers: record.headers().map(BorrowedHeaders::detach),
                    reason,
                };
                Found::Foreign { offset, record: Box::new(record) }
            }
        };
        Some((partition, found))
    }
}

/// Where a record was published first.
fn origin(source: &Source, record: &BorrowedMessage<'_>) -> Origin {
    let first = source.delay.and_then(|_| Origin::read(record.headers()?));
    first.unwrap_or_else(|| Origin {
        topic: Arc::clone(&source.base),
        partition: record.partition(),
        offset: record.offset(),
        timestamp: record.timestamp().to_millis(),
    })
}

/// When a record of a retry topic may be delivered.
fn due(delay: Duration, record: &BorrowedMessage<'_>) -> Instant {
    let written = Timestamp::from_micros(record.timestamp().to_millis().unwrap_or(0).saturating_mul(1_000));
    Instant::now() + written.plus(delay).since(SystemClock.now()).min(delay)
}

/// librdkafka goes on after most errors by itself; answers those after which it does not.
fn passing(error: KafkaError) -> Result<(), KafkaError> {
    match error {
        KafkaError::MessageConsumptionFatal(_) => Err(error),
        KafkaError::MessageConsumption(RDKafkaErrorCode::Fatal) => Err(error),
        error => {
            tracing::warn!(%error, "a consumer met an error and goes on");
            Ok(())
        }
    }
}
