//! Random histories of a group against what must hold of any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::memory::ManualClock;
use crate::port::Nack;

const MAX_IN_FLIGHT: usize = 12;

#[derive(Clone, Debug)]
enum Step {
    Publish(u8),
    Join,
    Crash(usize),
    Receive(usize, usize),
    /// Of a member, every delivery whose bit is set.
    Ack(usize, u64),
    Retry(usize, usize, u8),
    DeadLetter(usize, usize),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let member = 0..3_usize;
    prop_oneof![
        3 => (1..9_u8).prop_map(Step::Publish),
        2 => Just(Step::Join),
        1 => member.clone().prop_map(Step::Crash),
        6 => (member.clone(), 1..9_usize).prop_map(|(member, max)| Step::Receive(member, max)),
        5 => (member.clone(), any::<u64>()).prop_map(|(member, bits)| Step::Ack(member, bits)),
        2 => (member.clone(), 0..9_usize, 0..4_u8).prop_map(|(member, which, after)| Step::Retry(member, which, after)),
        1 => (member, 0..9_usize).prop_map(|(member, which)| Step::DeadLetter(member, which)),
        1 => (0..4_u8).prop_map(Step::Wait),
    ]
}

struct Member {
    subscription: Box<dyn Subscription>,
    /// Everything it was given and has not ended.
    open: Vec<Delivery>,
    /// The last offset by partition and generation, since the last time something was retried.
    last: BTreeMap<(u32, u64), u64>,
}

fn ready<T>(future: impl Future<Output = crate::Result<T>>) -> T {
    future.now_or_never().expect("does not wait").unwrap()
}

struct History {
    bus: MemoryBus,
    clock: ManualClock,
    members: Vec<Member>,
    published: u64,
    /// Ended, as far as the members know.
    ended: BTreeSet<u64>,
}

impl History {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1));
        let bus = MemoryBus::new().with_partitions(3).with_clock(Arc::new(clock.clone()));
        Self { bus, clock, members: Vec::new(), published: 0, ended: BTreeSet::new() }
    }

    fn join(&mut self) {
        let subscription = ready(self.bus.subscribe(options().with_max_in_flight(MAX_IN_FLIGHT)));
        self.members.push(Member { subscription, open: Vec::new(), last: BTreeMap::new() });
    }

    fn receive(&mut self, member: usize, max: usize) -> usize {
        let Some(member) = self.members.get_mut(member) else { return 0 };
        let received = now(&mut member.subscription, max);
        assert!(received.len() <= max.min(MAX_IN_FLIGHT));
        for delivery in &received {
            let tag = delivery.tag;
            let last = member.last.insert((tag.partition, tag.generation), tag.offset);
            assert!(last.is_none_or(|last| last < tag.offset), "{tag:?} came after {last:?}");
        }
        let count = received.len();
        member.open.extend(received);
        count
    }

    /// Ends deliveries of a member, by an acknowledgement or as dead letters.
    fn end(&mut self, member: usize, chosen: impl Fn(usize) -> bool, nack: Option<&Nack>) {
        let Some(member) = self.members.get_mut(member) else { return };
        let places: Vec<usize> = (0..member.open.len()).filter(|place| chosen(*place)).collect();
        for place in places.into_iter().rev() {
            let delivery = member.open.swap_remove(place);
            match nack {
                None => ready(member.subscription.ack(&[delivery.tag])),
                Some(nack) => ready(member.subscription.nack(&[(delivery.tag, nack.clone())])),
            }
            self.ended.insert(delivery.envelope.sequence);
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Publish(count) => {
                let next = self.published + u64::from(count);
                ready(self.bus.publish(&keyed(self.published..next)));
                self.published = next;
            }
            Step::Join if self.members.len() < 3 => self.join(),
            Step::Join => {}
            Step::Crash(member) if member < self.members.len() => drop(self.members.remove(member)),
            Step::Crash(_) => {}
            Step::Receive(member, max) => drop(self.receive(member, max)),
            Step::Ack(member, bits) => self.end(member, |place| bits >> (place % 64) & 1 == 1, None),
            Step::DeadLetter(member, which) => {
                self.end(member, |place| place == which, Some(&Nack::DeadLetter("bad".to_owned())));
            }
            Step::Retry(member, which, after) => {
                let Some(member) = self.members.get_mut(member) else { return };
                let Some(delivery) = member.open.get(which) else { return };
                let after = Duration::from_secs(after.into());
                ready(member.subscription.nack(&[(delivery.tag, Nack::Retry(after))]));
                member.last.clear();
            }
            Step::Wait(seconds) => self.clock.advance(Duration::from_secs(seconds.into())),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// At least once, in order: whatever happened, one member that remains gets everything that was not ended.
    #[test]
    fn nothing_is_lost_whatever_the_members_do(steps in prop::collection::vec(step(), 1..120)) {
        let mut history = History::new();
        for step in &steps {
            history.apply(step);
        }
        history.members.clear();
        history.clock.advance(Duration::from_secs(60));
        history.join();
        while history.receive(0, 1_000) > 0 {
            history.end(0, |_| true, None);
        }
        let lag = history.bus.lag("group");
        prop_assert_eq!(lag, Some(0));
        let all: BTreeSet<u64> = (0..history.published).collect();
        prop_assert_eq!(&history.ended, &all);
        let letters = history.bus.dead_letters("group");
        let distinct: BTreeSet<u64> = letters.iter().map(|letter| letter.envelope.sequence).collect();
        prop_assert_eq!(letters.len(), distinct.len());
    }

    /// Where nobody crashes or asks again, nothing comes twice.
    #[test]
    fn a_lone_member_gets_everything_exactly_once(batches in prop::collection::vec((1..20_u8, 1..20_usize), 1..30)) {
        let mut history = History::new();
        history.join();
        let mut received = 0;
        for (count, max) in &batches {
            history.apply(&Step::Publish(*count));
            received += history.receive(0, *max);
            history.end(0, |place| place % 2 == 0, None);
        }
        history.end(0, |_| true, None);
        loop {
            let some = history.receive(0, 7);
            if some == 0 {
                break;
            }
            received += some;
            history.end(0, |_| true, None);
        }
        prop_assert_eq!(received as u64, history.published);
        prop_assert_eq!(history.ended.len() as u64, history.published);
    }
}
