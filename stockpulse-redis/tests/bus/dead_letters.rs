//! Dead letters: listed, replayed, dropped.

use std::num::NonZeroUsize;

use stockpulse_core::port::Nack;
use stockpulse_redis::{DeadLetter, DeadLetterId, RedisStreamsBus};

use super::support::{bus, envelopes, event, events, join, only, publish, quick, receive, tags};
use crate::support::{fresh, server_or_skip};

async fn letters(bus: &RedisStreamsBus, group: &str, limit: usize) -> Vec<DeadLetter> {
    bus.dead_letters(group, NonZeroUsize::new(limit).unwrap()).await.unwrap()
}

fn ids(letters: &[DeadLetter]) -> Vec<DeadLetterId> {
    letters.iter().map(|letter| letter.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_replayed_to_their_group_and_dropped() {
    let test = "dead_letters_are_listed_replayed_to_their_group_and_dropped";
    let Some(url) = server_or_skip(test) else { return };
    let own = bus(&url, &fresh(), quick());
    let sent = events("key", 0..4);
    publish(&own, &sent).await;
    let [mut one, mut two] = [join(&own, "one").await, join(&own, "two").await];
    let found = receive(&mut *one, 4).await;
    let dead = |index: usize| (found[index].tag, Nack::DeadLetter(format!("reason {index}")));
    one.nack(&[dead(2), dead(0), dead(2)]).await.unwrap();
    one.ack(&tags(&[found[1].clone(), found[3].clone()])).await.unwrap();
    let handled = receive(&mut *two, 4).await;
    two.ack(&tags(&handled)).await.unwrap();

    let listed = letters(&own, "one", 10).await;
    let shown: Vec<_> =
        listed.iter().map(|letter| (letter.reason.as_str(), letter.envelope.as_ref().unwrap())).collect();
    assert_eq!(shown, [("reason 2", &sent[2]), ("reason 0", &sent[0])]);
    assert!(listed.iter().all(|letter| letter.deliveries == 1 && letter.id.topic == "stockpulse.orders"), "{listed:?}");
    assert_eq!(letters(&own, "one", 1).await, listed[..1]);
    assert_eq!(letters(&own, "two", 10).await, []);

    assert_eq!(own.replay(&ids(&listed[..1])).await.unwrap(), 1);
    assert_eq!(own.replay(&ids(&listed[..1])).await.unwrap(), 0, "replayed already");
    assert_eq!(letters(&own, "one", 10).await, listed[1..]);
    let again = receive(&mut *one, 1).await;
    assert_eq!((&again[0].envelope, again[0].redeliveries), (&sent[2], 1));
    // Put aside once more it is a dead letter like any other.
    one.nack(&[(again[0].tag, Nack::DeadLetter("again".to_owned()))]).await.unwrap();
    only(&own, &mut *two, event("key", 100)).await;
    let fence = receive(&mut *one, 1).await;
    one.ack(&tags(&fence)).await.unwrap();
    let listed = letters(&own, "one", 10).await;
    assert_eq!((listed.len(), listed[1].reason.as_str(), listed[1].deliveries), (2, "again", 2));
    assert_eq!(listed[1].envelope.as_ref(), Some(&sent[2]));

    // Replayed once more it still is one event for one group, and every delivery counts.
    assert_eq!(own.replay(&ids(&listed[1..])).await.unwrap(), 1);
    let again = receive(&mut *one, 1).await;
    assert_eq!((&again[0].envelope, again[0].redeliveries), (&sent[2], 2));
    one.nack(&[(again[0].tag, Nack::DeadLetter("and again".to_owned()))]).await.unwrap();
    let listed = letters(&own, "one", 10).await;

    assert_eq!(own.discard(&ids(&listed)).await.unwrap(), 2);
    assert_eq!(own.discard(&ids(&listed)).await.unwrap(), 0);
    assert_eq!(letters(&own, "one", 10).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_no_event_is_put_aside_and_holds_up_nothing() {
    let test = "an_entry_that_is_no_event_is_put_aside_and_holds_up_nothing";
    let Some(url) = server_or_skip(test) else { return };
    let prefix = fresh();
    let own = bus(&url, &prefix, quick().with_partitions(1));
    let sent = events("key", 0..2);
    publish(&own, &sent[..1]).await;
    let mut plain = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let stream = format!("{prefix}bus:{{stockpulse.orders:0}}");
    for fields in [&["hello", "world"][..], &["type", "order.placed", "id", "7"]] {
        let _: String = redis::cmd("XADD").arg(&stream).arg("*").arg(fields).query_async(&mut plain).await.unwrap();
    }
    publish(&own, &sent[1..]).await;
    let mut member = join(&own, "group").await;
    assert_eq!(envelopes(&receive(&mut *member, 2).await), sent);
    let reasons: Vec<String> = letters(&own, "group", 10).await.into_iter().map(|letter| letter.reason).collect();
    assert!(reasons[0].starts_with("no field 'id'") && reasons[1].starts_with("field 'id': "), "{reasons:?}");
    assert_eq!(reasons.len(), 2);
}
