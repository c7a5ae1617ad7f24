//! Logs: one per partition of a topic, append-only and kept.

use std::collections::BTreeMap;
use std::ops::Range;

use compact_str::CompactString;

use crate::bus::partition_of;
use crate::model::{Envelope, EventType, TopicMap};

/// One event in a log.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The event.
    pub envelope: Envelope,
    /// Its type, read once; `None` if it is not one of StockPulse's.
    pub event_type: Option<EventType>,
    /// The one group it is for, if it is a replayed dead letter.
    pub only: Option<CompactString>,
    /// How often it was delivered to that group before it came here.
    pub delivered_before: u32,
}

impl Entry {
    /// An event for every group.
    pub(super) fn new(envelope: Envelope) -> Self {
        let event_type = envelope.event_type().ok();
        Self { envelope, event_type, only: None, delivered_before: 0 }
    }
}

/// One partition of a topic.
#[derive(Debug)]
pub(super) struct Log {
    topic: CompactString,
    entries: Vec<Entry>,
    /// Copies, each with the offset from which on it may be appended.
    late: Vec<(u64, Entry)>,
}

impl Log {
    /// The topic it is a partition of.
    pub(super) fn topic(&self) -> &CompactString {
        &self.topic
    }

    /// The offset of the next event.
    pub(super) fn end(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The event at an offset.
    pub(super) fn get(&self, offset: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(offset).ok()?)
    }

    /// Appends an event, and the copies whose place has come.
    pub(super) fn append(&mut self, entry: Entry) {
        self.entries.push(entry);
        while let Some(due) = self.late.iter().position(|(from, _)| *from <= self.end()) {
            let (_, copy) = self.late.remove(due);
            self.entries.push(copy);
        }
    }

    /// Appends a copy when `after` further events are here, or when a reader has read everything before that.
    pub(super) fn append_late(&mut self, entry: Entry, after: u64) {
        self.late.push((self.end() + after, entry));
    }

    /// Appends all copies that wait. Answers whether there were any.
    pub(super) fn flush_late(&mut self) -> bool {
        let late = std::mem::take(&mut self.late);
        let any = !late.is_empty();
        self.entries.extend(late.into_iter().map(|(_, copy)| copy));
        any
    }

    /// The copies that wait.
    pub(super) fn late(&self) -> impl Iterator<Item = &Entry> {
        self.late.iter().map(|(_, copy)| copy)
    }
}

/// All logs, by topic and partition.
#[derive(Debug, Default)]
pub(super) struct Logs {
    logs: Vec<Log>,
    topics: BTreeMap<CompactString, Range<usize>>,
}

impl Logs {
    /// A topic's logs, which are made if there are none.
    pub(super) fn topic(&mut self, name: &str, partitions: u32) -> Range<usize> {
        if let Some(range) = self.topics.get(name) {
            return range.clone();
        }
        let topic = CompactString::from(name);
        let first = self.logs.len();
        let new = (0..partitions).map(|_| Log { topic: topic.clone(), entries: Vec::new(), late: Vec::new() });
        self.logs.extend(new);
        self.topics.insert(topic, first..self.logs.len());
        first..self.logs.len()
    }

    /// The log that an event goes to: its topic's, by its key. One that the map does not know goes to a topic named
    /// like its type.
    pub(super) fn route(&mut self, entry: &Entry, topics: &TopicMap, partitions: u32) -> Option<&mut Log> {
        let name = entry.event_type.map_or(entry.envelope.type_name.as_str(), |known| topics.topic(known));
        let range = self.topic(name, partitions);
        let count = u32::try_from(range.len()).unwrap_or(u32::MAX);
        let partition = partition_of(&entry.envelope.partition_key, count);
        self.logs.get_mut(range.start + partition as usize)
    }

    /// The log with this number.
    pub(super) fn get(&self, log: usize) -> Option<&Log> {
        self.logs.get(log)
    }

    /// The log with this number.
    pub(super) fn get_mut(&mut self, log: usize) -> Option<&mut Log> {
        self.logs.get_mut(log)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::events;
    use super::*;

    #[test]
    fn a_copy_comes_after_so_many_further_events_or_when_it_is_called_for() {
        let mut logs = Logs::default();
        logs.topic("topic", 1);
        let log = logs.get_mut(0).unwrap();
        let entries: Vec<Entry> = events(0..8).into_iter().map(Entry::new).collect();
        log.append(entries[0].clone());
        log.append_late(entries[0].clone(), 3);
        log.append(entries[1].clone());
        log.append_late(entries[1].clone(), 2);
        log.append_late(entries[1].clone(), 9);
        entries[2..5].iter().for_each(|entry| log.append(entry.clone()));
        let order = |log: &Log| log.entries.iter().map(|entry| entry.envelope.sequence).collect::<Vec<_>>();
        assert_eq!(order(log), [0, 1, 2, 3, 0, 1, 4]);
        assert_eq!(log.late().count(), 1);
        assert!(log.flush_late());
        assert!(!log.flush_late());
        assert_eq!(order(log), [0, 1, 2, 3, 0, 1, 4, 1]);
    }
}
