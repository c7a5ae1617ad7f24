//! What a member has read and is not done with.

use std::collections::{BTreeMap, BTreeSet};

use stockpulse_core::port::{Delivery, DeliveryTag};
use stockpulse_core::{Error, Result};
use tokio::time::Instant;

use super::cursor::Cursor;
use super::fetch::{Answers, Ask, Found};
use super::member::Lease;

/// The places of a member in the partitions that it reads.
#[derive(Debug)]
pub(super) struct Reader {
    max_in_flight: usize,
    read_ahead: usize,
    pub(super) cursors: BTreeMap<u32, Cursor>,
    /// Which partition comes first, so that a busy one does not starve the others.
    turn: usize,
    /// The number of the next event that is read. It is never used again: a tag from before a partition moved means nothing.
    number: u64,
}

impl Reader {
    pub(super) fn new(max_in_flight: usize, read_ahead: usize) -> Self {
        Self { max_in_flight, read_ahead: read_ahead.max(1), cursors: BTreeMap::new(), turn: 0, number: 0 }
    }

    /// Drops what is somebody else's now, and begins what is new.
    pub(super) fn follow(&mut self, held: &BTreeMap<u32, Lease>) {
        let kept =
            |index: &u32, cursor: &Cursor| held.get(index).is_some_and(|lease| lease.generation == cursor.generation);
        self.cursors.retain(|index, cursor| kept(index, cursor));
        for (index, lease) in held {
            self.cursors.entry(*index).or_insert_with(|| Cursor::new(lease.clone()));
        }
    }

    /// How many of so many events may be delivered.
    fn budget(&self, max: usize) -> usize {
        let in_flight: usize = self.cursors.values().map(|cursor| cursor.window.in_flight()).sum();
        max.min(self.max_in_flight.saturating_sub(in_flight))
    }

    /// Delivers what was read. Answers it, and when the first event that has to wait may be delivered.
    pub(super) fn deliver(&mut self, max: usize) -> (Vec<Delivery>, Option<Instant>) {
        let now = Instant::now();
        let budget = self.budget(max);
        let mut deliveries = Vec::new();
        let mut due: Option<Instant> = None;
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn.checked_rem(self.cursors.len()).unwrap_or_default();
        let (behind, ahead): (Vec<_>, Vec<_>) =
            self.cursors.iter_mut().enumerate().partition(|(index, _)| *index < first);
        for (_, (partition, cursor)) in ahead.into_iter().chain(behind) {
            let place = (*partition, cursor.generation);
            let waits = cursor.window.deliver(place, now, budget - deliveries.len(), &mut deliveries);
            due = due.into_iter().chain(waits).min();
        }
        (deliveries, due)
    }

    /// What to read next: of each partition of which everything that was read is delivered.
    pub(super) fn asks(&mut self) -> Vec<Ask> {
        let count = self.budget(self.read_ahead);
        if count == 0 {
            return Vec::new();
        }
        let ready = self.cursors.iter_mut().filter(|(_, cursor)| cursor.window.has_room());
        let asks = ready.map(|(index, cursor)| {
            cursor.turn += 1;
            let (generation, turn) = (cursor.generation, cursor.turn);
            Ask { index: *index, generation, turn, pending: cursor.pending.clone(), count }
        });
        asks.collect()
    }

    /// Takes in what reading came to. Answers whether anything was read, so that there may be more; or the first failure,
    /// if nothing was.
    pub(super) fn apply(&mut self, answers: Answers) -> Result<bool> {
        let mut more = false;
        let mut failed: Option<Error> = None;
        for (ask, found) in answers {
            let cursor = self.cursors.get_mut(&ask.index).filter(|cursor| cursor.generation == ask.generation);
            let Some(cursor) = cursor else { continue };
            match found {
                Ok(Found::Lost) => {
                    self.cursors.remove(&ask.index);
                    more = true;
                }
                Ok(Found::Late) => {
                    cursor.read_again();
                    more = true;
                }
                Ok(Found::Read { count, last, events }) => {
                    // Behind the last pending one there may be others, until fewer come than were asked for.
                    more |= count > 0 || cursor.pending.is_some();
                    cursor.pending = cursor.pending.take().filter(|_| count == ask.count).and(Some(last.clone()));
                    if count > 0 && is_later(&last, &cursor.last) {
                        cursor.last = last;
                    }
                    cursor.fill(&mut self.number, events);
                }
                Err(error) => {
                    cursor.read_again();
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) if !more => Err(error),
            _ => Ok(more),
        }
    }

    /// Streams to wait for, each with the entry behind which something new would be.
    pub(super) fn waits(&self) -> BTreeMap<u32, String> {
        if self.budget(1) == 0 {
            return BTreeMap::new();
        }
        let ready = self.cursors.iter().filter(|(_, cursor)| cursor.window.has_room());
        ready.map(|(index, cursor)| (*index, cursor.last.clone())).collect()
    }

    /// The place that a tag belongs to, if the partition is still the member's.
    pub(super) fn cursor(&mut self, tag: &DeliveryTag) -> Option<&mut Cursor> {
        self.cursors.get_mut(&tag.partition).filter(|cursor| cursor.generation == tag.generation)
    }

    /// What was acknowledged and Redis does not know yet, by partition.
    pub(super) fn done(&self) -> Vec<(u32, u64, Vec<String>)> {
        let places = self.cursors.iter().filter(|(_, cursor)| !cursor.done.is_empty());
        places.map(|(index, cursor)| (*index, cursor.generation, cursor.done.clone())).collect()
    }

    /// Redis knows now that these were acknowledged.
    pub(super) fn settled(&mut self, index: u32, generation: u64, ids: &[String]) {
        let cursor = self.cursors.get_mut(&index).filter(|cursor| cursor.generation == generation);
        if let Some(cursor) = cursor {
            let known: BTreeSet<&String> = ids.iter().collect();
            cursor.done.retain(|id| !known.contains(id));
        }
    }
}

/// Whether an entry comes after another one in its stream.
fn is_later(one: &str, other: &str) -> bool {
    let parts = |id: &str| {
        let (ms, sequence) = id.split_once('-').unwrap_or((id, "0"));
        (ms.parse::<u64>().unwrap_or_default(), sequence.parse::<u64>().unwrap_or_default())
    };
    parts(one) > parts(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_compared_by_number_and_not_as_text() {
        assert!(is_later("1000-0", "999-0") && is_later("5-10", "5-9") && is_later("6-0", "5-9"));
        assert!(!is_later("5-9", "5-9") && !is_later("999-5", "1000-0"));
    }
}
