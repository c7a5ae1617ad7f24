//! Faults on purpose.

use super::*;

#[tokio::test]
async fn publishing_fails_as_often_as_it_was_told_to() {
    let bus = MemoryBus::new();
    bus.fail_next_publishes(2);
    let answers = bus.publish(&events(0..3)).await.unwrap();
    assert!(
        matches!(answers[..], [Published::Failed(_), Published::Failed(_), Published::Acknowledged]),
        "{answers:?}"
    );
    assert_eq!(bus.published(), 1);
    assert_eq!(numbers(&all(&mut join(&bus).await)), [2]);
}

#[tokio::test]
async fn an_unavailable_bus_says_so_and_loses_nothing() {
    let bus = MemoryBus::new();
    publish(&bus, &events(0..2)).await;
    let mut member = join(&bus).await;
    let received = all(&mut member);
    let waiting = tokio::spawn(async move { (kind(member.receive(1).await), member) });
    tokio::task::yield_now().await;
    bus.set_available(false);
    let down = Some(ErrorKind::Unavailable);
    let (answer, mut member) = waiting.await.unwrap();
    assert_eq!(answer, down);
    assert_eq!(kind(bus.publish(&events(2..3)).await), down);
    assert_eq!(kind(bus.subscribe(options()).await), down);
    assert_eq!(kind(member.ack(&tags(&received)).await), down);
    assert_eq!(kind(member.nack(&[]).await), down);
    bus.set_available(true);
    assert_eq!(bus.lag("group"), Some(2));
    member.ack(&tags(&received)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
    assert_eq!(bus.published(), 2);
}

#[tokio::test]
async fn every_event_comes_twice_if_the_probability_is_one() {
    let bus = MemoryBus::new().with_duplicates(1.0, 7);
    publish(&bus, &events(0..100)).await;
    let mut member = join(&bus).await;
    // What still waits to be appended is owed as well.
    assert_eq!(bus.lag("group"), Some(200));
    let received = all(&mut member);
    let numbers = numbers(&received);
    for number in 0..100 {
        let places: Vec<usize> = (0..numbers.len()).filter(|place| numbers[*place] == number).collect();
        assert_eq!(places.len(), 2, "event {number}");
    }
    let firsts: Vec<u64> = (0..numbers.len())
        .filter(|place| !numbers[..*place].contains(&numbers[*place]))
        .map(|at| numbers[at])
        .collect();
    assert!(firsts.is_sorted(), "first deliveries keep their order");
    let apart = numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(apart > 150, "copies come later, not at once");
    assert!(received.iter().all(|delivery| delivery.redeliveries == 0), "to the bus they are different events");
    assert_eq!(bus.published(), 100);
    member.ack(&tags(&received)).await.unwrap();
    assert_eq!(bus.lag("group"), Some(0));
}

#[tokio::test]
async fn duplicates_are_the_same_for_the_same_seed_and_go_to_every_group() {
    async fn run(seed: u64) -> (Vec<u64>, Vec<u64>) {
        let bus = MemoryBus::new().with_duplicates(0.3, seed);
        publish(&bus, &keyed(0..200)).await;
        let mut member = join(&bus).await;
        let mut late = bus.subscribe(SubscribeOptions::new("late", [PLACED])).await.unwrap();
        (numbers(&all(&mut member)), numbers(&all(&mut late)))
    }
    let (one, other) = run(1).await;
    assert_eq!(sorted(one.clone()), sorted(other));
    assert!((230..290).contains(&one.len()), "{} of 200", one.len());
    assert_eq!(run(1).await.0, one);
    assert_ne!(run(2).await.0, one);
}

#[tokio::test]
async fn a_copy_that_one_reader_brings_up_comes_to_the_others() {
    let bus = MemoryBus::new().with_duplicates(1.0, 1);
    let mut waiting = bus.subscribe(SubscribeOptions::new("waiting", [PLACED])).await.unwrap();
    publish(&bus, &events(0..1)).await;
    // Reads the event alone: it has no room to look beyond it.
    assert_eq!(now(&mut waiting, 1).len(), 1);
    let mut reader = join(&bus).await;
    assert_eq!(now(&mut reader, 10).len(), 2);
    assert_eq!(now(&mut waiting, 1).len(), 1);
    assert!(all(&mut waiting).is_empty());
}
