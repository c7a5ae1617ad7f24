//! The server, and buses that are quick enough for tests.

use std::time::Duration;

use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{
    Clock, Delivery, DeliveryTag, IdGenerator, Published, Publisher, SubscribeOptions, Subscriber, Subscription,
};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_redis::{RedisConnection, RedisOptions, RedisStreamsBus, StreamsOptions};

/// Options with short times: who comes, leaves or dies is noticed soon.
pub(crate) fn quick() -> StreamsOptions {
    StreamsOptions::default().with_partitions(4).with_lease(Duration::from_secs(2), Duration::from_millis(100))
}

/// A connection under a prefix.
pub(crate) fn connect(url: &str, prefix: &str) -> RedisConnection {
    RedisConnection::new(RedisOptions::new(url).with_prefix(prefix)).unwrap()
}

/// A bus under a prefix.
pub(crate) fn bus(url: &str, prefix: &str, options: StreamsOptions) -> RedisStreamsBus {
    RedisStreamsBus::new(connect(url, prefix), options).unwrap()
}

/// What tests publish.
pub(crate) const TYPE: EventType = EventType::OrderPlaced;

/// An event of a key.
pub(crate) fn event(key: &str, number: u64) -> Envelope {
    Envelope {
        id: EventId::new(RandomIds.next_id(SystemClock.now())),
        source: "/tests".into(),
        type_name: TYPE.cloud_event_type().into(),
        subject: key.into(),
        time: SystemClock.now(),
        partition_key: key.into(),
        sequence: number,
        trace: None,
        data: format!("{{\"number\":{number}}}").into(),
    }
}

/// Events of one key.
pub(crate) fn events(key: &str, numbers: std::ops::Range<u64>) -> Vec<Envelope> {
    numbers.map(|number| event(key, number)).collect()
}

/// Publishes, and asserts that everything was taken.
pub(crate) async fn publish(bus: &RedisStreamsBus, events: &[Envelope]) {
    let answers = bus.publish(events).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Published::Acknowledged), "{answers:?}");
}

/// Joins a group.
pub(crate) async fn join(bus: &RedisStreamsBus, group: &str) -> Box<dyn Subscription> {
    bus.subscribe(SubscribeOptions::new(group, [TYPE])).await.unwrap()
}

/// Receives until so many events came, which has to be within half a minute.
pub(crate) async fn receive(subscription: &mut dyn Subscription, events: usize) -> Vec<Delivery> {
    let mut found = Vec::new();
    while found.len() < events {
        let more = tokio::time::timeout(Duration::from_secs(30), subscription.receive(1_000)).await;
        found.extend(more.unwrap().unwrap());
    }
    found
}

/// Asserts that nothing but this comes next: it is published last.
pub(crate) async fn only(bus: &RedisStreamsBus, subscription: &mut dyn Subscription, last: Envelope) {
    publish(bus, std::slice::from_ref(&last)).await;
    let found = receive(subscription, 1).await;
    assert_eq!(envelopes(&found), [last]);
    subscription.ack(&tags(&found)).await.unwrap();
}

pub(crate) fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

pub(crate) fn envelopes(deliveries: &[Delivery]) -> Vec<Envelope> {
    deliveries.iter().map(|delivery| delivery.envelope.clone()).collect()
}
