//! Dead letters: listed, replayed, discarded.

use stockpulse_core::port::Nack;

use super::*;

on_every_database! {
    dead_letters_are_listed_replayed_and_discarded,
    a_dead_letter_behind_a_gap_stays_aside,
}

fn aside(delivery: &Delivery, reason: &str) -> (DeliveryTag, Nack) {
    (delivery.tag, Nack::DeadLetter(reason.to_owned()))
}

async fn dead_letters_are_listed_replayed_and_discarded<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let sent = events("key", 0..4);
    publish(&bus, &sent).await;
    let [mut member, mut other] = [join(&bus, "group").await, join(&bus, "other").await];
    let found = receive(&mut member, 4).await;
    member.nack(&[aside(&found[2], "second\0"), aside(&found[0], "first")]).await.unwrap();
    member.ack(&tags(&found)).await.unwrap();
    let listed = bus.dead_letters(limit(10)).await.unwrap();
    assert_eq!(listed.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["first", "second\u{fffd}"]);
    assert_eq!((&listed[1].envelope, listed[1].deliveries, listed[1].id.group.as_str()), (&sent[2], 1, "group"));
    assert_eq!(bus.dead_letters(limit(1)).await.unwrap(), listed[..1]);
    // One is delivered again, to its group alone, and counts its deliveries on.
    let ids: Vec<_> = listed.iter().map(|letter| letter.id.clone()).collect();
    let twice = [ids[1].clone(), ids[1].clone()];
    assert_eq!(bus.replay(&twice).await.unwrap(), 1);
    assert_eq!(bus.replay(&twice).await.unwrap(), 0);
    let again = receive(&mut member, 1).await;
    assert_eq!((&again[0].envelope, again[0].redeliveries), (&sent[2], 1));
    member.ack(&tags(&again)).await.unwrap();
    assert_eq!(bus.discard(&ids).await.unwrap(), 1);
    assert_eq!(bus.discard(&[]).await.unwrap() + bus.replay(&[]).await.unwrap(), 0);
    assert_eq!(bus.dead_letters(limit(10)).await.unwrap(), []);
    assert_eq!(envelopes(&receive(&mut other, 4).await), sent);
    nothing(&mut other).await;
    nothing(&mut member).await;
}

async fn a_dead_letter_behind_a_gap_stays_aside<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let sent = events("key", 0..3);
    publish(&bus, &sent).await;
    let mut member = join(&bus, "group").await;
    let found = receive(&mut member, 3).await;
    member.nack(&[aside(&found[1], "cannot be read")]).await.unwrap();
    member.close().await.unwrap();
    let mut member = join(&bus, "group").await;
    let found = receive(&mut member, 2).await;
    assert_eq!(envelopes(&found), [sent[0].clone(), sent[2].clone()]);
    member.ack(&tags(&found)).await.unwrap();
    nothing(&mut member).await;
    assert_eq!(bus.dead_letters(limit(10)).await.unwrap().len(), 1);
}
