//! The bus itself.

use std::sync::Arc;

use async_trait::async_trait;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Published, Publisher, SubscribeOptions, Subscriber, Subscription};
use stockpulse_core::{Error, Result};

use crate::connection::Connection;
use crate::options::KafkaOptions;
use crate::subscription::KafkaSubscription;
use crate::wire::Outgoing;

/// The bus on Kafka.
///
/// - Events are published as CloudEvents 1.0 in binary mode, with the partition key as the record's key, to the partition
///   that Kafka's Java clients choose. A record counts when all replicas in sync have it.
/// - Topics are not made by publishing or subscribing: [`KafkaAdmin`](crate::KafkaAdmin) makes them. Those of dead letters
///   and retries are made when they are needed.
/// - A group's place moves on when everything before it is acknowledged, and is committed every second and when a partition
///   moves or the member leaves. What was acknowledged beyond the first event that is not comes again when its partition
///   moves or the process ends.
/// - [`Nack::Retry`](stockpulse_core::port::Nack::Retry) holds the event's partition, and delivers that event again and
///   those behind it that were not received yet.
/// - A record that cannot be read is put aside as a dead letter with its reason, and never stops its partition.
/// - All members of a group have to subscribe to the same event types; Kafka does not check that.
///
/// Clones share one connection: when one is closed, all are, and so are its subscriptions.
#[derive(Clone, Debug)]
pub struct KafkaBus {
    connection: Arc<Connection>,
}

impl KafkaBus {
    /// A bus. It connects by itself, and again when a connection is lost.
    ///
    /// # Errors
    /// `Config` when librdkafka does not take the options.
    pub fn new(options: KafkaOptions) -> Result<Self> {
        Ok(Self { connection: Arc::new(Connection::new(options)?) })
    }
}

#[async_trait]
impl Publisher for KafkaBus {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.connection.check().map_err(|error| error.during("bus.publish"))?;
        let options = &self.connection.options;
        let mut published = Vec::with_capacity(batch.len());
        let mut topics: Vec<(usize, String)> = Vec::with_capacity(batch.len());
        for (index, envelope) in batch.iter().enumerate() {
            let checked = envelope.validate(options.max_event_bytes).and_then(|()| envelope.event_type());
            published.push(match checked {
                Ok(event_type) => {
                    topics.push((index, options.topic(event_type)));
                    Published::Acknowledged
                }
                Err(refused) => Published::Refused(refused.to_string()),
            });
        }
        let records = topics.iter().filter_map(|(index, topic)| Some(Outgoing::event(topic, batch.get(*index)?)));
        let answers = self.connection.producer.send(records.collect()).await;
        for ((index, _), answer) in topics.iter().zip(answers) {
            if let (Some(error), Some(published)) = (answer, published.get_mut(*index)) {
                *published = not_published(&error, &self.connection.producer.failure(&error));
            }
        }
        Ok(published)
    }

    async fn close(&self) -> Result<()> {
        self.connection.closed.cancel();
        self.connection.producer.flush().await.map_err(|error| error.during("bus.close"))
    }
}

#[async_trait]
impl Subscriber for KafkaBus {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        let joined = KafkaSubscription::join(Arc::clone(&self.connection), options).await;
        Ok(Box::new(joined.map_err(|error| error.during("bus.subscribe"))?))
    }
}

/// Whether it helps to try again. A topic that is missing may yet be made, and a right may be granted.
fn not_published(error: &KafkaError, explained: &Error) -> Published {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessage | RDKafkaErrorCode::InvalidRecord,
        ) => Published::Refused(explained.to_string()),
        _ => Published::Failed(explained.to_string()),
    }
}
