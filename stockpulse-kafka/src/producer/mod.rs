//! Producing records: idempotent, acknowledged by all replicas, bounded.

mod reports;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::sync::Semaphore;

use self::reports::{Reporter, Reports, Ticket};
use crate::client;
use crate::error::{explained, failure};
use crate::options::KafkaOptions;
use crate::trouble::Trouble;
use crate::wire::Outgoing;

/// How long a record waits that librdkafka has no room for.
const FULL: Duration = Duration::from_millis(5);

type Client = ThreadedProducer<Reporter>;

/// The one producer of a bus. After a fatal error, which an idempotent producer does not survive, it is built anew.
pub(crate) struct Producer {
    config: ClientConfig,
    client: RwLock<Arc<Client>>,
    trouble: Trouble,
    /// One permit for each KiB that may be under way.
    room: Arc<Semaphore>,
    kib: u32,
    flush_timeout: Duration,
}

impl Producer {
    /// A producer; it connects by itself.
    pub(crate) fn new(options: &KafkaOptions) -> Result<Self> {
        let config = client::config(options.producer_properties());
        let trouble = Trouble::default();
        let client = build(&config, &trouble)?;
        let kib = options.buffer_kib.max(1);
        Ok(Self {
            config,
            client: RwLock::new(Arc::new(client)),
            trouble,
            room: Arc::new(Semaphore::new(usize::try_from(kib).unwrap_or(usize::MAX))),
            kib,
            flush_timeout: options.flush_timeout,
        })
    }

    /// Hands records to the brokers, all before it waits for any; waits for room if too many are under way. The answers are
    /// aligned, `None` for what all replicas have.
    ///
    /// # Cancel safety
    /// A dropped future leaves open which of them arrive.
    pub(crate) async fn send(&self, records: Vec<Outgoing<'_>>) -> Vec<Option<KafkaError>> {
        let reports = Arc::new(Reports::new(records.len()));
        let mut client = self.client();
        for (index, record) in records.into_iter().enumerate() {
            let room = Arc::clone(&self.room).acquire_many_owned(record.kib().min(self.kib)).await;
            let ticket = Box::new(Ticket::new(Arc::clone(&reports), index, room.ok()));
            let Outgoing { topic, key, value, headers } = record;
            let mut record = BaseRecord::with_opaque_to(topic, ticket).headers(headers);
            (record.key, record.payload) = (key, value);
            let mut rebuilt = false;
            while let Err((error, refused)) = client.send(record) {
                match error.rdkafka_error_code() {
                    // librdkafka counts more than we do, and its bounds can be set apart from ours.
                    Some(RDKafkaErrorCode::QueueFull) => tokio::time::sleep(FULL).await,
                    Some(RDKafkaErrorCode::Fatal) if !rebuilt => {
                        client = self.rebuild(&client);
                        rebuilt = true;
                    }
                    _ => {
                        refused.delivery_opaque.failed(error);
                        break;
                    }
                }
                record = refused;
            }
        }
        let answers = reports.answers().await;
        if answers.iter().flatten().any(is_fatal) {
            self.rebuild(&client);
        }
        answers
    }

    /// What a record's failure means, and why there was no answer if there was none.
    pub(crate) fn failure(&self, error: &KafkaError) -> Error {
        explained(error, self.trouble.said())
    }

    /// Waits until everything is acknowledged or has failed.
    pub(crate) async fn flush(&self) -> Result<()> {
        let (client, timeout) = (self.client(), self.flush_timeout);
        let flushed = tokio::task::spawn_blocking(move || {
            client.flush(timeout).map_err(|error| failure(&error)).map(|()| drop(client))
        });
        flushed
            .await
            .unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, "flushing ended").with_source(error)))
    }

    fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces a client that failed for good, unless somebody did already. If a new one cannot be built the old one stays,
    /// and every record fails until it can.
    fn rebuild(&self, failed: &Arc<Client>) -> Arc<Client> {
        let mut client = self.client.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&client, failed) {
            tracing::error!("the producer failed for good and is built anew");
            match build(&self.config, &self.trouble) {
                Ok(new) => retire(std::mem::replace(&mut *client, Arc::new(new))),
                Err(error) => tracing::error!(%error, "no new producer could be built"),
            }
        }
        Arc::clone(&client)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        retire(self.client());
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("free_kib", &self.room.available_permits()).finish_non_exhaustive()
    }
}

fn build(config: &ClientConfig, trouble: &Trouble) -> Result<Client> {
    Client::from_config_and_context(config, Reporter(trouble.clone())).map_err(|error| failure(&error))
}

/// Lets go of a client elsewhere: the last one to do so waits for its threads.
fn retire(client: Arc<Client>) {
    let spawned = std::thread::Builder::new().name("kafka-retire".to_owned()).spawn(move || drop(client));
    if let Err(error) = spawned {
        tracing::warn!(%error, "a producer was let go of in place");
    }
}

fn is_fatal(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal)
}

#[cfg(test)]
mod tests {
    use rdkafka::message::OwnedHeaders;
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::*;

    fn record(value: &[u8]) -> Outgoing<'_> {
        Outgoing { topic: "orders", key: Some(b"key"), value: Some(value), headers: OwnedHeaders::new() }
    }

    /// A producer on librdkafka's own cluster for tests.
    fn producer(cluster: &MockCluster<'_, rdkafka::producer::DefaultProducerContext>) -> Producer {
        cluster.create_topic("orders", 1, 1).unwrap();
        let mut options = KafkaOptions::new(cluster.bootstrap_servers());
        options.delivery_timeout = Duration::from_secs(10);
        Producer::new(&options).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_producer_that_failed_for_good_is_built_anew() {
        let cluster = MockCluster::new(1).unwrap();
        let producer = producer(&cluster);
        let first = producer.client();
        // For an idempotent producer there is no way on after this.
        let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED];
        cluster.request_errors(RDKafkaApiKey::InitProducerId, &refused);
        let answers = producer.send(vec![record(b"1"), record(b"2")]).await;
        assert!(answers.iter().all(Option::is_some), "{answers:?}");
        assert!(first.client().fatal_error().is_some());
        assert_eq!(producer.send(vec![record(b"3"), record(b"4")]).await, [None, None]);
        assert!(!Arc::ptr_eq(&first, &producer.client()));
        drop(first);
        producer.flush().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_record_has_its_own_answer_and_room_comes_back() {
        let cluster = MockCluster::new(1).unwrap();
        let producer = producer(&cluster);
        let room = producer.room.available_permits();
        let large = vec![0; 2 << 20];
        let answers = producer.send(vec![record(b"1"), record(&large), record(b"3")]).await;
        let codes: Vec<_> =
            answers.iter().map(|answer| answer.as_ref().and_then(KafkaError::rdkafka_error_code)).collect();
        assert_eq!(codes, [None, Some(RDKafkaErrorCode::MessageSizeTooLarge), None]);
        assert_eq!(producer.send(vec![]).await, []);
        assert_eq!(producer.room.available_permits(), room);
    }
}
