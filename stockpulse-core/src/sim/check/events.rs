//! Events: what was committed, and what arrived where in which order.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::{CompactString, ToCompactString};

use super::super::violation::Rule;
use super::super::world::World;
use crate::engine::saga;
use crate::model::{EventData, EventId, EventType, Notification, NotificationId, StockEvent, StockKey};
use crate::port::{Delivery, OutboxId, OutboxRow};

/// Events that keep their order: those of one outbox with one key.
type Stream = (&'static str, CompactString);

#[derive(Debug)]
struct Committed {
    stream: Stream,
    row: OutboxId,
    event_type: EventType,
    /// Which level a `stock.updated` is about.
    level: Option<StockKey>,
}

#[derive(Debug, Default)]
pub(in crate::sim) struct EventHistory {
    committed: BTreeMap<EventId, Committed>,
    /// By stream and sequence.
    sequences: BTreeSet<(Stream, u64)>,
    groups: BTreeMap<CompactString, Group>,
    /// What customers have to be told.
    pub(in crate::sim) to_tell: BTreeSet<NotificationId>,
}

#[derive(Debug, Default)]
struct Group {
    seen: BTreeSet<EventId>,
    newest: BTreeMap<Stream, OutboxId>,
}

impl EventHistory {
    /// Whether an event of this stream with this sequence was in the outbox.
    pub(in crate::sim) fn was_committed(&self, source: &'static str, key: &str, sequence: u64) -> bool {
        self.sequences.contains(&((source, key.into()), sequence))
    }

    /// How many events there were.
    pub(in crate::sim) fn len(&self) -> u64 {
        self.committed.len() as u64
    }

    /// How many `stock.updated` nobody got.
    pub(in crate::sim) fn superseded(&self) -> u64 {
        let is_seen = |id| self.groups.values().any(|group| group.seen.contains(id));
        self.committed.iter().filter(|(id, event)| event.level.is_some() && !is_seen(id)).count() as u64
    }

    /// The committed events of these types that a group never got, nor what supersedes them.
    pub(in crate::sim) fn missed(&self, group: &str, types: &[EventType]) -> Vec<String> {
        let seen = self.groups.get(group).map(|group| &group.seen);
        let is_seen = |id: &EventId| seen.is_some_and(|seen| seen.contains(id));
        let mut told: BTreeMap<&StockKey, OutboxId> = BTreeMap::new();
        for (_, event) in self.committed.iter().filter(|(id, _)| is_seen(id)) {
            if let Some(level) = &event.level {
                told.entry(level).and_modify(|row| *row = event.row.max(*row)).or_insert(event.row);
            }
        }
        let is_superseded = |event: &Committed| {
            event.level.as_ref().and_then(|level| told.get(level)).is_some_and(|row| *row > event.row)
        };
        let wanted = self.committed.iter().filter(|(_, event)| types.contains(&event.event_type));
        let missed = wanted.filter(|(id, event)| !is_seen(id) && !is_superseded(event));
        missed.map(|(id, event)| format!("{} {id} of {:?}", event.event_type.name(), event.stream)).collect()
    }
}

/// A relay reads these rows: they were committed.
pub(in crate::sim) fn claimed(world: &World, source: &'static str, rows: &[OutboxRow]) {
    let mut history = world.history();
    for OutboxRow { id, event, .. } in rows {
        let stream: Stream = (source, event.key().to_compact_string());
        if let EventData::Order(order) = &event.data
            && let (Some(kind), Some(customer)) = (saga::notification(order), order.customer)
        {
            let notification = Notification::new(event.id(), kind, order.order, customer, event.at);
            history.events.to_tell.insert(notification.id);
        }
        history.events.sequences.insert((stream.clone(), event.sequence));
        let level = match &event.data {
            EventData::Stock(StockEvent::Updated(level)) => Some(level.key.clone()),
            _ => None,
        };
        let committed = Committed { stream, row: *id, event_type: event.data.event_type(), level };
        history.events.committed.insert(event.id(), committed);
    }
}

/// A group receives these events.
pub(in crate::sim) fn delivered(world: &World, group: &CompactString, deliveries: &[Delivery]) {
    for Delivery { tag, envelope, redeliveries } in deliveries {
        let (name, id) = (&envelope.type_name, envelope.id);
        let place = (tag.generation, tag.partition, tag.offset);
        world.say(format_args!("{group} receives {name} {id} from {place:?}, {redeliveries} times before"));
        world.count("deliveries", 1);
        if let Err((rule, what)) = world.history().events.deliver(group, id) {
            world.violated(rule, format!("{group}, {name} {id}: {what}"));
        }
    }
}

impl EventHistory {
    fn deliver(&mut self, group: &CompactString, id: EventId) -> Result<(), (Rule, &'static str)> {
        let Some(event) = self.committed.get(&id) else {
            return Err((Rule::EventsArrive, "it was never committed"));
        };
        let group = self.groups.entry(group.clone()).or_default();
        if !group.seen.insert(id) {
            return Ok(());
        }
        match group.newest.insert(event.stream.clone(), event.row) {
            Some(newest) if newest > event.row => Err((Rule::EventsInOrder, "a later one of its key came first")),
            _ => Ok(()),
        }
    }
}
