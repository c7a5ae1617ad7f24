//! Members that come and go.

use super::*;

#[tokio::test]
async fn members_share_the_partitions_and_each_event_goes_to_one() {
    let bus = MemoryBus::new();
    let (mut one, mut two, mut three) = (join(&bus).await, join(&bus).await, join(&bus).await);
    publish(&bus, &keyed(0..400)).await;
    let parts = [all(&mut one), all(&mut two), all(&mut three)];
    let partitions = parts.each_ref().map(|part| {
        let mut seen: Vec<u32> = part.iter().map(|delivery| delivery.tag.partition).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    });
    assert_eq!(sorted(partitions.map(|count| count as u64).to_vec()), [2, 3, 3]);
    assert_eq!(sorted(numbers(&parts.concat())), (0..400).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_member_without_a_partition_waits_for_one() {
    let bus = MemoryBus::new().with_partitions(1);
    let (mut one, mut two) = (join(&bus).await, join(&bus).await);
    publish(&bus, &events(0..2)).await;
    assert_eq!(all(&mut one).len(), 2);
    let waiting = tokio::spawn(async move { two.receive(10).await.map(|received| numbers(&received)) });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(one);
    assert_eq!(waiting.await.unwrap().unwrap(), [0, 1]);
}

#[tokio::test]
async fn dropping_a_member_is_a_crash_and_what_it_did_not_acknowledge_comes_again() {
    let bus = MemoryBus::new();
    publish(&bus, &keyed(0..100)).await;
    let mut one = join(&bus).await;
    let received = all(&mut one);
    let acknowledged = &received[..40];
    one.ack(&tags(acknowledged)).await.unwrap();
    drop(one);
    let mut two = join(&bus).await;
    let again = all(&mut two);
    // The first 40 of each partition in turn have no gap among them.
    assert_eq!(sorted(numbers(&again)), sorted(numbers(&received[40..])));
    assert!(again.iter().all(|delivery| delivery.redeliveries == 1));
}

#[tokio::test]
async fn closing_a_member_leaves_the_group() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..3)).await;
    let (mut one, mut two) = (join(&bus).await, join(&bus).await);
    let before = all(&mut one).len() + all(&mut two).len();
    assert_eq!(before, 3);
    one.close().await.unwrap();
    one.close().await.unwrap();
    assert_eq!(kind(one.receive(1).await), Some(ErrorKind::Closed));
    assert_eq!(kind(one.ack(&[]).await), Some(ErrorKind::Closed));
    two.close().await.unwrap();
    assert_eq!(numbers(&all(&mut join(&bus).await)), [0, 1, 2]);
}

#[tokio::test]
async fn partitions_that_stay_keep_what_is_in_flight_and_those_that_move_start_over() {
    let bus = MemoryBus::new();
    publish(&bus, &keyed(0..200)).await;
    let mut one = join(&bus).await;
    let first = all(&mut one);
    assert_eq!(first.len(), 200);
    let mut two = join(&bus).await;
    let moved = all(&mut two);
    assert!((50..150).contains(&moved.len()), "{} moved", moved.len());
    assert!(moved.iter().all(|delivery| delivery.redeliveries == 1));
    assert!(all(&mut one).is_empty(), "what stayed was delivered again");
    assert!(moved.iter().all(|delivery| delivery.tag.generation > first[0].tag.generation));
    // The first member acknowledges everything it ever got; only what it still reads counts.
    one.ack(&tags(&first)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(moved.len() as u64));
    drop(one);
    drop(two);
    let again = all(&mut join(&bus).await);
    assert_eq!(sorted(numbers(&again)), sorted(numbers(&moved)));
}

