//! A member's place in one partition.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Delivery, DeliveryTag};
use tokio::time::Instant;

/// The longest wait of an event that is to be tried again; longer ones are cut, so that no time is out of range.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An event that was read and is not done.
#[derive(Clone, Debug)]
struct Slot {
    envelope: Envelope,
    /// Delivered, and nothing was heard of it since; otherwise it is to be delivered, for the first time or again.
    in_flight: bool,
    deliveries: u32,
    /// When it may be delivered again, if somebody said so.
    due: Option<Instant>,
}

/// An event that somebody wanted to be delivered again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) offset: u64,
    /// How long from now on.
    pub(super) wait: Duration,
    pub(super) deliveries: u32,
}

/// An event as it was read: its offset, itself, and how often it was delivered before.
pub(super) type Entry = (u64, Envelope, u32);

/// A place in a partition: everything below the watermark is done; of what was read beyond it, what is not done is kept.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// Under which the partition was given to this member.
    pub(super) generation: u64,
    /// The next offset to read.
    pub(super) next: u64,
    /// The watermark that the database has.
    written: u64,
    open: BTreeMap<u64, Slot>,
    in_flight: usize,
    /// An event of which an earlier owner said that it has to wait, and from when on the wait is measured.
    resume: Option<(Pause, Instant)>,
    /// Events beyond the watermark that were put aside already.
    aside: BTreeSet<u64>,
}

impl Cursor {
    /// A place as the database has it.
    pub(super) fn new(generation: u64, written: u64, resume: Option<Pause>, aside: BTreeSet<u64>) -> Self {
        let resume = resume.map(|pause| (pause, Instant::now()));
        Self { generation, next: written, written, open: BTreeMap::new(), in_flight: 0, resume, aside }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether everything that was read is delivered or done, so that more may be read.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() == self.in_flight
    }

    /// Takes in what was read: everything of interest from `from` up to, and without, `to`. It is ignored if the place is
    /// another one by now.
    pub(super) fn fill(&mut self, from: u64, to: u64, entries: Vec<Entry>) {
        if self.next != from {
            return;
        }
        self.next = to;
        for (offset, envelope, deliveries) in entries {
            if self.aside.contains(&offset) {
                continue;
            }
            let mut slot = Slot { envelope, in_flight: false, deliveries, due: None };
            if let Some((pause, since)) = self.resume.filter(|(pause, _)| pause.offset == offset) {
                slot.due = Some(since + pause.wait.min(LONGEST_WAIT));
                slot.deliveries = pause.deliveries;
            }
            self.open.insert(offset, slot);
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
        for (offset, slot) in self.open.iter_mut().filter(|(_, slot)| !slot.in_flight) {
            if let Some(due) = slot.due.filter(|due| *due > now) {
                return Some(due);
            }
            if budget == 0 {
                return None;
            }
            budget -= 1;
            slot.in_flight = true;
            self.in_flight += 1;
            let tag = DeliveryTag { generation: self.generation, partition, offset: *offset };
            deliveries.push(Delivery { tag, envelope: slot.envelope.clone(), redeliveries: slot.deliveries });
            slot.deliveries = slot.deliveries.saturating_add(1);
        }
        None
    }

    /// An event is done. Answers the event and how often it was delivered, unless it was done already.
    pub(super) fn end(&mut self, offset: u64) -> Option<(Envelope, u32)> {
        let slot = self.open.remove(&offset)?;
        if slot.in_flight {
            self.in_flight -= 1;
        }
        Some((slot.envelope, slot.deliveries))
    }

    /// An event is to be delivered again, with everything behind it that is not done.
    pub(super) fn retry(&mut self, offset: u64, wait: Duration) {
        let Some(slot) = self.open.get_mut(&offset) else { return };
        slot.due = Some(Instant::now() + wait.min(LONGEST_WAIT));
        for slot in self.open.range_mut(offset..).map(|(_, slot)| slot).filter(|slot| slot.in_flight) {
            slot.in_flight = false;
            self.in_flight -= 1;
        }
    }

    /// The first offset that is not done.
    pub(super) fn watermark(&self) -> u64 {
        self.open.first_key_value().map_or(self.next, |(offset, _)| *offset)
    }

    /// The watermark, if the database does not have it.
    pub(super) fn unwritten(&self) -> Option<u64> {
        Some(self.watermark()).filter(|watermark| *watermark > self.written)
    }

    /// The database has this watermark now.
    pub(super) fn wrote(&mut self, watermark: u64) {
        self.written = self.written.max(watermark);
    }

    /// The first event that is to be delivered again at a time, for whoever reads the partition next.
    pub(super) fn pause(&self) -> Option<Pause> {
        let (offset, slot, due) = self.open.iter().find_map(|(offset, slot)| Some((*offset, slot, slot.due?)))?;
        let wait = due.saturating_duration_since(Instant::now());
        Some(Pause { offset, wait, deliveries: slot.deliveries })
    }
}
