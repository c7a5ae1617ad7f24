//! A group's place in one partition.

use std::collections::VecDeque;

use super::log::{Entry, Log};
use crate::model::Timestamp;

/// Which member of a group.
pub(super) type MemberId = u64;

/// What became of an event that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// To be delivered, for the first time or again.
    #[default]
    Waiting,
    /// Delivered; nothing was heard of it since.
    InFlight,
    /// Acknowledged, or of no interest. Forgotten when the partition moves, unless the watermark passed it.
    Done,
    /// A dead letter. Remembered, or it would become one again each time the partition moves.
    SetAside,
}

/// An event at or behind the watermark.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    state: State,
    /// How often it was delivered to the group.
    deliveries: u32,
    /// When it may be delivered again.
    not_before: Timestamp,
}

/// A group's place in one partition: the watermark, below which everything is done, and a window of what was looked
/// at beyond it.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The first log of the partition's topic.
    pub topic: usize,
    /// The partition's log.
    pub log: usize,
    /// Who reads it.
    pub owner: Option<MemberId>,
    /// The group's generation when it was given to its owner, or when the group was rewound.
    pub generation: u64,
    /// The committed offset: the first that is not done.
    committed: u64,
    /// What is known of the offsets from there on.
    window: VecDeque<Slot>,
    /// The next offset to look at; never below `committed`, nor beyond the window's end.
    next: u64,
    in_flight: usize,
}

impl Cursor {
    /// A place in a log, owned by nobody.
    pub(super) fn new(topic: usize, log: usize, committed: u64) -> Self {
        Self {
            topic,
            log,
            owner: None,
            generation: 0,
            committed,
            window: VecDeque::new(),
            next: committed,
            in_flight: 0,
        }
    }

    /// How many events are delivered and not heard of.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Gives the partition to somebody, or to nobody. What was not committed will be delivered again.
    pub(super) fn assign(&mut self, owner: Option<MemberId>, generation: u64) {
        self.owner = owner;
        self.generation = generation;
        for slot in &mut self.window {
            if slot.state != State::SetAside {
                slot.state = State::Waiting;
            }
        }
        self.next = self.committed;
        self.in_flight = 0;
    }

    /// Forgets everything: the partition is read from its beginning again.
    pub(super) fn rewind(&mut self, generation: u64) {
        self.generation = generation;
        self.committed = 0;
        self.window.clear();
        self.next = 0;
        self.in_flight = 0;
    }

    /// Delivers at most `budget` events in order. `deliver` gets the offset, the event, and how often it was
    /// delivered before. Answers when the event in front may be delivered, if it has to wait.
    pub(super) fn fetch(
        &mut self,
        log: &mut Log,
        now: Timestamp,
        mut budget: usize,
        wants: impl Fn(&Entry) -> bool,
        mut deliver: impl FnMut(u64, &Entry, u32),
    ) -> Option<Timestamp> {
        let mut wake_at = None;
        while budget > 0 {
            let Some(entry) = log.get(self.next) else {
                // Nobody has to be woken for these: who waits has read everything, and so there were none.
                if log.flush_late() {
                    continue;
                }
                break;
            };
            let place = usize::try_from(self.next - self.committed).unwrap_or(usize::MAX);
            if place >= self.window.len() {
                self.window.push_back(Slot { deliveries: entry.delivered_before, ..Slot::default() });
            }
            if let Some(slot) = self.window.get_mut(place)
                && slot.state == State::Waiting
            {
                if !wants(entry) {
                    slot.state = State::Done;
                } else if slot.not_before > now {
                    wake_at = Some(slot.not_before);
                    break;
                } else {
                    slot.state = State::InFlight;
                    deliver(self.next, entry, slot.deliveries);
                    slot.deliveries = slot.deliveries.saturating_add(1);
                    self.in_flight += 1;
                    budget -= 1;
                }
            }
            self.next += 1;
        }
        self.commit();
        wake_at
    }

    /// An event was handled for good.
    pub(super) fn ack(&mut self, offset: u64) {
        self.end(offset, State::Done);
    }

    /// An event becomes a dead letter. Answers how often it was delivered, or `None` if it was done already.
    pub(super) fn set_aside(&mut self, offset: u64) -> Option<u32> {
        self.end(offset, State::SetAside)
    }

    /// An event is to be delivered again, with everything behind it that was not acknowledged.
    pub(super) fn retry(&mut self, offset: u64, not_before: Timestamp) {
        let Some(place) = self.open(offset) else { return };
        for (distance, slot) in self.window.range_mut(place..).enumerate() {
            if distance == 0 {
                slot.not_before = not_before;
            }
            if slot.state == State::InFlight {
                slot.state = State::Waiting;
                self.in_flight -= 1;
            }
        }
        self.next = self.next.min(offset);
    }

    /// How many events of interest are not done.
    pub(super) fn lag(&self, log: &Log, wants: impl Fn(&Entry) -> bool) -> u64 {
        let open = |offset: &u64| {
            let place = usize::try_from(*offset - self.committed).unwrap_or(usize::MAX);
            !matches!(self.window.get(place).map(|slot| slot.state), Some(State::Done | State::SetAside))
        };
        let behind = (self.committed..log.end()).filter(open).filter_map(|offset| log.get(offset));
        behind.chain(log.late()).filter(|entry| wants(entry)).count() as u64
    }

    /// The place in the window of an event that is not done. Whatever is in the window was looked at, and what was
    /// looked at and is not done was delivered.
    fn open(&self, offset: u64) -> Option<usize> {
        let place = usize::try_from(offset.checked_sub(self.committed)?).ok()?;
        let slot = self.window.get(place)?;
        matches!(slot.state, State::Waiting | State::InFlight).then_some(place)
    }

    fn end(&mut self, offset: u64, state: State) -> Option<u32> {
        let slot = self.open(offset).and_then(|place| self.window.get_mut(place))?;
        if slot.state == State::InFlight {
            self.in_flight -= 1;
        }
        slot.state = state;
        let deliveries = slot.deliveries;
        self.commit();
        Some(deliveries)
    }

    /// Moves the watermark over everything that is done without a gap.
    fn commit(&mut self) {
        while matches!(self.window.front().map(|slot| slot.state), Some(State::Done | State::SetAside)) {
            self.window.pop_front();
            self.committed += 1;
        }
        self.next = self.next.max(self.committed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Logs;
    use super::super::tests::events;
    use super::*;

    #[test]
    fn what_is_skipped_or_done_is_not_remembered() {
        let mut logs = Logs::default();
        logs.topic("topic", 1);
        let log = logs.get_mut(0).unwrap();
        events(0..100).into_iter().for_each(|event| log.append(Entry::new(event)));
        let mut cursor = Cursor::new(0, 0, 0);
        let wants = |entry: &Entry| entry.envelope.sequence == 40;
        cursor.fetch(log, Timestamp::default(), 100, wants, |_, _, _| {});
        assert_eq!((cursor.committed, cursor.window.len()), (40, 60));
        cursor.ack(40);
        assert_eq!((cursor.committed, cursor.window.len()), (100, 0));
    }
}
