//! Topics, health, and what is not there.

use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::port::{SubscribeOptions, Subscriber};
use stockpulse_kafka::{KafkaAdmin, KafkaBus, TopicSettings};

use crate::support::{TYPE, broker_or_skip, fresh, options};

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_checked_and_looked_after() {
    let Some(broker) = broker_or_skip("topics_are_created_checked_and_looked_after") else { return };
    let options = options(&broker, &fresh("test"));
    let admin = KafkaAdmin::new(options.clone()).unwrap();
    let settings =
        TopicSettings::default().with_partitions(2).with_replication(1).with_setting("min.insync.replicas", "1");
    let topics = options.topic_names(stockpulse_core::model::EventType::ALL);
    let health = admin.health().await.unwrap();
    assert!(!health.is_ready());
    assert_eq!((health.brokers, &health.missing), (1, &topics));
    assert_eq!(admin.check_topics(&settings).await.unwrap().len(), topics.len(), "each is missing");

    let mut created = admin.create_topics(&settings).await.unwrap();
    created.sort();
    assert_eq!(created, topics);
    assert_eq!(admin.create_topics(&settings).await.unwrap(), [""; 0], "they are there");
    assert_eq!(admin.check_topics(&settings).await.unwrap(), []);
    assert!(admin.health().await.unwrap().is_ready());

    let other = settings.with_partitions(3).with_retention(Some(Duration::from_secs(60)));
    let findings: Vec<String> = admin.check_topics(&other).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), 2 * topics.len());
    let first = &topics[0];
    assert!(findings.contains(&format!("{first}: partitions is 2, and should be 3")), "{findings:?}");
    assert!(findings.contains(&format!("{first}: retention.ms is 604800000, and should be 60000")), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_to_be_so() {
    let Some(broker) = broker_or_skip("what_is_not_there_is_said_to_be_so") else { return };
    let bus = KafkaBus::new(options(&broker, &fresh("test"))).unwrap();
    let kind = |joined: stockpulse_core::Result<_>| joined.map(|_| ()).unwrap_err().kind();
    let joined = bus.subscribe(SubscribeOptions::new("readers", [TYPE])).await;
    assert_eq!(kind(joined), ErrorKind::Config, "no such topic");
    let joined = bus.subscribe(SubscribeOptions::new("a group", [TYPE])).await;
    assert_eq!(kind(joined), ErrorKind::Config, "no name for its dead letters");
    let mut nobody = options("127.0.0.1:1", "");
    nobody.request_timeout = Duration::from_millis(500);
    let joined = KafkaBus::new(nobody).unwrap().subscribe(SubscribeOptions::new("readers", [TYPE])).await;
    assert!(matches!(kind(joined), ErrorKind::Unavailable | ErrorKind::Timeout), "no broker");
    let wrong = KafkaBus::new(options(&broker, "").with_setting("no.such.setting", "1")).map(|_| ()).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Config);
}
