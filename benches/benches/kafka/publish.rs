//! Publishing, beside librdkafka with the same bytes, settings and partitioner.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message, OwnedMessage};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Published, Publisher};
use stockpulse_kafka::{KafkaBus, KafkaOptions};

use crate::meter::{Meter, Took};
use crate::place::same;

/// Events of one call, as many as the relay publishes at once.
const BATCH: usize = 1_024;
/// Calls under way at a time, so that none waits for the one before.
pub(crate) const CALLS: usize = 8;

/// Through the bus.
pub(crate) async fn bus(options: &KafkaOptions, events: &[Envelope], calls: usize) -> Took {
    let bus = KafkaBus::new(options.clone()).expect("options that are right");
    // The first event finds out where everything is.
    publish(&bus, &events[..1]).await;
    let meter = Meter::begin();
    let batches = futures::stream::iter(events.chunks(BATCH));
    batches.for_each_concurrent(calls, |batch| publish(&bus, batch)).await;
    let took = meter.end(events.len());
    bus.close().await.expect("nothing is left");
    took
}

async fn publish(bus: &KafkaBus, batch: &[Envelope]) {
    let answers = bus.publish(batch).await.expect("the broker answers");
    assert!(answers.iter().all(|answer| *answer == Published::Acknowledged));
}

/// Counts what all replicas have.
#[derive(Clone, Debug, Default)]
struct Acknowledged(Arc<AtomicUsize>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok());
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Through librdkafka alone. The headers are copied for each record, since a producer takes them.
pub(crate) fn bare(options: &KafkaOptions, topic: &str, records: &[OwnedMessage]) -> Took {
    let acknowledged = Acknowledged::default();
    let config = same(options, "producer");
    let producer = ThreadedProducer::from_config_and_context(&config, acknowledged.clone()).expect("a producer");
    send(&producer, topic, &records[0]);
    producer.flush(Duration::from_secs(60)).expect("the broker answers");
    let meter = Meter::begin();
    for record in records {
        send(&producer, topic, record);
    }
    producer.flush(Duration::from_secs(60)).expect("the broker answers");
    let took = meter.end(records.len());
    assert_eq!(acknowledged.0.load(Ordering::Relaxed), records.len() + 1);
    took
}

fn send(producer: &ThreadedProducer<Acknowledged>, topic: &str, record: &OwnedMessage) {
    let headers = record.headers().expect("headers").clone();
    let mut outgoing = BaseRecord::to(topic).headers(headers);
    (outgoing.key, outgoing.payload) = (record.key(), record.payload());
    while let Err((error, refused)) = producer.send(outgoing) {
        assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
        std::thread::sleep(Duration::from_millis(1));
        outgoing = refused;
    }
}
