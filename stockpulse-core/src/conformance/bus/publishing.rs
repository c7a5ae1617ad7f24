//! What becomes of what is published.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::reader::{Stop, event, events, fences, in_order, name, spread};
use crate::conformance::support::{polled, together};
use crate::conformance::{BusBackend, Harness, Violation};
use crate::error::ErrorKind;
use crate::model::{Envelope, EventType, Timestamp, TraceContext};
use crate::port::{Published, SubscribeOptions};

type Opens<'a> = dyn Harness<BusBackend> + 'a;

fn refused(answer: Option<&Published>) -> bool {
    matches!(answer, Some(Published::Refused(reason)) if !reason.is_empty())
}

pub(super) async fn answers_are_aligned(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let good = events(0..3);
    let mut batch = good.clone();
    let key = good[0].partition_key.clone();
    batch.insert(1, Envelope { data: Bytes::new(), ..event(&key, 10) });
    batch.insert(2, Envelope { type_name: "".into(), ..event(&key, 11) });
    batch.push(Envelope { source: "".into(), ..event(&key, 12) });
    batch.push(Envelope { subject: "s".repeat(Envelope::MAX_ATTRIBUTE_BYTES + 1).into(), ..event(&key, 13) });
    batch.push(Envelope { partition_key: "a\0b".into(), ..event(&key, 14) });
    let answers = stop.bus.publisher.publish(&batch).await?;
    ensure_eq!(answers.len(), batch.len(), "answers to as many envelopes");
    for (index, answer) in answers.iter().enumerate() {
        let bad = [1, 2, 5, 6, 7].contains(&index);
        let right = if bad { refused(Some(answer)) } else { *answer == Published::Acknowledged };
        ensure!(right, "the answer at {index}, of which {} is good: {answer:?}", if bad { "nothing" } else { "all" });
    }
    let fence = fences(&good);
    stop.publish(&fence).await?;
    let mut reader = stop.join(&name("group")).await?;
    reader.only(&[good, fence].concat(), "of good events and bad ones").await
}

pub(super) async fn an_empty_batch_is_harmless(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    ensure_eq!(stop.bus.publisher.publish(&[]).await?, [], "answers to no events");
    let mut reader = stop.join(&name("group")).await?;
    reader.subscription.ack(&[]).await?;
    reader.subscription.nack(&[]).await?;
    let sent = events(0..1);
    stop.publish(&sent).await?;
    reader.only(&sent, "after nothing was published").await
}

pub(super) async fn what_is_too_large_is_refused(harness: &Opens<'_>) -> Result<(), Violation> {
    const LARGE: usize = 32 << 20;
    let stop = Stop::open(harness).await?;
    let mut sent = events(0..3);
    sent[1].data = Bytes::from(vec![b' '; LARGE]);
    let answers = stop.bus.publisher.publish(&sent).await?;
    ensure_eq!(answers.len(), 3, "answers to three envelopes");
    for index in [0, 2] {
        ensure_eq!(answers[index], Published::Acknowledged, "the answer beside one that is too large");
    }
    let taken = answers[1] == Published::Acknowledged;
    ensure!(taken || refused(answers.get(1)), "the answer to 32 MiB: {:?}", answers[1]);
    if !taken {
        sent.remove(1);
    }
    let mut reader = stop.join(&name("group")).await?;
    let found = reader.handle(&sent).await?;
    let whole = found.iter().all(|found| sent.contains(&found.envelope));
    ensure!(whole, "an event came that is not as it was sent, or was refused as too large");
    Ok(())
}

