//! Dead letters that the brokers do not take.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use stockpulse_core::port::Nack;
use stockpulse_kafka::{DeadLetters, KafkaAdmin, TopicSettings};

use crate::support::{Place, TYPE, broker_or_skip, event, handle, receive};

/// The largest record that a topic takes, in bytes.
const LARGEST: &str = "max.message.bytes";

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_dead_letter_yet_is_not_done_with() {
    let Some(broker) = broker_or_skip("what_has_no_dead_letter_yet_is_not_done_with") else { return };
    let place = Place::new(&broker, 1).await;
    let letters = DeadLetters::new(place.options.clone()).unwrap();
    let topic = letters.topic(place.options.topics.topic(TYPE), "readers");
    // Not even a letter without its body.
    let settings = TopicSettings::default().with_partitions(1).with_setting(LARGEST, "50");
    let admin = KafkaAdmin::new(place.options.clone()).unwrap();
    admin.create(std::slice::from_ref(&topic), &settings).await.unwrap();

    place.publish(&[event("a", 1)]).await;
    place.write(&place.topic(), "poison", Some(b"{}"), &[]).await;
    place.publish(&[event("a", 2)]).await;
    let mut subscription = place.join("readers").await;
    let mut found = Vec::new();
    while found.len() < 2 {
        found.extend(receive(subscription.as_mut()).await);
    }
    let dead = [(found[0].tag, Nack::DeadLetter("no such customer".to_owned()))];
    assert!(subscription.nack(&dead).await.is_err(), "nobody has it");
    assert!(subscription.nack(&dead).await.is_err(), "and it still waits for its letter");
    subscription.ack(&[found[0].tag, found[1].tag]).await.unwrap();
    subscription.close().await.unwrap();

    // The poison holds the group's place.
    place.publish(&[event("a", 3)]).await;
    let mut subscription = place.join("readers").await;
    let numbers: Vec<u64> = handle(subscription.as_mut(), 2).await.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(letters.list(&topic).await.unwrap(), []);
    let plain: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", broker).create().unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set(LARGEST, "1000000");
    plain.alter_configs(&[change], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    let written = tokio::time::timeout(Duration::from_secs(60), async {
        while letters.list(&topic).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    written.await.expect("a letter as soon as it can be written");
    subscription.close().await.unwrap();
    place.publish(&[event("a", 4)]).await;
    assert_eq!(handle(place.join("readers").await.as_mut(), 1).await[0].sequence, 4);
}
