//! The broker, and options that are quick enough for tests.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{
    Clock, Delivery, DeliveryTag, IdGenerator, Published, Publisher, SubscribeOptions, Subscriber, Subscription,
};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_kafka::{KafkaAdmin, KafkaBus, KafkaOptions, TopicSettings};

/// The broker's address, or why there is none.
pub(crate) fn broker() -> Result<String, String> {
    match std::env::var("STOCKPULSE_KAFKA") {
        Ok(address) if !address.is_empty() => Ok(address),
        _ => Err("STOCKPULSE_KAFKA names no broker (host:port)".to_owned()),
    }
}

/// The broker's address; `None`, after saying so, if there is none.
pub(crate) fn broker_or_skip(test: &str) -> Option<String> {
    broker().map_err(|reason| skip(test, &reason)).ok()
}

/// Says that a test did not run, which is a failure where every test has to.
#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
pub(crate) fn skip(test: &str, reason: &str) {
    eprintln!("SKIP {test}: {reason}");
    assert_ne!(std::env::var("STOCKPULSE_REQUIRE").as_deref(), Ok("all"), "skipped: {reason}");
}

/// A name that no other test and no other run uses.
pub(crate) fn fresh(of: &str) -> String {
    format!("{of}-{}.", RandomIds.next_id(SystemClock.now()).simple())
}

/// Options under a prefix, with times that are short: a rebalance is noticed within 100 ms, and what nobody acknowledges
/// holds it up no longer than that either.
pub(crate) fn options(broker: &str, prefix: &str) -> KafkaOptions {
    let mut options = KafkaOptions::new(broker).with_prefix(prefix);
    options.session_timeout = Duration::from_secs(6);
    options.heartbeat = Duration::from_millis(100);
    options.drain = Duration::from_millis(100);
    options.commit_interval = Duration::from_millis(200);
    options
}

/// A bus under a prefix of its own, with its topics.
pub(crate) struct Place {
    pub(crate) options: KafkaOptions,
    pub(crate) bus: KafkaBus,
    /// A client that knows nothing of StockPulse.
    pub(crate) plain: FutureProducer,
}

impl Place {
    /// A place on the broker at this address, with so many partitions to a topic.
    pub(crate) async fn new(broker: &str, partitions: u16) -> Self {
        Self::with(options(broker, &fresh("test")), partitions).await
    }

    /// A place with these options.
    pub(crate) async fn with(options: KafkaOptions, partitions: u16) -> Self {
        let admin = KafkaAdmin::new(options.clone()).unwrap();
        admin.create_topics(&TopicSettings::default().with_partitions(partitions)).await.unwrap();
        let bus = KafkaBus::new(options.clone()).unwrap();
        let plain = ClientConfig::new().set("bootstrap.servers", &options.brokers).create().unwrap();
        Self { options, bus, plain }
    }

    /// The topic of what tests publish, in full.
    pub(crate) fn topic(&self) -> String {
        self.options.topic(TYPE)
    }

    /// What another process would have: a bus with the same options.
    pub(crate) fn another(&self) -> KafkaBus {
        KafkaBus::new(self.options.clone()).unwrap()
    }

    /// Publishes, and asserts that everything was taken.
    pub(crate) async fn publish(&self, events: &[Envelope]) {
        let answers = self.bus.publish(events).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Published::Acknowledged), "{answers:?}");
    }

    /// Joins a group.
    pub(crate) async fn join(&self, group: &str) -> Box<dyn Subscription> {
        self.bus.subscribe(SubscribeOptions::new(group, [TYPE])).await.unwrap()
    }

    /// Publishes a record as somebody else would.
    pub(crate) async fn write(&self, topic: &str, key: &str, value: Option<&[u8]>, headers: &[(&str, &str)]) {
        let mut record: FutureRecord<'_, str, [u8]> = FutureRecord::to(topic).key(key);
        record.payload = value;
        let header =
            |headers: OwnedHeaders, (key, value): &(&str, &str)| headers.insert(Header { key, value: Some(*value) });
        let record = record.headers(headers.iter().fold(OwnedHeaders::new(), header));
        self.plain.send(record, Duration::from_secs(10)).await.unwrap();
    }
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

/// Receives until so many events came, which has to be within a minute, and acknowledges them.
pub(crate) async fn handle(subscription: &mut dyn Subscription, events: usize) -> Vec<Envelope> {
    let mut handled = Vec::new();
    while handled.len() < events {
        let deliveries = receive(subscription).await;
        let tags: Vec<DeliveryTag> = deliveries.iter().map(|delivery| delivery.tag).collect();
        subscription.ack(&tags).await.unwrap();
        handled.extend(deliveries.into_iter().map(|delivery| delivery.envelope));
    }
    handled
}

/// What comes next, which has to be within a minute.
pub(crate) async fn receive(subscription: &mut dyn Subscription) -> Vec<Delivery> {
    tokio::time::timeout(Duration::from_secs(60), subscription.receive(1_000)).await.unwrap().unwrap()
}
