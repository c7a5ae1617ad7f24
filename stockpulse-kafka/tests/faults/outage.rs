//! The broker goes away and comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Published, Publisher};

use crate::broker::Broker;
use crate::support::{Place, event, fresh, handle, options};

/// The first time that each event came, by key.
fn firsts(found: &[Envelope]) -> BTreeMap<&str, Vec<u64>> {
    let mut keys: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for event in found {
        let numbers = keys.entry(&event.partition_key).or_default();
        if !numbers.contains(&event.sequence) {
            numbers.push(event.sequence);
        }
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_broker_that_is_killed_and_stopped_under_load() {
    const EVENTS: u64 = 4_000;
    let test = "what_was_acknowledged_survives_a_broker_that_is_killed_and_stopped_under_load";
    let Some(mut broker) = tokio::task::spawn_blocking(move || Broker::new(test)).await.unwrap() else { return };
    let place = Arc::new(Place::new(&broker.address(), 4).await);
    let mut subscription = place.join("readers").await;
    let publisher = tokio::spawn({
        let place = Arc::clone(&place);
        async move {
            let mut sent = 0;
            for number in 0..EVENTS / 4 {
                // One event of a key at a time, as the relay does it, again until it is taken.
                let batch: Vec<Envelope> = (0..4).map(|key| event(&format!("key-{key}"), number)).collect();
                let mut left: Vec<Envelope> = batch;
                while !left.is_empty() {
                    let answers = place.bus.publish(&left).await.unwrap();
                    let mut answers = answers.iter();
                    left.retain(|_| answers.next() != Some(&Published::Acknowledged));
                }
                sent += 4;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            sent
        }
    });
    let reader = tokio::spawn(async move {
        let mut found = Vec::new();
        // An event may come twice, so what counts is that each came.
        while firsts(&found).values().map(Vec::len).sum::<usize>() < usize::try_from(EVENTS).unwrap() {
            found.extend(handle(subscription.as_mut(), 1).await);
        }
        (found, subscription)
    });
    let broker = tokio::task::spawn_blocking(move || {
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(700));
            broker.kill();
            std::thread::sleep(Duration::from_millis(500));
            broker.start();
        }
        std::thread::sleep(Duration::from_millis(500));
        broker.pause();
        std::thread::sleep(Duration::from_secs(2));
        broker.resume();
        broker
    });
    let broker = broker.await.unwrap();
    assert_eq!(publisher.await.unwrap(), EVENTS);
    let (found, mut subscription) = reader.await.unwrap();
    let expected: Vec<u64> = (0..EVENTS / 4).collect();
    for (key, numbers) in firsts(&found) {
        assert_eq!(numbers, expected, "events of {key}, each where it came first");
    }
    subscription.close().await.unwrap();
    drop(broker);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_while_the_broker_is_away() {
    const KIB: u32 = 64;
    let test = "memory_is_bounded_while_the_broker_is_away";
    let Some(mut broker) = tokio::task::spawn_blocking(move || Broker::new(test)).await.unwrap() else { return };
    let mut small = options(&broker.address(), &fresh("test"));
    small.buffer_kib = KIB;
    let place = Arc::new(Place::with(small, 1).await);
    place.publish(&[event("key", 0)]).await;
    let mut broker = tokio::task::spawn_blocking(move || {
        broker.kill();
        broker
    })
    .await
    .unwrap();
    let batch: Vec<Envelope> = (1..=1_000).map(|number| event("key", number)).collect();
    let publishing = tokio::spawn({
        let place = Arc::clone(&place);
        async move { place.bus.publish(&batch).await }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!publishing.is_finished(), "what has no room waits");
    // Each of these events counts as one KiB, so this is how many are in the producer.
    let shown = format!("{:?}", place.bus);
    assert!(shown.contains("free_kib: 0"), "{shown}");
    let broker = tokio::task::spawn_blocking(move || {
        broker.start();
        broker
    });
    let broker = broker.await.unwrap();
    let answers = publishing.await.unwrap().unwrap();
    assert!(answers.iter().all(|answer| *answer == Published::Acknowledged));
    let found = handle(place.join("readers").await.as_mut(), 1_001).await;
    assert_eq!(firsts(&found)["key"], (0..=1_000).collect::<Vec<_>>());
    drop(broker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_left_though_the_broker_is_away_and_nothing_is_lost() {
    let test = "a_group_is_left_though_the_broker_is_away_and_nothing_is_lost";
    let Some(mut broker) = tokio::task::spawn_blocking(move || Broker::new(test)).await.unwrap() else { return };
    let mut options = options(&broker.address(), &fresh("test"));
    // Nothing is committed before the group is left.
    options.commit_interval = Duration::from_secs(3_600);
    options.close_timeout = Duration::from_secs(2);
    let place = Place::with(options, 1).await;
    place.publish(&[event("key", 1), event("key", 2)]).await;
    let mut subscription = place.join("readers").await;
    handle(subscription.as_mut(), 2).await;
    let mut broker = tokio::task::spawn_blocking(move || {
        broker.kill();
        broker
    })
    .await
    .unwrap();
    let left = subscription.close().await;
    assert!(left.is_err(), "who is not heard cannot commit");
    subscription.close().await.unwrap();
    drop(subscription);
    let broker = tokio::task::spawn_blocking(move || {
        broker.start();
        broker
    });
    let broker = broker.await.unwrap();
    let latest = event("key", 3);
    place.publish(std::slice::from_ref(&latest)).await;
    let mut subscription = place.join("readers").await;
    let mut sequences = Vec::new();
    while sequences.last() != Some(&3) {
        sequences.extend(handle(subscription.as_mut(), 1).await.iter().map(|event| event.sequence));
    }
    // What the first one had acknowledged may have been committed after all, as soon as the broker was back.
    assert!(sequences == [1, 2, 3] || sequences == [3], "{sequences:?}");
    drop(broker);
}
