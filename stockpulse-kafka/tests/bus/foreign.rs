//! Records that StockPulse did not write.

use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::model::EventType;
use stockpulse_core::port::{SubscribeOptions, Subscriber};
use stockpulse_kafka::{DeadLetters, KafkaOptions, PlainTopic};

use crate::support::{Place, TYPE, broker_or_skip, event, fresh, handle, options, receive};

/// How a reason begins, and the body and the headers that it is for.
type Poison<'a> = (&'a str, Option<&'a [u8]>, Vec<(&'a str, &'a str)>);

/// The headers of a CloudEvent of the type that is subscribed to, but for these.
fn headers<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("ce_specversion", "1.0"),
        ("ce_id", "019b0000-0000-7000-8000-000000000001"),
        ("ce_source", "/elsewhere"),
        ("ce_type", "com.stockpulse.order.placed.v1"),
        ("content-type", "application/json"),
    ];
    for (key, value) in changes {
        all.retain(|(other, _)| other != key);
        all.push((key, value));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_put_aside_with_its_reason_and_stops_nothing() {
    let Some(broker) = broker_or_skip("poison_is_put_aside_with_its_reason_and_stops_nothing") else { return };
    let mut small = options(&broker, &fresh("test"));
    small.max_event_bytes = 1_000;
    let place = Place::with(small, 1).await;
    let topic = place.topic();
    let large = format!("\"{}\"", "x".repeat(1_000));
    let poison: [Poison<'_>; 8] = [
        ("no ce_type header", Some(b"{}"), vec![]),
        ("another version", Some(b"{}"), headers(&[("ce_type", "com.stockpulse.order.placed.v2")])),
        ("not JSON", Some(b"<xml/>"), headers(&[])),
        ("no body", None, headers(&[])),
        ("a body of 1002 bytes", Some(large.as_bytes()), headers(&[])),
        ("ce_specversion is '0.3'", Some(b"{}"), headers(&[("ce_specversion", "0.3")])),
        ("content-type is 'text/xml'", Some(b"{}"), headers(&[("content-type", "text/xml")])),
        ("ce_sequence is 'first'", Some(b"{}"), headers(&[("ce_sequence", "first")])),
    ];
    place.publish(&[event("key", 1)]).await;
    for (reason, value, headers) in &poison {
        place.write(&topic, reason, *value, headers).await;
    }
    place.publish(&[event("key", 2)]).await;
    let mut subscription = place.join("readers").await;
    let numbers: Vec<u64> = handle(subscription.as_mut(), 2).await.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [1, 2], "good events before and after poison");

    let letters = DeadLetters::new(place.options.clone()).unwrap();
    let dead = letters.topic(place.options.topics.topic(TYPE), "readers");
    let mut found = Vec::new();
    for _ in 0..200 {
        found = letters.list(&dead).await.unwrap();
        if found.len() == poison.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(letters.topics().await.unwrap(), std::slice::from_ref(&dead));
    assert_eq!(found.len(), poison.len(), "{found:?}");
    for (letter, (offset, (reason, value, headers))) in found.iter().zip((1..).zip(&poison)) {
        assert!(letter.reason.starts_with(reason), "{} is not {reason}", letter.reason);
        assert_eq!((&letter.topic, letter.partition, letter.offset), (&topic, 0, offset));
        assert_eq!(letter.group, "readers");
        assert!(letter.at.is_some());
        assert_eq!(letter.key.as_deref(), Some(reason.as_bytes()));
        assert_eq!(&*letter.value, value.unwrap_or_default());
        assert_eq!(letter.headers.len(), headers.len());
    }
    // Its place is behind the poison: nothing of it comes again.
    subscription.close().await.unwrap();
    place.publish(&[event("key", 3)]).await;
    let mut subscription = place.join("readers").await;
    assert_eq!(handle(subscription.as_mut(), 1).await[0].sequence, 3);
    assert_eq!(letters.list(&dead).await.unwrap().len(), poison.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_a_dead_letter_is_named_by_one() {
    let Some(broker) = broker_or_skip("what_is_too_large_for_a_dead_letter_is_named_by_one") else { return };
    let mut small = options(&broker, &fresh("test"));
    small.max_event_bytes = 1_000;
    let place = Place::with(small, 1).await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    place.write(&place.topic(), "key", Some(large.as_bytes()), &headers(&[])).await;
    place.publish(&[event("key", 1)]).await;
    let mut subscription = place.join("readers").await;
    assert_eq!(handle(subscription.as_mut(), 1).await[0].sequence, 1);
    let letters = DeadLetters::new(place.options.clone()).unwrap();
    let dead = letters.topic(place.options.topics.topic(TYPE), "readers");
    let mut found = Vec::new();
    for _ in 0..200 {
        found = letters.list(&dead).await.unwrap();
        if !found.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(found[0].body_omitted && found[0].value.is_empty(), "{found:?}");
    assert_eq!((&found[0].topic, found[0].offset), (&place.topic(), 0));
    let replayed = letters.replay(&dead, std::slice::from_ref(&found[0].id)).await;
    assert_eq!(replayed.unwrap_err().kind(), ErrorKind::InvalidInput, "there is nothing to be replayed");
    assert_eq!(letters.discard(&dead, std::slice::from_ref(&found[0].id)).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_of_another_client_is_read() {
    let Some(broker) = broker_or_skip("a_cloud_event_of_another_client_is_read") else { return };
    let place = Place::new(&broker, 1).await;
    let headers = headers(&[("ce_id", "no-uuid"), ("ce_time", "2026-11-21T10:00:00.5+01:00")]);
    for _ in 0..2 {
        place.write(&place.topic(), "order-7", Some(b"{\"a\":1}"), &headers).await;
    }
    let found = handle(place.join("readers").await.as_mut(), 2).await;
    assert_eq!(found[0].id, found[1].id, "one id and source are one event");
    assert_eq!((&*found[0].partition_key, &*found[0].subject), ("order-7", "order-7"));
    assert_eq!(found[0].time.to_string(), "2026-11-21T09:00:00.500000Z");
    assert_eq!(&*found[0].data, b"{\"a\":1}");
    assert!(found[0].sequence < found[1].sequence, "without a sequence, the order on the topic is the order");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_json_is_read_where_a_topic_is_declared_plain() {
    let Some(broker) = broker_or_skip("plain_json_is_read_where_a_topic_is_declared_plain") else { return };
    let plain = PlainTopic::new(TYPE).with_key_field("orderId").with_translation(|document| {
        let order = document.get("orderId").and_then(|id| id.as_u64()).ok_or("no order")?;
        Ok(format!("{{\"order\":{order}}}").into())
    });
    let name = KafkaOptions::new("").topics.topic(TYPE).to_owned();
    let place = Place::with(options(&broker, &fresh("test")).with_plain_topic(name, plain), 1).await;
    for value in ["{\"orderId\":7}", "{\"customer\":1}"] {
        place.write(&place.topic(), "", Some(value.as_bytes()), &[]).await;
    }
    place.publish(&[event("key", 9)]).await;
    let mut subscription = place.join("readers").await;
    let first = receive(subscription.as_mut()).await;
    assert_eq!(&*first[0].envelope.data, b"{\"order\":7}");
    assert_eq!(&*first[0].envelope.partition_key, "7");
    assert_eq!(first[0].envelope.event_type().unwrap(), TYPE);
    // It comes again with the same id, to this group and to others; what has headers is read by them.
    subscription.close().await.unwrap();
    let again = handle(place.join("readers").await.as_mut(), 2).await;
    let other = handle(place.join("others").await.as_mut(), 2).await;
    assert_eq!((again[0].id, other[0].id), (first[0].envelope.id, first[0].envelope.id));
    assert_eq!((again[1].sequence, &*again[1].source), (9, "/tests"));
    let wanted = SubscribeOptions::new("cancelled", [EventType::OrderCancelled]);
    let mut cancelled = place.bus.subscribe(wanted).await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_secs(1), cancelled.receive(1)).await;
    assert!(nothing.is_err(), "plain records are of the topic's type: {nothing:?}");
}
