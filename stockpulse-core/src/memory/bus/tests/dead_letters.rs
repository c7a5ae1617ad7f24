//! Events that are put aside.

use super::*;
use crate::port::Nack;

async fn put_aside(member: &mut Box<dyn Subscription>, delivery: &Delivery) {
    member.nack(&[(delivery.tag, Nack::DeadLetter("unreadable".to_owned()))]).await.unwrap();
}

#[tokio::test]
async fn a_dead_letter_is_put_aside_with_its_reason_and_the_group_goes_on() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..3)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    put_aside(&mut member, &received[0]).await;
    put_aside(&mut member, &received[0]).await;
    member.ack(&tags(&received[2..])).await.unwrap();
    put_aside(&mut member, &received[2]).await;
    member.ack(&tags(&received[1..2])).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
    let letters = bus.dead_letters("group");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].envelope, event("key", 0));
    assert_eq!((letters[0].reason.as_str(), letters[0].group.as_str()), ("unreadable", "group"));
    assert_eq!((letters[0].topic.as_str(), letters[0].deliveries), ("stockpulse.orders", 1));
    assert!(bus.dead_letters("another").is_empty());
    assert!(all(&mut member).is_empty());
}

#[tokio::test]
async fn a_dead_letter_beyond_the_watermark_survives_a_crash() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..3)).await;
    let mut one = join(&bus).await;
    let received = all(&mut one);
    put_aside(&mut one, &received[1]).await;
    put_aside(&mut one, &received[1]).await;
    drop(one);
    assert_eq!(numbers(&all(&mut join(&bus).await)), [0, 2]);
    assert_eq!(bus.dead_letters("group").len(), 1);
}

#[tokio::test]
async fn replayed_dead_letters_come_again_to_their_group_alone() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..2)).await;
    let mut member = join(&bus).await;
    let mut other = bus.subscribe(SubscribeOptions::new("other", [PLACED])).await.unwrap();
    let received = all(&mut member);
    put_aside(&mut member, &received[0]).await;
    member.ack(&[received[1].tag]).await.unwrap();
    let waiting = tokio::spawn(async move { member.receive(10).await.map(|received| (member, received)) });
    tokio::task::yield_now().await;
    assert_eq!(bus.replay_dead_letters("group"), 1);
    assert_eq!(bus.lag("group"), Some(1));
    let (mut member, again) = waiting.await.unwrap().unwrap();
    assert_eq!(numbers(&again), [0]);
    assert_eq!(again[0].redeliveries, 1);
    assert!(bus.dead_letters("group").is_empty());
    member.ack(&tags(&again)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
    assert_eq!(numbers(&all(&mut other)), [0, 1]);
    assert_eq!((bus.replay_dead_letters("group"), bus.replay_dead_letters("unknown")), (0, 0));
}

#[tokio::test]
async fn lost_offsets_bring_dead_letters_back_too() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..1)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    put_aside(&mut member, &received[0]).await;
    bus.rewind("group");
    assert_eq!(numbers(&all(&mut member)), [0]);
}
