//! Events that a handler puts aside or off.

use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::port::{Clock, Nack};
use stockpulse_kafka::DeadLetters;

use crate::support::{Place, TYPE, broker_or_skip, event, fresh, handle, options, receive};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_listed_replayed_and_dropped() {
    let Some(broker) = broker_or_skip("a_dead_letter_is_listed_replayed_and_dropped") else { return };
    let place = Place::new(&broker, 1).await;
    // Of one key: each is a letter of its own all the same.
    let sent = [event("a", 1), event("a", 2)];
    place.publish(&sent).await;
    let mut subscription = place.join("readers").await;
    let mut found = Vec::new();
    while found.len() < 2 {
        found.extend(receive(subscription.as_mut()).await);
    }
    let dead: Vec<_> = found.iter().map(|found| (found.tag, Nack::DeadLetter("no such customer".to_owned()))).collect();
    // Asked twice, as after an answer that was lost: one letter each.
    subscription.nack(&dead).await.unwrap();
    subscription.nack(&dead).await.unwrap();

    let letters = DeadLetters::new(place.options.clone()).unwrap();
    let topic = letters.topic(place.options.topics.topic(TYPE), "readers");
    let listed = letters.list(&topic).await.unwrap();
    let reasons: Vec<_> = listed.iter().map(|letter| (letter.offset, letter.reason.as_str())).collect();
    assert_eq!(reasons, [(0, "no such customer"), (1, "no such customer")]);

    assert_eq!(letters.replay(&topic, &[listed[0].id.clone()]).await.unwrap(), 1);
    let again = handle(subscription.as_mut(), 1).await;
    assert_eq!(again, sent[..1], "what is replayed is what was sent");
    assert_eq!(letters.list(&topic).await.unwrap(), listed[1..]);
    let both: Vec<_> = listed.iter().map(|letter| letter.id.clone()).collect();
    assert_eq!(letters.discard(&topic, &both).await.unwrap(), 1, "the other is one no more");
    assert_eq!(letters.list(&topic).await.unwrap(), []);
    assert_eq!(letters.list("no-such-topic").await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_topics_hold_nothing_up_and_end_among_the_dead_letters() {
    let Some(broker) = broker_or_skip("retry_topics_hold_nothing_up_and_end_among_the_dead_letters") else { return };
    let delays = [300, 600].map(Duration::from_millis);
    let place = Place::with(options(&broker, &fresh("test")).with_retry_topics("readers", delays), 1).await;
    let sent = [event("a", 1), event("a", 2), event("a", 3)];
    place.publish(&sent).await;
    let mut subscription = place.join("readers").await;
    let (mut others, mut tries, mut put_off) = (Vec::new(), 0, None);
    let letters = DeadLetters::new(place.options.clone()).unwrap();
    let topic = letters.topic(place.options.topics.topic(TYPE), "readers");
    // Its first try, and one for each retry topic.
    while tries < 3 {
        for delivery in receive(subscription.as_mut()).await {
            if delivery.envelope != sent[1] {
                subscription.ack(&[delivery.tag]).await.unwrap();
                others.push(delivery.envelope.sequence);
                continue;
            }
            if let Some(before) = put_off {
                let waited = SystemClock.now().since(before);
                assert!(waited >= delays[tries - 1].mul_f32(0.9), "try {tries} came after {waited:?}");
            }
            put_off = Some(SystemClock.now());
            subscription.nack(&[(delivery.tag, Nack::Retry(Duration::from_secs(3_600)))]).await.unwrap();
            tries += 1;
        }
    }
    assert_eq!(others, [1, 3], "nothing waits behind it");
    let listed = letters.list(&topic).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    // In the topics for retries it is the first record.
    assert_eq!((&listed[0].topic, listed[0].offset), (&place.topic(), 1), "it names where it was published first");
    // All of it is done with.
    subscription.close().await.unwrap();
    place.publish(&[event("a", 4)]).await;
    let mut subscription = place.join("readers").await;
    assert_eq!(handle(subscription.as_mut(), 1).await[0].sequence, 4);
}