pub(super) async fn an_envelope_arrives_as_it_was(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let trace = TraceContext { trace_id: [0xab; 16], span_id: [7; 8], flags: 1 };
    let mut sent = Vec::new();
    for text in ["plain", "Straße 7 ", "e\u{301}\u{1f366}", "a\"b'c\\d,e;f=g&h%20"] {
        let mut envelope = event(&name(text), i64::MAX.unsigned_abs());
        envelope.subject = format!("subject of {text}").into();
        envelope.source = format!("/source/{}", sent.len()).into();
        envelope.time = Timestamp::from_micros(1_700_000_000_123_456);
        envelope.trace = (sent.len() % 2 == 0).then_some(trace);
        let text = serde_json::Value::from(text);
        envelope.data = Bytes::from(format!("{{\"text\": {text},\t\"n\":1.50}}\n"));
        sent.push(envelope);
    }
    let mut long = event(&name("key"), 0);
    long.data = Bytes::from(format!("\"{}\"", "\u{fc}\u{1f366}x".repeat(30_000)));
    long.subject = "s".repeat(255).into();
    sent.push(long);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&name("group")).await?;
    let found = reader.handle(&sent).await?;
    for sent in &sent {
        let found = found.iter().find(|found| found.envelope.id == sent.id).map(|found| &found.envelope);
        ensure_eq!(found, Some(sent), "an envelope as it arrived");
    }
    Ok(())
}

pub(super) async fn a_key_keeps_its_order(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let mut reader = stop.join(&name("group")).await?;
    let sent = spread(60, 5);
    for batch in sent.chunks(37) {
        stop.publish(batch).await?;
    }
    let found = reader.handle(&sent).await?;
    in_order(&found, &sent, "published in batches")?;
    // Two types of one topic share a key's order.
    let key = name("key");
    let mut mixed: Vec<Envelope> = (0..40).map(|number| event(&key, number)).collect();
    for envelope in mixed.iter_mut().skip(1).step_by(2) {
        envelope.type_name = EventType::OrderConfirmed.cloud_event_type().into();
    }
    stop.publish(&mixed).await?;
    reader.leave().await?;
    let options = SubscribeOptions::new(name("group"), [EventType::OrderPlaced, EventType::OrderConfirmed]);
    let found = stop.join_with(options).await?.handle(&mixed).await?;
    in_order(&found, &mixed, "of two types")
}

pub(super) async fn many_publishers_lose_nothing(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent: Vec<Vec<Envelope>> = (0..8).map(|_| events(0..40)).collect();
    let calls = sent.iter().cloned().map(|events| {
        let publisher = Arc::clone(&stop.bus.publisher);
        async move {
            let mut answers = Vec::new();
            for batch in events.chunks(4) {
                answers.extend(publisher.publish(batch).await?);
            }
            Ok(answers)
        }
    });
    let answers = together(calls).await?.concat();
    let all = answers.iter().all(|answer| *answer == Published::Acknowledged);
    ensure!(all && answers.len() == 320, "answers to eight publishers at once: {answers:?}");
    let sent = sent.concat();
    let found = stop.join(&name("group")).await?.handle(&sent).await?;
    in_order(&found, &sent, "of eight publishers at once")
}

pub(super) async fn a_publication_may_be_given_up(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let mut reader = stop.join(&name("group")).await?;
    for polls in 0..10 {
        let given_up = events(0..5);
        let publication = polled(stop.bus.publisher.publish(&given_up), polls);
        let _ = tokio::time::timeout(Duration::from_secs(1), publication).await;
        let sent = events(0..5);
        stop.publish(&sent).await?;
        let found = reader.handle(&sent).await?;
        in_order(&found, &sent, "published after a publication was given up")?;
    }
    Ok(())
}

pub(super) async fn a_closed_publisher_publishes_nothing(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent = spread(10, 3);
    stop.publish(&sent).await?;
    stop.bus.publisher.close().await?;
    let late = events(0..2);
    match stop.bus.publisher.publish(&late).await {
        Err(error) => ensure_eq!(error.kind(), ErrorKind::Closed, "publishing on what was closed"),
        Ok(answers) => return Err(Violation::new(format!("published on what was closed: {answers:?}"))),
    }
    let stop = stop.restart().await?;
    let fence = fences(&[sent.clone(), late].concat());
    stop.publish(&fence).await?;
    stop.join(&name("group")).await?.only(&[sent, fence].concat(), "after the publisher was closed").await
}

pub(super) async fn events_survive_a_restart(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent = spread(10, 5);
    stop.publish(&sent).await?;
    let stop = stop.restart().await?;
    let found = stop.join(&name("group")).await?.handle(&sent).await?;
    in_order(&found, &sent, "published before a restart")
}
