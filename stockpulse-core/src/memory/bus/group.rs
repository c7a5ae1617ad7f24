//! Consumer groups: members, and who reads which partition.

use std::collections::BTreeMap;
use std::ops::Range;

use compact_str::CompactString;

use super::assignment::{Share, share_out};
use super::cursor::{Cursor, MemberId};
use super::log::{Entry, Log, Logs};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Envelope, EventType, Timestamp};
use crate::port::{Delivery, DeliveryTag, Nack, Start, SubscribeOptions};

/// An event that a group put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The event.
    pub envelope: Envelope,
    /// Why.
    pub reason: String,
    /// Which group put it aside; other groups receive it as ever.
    pub group: CompactString,
    /// The topic it came on.
    pub topic: CompactString,
    /// How often it had been delivered to the group.
    pub deliveries: u32,
}

#[derive(Debug)]
struct Member {
    max_in_flight: usize,
    /// Where the next look at its partitions begins, so that a busy one does not starve the others.
    turn: usize,
}

/// A consumer group. It outlives its members: its places stay.
#[derive(Debug)]
pub(super) struct Group {
    name: CompactString,
    /// What its members subscribe to, or the last of them did.
    event_types: Vec<EventType>,
    /// The topics that these are on, by their first logs.
    topics: Vec<usize>,
    /// Grows whenever partitions are given out anew.
    generation: u64,
    members: BTreeMap<MemberId, Member>,
    /// One for each partition that the group ever read; the index is the partition's number in delivery tags.
    cursors: Vec<Cursor>,
    /// Each with its log.
    dead: Vec<(usize, DeadLetter)>,
}

/// What a look for events came to.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub deliveries: Vec<Delivery>,
    /// When to look again at the latest.
    pub wake_at: Option<Timestamp>,
}

