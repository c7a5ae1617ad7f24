//! One partition of a subscription: what waits, what is in flight, how far it is done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stockpulse_core::model::Envelope;
use tokio::time::Instant;

use super::watermark::Watermark;
use crate::aside::Origin;

/// An event that was fetched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fetched {
    /// Its place in the partition.
    pub(crate) offset: u64,
    /// Where it was published first.
    pub(crate) origin: Origin,
    /// The event.
    pub(crate) envelope: Envelope,
    /// It may not be delivered earlier.
    pub(crate) not_before: Option<Instant>,
    /// How often it was delivered before.
    pub(crate) redeliveries: u32,
}

/// A partition while it is assigned to this member.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Which assignment this is; an older tag means another one.
    pub(crate) generation: u64,
    pub(crate) watermark: Watermark,
    /// In order of offsets. The first one holds up the others.
    waiting: VecDeque<Arc<Fetched>>,
    waiting_bytes: usize,
    /// Kept to be delivered again: without asking the broker a second time, it comes in its order and at its time.
    in_flight: BTreeMap<u64, Arc<Fetched>>,
    /// Whether the consumer was told to fetch nothing of it.
    pub(crate) paused: bool,
}

impl Lane {
    pub(crate) fn new(generation: u64, watermark: Watermark) -> Self {
        Self {
            generation,
            watermark,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: BTreeMap::new(),
            paused: false,
        }
    }

    /// Takes in an event behind all others.
    pub(crate) fn push(&mut self, fetched: Arc<Fetched>) {
        self.watermark.begin(fetched.offset);
        self.waiting_bytes += fetched.envelope.data.len();
        self.waiting.push_back(fetched);
    }

    /// The next event that may be delivered. It is in flight from then on.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Arc<Fetched>> {
        if self.held_until(now).is_some() {
            return None;
        }
        let fetched = self.waiting.pop_front()?;
        self.waiting_bytes -= fetched.envelope.data.len();
        self.in_flight.insert(fetched.offset, Arc::clone(&fetched));
        Some(fetched)
    }

    /// Until when the first event that waits holds up the others, if it does.
    pub(crate) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.waiting.front().and_then(|first| first.not_before).filter(|until| *until > now)
    }

    /// An event in flight was handled. Answers it if it was in flight.
    pub(crate) fn settle(&mut self, offset: u64) -> Option<Arc<Fetched>> {
        let settled = self.in_flight.remove(&offset)?;
        self.watermark.done(offset);
        Some(settled)
    }

    /// An event in flight is to be delivered again. Answers whether it was in flight.
    pub(crate) fn put_back(&mut self, offset: u64, not_before: Instant) -> bool {
        let Some(mut fetched) = self.in_flight.remove(&offset) else { return false };
        let again = Arc::make_mut(&mut fetched);
        again.not_before = Some(not_before);
        again.redeliveries = again.redeliveries.saturating_add(1);
        self.waiting_bytes += fetched.envelope.data.len();
        let index = self.waiting.partition_point(|waiting| waiting.offset < offset);
        self.waiting.insert(index, fetched);
        true
    }

    /// An event in flight.
    pub(crate) fn in_flight(&self, offset: u64) -> Option<&Arc<Fetched>> {
        self.in_flight.get(&offset)
    }

    /// How many are in flight.
    pub(crate) fn in_flight_count(&self) -> usize {
        self.in_flight.len()
    }

    /// How many wait, and how many bytes of documents they have.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting_bytes)
    }
}