#[tokio::test]
async fn a_tag_of_an_older_generation_acknowledges_nothing_even_if_the_partition_came_back() {
    let bus = MemoryBus::new().with_partitions(2);
    publish(&bus, &keyed(0..20)).await;
    let mut one = join(&bus).await;
    let old = all(&mut one);
    let two = join(&bus).await;
    drop(two);
    let back: Vec<Delivery> = all(&mut one);
    assert!(!back.is_empty() && back.len() < 20, "{} moved", back.len());
    let stale: Vec<DeliveryTag> =
        tags(&old).into_iter().filter(|tag| back.iter().any(|now| now.tag.partition == tag.partition)).collect();
    assert_eq!(stale.len(), back.len());
    one.ack(&stale).await.unwrap();
    one.nack(&[(stale[0], crate::port::Nack::DeadLetter("late".to_owned()))]).await.unwrap();
    assert_eq!(bus.lag("group"), Some(20));
    assert!(bus.dead_letters("group").is_empty());
    one.ack(&tags(&back)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(20 - back.len() as u64));
}

#[tokio::test]
async fn a_tag_means_nothing_to_another_member() {
    let bus = MemoryBus::new();
    publish(&bus, &keyed(0..50)).await;
    let (mut one, mut two) = (join(&bus).await, join(&bus).await);
    let (mine, theirs) = (all(&mut one), all(&mut two));
    assert!(!mine.is_empty() && !theirs.is_empty());
    one.ack(&tags(&theirs)).await.unwrap();
    two.ack(&tags(&mine)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(50));
}

#[tokio::test]
async fn a_group_that_comes_back_for_more_types_keeps_its_place() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..2)).await;
    let mut one = join(&bus).await;
    let received = all(&mut one);
    one.ack(&tags(&received)).await.unwrap();
    drop(one);
    publish(&bus, &[event("key", 2), event_of(EventType::StockReserved, "key", 3)]).await;
    let more = SubscribeOptions::new("group", [PLACED, EventType::StockReserved]);
    let mut two = bus.subscribe(more).await.unwrap();
    assert_eq!(sorted(numbers(&all(&mut two))), [2, 3]);
    drop(two);
    // Without the type, its topic's partitions are read by nobody, and its events are no longer owed.
    assert_eq!(numbers(&all(&mut join(&bus).await)), [2]);
    assert_eq!(bus.lag("group"), Some(1));
}

#[tokio::test]
async fn each_topic_is_shared_by_all_members() {
    let bus = MemoryBus::new();
    let both = || SubscribeOptions::new("group", [PLACED, EventType::StockReserved]);
    let (mut one, mut two) = (bus.subscribe(both()).await.unwrap(), bus.subscribe(both()).await.unwrap());
    publish(&bus, &keyed(0..100)).await;
    assert!(!all(&mut one).is_empty() && !all(&mut two).is_empty());
    drop((one, two));
    // And one that the group has no interest in any more is nobody's share.
    let (mut one, mut two) = (join(&bus).await, join(&bus).await);
    assert!(!all(&mut one).is_empty() && !all(&mut two).is_empty());
}

#[tokio::test]
async fn what_is_left_over_of_several_topics_is_shared_too() {
    let bus = MemoryBus::new().with_partitions(1);
    let both = || SubscribeOptions::new("group", [PLACED, EventType::StockReserved]);
    let (mut one, mut two) = (bus.subscribe(both()).await.unwrap(), bus.subscribe(both()).await.unwrap());
    publish(&bus, &[event("a", 1), event_of(EventType::StockReserved, "a", 2)]).await;
    assert_eq!((all(&mut one).len(), all(&mut two).len()), (1, 1));
    drop((one, two));
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(bus.subscribe(both()).await.unwrap());
    }
    let counts: Vec<usize> = members.iter_mut().map(|member| all(member).len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 2);
    assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
}

#[tokio::test]
async fn a_group_whose_offsets_are_lost_gets_everything_again() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..4)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    member.ack(&tags(&received[..2])).await.unwrap();
    assert!(bus.rewind("group"));
    member.ack(&tags(&received)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(4));
    assert_eq!(numbers(&all(&mut member)), [0, 1, 2, 3]);
    member.ack(&tags(&received)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(4));
    assert!(!bus.rewind("unknown"));
    let waiting = tokio::spawn(async move { member.receive(10).await.map(|received| numbers(&received)) });
    tokio::task::yield_now().await;
    assert!(bus.rewind("group"));
    assert_eq!(waiting.await.unwrap().unwrap(), [0, 1, 2, 3]);
}
