//! A client that knows nothing of StockPulse on each side of every preset of topics.

use std::collections::BTreeMap;

use bytes::Bytes;
use stockpulse_core::model::{Envelope, EventId, EventType, TopicMap};
use stockpulse_core::port::{Clock, IdGenerator, Published, Publisher, SubscribeOptions, Subscriber};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_kafka::{KafkaAdmin, KafkaBus, PlainTopic, TopicSettings};

use super::java::{Java, Record};
use crate::support::{fresh, options};

fn new_id() -> EventId {
    EventId::new(RandomIds.next_id(SystemClock.now()))
}

pub(crate) fn envelope(event_type: EventType, key: &str) -> Envelope {
    Envelope {
        id: new_id(),
        source: "/stockpulse/orders".into(),
        type_name: event_type.cloud_event_type().into(),
        subject: key.into(),
        time: SystemClock.now(),
        partition_key: key.into(),
        sequence: 3,
        trace: None,
        data: Bytes::from(format!("{{\"about\":\"{key}\"}}")),
    }
}

/// The attributes of an event as another system writes them.
fn attributes(id: EventId) -> BTreeMap<String, String> {
    let attributes = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", id.to_string()),
        ("ce_source", "/till/7".to_owned()),
        ("ce_type", "com.stockpulse.order.placed.v1".to_owned()),
        ("ce_subject", "o-1".to_owned()),
        ("ce_time", "2026-11-21T10:20:30Z".to_owned()),
        ("ce_sequence", "00000000000000000007".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The topics of `order.placed`, `order.shipped`, `stock.updated` and `stock.out`.
const TYPES: [EventType; 4] =
    [EventType::OrderPlaced, EventType::OrderShipped, EventType::StockUpdated, EventType::StockOut];

async fn both_sides(test: &str, topics: TopicMap, names: [&str; 4], is_plain: bool) {
    let Some(java) = Java::find(test) else { return };
    let prefix = fresh(test);
    let plain = PlainTopic::of(&topics);
    let options =
        plain.into_iter().fold(options(&java.broker, &prefix).with_topics(topics), |options, (name, plain)| {
            options.with_plain_topic(name, plain)
        });
    let admin = KafkaAdmin::new(options.clone()).unwrap();
    let mut full: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    full.sort();
    full.dedup();
    admin.create(&full, &TopicSettings::default().with_partitions(3)).await.unwrap();
    let bus = KafkaBus::new(options).unwrap();

    // StockPulse publishes, Java reads.
    let published: Vec<Envelope> = TYPES.iter().map(|known| envelope(*known, &format!("{known:?}-1"))).collect();
    assert_eq!(bus.publish(&published).await.unwrap(), vec![Published::Acknowledged; 4]);
    let read = java.read(&full.join("|").replace('.', "\\."), 4).await;
    for event in &published {
        let id = event.id.to_string();
        let record = read.iter().find(|record| record.headers["ce_id"] == id).expect("every event is there");
        assert_eq!((record.key.as_bytes(), record.value.as_bytes()), (event.partition_key.as_bytes(), &event.data[..]));
        let header = |name: &str| record.headers.get(name).map(String::as_str);
        assert_eq!(header("ce_specversion"), Some("1.0"));
        assert_eq!(header("ce_type"), Some(event.type_name.as_str()));
        assert_eq!(header("ce_source"), Some("/stockpulse/orders"));
        assert_eq!(header("ce_partitionkey"), Some(event.partition_key.as_str()));
        assert_eq!(header("ce_sequence"), Some("00000000000000000003"));
        assert_eq!(header("content-type"), Some("application/json"));
    }

    // Java writes, StockPulse receives: a CloudEvent, and a plain document where the topic says what it is.
    let id = new_id();
    let record = |headers, key: &str| {
        let value = format!("{{\"order\":\"{key}\"}}");
        Record { partition: 0, headers, key: key.into(), value }
    };
    let mut records = vec![record(attributes(id), "o-1")];
    if is_plain {
        records.push(record(BTreeMap::new(), "o-2"));
    }
    java.write(&format!("{prefix}{}", names[0]), records.clone()).await;
    let (first, second) = (received(&bus, "first", &records).await, received(&bus, "second", &records).await);
    assert_eq!(first, second, "every group sees the same ids");
    for (record, envelope) in records.iter().zip(&first) {
        assert_eq!(envelope.type_name, "com.stockpulse.order.placed.v1");
        assert_eq!(
            (envelope.partition_key.as_str(), &envelope.data[..]),
            (record.key.as_str(), record.value.as_bytes())
        );
    }
    assert_eq!((first[0].id, first[0].source.as_str(), first[0].sequence), (id, "/till/7", 7));
    assert_eq!(first[0].time.to_string(), "2026-11-21T10:20:30.000000Z");
    bus.close().await.unwrap();
}

/// What a group receives, in the order of these records.
async fn received(bus: &KafkaBus, group: &str, records: &[Record]) -> Vec<Envelope> {
    let mut subscription = bus.subscribe(SubscribeOptions::new(group, [EventType::OrderPlaced])).await.unwrap();
    let mut found = BTreeMap::new();
    while records.iter().any(|record| !found.contains_key(&record.key)) {
        for delivery in subscription.receive(10).await.unwrap() {
            subscription.ack(&[delivery.tag]).await.unwrap();
            found.insert(delivery.envelope.partition_key.to_string(), delivery.envelope);
        }
    }
    subscription.close().await.unwrap();
    records.iter().filter_map(|record| found.remove(&record.key)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn per_aggregate() {
    let names = ["shop.orders", "shop.orders", "shop.stock", "shop.stock"];
    both_sides("per_aggregate", TopicMap::per_aggregate("shop"), names, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn per_event() {
    let names = ["order.placed", "order.shipped", "stock.updated", "stock.out"];
    both_sides("per_event", TopicMap::per_event(), names, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dashed() {
    let names = ["order-created", "order-shipped", "stock-updated", "stock-out"];
    both_sides("dashed", TopicMap::dashed(), names, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn underscored() {
    let names = ["order_placed", "order_shipped", "stock_updated", "out_of_stock"];
    both_sides("underscored", TopicMap::underscored(), names, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn created_updated() {
    let names = ["order.created", "order.updated", "inventory.updated", "inventory.updated"];
    both_sides("created_updated", TopicMap::created_updated(), names, true).await;
}
