//! Publishing, receiving, acknowledging.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::bus::partition_of;
use crate::model::TopicMap;
use crate::port::Start;

#[tokio::test]
async fn events_of_one_key_arrive_in_the_order_in_which_they_were_published() {
    let bus = MemoryBus::new();
    let batch: Vec<Envelope> = (0..300).map(|number| event(&format!("key-{}", number % 7), number)).collect();
    for part in batch.chunks(11) {
        publish(&bus, part).await;
    }
    let mut member = join(&bus).await;
    let mut received = Vec::new();
    loop {
        let some = now(&mut member, 13);
        assert!(some.len() <= 13);
        if some.is_empty() {
            break;
        }
        member.ack(&tags(&some)).await.unwrap();
        received.extend(some);
    }
    assert_eq!(received.len(), 300);
    for key in 0..7 {
        let of_key: Vec<u64> = numbers(&received).into_iter().filter(|number| number % 7 == key).collect();
        assert!(of_key.is_sorted(), "key {key}: {of_key:?}");
    }
    assert!(received.iter().all(|delivery| delivery.redeliveries == 0));
    assert_eq!(received[0].envelope, batch[usize::try_from(received[0].envelope.sequence).unwrap()]);
}

#[tokio::test]
async fn every_group_gets_every_event_and_each_of_its_types_only() {
    let bus = MemoryBus::new();
    let shipped = EventType::OrderShipped;
    publish(&bus, &[event("a", 1), event_of(shipped, "a", 2), event("a", 3)]).await;
    let mut both = bus.subscribe(SubscribeOptions::new("both", [shipped, PLACED, PLACED])).await.unwrap();
    let mut one = bus.subscribe(SubscribeOptions::new("one", [shipped])).await.unwrap();
    assert_eq!(numbers(&all(&mut both)), [1, 2, 3]);
    let received = all(&mut one);
    assert_eq!(numbers(&received), [2]);
    one.ack(&tags(&received)).await.unwrap();
    assert_eq!(bus.lag("one"), Some(0));
    assert_eq!(bus.lag("both"), Some(3));
    assert_eq!(bus.lag("unknown"), None);
}

#[tokio::test]
async fn a_group_wants_all_topics_of_its_types() {
    let bus = MemoryBus::new().with_topics(TopicMap::per_event());
    publish(&bus, &[event("a", 1), event_of(EventType::StockReserved, "a", 2)]).await;
    let options = SubscribeOptions::new("group", [PLACED, EventType::StockReserved]);
    let mut member = bus.subscribe(options).await.unwrap();
    assert_eq!(sorted(numbers(&all(&mut member))), [1, 2]);
}

#[tokio::test]
async fn a_new_group_begins_where_it_wants_and_a_known_one_where_it_was() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..3)).await;
    let latest = || options().with_start(Start::Latest);
    let mut member = bus.subscribe(latest()).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
    publish(&bus, &events(3..5)).await;
    drop(member);
    publish(&bus, &events(5..6)).await;
    member = bus.subscribe(latest()).await.unwrap();
    assert_eq!(numbers(&all(&mut member)), [3, 4, 5]);
}

#[tokio::test]
async fn receive_waits_for_events_and_for_no_others() {
    let bus = MemoryBus::new();
    let mut member = join(&bus).await;
    let waiting = tokio::spawn(async move { member.receive(10).await.map(|received| numbers(&received)) });
    tokio::task::yield_now().await;
    publish(&bus, &[event_of(EventType::OrderShipped, "key", 1)]).await;
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    publish(&bus, &events(2..4)).await;
    assert_eq!(waiting.await.unwrap().unwrap(), [2, 3]);
}

#[tokio::test]
async fn a_receive_that_is_dropped_loses_nothing() {
    let bus = MemoryBus::new();
    let mut member = join(&bus).await;
    for number in 0..50 {
        let mut waiting = member.receive(10);
        assert!((&mut waiting).now_or_never().is_none());
        publish(&bus, &events(number..number + 1)).await;
        drop(waiting);
        let received = now(&mut member, 10);
        assert_eq!(numbers(&received), [number]);
        assert_eq!(received[0].redeliveries, 0);
        member.ack(&tags(&received)).await.unwrap();
    }
}

#[tokio::test]
async fn no_more_are_in_flight_than_were_asked_for() {
    let bus = MemoryBus::new();
    publish(&bus, &keyed(0..10)).await;
    let mut member = bus.subscribe(options().with_max_in_flight(4)).await.unwrap();
    let first = all(&mut member);
    assert_eq!(first.len(), 4);
    assert!(now(&mut member, 10).is_empty());
    member.ack(&tags(&first[..3])).await.unwrap();
    assert_eq!(all(&mut member).len(), 3);
}

#[tokio::test]
async fn no_partition_starves_the_others() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..1_000)).await;
    let others = keyed(2_000..2_050);
    publish(&bus, &others).await;
    let mut member = join(&bus).await;
    let received: Vec<u64> = (0..60).flat_map(|_| numbers(&now(&mut member, 8))).collect();
    let busy = partition_of("key", 8);
    let expected = others.iter().filter(|other| partition_of(&other.partition_key, 8) != busy).count();
    assert!(expected > 30);
    assert_eq!(received.iter().filter(|number| **number >= 2_000).count(), expected);
}

