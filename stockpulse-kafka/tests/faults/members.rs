//! Members that are slow, come, go, and come back.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use stockpulse_core::model::{Envelope, EventId};
use stockpulse_core::port::{Delivery, Start, SubscribeOptions, Subscriber, Subscription};

use crate::support::{Place, TYPE, broker_or_skip, event, fresh, handle, options, receive};

fn spread(numbers: std::ops::Range<u64>, keys: u64) -> Vec<Envelope> {
    numbers.map(|number| event(&format!("key-{}", number % keys), number)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_handler_stays_in_its_group_and_holds_no_more_than_it_may() {
    let test = "a_slow_handler_stays_in_its_group_and_holds_no_more_than_it_may";
    let Some(broker) = broker_or_skip(test) else { return };
    let mut options = options(&broker, &fresh("test"));
    options.max_poll_interval = Duration::from_secs(6);
    options.prefetch = 100;
    let place = Place::with(options, 4).await;
    let sent = spread(0..5_000, 16);
    place.publish(&sent).await;
    let mut subscription = place.join("readers").await;
    let first = receive(subscription.as_mut()).await;
    assert!(first.len() <= 100, "{} were held ready", first.len());
    // Longer than a member may go without polling.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let mut all = first.clone();
    subscription.ack(&first.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
    while all.len() < sent.len() {
        let more = receive(subscription.as_mut()).await;
        assert!(more.len() <= 100, "{} were held ready", more.len());
        subscription.ack(&more.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
        all.extend(more);
    }
    let generations: BTreeSet<u64> = all.iter().map(|delivery| delivery.tag.generation).collect();
    assert_eq!(generations.len(), 1, "its partitions moved");
    let ids: BTreeSet<EventId> = all.iter().map(|delivery| delivery.envelope.id).collect();
    assert_eq!((ids.len(), all.len()), (sent.len(), sent.len()), "each came once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_member_comes_back_without_a_rebalance() {
    let Some(broker) = broker_or_skip("a_static_member_comes_back_without_a_rebalance") else { return };
    let prefix = fresh("test");
    let place = Place::with(options(&broker, &prefix).with_instance_id("one"), 2).await;
    let two = Place::with(options(&broker, &prefix).with_instance_id("two"), 2).await;
    let (mut first, mut second) = (place.join("readers").await, two.join("readers").await);
    // Both have a partition when each receives something, and neither moves any more.
    let mut number = 0;
    let before = loop {
        place.publish(&spread(number..number + 20, 20)).await;
        number += 20;
        let (one, other) = (look(first.as_mut()).await, look(second.as_mut()).await);
        if let (Some(_), Some(other)) = (one.first(), other.first()) {
            break other.tag;
        }
    };
    drop(first);
    let again = place.another();
    let mut first = again.subscribe(SubscribeOptions::new("readers", [TYPE])).await.unwrap();
    let mut came = Vec::new();
    while came.is_empty() {
        place.publish(&spread(number..number + 20, 20)).await;
        number += 20;
        came = look(first.as_mut()).await;
    }
    let after = loop {
        place.publish(&spread(number..number + 20, 20)).await;
        number += 20;
        if let Some(delivery) = look(second.as_mut()).await.pop() {
            break delivery.tag;
        }
    };
    assert_eq!((before.generation, before.partition), (after.generation, after.partition), "the other was disturbed");
}

/// What comes within a second; acknowledged.
async fn look(subscription: &mut dyn Subscription) -> Vec<Delivery> {
    let Ok(received) = tokio::time::timeout(Duration::from_secs(1), subscription.receive(100)).await else {
        return Vec::new();
    };
    let received = received.unwrap();
    subscription.ack(&received.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
    received
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_set_back_to_the_beginning_receives_everything_again() {
    let test = "a_group_that_is_set_back_to_the_beginning_receives_everything_again";
    let Some(broker) = broker_or_skip(test) else { return };
    let place = Place::new(&broker, 1).await;
    let sent = spread(0..50, 5);
    place.publish(&sent).await;
    let mut subscription = place.join("readers").await;
    assert_eq!(handle(subscription.as_mut(), 50).await, sent);
    subscription.close().await.unwrap();
    let group = place.options.group("readers");
    let topic = place.topic();
    let set_back = tokio::task::spawn_blocking(move || {
        let mut config = ClientConfig::new();
        let consumer: BaseConsumer = config.set("bootstrap.servers", broker).set("group.id", group).create().unwrap();
        let mut places = TopicPartitionList::new();
        places.add_partition_offset(&topic, 0, Offset::Offset(0)).unwrap();
        consumer.commit(&places, CommitMode::Sync).unwrap();
    });
    set_back.await.unwrap();
    assert_eq!(handle(place.join("readers").await.as_mut(), 50).await, sent, "with the same ids, in the same order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_began_with_the_next_event_is_known_though_it_handled_none() {
    let test = "a_group_that_began_with_the_next_event_is_known_though_it_handled_none";
    let Some(broker) = broker_or_skip(test) else { return };
    let place = Place::new(&broker, 1).await;
    place.publish(&spread(0..10, 1)).await;
    let latest = || SubscribeOptions::new("readers", [TYPE]).with_start(Start::Latest);
    let mut subscription = place.bus.subscribe(latest()).await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_secs(3), subscription.receive(100)).await;
    assert!(nothing.is_err(), "events from before it began: {nothing:?}");
    subscription.close().await.unwrap();
    // Published while the group has no member: it is not to miss what came after it began.
    let sent = spread(10..20, 1);
    place.publish(&sent).await;
    let mut subscription = place.bus.subscribe(latest()).await.unwrap();
    assert_eq!(handle(subscription.as_mut(), 10).await, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_while_partitions_are_given_back_does_not_come_again() {
    let test = "what_is_acknowledged_while_partitions_are_given_back_does_not_come_again";
    let Some(broker) = broker_or_skip(test) else { return };
    // By itself librdkafka commits what was stored when a partition goes, without waiting: not so here, where that would
    // hide whether it was done before.
    let mut options = options(&broker, &fresh("test")).with_consumer_setting("enable.auto.commit", "false");
    options.drain = Duration::from_secs(30);
    let place = Place::with(options, 2).await;
    let sent = spread(0..20, 20);
    place.publish(&sent).await;
    let mut one = place.join("readers").await;
    let mut found = Vec::new();
    while found.len() < 20 {
        found.extend(receive(one.as_mut()).await);
    }
    let mut two = place.join("readers").await;
    // The rebalance has begun when nothing is delivered any more: what is published now waits for its end.
    let mut more = Vec::new();
    let mut number = 20;
    loop {
        place.publish(&spread(number..number + 20, 20)).await;
        number += 20;
        match tokio::time::timeout(Duration::from_secs(1), one.receive(1_000)).await {
            Ok(received) => more.extend(received.unwrap()),
            Err(_) => break,
        }
    }
    found.extend(more);
    one.ack(&found.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
    let done: BTreeSet<EventId> = found.iter().map(|delivery| delivery.envelope.id).collect();
    let mut left = usize::try_from(number).unwrap() - done.len();
    while left > 0 {
        for delivery in look(one.as_mut()).await.into_iter().chain(look(two.as_mut()).await) {
            assert!(!done.contains(&delivery.envelope.id), "acknowledged in time, and delivered again");
            left -= 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_was_paused_when_it_went_is_read_again_when_it_comes_back() {
    let test = "a_partition_that_was_paused_when_it_went_is_read_again_when_it_comes_back";
    let Some(broker) = broker_or_skip(test) else { return };
    let mut options = options(&broker, &fresh("test"));
    options.prefetch = 10;
    let place = Place::with(options, 2).await;
    let sent = spread(0..1_000, 20);
    place.publish(&sent).await;
    let mut one = place.join("readers").await;
    let mut seen = BTreeSet::new();
    seen.extend(handle(one.as_mut(), 1).await.iter().map(|event| event.id));
    // Nobody makes room, and after some time everything is paused. Then another member comes, and goes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut two = place.join("readers").await;
    seen.extend(handle(two.as_mut(), 1).await.iter().map(|event| event.id));
    two.close().await.unwrap();
    while seen.len() < sent.len() {
        seen.extend(handle(one.as_mut(), 1).await.iter().map(|event| event.id));
    }
}
