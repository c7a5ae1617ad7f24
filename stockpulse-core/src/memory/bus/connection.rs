//! What the handles of one bus share, and what each has of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compact_str::CompactString;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::cursor::MemberId;
use super::duplicates::Duplicates;
use super::group::{Group, Received};
use super::log::{Entry, Logs};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Envelope, Timestamp, TopicMap};
use crate::port::{Clock, DeliveryTag, Nack, Published, SubscribeOptions};

/// Everything a bus is.
#[derive(Debug)]
pub(super) struct State {
    pub clock: Arc<dyn Clock>,
    pub topics: TopicMap,
    pub partitions: u32,
    pub max_event_bytes: usize,
    pub duplicates: Option<Duplicates>,
    pub available: bool,
    pub failures: u64,
    pub published: u64,
    pub logs: Logs,
    pub groups: BTreeMap<CompactString, Group>,
    next_member: MemberId,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// One handle's connection.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    closed: AtomicBool,
}

impl Connection {
    /// To a new bus.
    pub(super) fn new(clock: Arc<dyn Clock>, partitions: u32, max_event_bytes: usize) -> Self {
        let state = State {
            clock,
            topics: TopicMap::default(),
            partitions,
            max_event_bytes,
            duplicates: None,
            available: true,
            failures: 0,
            published: 0,
            logs: Logs::default(),
            groups: BTreeMap::new(),
            next_member: 0,
        };
        let shared = Shared { state: Mutex::new(state), changed: Notify::new() };
        Self { shared: Arc::new(shared), closed: AtomicBool::new(false) }
    }

    /// Another one to the same bus.
    pub(super) fn another(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), closed: AtomicBool::new(false) }
    }

    /// The bus itself. Every change is complete before the lock is given back, so a poisoned one holds no halves.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for events, to look again.
    pub(super) fn wake(&self) {
        self.shared.changed.notify_waiters();
    }

    /// Ready at the first wake-up after this call.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.shared.changed.notified()
    }

    /// Whether it was closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes this one.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    /// The bus, if it can be reached.
    fn reach(&self, operation: &'static str) -> Result<MutexGuard<'_, State>> {
        if self.is_closed() {
            return Err(Error::closed("bus").during(operation));
        }
        let state = self.lock();
        if state.available {
            Ok(state)
        } else {
            Err(Error::new(ErrorKind::Unavailable, "made unavailable").during(operation))
        }
    }

    /// Appends events.
    pub(super) fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        let mut state = self.reach("bus.publish")?;
        let answers = batch.iter().map(|envelope| state.append(envelope)).collect();
        drop(state);
        self.wake();
        Ok(answers)
    }

    /// Joins a group, which is made if there is none.
    pub(super) fn join(&self, options: &SubscribeOptions) -> Result<MemberId> {
        let mut state = self.reach("bus.subscribe")?;
        if options.event_types.is_empty() || options.max_in_flight == 0 {
            let message = format!("group '{}': no event types, or a max_in_flight of 0", options.group);
            return Err(Error::new(ErrorKind::Config, message).during("bus.subscribe"));
        }
        let member = state.join(options).map_err(|error| error.during("bus.subscribe"))?;
        drop(state);
        self.wake();
        Ok(member)
    }

    /// Leaves a group. A crash does so too, so it works on a bus that is closed or cannot be reached.
    pub(super) fn leave(&self, group: &str, member: MemberId) {
        if let Some(group) = self.lock().groups.get_mut(group) {
            group.leave(member);
        }
        self.wake();
    }

    /// Looks for events. Answers with the clock and the time by which it looked.
    pub(super) fn fetch(
        &self,
        group: &str,
        member: MemberId,
        max: usize,
    ) -> Result<(Received, Arc<dyn Clock>, Timestamp)> {
        let mut guard = self.reach("bus.receive")?;
        let state = &mut *guard;
        let (clock, now) = (Arc::clone(&state.clock), state.clock.now());
        let received = match state.groups.get_mut(group) {
            Some(group) => group.fetch(member, &mut state.logs, now, max),
            None => Received::default(),
        };
        Ok((received, clock, now))
    }

    /// Events were handled for good.
    pub(super) fn ack(&self, group: &str, member: MemberId, tags: &[DeliveryTag]) -> Result<()> {
        if let Some(group) = self.reach("bus.ack")?.groups.get_mut(group) {
            group.ack(member, tags);
        }
        Ok(())
    }

    /// Events were not handled.
    pub(super) fn nack(&self, group: &str, member: MemberId, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        let mut guard = self.reach("bus.nack")?;
        let state = &mut *guard;
        let now = state.clock.now();
        if let Some(group) = state.groups.get_mut(group) {
            group.nack(member, tags, &state.logs, now);
        }
        Ok(())
    }
}

impl State {
    fn append(&mut self, envelope: &Envelope) -> Published {
        if let Err(refused) = envelope.validate(self.max_event_bytes) {
            return Published::Refused(refused.to_string());
        }
        if self.failures > 0 {
            self.failures -= 1;
            return Published::Failed("made to fail".to_owned());
        }
        let entry = Entry::new(envelope.clone());
        let copy =
            self.duplicates.and_then(|chosen| chosen.copy_after(envelope.id)).map(|after| (after, entry.clone()));
        if let Some(log) = self.logs.route(&entry, &self.topics, self.partitions) {
            log.append(entry);
            if let Some((after, copy)) = copy {
                log.append_late(copy, after);
            }
            self.published += 1;
        }
        Published::Acknowledged
    }

    fn join(&mut self, options: &SubscribeOptions) -> Result<MemberId> {
        let names = self.topics.topics(&options.event_types);
        let topics: Vec<_> = names.iter().map(|name| self.logs.topic(name, self.partitions)).collect();
        let group = self.groups.entry(options.group.clone()).or_insert_with(|| Group::new(options.group.clone()));
        group.join(self.next_member, options, &topics, &self.logs)?;
        self.next_member += 1;
        Ok(self.next_member - 1)
    }
}
