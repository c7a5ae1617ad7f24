//! A server that is killed, and one that stops answering.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::model::{Envelope, EventId};
use stockpulse_core::port::{Published, Publisher};
use stockpulse_redis::RedisStreamsBus;

use super::support::{bus, envelopes, event, events, join, only, publish, quick, receive, tags};
use crate::support::node::{ALWAYS, Node, program};
use crate::support::{found_or_skip, fresh};

/// Publishes events of some keys until it is told to end, each until it was acknowledged. Answers them by key.
async fn keep_publishing(bus: RedisStreamsBus, end: Arc<AtomicBool>) -> BTreeMap<String, Vec<u64>> {
    let mut sent: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut number = 0;
    while !end.load(Ordering::Acquire) {
        let batch: Vec<Envelope> = (0..20).map(|index| event(&format!("key-{}", index % 7), number + index)).collect();
        number += 20;
        let mut left = &batch[..];
        while !left.is_empty() {
            // All behind one that failed go again, so that each key keeps its order.
            let taken = match bus.publish(left).await {
                Ok(answers) => answers.iter().take_while(|answer| **answer == Published::Acknowledged).count(),
                Err(_) => 0,
            };
            left = &left[taken..];
            if !left.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        for envelope in batch {
            sent.entry(envelope.partition_key.to_string()).or_default().push(envelope.sequence);
        }
    }
    sent
}

/// Receives and acknowledges until it is told to end and nothing comes any more. Answers what came, by key and in the order
/// in which it came for the first time.
async fn keep_receiving(bus: RedisStreamsBus, end: Arc<AtomicBool>) -> BTreeMap<String, Vec<u64>> {
    let mut member = join(&bus, "group").await;
    let (mut found, mut seen): (BTreeMap<String, Vec<u64>>, BTreeSet<EventId>) = Default::default();
    loop {
        let ended = end.load(Ordering::Acquire);
        match tokio::time::timeout(Duration::from_secs(5), member.receive(100)).await {
            Ok(Ok(deliveries)) => {
                let _ = member.ack(&tags(&deliveries)).await;
                for delivery in deliveries.into_iter().filter(|delivery| seen.insert(delivery.envelope.id)) {
                    let envelope = delivery.envelope;
                    found.entry(envelope.partition_key.to_string()).or_default().push(envelope.sequence);
                }
            }
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(_) if ended => return found,
            Err(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_of_the_server_under_load() {
    let test = "what_was_acknowledged_survives_kills_of_the_server_under_load";
    let Some(program) = found_or_skip(test, program()) else { return };
    let mut server = Node::start(&program, &ALWAYS).await;
    let prefix = fresh();
    let own = || bus(&server.url(), &prefix, quick());
    let [published, all] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let publishing = tokio::spawn(keep_publishing(own(), Arc::clone(&published)));
    let receiving = tokio::spawn(keep_receiving(own(), Arc::clone(&all)));
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.restart().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    published.store(true, Ordering::Release);
    let sent = publishing.await.unwrap();
    all.store(true, Ordering::Release);
    let found = receiving.await.unwrap();
    let total: usize = sent.values().map(Vec::len).sum();
    assert!(total > 500, "{total} published in all");
    for (key, sent) in sent {
        assert_eq!(found.get(&key), Some(&sent), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_of_a_server_that_did_not_answer_is_neither_lost_nor_doubled() {
    let test = "what_was_asked_of_a_server_that_did_not_answer_is_neither_lost_nor_doubled";
    let Some(program) = found_or_skip(test, program()) else { return };
    let server = Node::start(&program, &ALWAYS).await;
    let own = bus(&server.url(), &fresh(), quick().with_lease(Duration::from_secs(30), Duration::from_secs(10)));
    let mut member = join(&own, "group").await;
    // What was pending when it joined is behind it, and it reads what is new.
    only(&own, &mut *member, event("key", 99)).await;
    let sent = events("key", 0..6);
    publish(&own, &sent[..3]).await;
    server.pause();
    // It will read these for the member when it goes on, and nobody will hear of it.
    assert_eq!(member.receive(10).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(own.publish(&sent[3..]).await.unwrap_err().kind(), ErrorKind::Timeout);
    server.resume();
    publish(&own, &sent[3..]).await;
    let found = receive(&mut *member, 6).await;
    assert_eq!(envelopes(&found), sent);
    member.ack(&tags(&found)).await.unwrap();
    only(&own, &mut *member, event("key", 100)).await;
}
