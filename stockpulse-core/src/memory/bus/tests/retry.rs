//! Events that are delivered again because somebody asked for it.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::memory::ManualClock;
use crate::port::Nack;

fn retry(delivery: &Delivery, seconds: u64) -> (DeliveryTag, Nack) {
    (delivery.tag, Nack::Retry(Duration::from_secs(seconds)))
}

fn with_clock() -> (MemoryBus, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(1_000));
    (MemoryBus::new().with_clock(Arc::new(clock.clone())), clock)
}

#[tokio::test]
async fn a_retried_event_comes_after_its_delay_and_later_ones_wait_behind_it() {
    let (bus, clock) = with_clock();
    publish(&bus, &events(0..4)).await;
    let mut member = join(&bus).await;
    let received = now(&mut member, 3);
    assert_eq!(numbers(&received), [0, 1, 2]);
    member.ack(&tags(&received[..1])).await.unwrap();
    member.nack(&[retry(&received[1], 10)]).await.unwrap();
    assert!(all(&mut member).is_empty());
    clock.advance(Duration::from_micros(9_999_999));
    assert!(all(&mut member).is_empty());
    clock.advance(Duration::from_micros(1));
    let again = all(&mut member);
    assert_eq!(numbers(&again), [1, 2, 3]);
    assert_eq!(again.iter().map(|delivery| delivery.redeliveries).collect::<Vec<_>>(), [1, 1, 0]);
    member.ack(&tags(&again)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
}

#[tokio::test]
async fn other_partitions_go_on_meanwhile() {
    let (bus, _clock) = with_clock();
    publish(&bus, &[event("a", 0)]).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    member.nack(&[retry(&received[0], 10)]).await.unwrap();
    publish(&bus, &keyed(1..40)).await;
    let others = all(&mut member);
    assert!(others.len() > 20 && others.iter().all(|other| other.tag.partition != received[0].tag.partition));
}

#[tokio::test]
async fn receive_wakes_when_the_delay_is_over() {
    let (bus, clock) = with_clock();
    publish(&bus, &events(0..1)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    member.nack(&[retry(&received[0], 10)]).await.unwrap();
    let waiting = tokio::spawn(async move { member.receive(1).await.map(|received| received[0].redeliveries) });
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(9));
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    clock.advance(Duration::from_secs(1));
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn each_of_several_retried_events_waits_for_its_own_time() {
    let (bus, clock) = with_clock();
    publish(&bus, &events(0..3)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    member.nack(&[retry(&received[2], 1), retry(&received[0], 10), retry(&received[1], 20)]).await.unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!(numbers(&all(&mut member)), [0]);
    clock.advance(Duration::from_secs(10));
    assert_eq!(numbers(&all(&mut member)), [1, 2]);
}

#[tokio::test]
async fn what_was_acknowledged_is_not_delivered_again_behind_a_retry() {
    let (bus, _clock) = with_clock();
    publish(&bus, &events(0..4)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    member.ack(&[received[2].tag]).await.unwrap();
    member.nack(&[retry(&received[0], 0)]).await.unwrap();
    // Its delivery is from before the retry, and of the same generation: it counts.
    member.ack(&[received[3].tag]).await.unwrap();
    let again = all(&mut member);
    assert_eq!(numbers(&again), [0, 1]);
    // Nor can what is done be asked for again.
    member.nack(&[retry(&received[2], 0)]).await.unwrap();
    assert!(all(&mut member).is_empty());
    member.ack(&tags(&again)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
}

#[tokio::test]
async fn an_event_may_be_acknowledged_while_it_waits_to_be_retried() {
    let (bus, _clock) = with_clock();
    publish(&bus, &events(0..2)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    member.nack(&[retry(&received[0], 10)]).await.unwrap();
    member.ack(&[received[0].tag]).await.unwrap();
    assert_eq!(numbers(&all(&mut member)), [1]);
}

#[tokio::test]
async fn retried_events_are_not_in_flight() {
    let (bus, clock) = with_clock();
    publish(&bus, &events(0..6)).await;
    let mut member = bus.subscribe(options().with_max_in_flight(3)).await.unwrap();
    for _ in 0..3 {
        let received = all(&mut member);
        assert_eq!(numbers(&received), [0, 1, 2]);
        member.nack(&[retry(&received[0], 1)]).await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let received = all(&mut member);
    assert_eq!(received.iter().map(|delivery| delivery.redeliveries).collect::<Vec<_>>(), [3, 3, 3]);
}

#[tokio::test]
async fn the_delay_holds_for_whoever_gets_the_partition_next() {
    let (bus, clock) = with_clock();
    publish(&bus, &events(0..1)).await;
    let mut one = join(&bus).await;
    let received = all(&mut one);
    one.nack(&[retry(&received[0], 10)]).await.unwrap();
    drop(one);
    let mut two = join(&bus).await;
    assert!(all(&mut two).is_empty());
    clock.advance(Duration::from_secs(10));
    assert_eq!(all(&mut two)[0].redeliveries, 1);
}
