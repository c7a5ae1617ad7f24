//! Consuming, beside librdkafka polling the same records.

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
use std::time::Duration;
use stockpulse_core::model::EventType;
use stockpulse_core::port::{DeliveryTag, SubscribeOptions, Subscriber};
use stockpulse_kafka::{KafkaBus, KafkaOptions};

use crate::meter::{Meter, Took};
use crate::place::{new_id, same};

/// Events received at once, as many as a processor takes.
const BATCH: usize = 512;

/// Through the bus: received and acknowledged, by a new group.
pub(crate) async fn bus(options: &KafkaOptions, events: usize) -> Took {
    let bus = KafkaBus::new(options.clone()).expect("options that are right");
    let subscribe = SubscribeOptions::new(format!("bus-{}", new_id().simple()), [EventType::OrderPlaced]);
    let mut subscription = bus.subscribe(subscribe).await.expect("the broker answers");
    let (mut received, mut meter) = (0, None);
    while received < events {
        let deliveries = subscription.receive(BATCH).await.expect("the broker answers");
        meter = meter.or_else(|| Some(Meter::begin()));
        received += deliveries.len();
        let tags: Vec<DeliveryTag> = deliveries.iter().map(|delivery| delivery.tag).collect();
        subscription.ack(&tags).await.expect("acknowledged");
    }
    let took = meter.expect("some events").end(events);
    subscription.close().await.expect("the group is left");
    took
}

/// What is done with a polled record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    Copy,
}

/// Through librdkafka alone, by a new group.
pub(crate) fn bare(options: &KafkaOptions, topic: &str, events: usize, then: Then) -> Took {
    poll(options, topic, events, |record| match then {
        Then::Nothing => assert!(record.payload().is_some()),
        Then::Copy => drop(std::hint::black_box(record.detach())),
    })
}

/// All records of a topic.
pub(crate) fn records(options: &KafkaOptions, topic: &str, events: usize) -> Vec<OwnedMessage> {
    let mut records = Vec::with_capacity(events);
    poll(options, topic, events, |record| records.push(record.detach()));
    records
}

fn poll(options: &KafkaOptions, topic: &str, events: usize, mut then: impl FnMut(&BorrowedMessage<'_>)) -> Took {
    let mut config = same(options, "consumer");
    config.set("group.id", format!("{}bare-{}", options.prefix, new_id().simple()));
    let consumer = BaseConsumer::from_config(&config).expect("a consumer");
    consumer.subscribe(&[topic]).expect("a topic");
    let (mut polled, mut meter) = (0, None);
    while polled < events {
        let Some(record) = consumer.poll(Duration::from_millis(100)) else { continue };
        meter = meter.or_else(|| Some(Meter::begin()));
        then(&record.expect("the broker answers"));
        polled += 1;
    }
    meter.expect("some records").end(events)
}
