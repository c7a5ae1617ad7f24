//! All partitions of a subscription: what may be delivered, fetched, paused and committed. No I/O, no clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rdkafka::message::OwnedHeaders;
use stockpulse_core::port::{Delivery, DeliveryTag};
use tokio::time::Instant;

use super::lane::{Fetched, Lane};
use super::watermark::Watermark;
use crate::aside::Origin;

/// A held partition is fetched no further when so many events of it wait.
const HELD_EVENTS: usize = 64;
/// Or so many bytes.
const HELD_BYTES: usize = 1 << 20;
/// Records that cannot be read and wait for their dead letter, at most.
const FOREIGN: usize = 64;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) number: i32,
}

/// A record that cannot be read, as it is.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    pub(crate) tag: DeliveryTag,
    pub(crate) partition: Partition,
    pub(crate) origin: Origin,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Option<OwnedHeaders>,
    pub(crate) reason: String,
}

/// What a fetched record was found to be.
#[derive(Debug)]
pub(crate) enum Found {
    /// An event to be delivered.
    Event(Arc<Fetched>),
    /// Nothing for this group.
    Skipped(u64),
    /// None that can be read.
    Foreign { offset: u64, record: Box<Foreign> },
}

impl Found {
    fn offset(&self) -> u64 {
        match self {
            Self::Event(fetched) => fetched.offset,
            Self::Skipped(offset) | Self::Foreign { offset, .. } => *offset,
        }
    }
}

/// How much a subscription holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) in_flight: usize,
    pub(crate) prefetch: usize,
    pub(crate) prefetch_bytes: usize,
}

/// What the polling thread has to do next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Partitions to fetch no more, and to fetch again.
    pub(crate) pause: Vec<Partition>,
    pub(crate) resume: Vec<Partition>,
    /// How many records there is room for.
    pub(crate) room: usize,
}

/// An event that is delivered.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) tag: DeliveryTag,
    pub(crate) fetched: Arc<Fetched>,
}

impl Given {
    /// The event for whoever receives. It is copied here, and not while the partitions are locked.
    pub(crate) fn delivery(&self) -> Delivery {
        let Fetched { envelope, redeliveries, .. } = &*self.fetched;
        Delivery { tag: self.tag, envelope: envelope.clone(), redeliveries: *redeliveries }
    }
}

/// What is delivered, or when to look again.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) given: Vec<Given>,
    pub(crate) look_at: Option<Instant>,
}

/// The partitions of a subscription.
#[derive(Debug)]
pub(crate) struct Intake {
    limits: Limits,
    /// Every partition that was ever assigned, by the number that it has in tags.
    lanes: Vec<(Partition, Option<Lane>)>,
    numbers: BTreeMap<Arc<str>, BTreeMap<i32, usize>>,
    generation: u64,
    in_flight: usize,
    foreign: VecDeque<Foreign>,
    /// Where the next look begins, so that no partition waits for ever behind others.
    turn: usize,
    /// Nothing is delivered while partitions are given back.
    draining: bool,
    /// Everything is paused, since nobody makes room.
    full: bool,
}

