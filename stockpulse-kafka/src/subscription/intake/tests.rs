//! What is delivered, held, paused and committed, without a broker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use stockpulse_core::model::{Envelope, EventId, Timestamp};

use super::*;

const LIMITS: Limits = Limits { in_flight: 10, prefetch: 100, prefetch_bytes: 1_000 };

fn partition(number: i32) -> Partition {
    Partition { topic: "orders".into(), number }
}

fn fetched(offset: u64, bytes: usize) -> Found {
    let envelope = Envelope {
        id: EventId::from_u128(offset.into()),
        source: "/tests".into(),
        type_name: "com.stockpulse.order.placed.v1".into(),
        subject: "key".into(),
        time: Timestamp::from_secs(1),
        partition_key: "key".into(),
        sequence: offset,
        trace: None,
        data: vec![b' '; bytes].into(),
    };
    let origin = Origin { topic: "orders".into(), partition: 0, offset: 0, timestamp: None };
    Found::Event(Arc::new(Fetched { offset, origin, envelope, not_before: None, redeliveries: 0 }))
}

fn foreign(offset: u64, number: i32) -> Found {
    let origin = Origin { topic: "orders".into(), partition: number, offset: 0, timestamp: None };
    let tag = DeliveryTag { generation: 0, partition: 0, offset };
    let (partition, reason) = (partition(number), String::new());
    Found::Foreign {
        offset,
        record: Box::new(Foreign { tag, partition, origin, key: None, value: None, headers: None, reason }),
    }
}

fn intake(partitions: i32) -> Intake {
    let mut intake = Intake::new(LIMITS);
    intake.assign((0..partitions).map(|number| (partition(number), None)));
    intake
}

fn tags(taken: &Taken) -> Vec<DeliveryTag> {
    taken.given.iter().map(|delivery| delivery.tag).collect()
}

fn offsets(taken: &Taken) -> Vec<(u32, u64)> {
    taken.given.iter().map(|delivery| (delivery.tag.partition, delivery.tag.offset)).collect()
}

#[test]
fn no_more_are_in_flight_than_may_be_and_every_partition_has_its_turn() {
    let mut intake = intake(2);
    for offset in 0..30 {
        intake.push(&partition(0), fetched(offset, 1));
        intake.push(&partition(1), fetched(offset, 1));
    }
    let now = Instant::now();
    let first = intake.take(7, now);
    assert_eq!(offsets(&first), (0..7).map(|offset| (0, offset)).collect::<Vec<_>>());
    assert_eq!(offsets(&intake.take(7, now)), [(1, 0), (1, 1), (1, 2)], "ten are in flight");
    assert!(intake.take(7, now).given.is_empty());
    drop(intake.ack(&tags(&first)));
    assert_eq!(intake.in_flight(), 3);
    assert_eq!(intake.moved(), [(partition(0), 7), (partition(1), 0)]);
    assert_eq!(intake.moved(), []);
}

#[test]
fn a_retry_comes_first_and_holds_up_its_partition_and_no_other() {
    let mut intake = intake(2);
    for offset in 0..4 {
        intake.push(&partition(0), fetched(offset, 1));
    }
    let now = Instant::now();
    let taken = intake.take(3, now);
    let later = now + Duration::from_secs(5);
    assert!(intake.retry(taken.given[1].tag, later));
    assert!(!intake.retry(taken.given[1].tag, later), "it is not in flight");
    drop(intake.ack(&[taken.given[2].tag]));
    intake.push(&partition(1), fetched(9, 1));
    let held = intake.take(10, now);
    assert_eq!((offsets(&held), held.look_at), (vec![(1, 9)], Some(later)));
    let again = intake.take(10, later);
    assert_eq!(offsets(&again), [(0, 1), (0, 3)]);
    assert_eq!((again.given[0].fetched.redeliveries, again.given[1].fetched.redeliveries), (1, 0));
}

