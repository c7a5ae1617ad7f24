//! What a member has read of a partition and is not done with.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::Envelope;
use crate::port::{Delivery, DeliveryTag};

/// The longest wait of an event that is to be tried again; longer ones are cut, so that no time is out of range.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An event as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<N> {
    /// The event.
    pub envelope: Envelope,
    /// How often it was delivered to the group before.
    pub deliveries: u32,
    /// When it may be delivered, if an earlier owner of the partition said that it has to wait.
    pub due: Option<Instant>,
    /// What the backend needs to know it by.
    pub note: N,
}

#[derive(Clone, Debug)]
struct Slot<N> {
    read: Read<N>,
    /// Delivered, and nothing was heard of it since; otherwise it is to be delivered, for the first time or again.
    in_flight: bool,
}

/// What a member of a group has read of a partition and is not done with: events that are in flight, and those that are to
/// be delivered, for the first time or again. They are delivered in the order of the numbers that they were put in under.
#[derive(Clone, Debug)]
pub struct Window<N = ()> {
    open: BTreeMap<u64, Slot<N>>,
    in_flight: usize,
}

impl<N> Default for Window<N> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), in_flight: 0 }
    }
}

impl<N> Window<N> {
    /// How many events are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether everything that was read is in flight or done, so that more may be read.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.open.len() == self.in_flight
    }

    /// Puts in an event that was read, under a number that none had before.
    pub fn put(&mut self, number: u64, read: Read<N>) {
        self.open.insert(number, Slot { read, in_flight: false });
    }

    /// Delivers at most `budget` events in order, with the partition and generation in their tags. Answers when the event
    /// in front may be delivered, if it has to wait.
    pub fn deliver(
        &mut self,
        (partition, generation): (u32, u64),
        now: Instant,
        mut budget: usize,
        deliveries: &mut Vec<Delivery>,
    ) -> Option<Instant> {
        if self.has_room() {
            return None;
        }
        for (number, slot) in self.open.iter_mut().filter(|(_, slot)| !slot.in_flight) {
            let read = &mut slot.read;
            if let Some(due) = read.due.filter(|due| *due > now) {
                return Some(due);
            }
            if budget == 0 {
                return None;
            }
            budget -= 1;
            slot.in_flight = true;
            self.in_flight += 1;
            let tag = DeliveryTag { generation, partition, offset: *number };
            deliveries.push(Delivery { tag, envelope: read.envelope.clone(), redeliveries: read.deliveries });
            read.deliveries = read.deliveries.saturating_add(1);
        }
        None
    }

    /// An event that is not done.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Read<N>> {
        self.open.get(&number).map(|slot| &slot.read)
    }

    /// An event is done. Answers it, unless it was done already.
    pub fn end(&mut self, number: u64) -> Option<Read<N>> {
        let slot = self.open.remove(&number)?;
        if slot.in_flight {
            self.in_flight -= 1;
        }
        Some(slot.read)
    }

    /// An event is to be delivered again after a while, with everything behind it that is not done.
    pub fn retry(&mut self, number: u64, now: Instant, wait: Duration) {
        let Some(slot) = self.open.get_mut(&number) else { return };
        slot.read.due = Some(later(now, wait));
        for slot in self.open.range_mut(number..).map(|(_, slot)| slot).filter(|slot| slot.in_flight) {
            slot.in_flight = false;
            self.in_flight -= 1;
        }
    }

    /// The number of the first event that is not done.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.open.first_key_value().map(|(number, _)| *number)
    }

    /// The first event that has to wait or had to, and its number.
    #[must_use]
    pub fn pause(&self) -> Option<(u64, &Read<N>)> {
        let mut open = self.open.iter().map(|(number, slot)| (*number, &slot.read));
        open.find(|(_, read)| read.due.is_some())
    }
}

/// So much later than `from`: at most a year, so that no time is out of range.
#[must_use]
pub fn later(from: Instant, wait: Duration) -> Instant {
    from + wait.min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventId, Timestamp};

    fn read(number: u64, due: Option<Instant>) -> Read<u64> {
        let envelope = Envelope {
            id: EventId::from_u128(number.into()),
            source: "/tests".into(),
            type_name: "test".into(),
            subject: "key".into(),
            time: Timestamp::from_micros(0),
            partition_key: "key".into(),
            sequence: number,
            trace: None,
            data: "{}".into(),
        };
        Read { envelope, deliveries: 0, due, note: number }
    }

    fn window(numbers: std::ops::Range<u64>) -> Window<u64> {
        let mut window = Window::default();
        for number in numbers {
            window.put(number, read(number, None));
        }
        window
    }

    /// Delivers, and answers the numbers and how often each was delivered before.
    fn deliver(window: &mut Window<u64>, now: Instant, budget: usize) -> (Vec<(u64, u32)>, Option<Instant>) {
        let mut deliveries = Vec::new();
        let due = window.deliver((7, 9), now, budget, &mut deliveries);
        assert!(deliveries.iter().all(|delivery| (delivery.tag.partition, delivery.tag.generation) == (7, 9)));
        (deliveries.iter().map(|delivery| (delivery.tag.offset, delivery.redeliveries)).collect(), due)
    }

    #[test]
    fn events_are_delivered_once_in_order_and_end_once() {
        let (mut window, now) = (window(1..5), Instant::now());
        assert_eq!(deliver(&mut window, now, 3), (vec![(1, 0), (2, 0), (3, 0)], None));
        assert!(!window.has_room());
        assert_eq!(deliver(&mut window, now, 3), (vec![(4, 0)], None));
        assert_eq!((window.in_flight(), window.has_room()), (4, true));
        assert_eq!(window.end(2).map(|read| (read.note, read.deliveries)), Some((2, 1)));
        assert_eq!(window.end(2), None);
        assert_eq!((window.in_flight(), window.first()), (3, Some(1)));
        window.end(1);
        assert_eq!(window.first(), Some(3), "a gap holds the place, and what is behind it is done");
    }

    #[test]
    fn a_retry_takes_back_what_is_behind_it_and_waits() {
        let (mut window, now) = (window(1..5), Instant::now());
        deliver(&mut window, now, 9);
        window.end(3);
        window.retry(2, now, Duration::from_secs(5));
        assert_eq!(window.in_flight(), 1, "the first one is not concerned");
        let due = now + Duration::from_secs(5);
        assert_eq!(deliver(&mut window, now, 9), (vec![], Some(due)));
        assert_eq!(window.pause().map(|(number, read)| (number, read.due)), Some((2, Some(due))));
        assert_eq!(deliver(&mut window, due, 9), (vec![(2, 1), (4, 1)], None));
        window.retry(9, now, Duration::ZERO);
        window.retry(4, now, Duration::MAX);
        assert!(deliver(&mut window, due, 9).1.is_some(), "a wait without end ends");
    }

    #[test]
    fn an_event_that_waits_holds_up_those_behind_it() {
        let now = Instant::now();
        let due = later(now, Duration::from_secs(1));
        let mut window = window(1..2);
        window.put(2, read(2, Some(due)));
        window.put(3, read(3, None));
        assert_eq!(deliver(&mut window, now, 9), (vec![(1, 0)], Some(due)));
        assert_eq!(deliver(&mut window, due, 9), (vec![(2, 0), (3, 0)], None));
    }
}