impl Intake {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            lanes: Vec::new(),
            numbers: BTreeMap::new(),
            generation: 0,
            in_flight: 0,
            foreign: VecDeque::new(),
            turn: 0,
            draining: false,
            full: false,
        }
    }

    /// Partitions come to this member, some with a place that the brokers do not know yet.
    pub(crate) fn assign(&mut self, partitions: impl IntoIterator<Item = (Partition, Option<u64>)>) {
        self.generation += 1;
        for (partition, place) in partitions {
            let lane = Lane::new(self.generation, place.map_or_else(Watermark::default, Watermark::at));
            let index = self.number(partition);
            self.replace(index, Some(lane));
        }
        self.full = false;
    }

    /// Partitions leave this member. What is in flight of them is no longer its business.
    pub(crate) fn revoke(&mut self, partitions: &[Partition]) {
        self.generation += 1;
        for partition in partitions {
            let index = self.number(partition.clone());
            self.replace(index, None);
        }
    }

    /// All partitions leave.
    pub(crate) fn revoke_all(&mut self) {
        let all: Vec<Partition> = self.lanes.iter().map(|(partition, _)| partition.clone()).collect();
        self.revoke(&all);
    }

    /// The partitions that were paused, of these.
    pub(crate) fn paused(&self, partitions: &[Partition]) -> Vec<Partition> {
        let paused = self.lanes.iter().filter(|(partition, lane)| {
            lane.as_ref().is_some_and(|lane| lane.paused) && partitions.contains(partition)
        });
        paused.map(|(partition, _)| partition.clone()).collect()
    }

    /// Begins or ends a drain: meanwhile nothing is delivered.
    pub(crate) fn set_draining(&mut self, draining: bool) {
        self.draining = draining;
    }

    /// How many events of these partitions are in flight.
    pub(crate) fn in_flight_of(&self, partitions: &[Partition]) -> usize {
        let lanes = self.lanes.iter().filter(|(partition, _)| partitions.contains(partition));
        lanes.filter_map(|(_, lane)| lane.as_ref()).map(Lane::in_flight_count).sum()
    }

    /// How many events are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Takes in what was fetched. What comes for a partition that is no longer this member's is dropped.
    pub(crate) fn push(&mut self, partition: &Partition, found: Found) {
        let Some(index) =
            self.numbers.get(&partition.topic).and_then(|numbers| numbers.get(&partition.number)).copied()
        else {
            return;
        };
        let offset = found.offset();
        if self.lane(index).is_some_and(|lane| lane.watermark.has_seen(offset)) {
            // The log begins anew: the topic was made again, or lost its end. What was in flight may be no more, and what
            // comes now was never handled, whatever its offset says.
            tracing::warn!(topic = %partition.topic, partition = partition.number, offset, "a partition went back; reading on from there");
            self.generation += 1;
            self.replace(index, Some(Lane::new(self.generation, Watermark::default())));
        }
        let Some(lane) = self.lane(index) else { return };
        let generation = lane.generation;
        match found {
            Found::Event(fetched) => lane.push(fetched),
            Found::Skipped(offset) => lane.watermark.skip(offset),
            Found::Foreign { offset, mut record } => {
                lane.watermark.begin(offset);
                let partition = u32::try_from(index).unwrap_or(u32::MAX);
                record.tag = DeliveryTag { generation, partition, offset };
                self.foreign.push_back(*record);
            }
        }
    }

    /// What may be delivered, `max` at most.
    pub(crate) fn take(&mut self, max: usize, now: Instant) -> Taken {
        let mut taken = Taken::default();
        let mut budget = max.min(self.limits.in_flight.saturating_sub(self.in_flight));
        if self.draining || budget == 0 {
            return taken;
        }
        let lanes = self.lanes.len();
        for step in 0..lanes {
            let index = (self.turn + step) % lanes;
            let Some(lane) = self.lanes.get_mut(index).and_then(|(_, lane)| lane.as_mut()) else { continue };
            let partition = u32::try_from(index).unwrap_or(u32::MAX);
            while budget > 0 {
                let Some(fetched) = lane.take(now) else { break };
                let tag = DeliveryTag { generation: lane.generation, partition, offset: fetched.offset };
                taken.given.push(Given { tag, fetched });
                budget -= 1;
            }
            if budget == 0 {
                self.turn = (index + 1) % lanes;
                break;
            }
            taken.look_at = taken.look_at.into_iter().chain(lane.held_until(now)).min();
        }
        self.in_flight += taken.given.len();
        taken
    }

    /// Events were handled. Answers those that were in flight, for the caller to let go of: freeing them takes longer than
    /// the rest, and need not be waited for by who fetches.
    #[must_use]
    pub(crate) fn ack(&mut self, tags: &[DeliveryTag]) -> Vec<Arc<Fetched>> {
        let settle = |tag: &DeliveryTag| {
            let index = self.current(tag.partition, tag.generation)?;
            let settled = self.lane(index)?.settle(tag.offset)?;
            self.in_flight -= 1;
            Some(settled)
        };
        tags.iter().filter_map(settle).collect()
    }

    /// An event is to be delivered again. Answers whether it was in flight.
    pub(crate) fn retry(&mut self, tag: DeliveryTag, not_before: Instant) -> bool {
        let Some(index) = self.current(tag.partition, tag.generation) else { return false };
        let put_back = self.lane(index).is_some_and(|lane| lane.put_back(tag.offset, not_before));
        if put_back {
            self.in_flight -= 1;
        }
        put_back
    }

    /// An event in flight, and its partition.
    pub(crate) fn find(&self, tag: DeliveryTag) -> Option<(Partition, Arc<Fetched>)> {
        let (partition, lane) = self.lanes.get(self.current(tag.partition, tag.generation)?)?;
        Some((partition.clone(), Arc::clone(lane.as_ref()?.in_flight(tag.offset)?)))
    }

    /// The records that cannot be read and wait for their dead letters.
    pub(crate) fn foreign(&self) -> Vec<Foreign> {
        self.foreign.iter().cloned().collect()
    }

    /// A record that cannot be read has its dead letter.
    pub(crate) fn buried(&mut self, tag: DeliveryTag) {
        self.foreign.retain(|foreign| foreign.tag != tag);
        if let Some(index) = self.current(tag.partition, tag.generation)
            && let Some(lane) = self.lane(index)
        {
            lane.watermark.done(tag.offset);
        }
    }

    /// The places that moved since this was asked last.
    pub(crate) fn moved(&mut self) -> Vec<(Partition, u64)> {
        let lanes = self.lanes.iter_mut().filter_map(|(partition, lane)| Some((partition, lane.as_mut()?)));
        lanes.filter_map(|(partition, lane)| Some((partition.clone(), lane.watermark.moved()?))).collect()
    }

    /// What to do next. `stuck` says that there was no room for some time.
    pub(crate) fn plan(&mut self, now: Instant, stuck: bool) -> Plan {
        let mut plan = Plan { room: self.room(now), ..Plan::default() };
        self.full = match self.full {
            true => plan.room < self.limits.prefetch / 2,
            false => stuck && plan.room == 0,
        };
        for (partition, lane) in &mut self.lanes {
            let Some(lane) = lane else { continue };
            let (events, bytes) = lane.waiting();
            let held = lane.held_until(now).is_some() && (events >= HELD_EVENTS || bytes >= HELD_BYTES);
            match (lane.paused, held || self.full) {
                (false, true) => plan.pause.push(partition.clone()),
                (true, false) => plan.resume.push(partition.clone()),
                _ => continue,
            }
            lane.paused = !lane.paused;
        }
        plan
    }

    /// How many more records may be fetched. What a held partition keeps is bounded by pausing it, and leaves the others
    /// their room.
    fn room(&self, now: Instant) -> usize {
        if self.foreign.len() >= FOREIGN {
            return 0;
        }
        let lanes = self.lanes.iter().filter_map(|(_, lane)| lane.as_ref());
        let free = lanes.filter(|lane| lane.held_until(now).is_none()).map(Lane::waiting);
        let (events, bytes) = free.fold((0, 0), |sum, lane| (sum.0 + lane.0, sum.1 + lane.1));
        if bytes >= self.limits.prefetch_bytes { 0 } else { self.limits.prefetch.saturating_sub(events) }
    }

    fn number(&mut self, partition: Partition) -> usize {
        let next = self.lanes.len();
        let numbers = self.numbers.entry(Arc::clone(&partition.topic)).or_default();
        let index = *numbers.entry(partition.number).or_insert(next);
        if index == next {
            self.lanes.push((partition, None));
        }
        index
    }

    fn replace(&mut self, index: usize, lane: Option<Lane>) {
        let Some((partition, place)) = self.lanes.get_mut(index) else { return };
        if let Some(old) = std::mem::replace(place, lane) {
            self.in_flight -= old.in_flight_count();
            self.foreign.retain(|foreign| foreign.partition != *partition);
        }
    }

    /// The lane of a partition, if this is still its generation.
    fn current(&self, partition: u32, generation: u64) -> Option<usize> {
        let index = usize::try_from(partition).ok()?;
        let lane = self.lanes.get(index)?.1.as_ref()?;
        (lane.generation == generation).then_some(index)
    }

    fn lane(&mut self, index: usize) -> Option<&mut Lane> {
        self.lanes.get_mut(index)?.1.as_mut()
    }
}

#[cfg(test)]
mod tests;
