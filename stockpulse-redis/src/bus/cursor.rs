//! A member's place in one partition.

use std::collections::BTreeMap;
use std::time::Duration;

use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Delivery, DeliveryTag};
use tokio::time::Instant;

use super::member::Lease;

/// The longest wait of an event that is to be tried again; longer ones are cut, so that no time is out of range.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An event that was read and is not done.
#[derive(Debug)]
struct Slot {
    id: String,
    envelope: Envelope,
    /// Delivered, and nothing was heard of it since; otherwise it is to be delivered, for the first time or again.
    in_flight: bool,
    deliveries: u32,
    /// When it may be delivered again, if somebody said so.
    due: Option<Instant>,
}

/// An event as it was read: its id in the stream, itself, and how often it was delivered before.
pub(super) type Read = (String, Envelope, u32);

/// What a member has read of a partition and is not done with.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) generation: u64,
    /// The entry behind which to read pending ones, until there are none.
    pub(super) pending: Option<String>,
    /// The last entry that the group has read: to wait for those behind it.
    pub(super) last: String,
    /// Numbers the calls that read.
    pub(super) turn: u64,
    /// By the number of their delivery tags, in the order of the partition.
    open: BTreeMap<u64, Slot>,
    in_flight: usize,
    /// An event of which an earlier owner said that it has to wait.
    retry: Option<(String, Instant)>,
    /// What was acknowledged, and Redis does not know yet.
    pub(super) done: Vec<String>,
}

impl Cursor {
    /// A place as a lease gives it. What is pending comes first.
    pub(super) fn new(lease: Lease) -> Self {
        Self {
            generation: lease.generation,
            pending: Some("0-0".to_owned()),
            last: lease.last,
            turn: 0,
            open: BTreeMap::new(),
            in_flight: 0,
            retry: lease.retry,
            done: Vec::new(),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether everything that was read is delivered or done, so that more may be read.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() == self.in_flight
    }

    /// Takes in what was read, numbered from `number` on.
    pub(super) fn fill(&mut self, number: &mut u64, events: Vec<Read>) {
        for (id, envelope, deliveries) in events {
            let due = self.retry.as_ref().filter(|(waits, _)| *waits == id).map(|(_, due)| *due);
            self.open.insert(*number, Slot { id, envelope, in_flight: false, deliveries, due });
            *number += 1;
        }
    }

    /// Some call that read got no answer: what it read is pending and came to nobody.
    pub(super) fn read_again(&mut self) {
        if self.pending.is_none() {
            self.pending = Some(self.last.clone());
        }
    }

    /// Delivers at most `budget` events in order. Answers when the event in front may be delivered, if it has to wait.
    pub(super) fn deliver(
        &mut self,
        partition: u32,
        now: Instant,
        mut budget: usize,
        deliveries: &mut Vec<Delivery>,
    ) -> Option<Instant> {
        if self.has_room() {
            return None;
        }
        for (number, slot) in self.open.iter_mut().filter(|(_, slot)| !slot.in_flight) {
            if let Some(due) = slot.due.filter(|due| *due > now) {
                return Some(due);
            }
            if budget == 0 {
                return None;
            }
            budget -= 1;
            slot.in_flight = true;
            self.in_flight += 1;
            let tag = DeliveryTag { generation: self.generation, partition, offset: *number };
            deliveries.push(Delivery { tag, envelope: slot.envelope.clone(), redeliveries: slot.deliveries });
            slot.deliveries = slot.deliveries.saturating_add(1);
        }
        None
    }

    /// The id of an event that is not done, and how often it was delivered.
    pub(super) fn find(&self, number: u64) -> Option<(&str, u32)> {
        self.open.get(&number).map(|slot| (slot.id.as_str(), slot.deliveries))
    }

    /// An event is done. Answers its id, unless it was done already.
    pub(super) fn end(&mut self, number: u64) -> Option<String> {
        let slot = self.open.remove(&number)?;
        if slot.in_flight {
            self.in_flight -= 1;
        }
        Some(slot.id)
    }

    /// An event is to be delivered again, with everything behind it that is not done.
    pub(super) fn retry(&mut self, number: u64, wait: Duration) {
        let Some(slot) = self.open.get_mut(&number) else { return };
        slot.due = Some(Instant::now() + wait.min(LONGEST_WAIT));
        for slot in self.open.range_mut(number..).map(|(_, slot)| slot).filter(|slot| slot.in_flight) {
            slot.in_flight = false;
            self.in_flight -= 1;
        }
    }
}