#[test]
fn tags_of_an_older_assignment_do_nothing() {
    let mut intake = intake(1);
    intake.push(&partition(0), fetched(5, 1));
    let old = tags(&intake.take(1, Instant::now()));
    intake.revoke(&[partition(0)]);
    assert_eq!(intake.in_flight(), 0);
    intake.push(&partition(0), fetched(6, 1));
    assert!(intake.take(1, Instant::now()).given.is_empty(), "it is somebody else's");
    intake.assign([(partition(0), None)]);
    intake.push(&partition(0), fetched(5, 1));
    let new = tags(&intake.take(1, Instant::now()));
    assert_eq!((new[0].partition, new[0].offset), (old[0].partition, old[0].offset));
    drop(intake.ack(&old));
    assert!(!intake.retry(old[0], Instant::now()) && intake.find(old[0]).is_none());
    assert_eq!(intake.moved(), [(partition(0), 5)]);
    drop(intake.ack(&new));
    assert_eq!(intake.moved(), [(partition(0), 6)]);
}

#[test]
fn nothing_is_delivered_while_partitions_are_given_back() {
    let mut intake = intake(1);
    intake.push(&partition(0), fetched(0, 1));
    intake.push(&partition(0), fetched(1, 1));
    let taken = intake.take(1, Instant::now());
    intake.set_draining(true);
    assert!(intake.take(1, Instant::now()).given.is_empty());
    assert_eq!(intake.in_flight_of(&[partition(0)]), 1);
    drop(intake.ack(&tags(&taken)));
    assert_eq!((intake.in_flight_of(&[partition(0)]), intake.moved()), (0, vec![(partition(0), 1)]));
}

#[test]
fn a_log_that_begins_anew_is_read_from_there() {
    let mut intake = intake(1);
    intake.push(&partition(0), fetched(100, 1));
    intake.push(&partition(0), fetched(101, 1));
    let old = tags(&intake.take(1, Instant::now()));
    intake.push(&partition(0), fetched(0, 1));
    intake.push(&partition(0), fetched(1, 1));
    drop(intake.ack(&old));
    let new = intake.take(10, Instant::now());
    assert_eq!(offsets(&new), [(0, 0), (0, 1)]);
    drop(intake.ack(&tags(&new)));
    assert_eq!(intake.moved(), [(partition(0), 2)]);
}

#[test]
fn what_cannot_be_read_holds_the_place_until_it_is_buried_and_delivers_on() {
    let mut intake = intake(1);
    intake.push(&partition(0), foreign(3, 0));
    intake.push(&partition(0), fetched(4, 1));
    let taken = intake.take(10, Instant::now());
    assert_eq!(offsets(&taken), [(0, 4)]);
    drop(intake.ack(&tags(&taken)));
    assert_eq!(intake.moved(), [(partition(0), 3)]);
    let tag = intake.foreign()[0].tag;
    intake.buried(tag);
    assert!(intake.foreign().is_empty());
    assert_eq!(intake.moved(), [(partition(0), 5)]);
    intake.push(&partition(0), foreign(6, 0));
    intake.revoke(&[partition(0)]);
    assert!(intake.foreign().is_empty(), "it is somebody else's");
}

#[test]
fn room_is_bounded_by_events_bytes_and_records_that_wait_for_their_dead_letters() {
    let now = Instant::now();
    let mut by_events = intake(1);
    assert_eq!(by_events.plan(now, false).room, 100);
    (0..100).for_each(|offset| by_events.push(&partition(0), fetched(offset, 1)));
    assert_eq!(by_events.plan(now, false).room, 0);
    by_events.take(4, now);
    assert_eq!(by_events.plan(now, false).room, 4);
    let mut by_bytes = intake(1);
    by_bytes.push(&partition(0), fetched(0, 1_000));
    assert_eq!(by_bytes.plan(now, false).room, 0);
    let mut by_foreign = intake(1);
    (0..64).for_each(|offset| by_foreign.push(&partition(0), foreign(offset, 0)));
    assert_eq!(by_foreign.plan(now, false).room, 0);
}