impl Group {
    /// A group without members.
    pub(super) fn new(name: CompactString) -> Self {
        Self {
            name,
            event_types: Vec::new(),
            topics: Vec::new(),
            generation: 0,
            members: BTreeMap::new(),
            cursors: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Takes a member in that reads `topics`, given by their logs, and shares the partitions out anew.
    pub(super) fn join(
        &mut self,
        member: MemberId,
        options: &SubscribeOptions,
        topics: &[Range<usize>],
        logs: &Logs,
    ) -> Result<()> {
        let mut event_types = options.event_types.clone();
        event_types.sort_unstable();
        event_types.dedup();
        // A partition has one reader, and that reader skips what it did not subscribe to: members that want
        // different types would lose each other's events.
        if !self.members.is_empty() && self.event_types != event_types {
            let message = format!("group '{}' has members that subscribe to other event types", self.name);
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.event_types = event_types;
        self.topics = topics.iter().map(|topic| topic.start).collect();
        for (topic, log) in topics.iter().flat_map(|topic| topic.clone().map(|log| (topic.start, log))) {
            if !self.cursors.iter().any(|cursor| cursor.log == log) {
                let start = match options.start {
                    Start::Earliest => 0,
                    Start::Latest => logs.get(log).map_or(0, Log::end),
                };
                self.cursors.push(Cursor::new(topic, log, start));
            }
        }
        self.members.insert(member, Member { max_in_flight: options.max_in_flight, turn: 0 });
        self.rebalance();
        Ok(())
    }

    /// Lets a member go, and shares its partitions out.
    pub(super) fn leave(&mut self, member: MemberId) {
        if self.members.remove(&member).is_some() {
            self.rebalance();
        }
    }

    /// Forgets all places.
    pub(super) fn rewind(&mut self) {
        self.generation += 1;
        for cursor in &mut self.cursors {
            cursor.rewind(self.generation);
        }
    }

    /// Delivers at most `max` events to a member, in order within each partition.
    pub(super) fn fetch(&mut self, member: MemberId, logs: &mut Logs, now: Timestamp, max: usize) -> Received {
        let mut received = Received::default();
        let Some(Member { max_in_flight, turn }) = self.members.get_mut(&member) else { return received };
        let owned: Vec<usize> = (0..self.cursors.len())
            .filter(|index| self.cursors.get(*index).is_some_and(|cursor| cursor.owner == Some(member)))
            .collect();
        let in_flight: usize = owned.iter().filter_map(|index| self.cursors.get(*index)).map(Cursor::in_flight).sum();
        let budget = max.min(max_in_flight.saturating_sub(in_flight));
        let first = *turn % owned.len().max(1);
        *turn = first + 1;
        let interest = Interest { group: &self.name, event_types: &self.event_types };
        for index in owned[first..].iter().chain(&owned[..first]) {
            let Some(cursor) = self.cursors.get_mut(*index) else { continue };
            let Some(log) = logs.get_mut(cursor.log) else { continue };
            let (generation, partition) = (cursor.generation, u32::try_from(*index).unwrap_or(u32::MAX));
            let left = budget - received.deliveries.len();
            let deliveries = &mut received.deliveries;
            let wake_at = cursor.fetch(
                log,
                now,
                left,
                |entry| interest.includes(entry),
                |offset, entry, redeliveries| {
                    let tag = DeliveryTag { generation, partition, offset };
                    deliveries.push(Delivery { tag, envelope: entry.envelope.clone(), redeliveries });
                },
            );
            received.wake_at = match (received.wake_at, wake_at) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        received
    }

    /// Events were handled for good. Tags of partitions that the member no longer reads are ignored.
    pub(super) fn ack(&mut self, member: MemberId, tags: &[DeliveryTag]) {
        for tag in tags {
            if let Some(cursor) = self.cursor(member, *tag) {
                cursor.ack(tag.offset);
            }
        }
    }

    /// Events were not handled.
    pub(super) fn nack(&mut self, member: MemberId, tags: &[(DeliveryTag, Nack)], logs: &Logs, now: Timestamp) {
        for (tag, nack) in tags {
            let Some(cursor) = self.cursor(member, *tag) else { continue };
            match nack {
                Nack::Retry(after) => cursor.retry(tag.offset, now.plus(*after)),
                Nack::DeadLetter(reason) => {
                    let index = cursor.log;
                    let Some(log) = logs.get(index) else { continue };
                    let Some(entry) = log.get(tag.offset) else { continue };
                    if let Some(deliveries) = cursor.set_aside(tag.offset) {
                        let letter = DeadLetter {
                            envelope: entry.envelope.clone(),
                            reason: reason.clone(),
                            group: self.name.clone(),
                            topic: log.topic().clone(),
                            deliveries,
                        };
                        self.dead.push((index, letter));
                    }
                }
            }
        }
    }

    /// What was put aside, oldest first.
    pub(super) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.dead.iter().map(|(_, letter)| letter.clone()).collect()
    }

    /// Appends what was put aside to its partitions again, for this group only. Answers how many there were.
    pub(super) fn replay(&mut self, logs: &mut Logs) -> usize {
        let dead = std::mem::take(&mut self.dead);
        let count = dead.len();
        for (log, letter) in dead {
            if let Some(log) = logs.get_mut(log) {
                let entry = Entry::new(letter.envelope);
                log.append(Entry { only: Some(letter.group), delivered_before: letter.deliveries, ..entry });
            }
        }
        count
    }

    /// How many events it has not finished.
    pub(super) fn lag(&self, logs: &Logs) -> u64 {
        let interest = Interest { group: &self.name, event_types: &self.event_types };
        let open = |cursor: &Cursor| logs.get(cursor.log).map(|log| cursor.lag(log, |entry| interest.includes(entry)));
        self.cursors.iter().filter_map(open).sum()
    }

    /// The partition that a tag names, if it was delivered under the present assignment.
    fn cursor(&mut self, member: MemberId, tag: DeliveryTag) -> Option<&mut Cursor> {
        let cursor = self.cursors.get_mut(usize::try_from(tag.partition).ok()?)?;
        (cursor.owner == Some(member) && cursor.generation == tag.generation).then_some(cursor)
    }

    /// Shares the partitions out. Those that stay keep their deliveries and their generation; those that move start
    /// over from the committed offset, under a new one.
    fn rebalance(&mut self) {
        self.generation += 1;
        let mut plan: Vec<Share> = self.cursors.iter().map(|cursor| (cursor.topic, cursor.owner)).collect();
        share_out(&self.topics, self.members.keys().copied(), &mut plan);
        for (cursor, (_, owner)) in self.cursors.iter_mut().zip(plan) {
            if cursor.owner != owner {
                cursor.assign(owner, self.generation);
            }
        }
    }
}

/// What a group wants to see of a log.
struct Interest<'a> {
    group: &'a CompactString,
    event_types: &'a [EventType],
}

impl Interest<'_> {
    fn includes(&self, entry: &Entry) -> bool {
        let subscribed = entry.event_type.is_some_and(|known| self.event_types.contains(&known));
        subscribed && entry.only.as_ref().is_none_or(|group| group == self.group)
    }
}
