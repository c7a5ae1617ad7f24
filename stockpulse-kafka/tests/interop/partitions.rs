//! A key's partition is the one that a Java client chooses: an application that publishes with both keeps its order.

use std::collections::{BTreeMap, BTreeSet};

use stockpulse_core::model::{Envelope, EventType};
use stockpulse_core::port::{Published, Publisher};
use stockpulse_kafka::{KafkaAdmin, KafkaBus, TopicSettings};

use super::java::{Java, Record};
use super::presets::envelope;
use crate::support::{fresh, options};

const PARTITIONS: u16 = 7;

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_where_a_java_client_sends_them() {
    let Some(java) = Java::find("keys_go_where_a_java_client_sends_them") else { return };
    let options = options(&java.broker, &fresh("partitions"));
    let topic = options.topic(EventType::StockUpdated);
    let settings = TopicSettings::default().with_partitions(PARTITIONS);
    KafkaAdmin::new(options.clone()).unwrap().create(std::slice::from_ref(&topic), &settings).await.unwrap();
    // Of every length modulo 4, as the hash reads four bytes at a time, and beyond ASCII.
    let mut keys: Vec<String> =
        (0..120).map(|number| format!("SKU-{}", "x".repeat(number % 13)) + &number.to_string()).collect();
    keys.extend(["Größe", "靴-27", "🧦", "a", "ab", "abc"].map(str::to_owned));

    let ours: Vec<Envelope> = keys.iter().map(|key| envelope(EventType::StockUpdated, key)).collect();
    let bus = KafkaBus::new(options).unwrap();
    assert_eq!(bus.publish(&ours).await.unwrap(), vec![Published::Acknowledged; keys.len()]);
    let theirs = keys.iter().map(|key| Record { key: key.clone(), value: "{}".into(), ..Record::default() });
    java.write(&topic, theirs.collect()).await;

    let mut partitions: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for record in java.read(&topic.replace('.', "\\."), 2 * keys.len()).await {
        partitions.entry(record.key).or_default().push(record.partition);
    }
    assert_eq!(partitions.len(), keys.len());
    for (key, partitions) in &partitions {
        assert!(partitions.len() == 2 && partitions[0] == partitions[1], "{key}: {partitions:?}");
    }
    let used: BTreeSet<u32> = partitions.into_values().flatten().collect();
    assert_eq!(used.len(), usize::from(PARTITIONS));
}