#[tokio::test]
async fn acknowledged_in_any_order_the_place_passes_what_is_without_a_gap() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..6)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    let tags = tags(&received);
    member.ack(&[tags[4], tags[1], tags[0]]).await.unwrap();
    member.ack(&[tags[1]]).await.unwrap();
    assert_eq!(bus.lag("group"), Some(3));
    drop(member);
    let mut member = join(&bus).await;
    let again = all(&mut member);
    assert_eq!(numbers(&again), [2, 3, 4, 5]);
    assert!(again.iter().all(|delivery| delivery.redeliveries == 1));
    member.ack(&super::tags(&again)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
    drop(member);
    assert!(all(&mut join(&bus).await).is_empty());
}

#[tokio::test]
async fn made_up_tags_acknowledge_nothing() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..3)).await;
    let mut member = join(&bus).await;
    let [first] = now(&mut member, 1).try_into().unwrap();
    let tag = first.tag;
    let others = [
        DeliveryTag { offset: 1, ..tag },
        DeliveryTag { offset: 99, ..tag },
        DeliveryTag { partition: 99, ..tag },
        DeliveryTag { generation: tag.generation + 1, ..tag },
    ];
    member.ack(&others).await.unwrap();
    assert_eq!(bus.lag("group"), Some(3));
    assert_eq!(numbers(&all(&mut member)), [1, 2]);
}

#[tokio::test]
async fn what_is_too_large_or_empty_is_refused_and_the_rest_goes_on() {
    let bus = MemoryBus::new().with_max_event_bytes(4);
    let large = Envelope { data: Bytes::from_static(b"12345"), ..event("a", 1) };
    let empty = Envelope { data: Bytes::new(), ..event("a", 2) };
    let answers = bus.publish(&[large, empty, event("a", 3)]).await.unwrap();
    assert!(matches!(&answers[0], Published::Refused(reason) if reason.contains("5 bytes")), "{answers:?}");
    assert!(matches!(&answers[1], Published::Refused(_)));
    assert_eq!(answers[2], Published::Acknowledged);
    assert_eq!(bus.published(), 1);
    assert_eq!(numbers(&all(&mut join(&bus).await)), [3]);
}

#[tokio::test]
async fn an_event_of_a_type_that_nobody_knows_is_kept_and_disturbs_nobody() {
    let bus = MemoryBus::new().with_topics(TopicMap::per_event());
    let foreign = Envelope { type_name: "com.stockpulse.order.placed.v2".into(), ..event("a", 1) };
    publish(&bus, &[foreign, event("a", 2)]).await;
    assert_eq!(bus.published(), 2);
    assert_eq!(numbers(&all(&mut join(&bus).await)), [2]);
}

#[tokio::test]
async fn what_cannot_work_is_refused() {
    let bus = MemoryBus::new();
    assert_eq!(kind(bus.subscribe(SubscribeOptions::new("group", [])).await), Some(ErrorKind::Config));
    assert_eq!(kind(bus.subscribe(options().with_max_in_flight(0)).await), Some(ErrorKind::Config));
    assert_eq!(kind(join(&bus).await.receive(0).await), Some(ErrorKind::InvalidInput));
    let _member = join(&bus).await;
    let others = SubscribeOptions::new("group", [EventType::OrderShipped]);
    assert_eq!(kind(bus.subscribe(others).await), Some(ErrorKind::Config));
}

#[tokio::test]
async fn a_thousand_events_from_many_tasks_all_arrive() {
    let bus = MemoryBus::new();
    let mut member = join(&bus).await;
    let publishers: Vec<_> = (0..10)
        .map(|task| {
            let bus = bus.clone();
            tokio::spawn(async move {
                for number in 0..100 {
                    publish(&bus, &[event(&format!("key-{task}"), task * 100 + number)]).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut received = Vec::new();
    while received.len() < 1_000 {
        let some = tokio::time::timeout(Duration::from_secs(20), member.receive(64)).await.unwrap().unwrap();
        member.ack(&tags(&some)).await.unwrap();
        received.extend(numbers(&some));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    assert_eq!(sorted(received), (0..1_000).collect::<Vec<u64>>());
    assert_eq!(bus.lag("group"), Some(0));
}

#[tokio::test]
async fn a_closed_connection_answers_closed_and_the_others_go_on() {
    let bus = MemoryBus::new();
    let publisher: Arc<dyn Publisher> = Arc::new(bus.clone());
    let mut theirs = join(&bus.clone()).await;
    let mut waiting = join(&bus).await;
    publish(&bus, &events(0..1)).await;
    assert_eq!(all(&mut waiting).len() + all(&mut theirs).len(), 1);
    let waiting = tokio::spawn(async move {
        let answer = waiting.receive(1).await;
        (kind(answer), kind(waiting.ack(&[]).await), kind(waiting.nack(&[]).await))
    });
    tokio::task::yield_now().await;
    bus.close().await.unwrap();
    let closed = Some(ErrorKind::Closed);
    assert_eq!(waiting.await.unwrap(), (closed, closed, closed));
    assert_eq!(kind(bus.publish(&events(1..2)).await), closed);
    assert_eq!(kind(bus.subscribe(options()).await), closed);
    publish(&bus.clone(), &events(1..2)).await;
    assert_eq!(kind(publisher.publish(&events(2..3)).await), None);
    let received = numbers(&all(&mut theirs));
    assert!(received.ends_with(&[1, 2]), "{received:?}");
}
