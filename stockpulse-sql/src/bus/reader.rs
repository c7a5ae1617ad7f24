//! What a member has read and is not done with.

use std::collections::{BTreeMap, HashSet};

use stockpulse_core::bus::Read;
use stockpulse_core::port::{Delivery, DeliveryTag, Nack};
use tokio::time::Instant;

use super::cursor::Cursor;
use super::fetch::Look;
use super::settle::{Change, Dead};

/// The places of a member in the partitions that it reads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) max_in_flight: usize,
    cursors: BTreeMap<u32, Cursor>,
    /// Which partition comes first, so that a busy one does not starve the others.
    pub(super) turn: usize,
}

/// Places as they will be once the database has the changes that belong to them.
pub(super) type Next = BTreeMap<u32, Cursor>;

impl Reader {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self { max_in_flight, cursors: BTreeMap::new(), turn: 0 }
    }

    pub(super) fn partitions(&self) -> Vec<u32> {
        self.cursors.keys().copied().collect()
    }

    /// The generation of each partition, and the offset to read next; none where something that was read still waits.
    pub(super) fn known(&self) -> BTreeMap<u32, (u64, Option<u64>)> {
        let known = self.cursors.iter().map(|(partition, cursor)| {
            (*partition, (cursor.generation, cursor.window.has_room().then_some(cursor.next)))
        });
        known.collect()
    }

    /// How many of so many events may be delivered.
    pub(super) fn budget(&self, max: usize) -> usize {
        let in_flight: usize = self.cursors.values().map(|cursor| cursor.window.in_flight()).sum();
        max.min(self.max_in_flight.saturating_sub(in_flight))
    }

    /// Takes in what a look came to. Answers whether any partition was read on.
    pub(super) fn apply(&mut self, look: Look) -> bool {
        let reads: HashSet<u32> = look.places.iter().map(|place| place.partition).collect();
        self.cursors.retain(|partition, _| reads.contains(partition));
        for place in look.places {
            let known = self.cursors.get(&place.partition).map(|cursor| cursor.generation);
            if known != Some(place.generation) {
                let cursor = Cursor::new(place.generation, place.written, place.pause, place.aside);
                self.cursors.insert(place.partition, cursor);
            }
        }
        let mut any = false;
        for part in look.parts {
            let cursor = self.cursors.get_mut(&part.partition).filter(|cursor| cursor.generation == part.generation);
            if let Some(cursor) = cursor {
                cursor.fill(part.from, part.to, part.entries);
                any = true;
            }
        }
        any
    }

    /// Delivers what was read. Answers it, and when the first event that has to wait may be delivered.
    pub(super) fn deliver(&mut self, max: usize) -> (Vec<Delivery>, Option<Instant>) {
        let now = Instant::now();
        let budget = self.budget(max);
        let mut deliveries = Vec::new();
        let mut due: Option<Instant> = None;
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

    /// Events are done.
    pub(super) fn ack(&mut self, tags: &[DeliveryTag]) {
        for tag in tags {
            let cursor = self.cursors.get_mut(&tag.partition).filter(|cursor| cursor.generation == tag.generation);
            if let Some(cursor) = cursor {
                cursor.window.end(tag.offset);
            }
        }
    }

    /// What it means that events were not handled. Nothing changes here until [`Reader::go_on`]: an event that is put
    /// aside nowhere would be lost.
    pub(super) fn nack(&self, tags: &[(DeliveryTag, Nack)]) -> (BTreeMap<u32, Change>, Next) {
        let mut next = Next::new();
        let mut dead: BTreeMap<u32, Vec<Dead>> = BTreeMap::new();
        for (tag, nack) in tags {
            let known = self.cursors.get(&tag.partition).filter(|cursor| cursor.generation == tag.generation);
            let Some(known) = known else { continue };
            let cursor = next.entry(tag.partition).or_insert_with(|| known.clone());
            match nack {
                Nack::Retry(wait) => cursor.window.retry(tag.offset, Instant::now(), *wait),
                Nack::DeadLetter(reason) => {
                    let Some(read) = cursor.window.end(tag.offset) else { continue };
                    let Read { envelope, deliveries, .. } = read;
                    let letter = Dead { offset: tag.offset, reason: reason.clone(), envelope, deliveries };
                    dead.entry(tag.partition).or_default().push(letter);
                }
            }
        }
        let changes = next.iter_mut().map(|(partition, cursor)| {
            let dead = dead.remove(partition).unwrap_or_default();
            let change = change(cursor, cursor.watermark(), dead);
            cursor.wrote(change.watermark);
            (*partition, change)
        });
        (changes.collect(), next)
    }

    /// Goes on from places that the database has now.
    pub(super) fn go_on(&mut self, next: Next) {
        self.cursors.extend(next);
    }

    /// The places that the database does not know yet.
    pub(super) fn unwritten(&self) -> BTreeMap<u32, Change> {
        let unwritten = self.cursors.iter().filter_map(|(partition, cursor)| {
            let watermark = cursor.unwritten()?;
            Some((*partition, change(cursor, watermark, Vec::new())))
        });
        unwritten.collect()
    }

    /// The database has these places now.
    pub(super) fn wrote(&mut self, places: impl IntoIterator<Item = (u32, u64)>) {
        for (partition, watermark) in places {
            if let Some(cursor) = self.cursors.get_mut(&partition) {
                cursor.wrote(watermark);
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.cursors.clear();
    }
}

fn change(cursor: &Cursor, watermark: u64, dead: Vec<Dead>) -> Change {
    Change { generation: cursor.generation, watermark, pause: cursor.pause(), dead }
}