#[test]
fn everything_is_paused_only_when_nobody_makes_room_and_resumed_once_when_somebody_does() {
    let now = Instant::now();
    let mut intake = Intake::new(Limits { in_flight: 1_000, ..LIMITS });
    intake.assign([(partition(0), None), (partition(1), None)]);
    (0..100).for_each(|offset| intake.push(&partition(0), fetched(offset, 1)));
    let idle = |plan: &Plan| plan.pause.is_empty() && plan.resume.is_empty();
    assert!(idle(&intake.plan(now, false)));
    assert_eq!(intake.plan(now, true).pause, [partition(0), partition(1)]);
    assert_eq!(intake.paused(&[partition(1)]), [partition(1)]);
    assert!(idle(&intake.plan(now, true)), "once");
    intake.take(10, now);
    assert!(idle(&intake.plan(now, false)), "a little room is not worth a new fetch");
    intake.take(60, now);
    assert_eq!(intake.plan(now, false).resume, [partition(0), partition(1)]);
    assert!(idle(&intake.plan(now, false)));
}

#[test]
fn a_held_partition_is_paused_when_much_of_it_waits_and_takes_no_room_from_others() {
    let now = Instant::now();
    let mut intake = intake(2);
    (0..101).for_each(|offset| intake.push(&partition(0), fetched(offset, 1)));
    let taken = intake.take(1, now);
    let later = now + Duration::from_secs(60);
    intake.retry(taken.given[0].tag, later);
    let plan = intake.plan(now, false);
    assert_eq!((plan.pause, plan.room), (vec![partition(0)], 100));
    assert_eq!(intake.plan(later, false).resume, [partition(0)]);
}

/// Something that happens to a subscription.
#[derive(Clone, Debug)]
enum Step {
    Push(i32),
    Take(usize),
    Ack(usize),
    Retry(usize),
    Move(i32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3).prop_map(Step::Push),
        2 => (1..6_usize).prop_map(Step::Take),
        3 => (0..12_usize).prop_map(Step::Ack),
        1 => (0..12_usize).prop_map(Step::Retry),
        1 => (0..3).prop_map(Step::Move),
    ]
}

proptest! {
    /// A partition's place is where its next owner goes on, so it never passes an event that was not acknowledged; and
    /// whatever happens, everything is acknowledged in the end.
    #[test]
    fn nothing_is_passed_over_whatever_happens(steps in prop::collection::vec(step(), 1..300)) {
        let mut intake = intake(3);
        let now = Instant::now();
        let mut next = BTreeMap::from([(0, 0_u64), (1, 0), (2, 0)]);
        let mut places: BTreeMap<i32, u64> = next.clone();
        let mut acked: BTreeSet<(i32, u64)> = BTreeSet::new();
        let mut held: Vec<DeliveryTag> = Vec::new();
        let end = (0..3).map(Step::Move).chain((0..400).flat_map(|_| [Step::Take(10), Step::Ack(0)]));
        let pushed = steps.iter().filter(|step| matches!(step, Step::Push(_))).count();
        for step in steps.into_iter().chain(end) {
            match step {
                Step::Push(number) => {
                    intake.push(&partition(number), fetched(next[&number], 1));
                    *next.get_mut(&number).unwrap() += 1;
                }
                Step::Take(max) => held.extend(tags(&intake.take(max, now))),
                Step::Ack(which) if which < held.len() => {
                    let tag = held.remove(which);
                    if intake.find(tag).is_some() {
                        acked.insert((i32::try_from(tag.partition).unwrap(), tag.offset));
                    }
                    drop(intake.ack(&[tag]));
                }
                Step::Retry(which) if which < held.len() => {
                    intake.retry(held.remove(which), now);
                }
                Step::Move(number) => {
                    places.extend(intake.moved().into_iter().map(|(partition, place)| (partition.number, place)));
                    intake.revoke(&[partition(number)]);
                    intake.assign([(partition(number), None)]);
                    for offset in places[&number]..next[&number] {
                        intake.push(&partition(number), fetched(offset, 1));
                    }
                }
                Step::Ack(_) | Step::Retry(_) => {}
            }
            prop_assert!(intake.in_flight() <= LIMITS.in_flight);
            places.extend(intake.moved().into_iter().map(|(partition, place)| (partition.number, place)));
            for (number, place) in &places {
                prop_assert!((0..*place).all(|offset| acked.contains(&(*number, offset))), "{number} at {place}");
            }
        }
        prop_assert_eq!(acked.len(), pushed);
        prop_assert_eq!(places, next);
    }
}
