//! Products and customers: records that are put as a whole, guarded by their version.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::decided::Decided;
use super::fingerprint::fingerprint;
use crate::error::Result;
use crate::model::{
    Command, CommandId, Customer, CustomerEvent, CustomerId, Event, EventData, Product, ProductEvent, Sku, Timestamp,
};

/// A record that is put as a whole: a [`Product`] or a [`Customer`].
pub trait Record: Clone + Debug + PartialEq + Serialize + Send + Sync + 'static {
    /// What it is found by.
    type Key: Clone + Debug + Eq + Ord + Hash + Send + Sync;

    /// Its key.
    fn key(&self) -> Self::Key;

    /// Counts its changes; 0 before it was stored.
    fn version(&self) -> u64;

    /// Sets what storing it changes.
    fn stamp(&mut self, version: u64, at: Timestamp);

    /// Checks what must hold of any such record.
    ///
    /// # Errors
    /// `InvalidInput` that names what is wrong.
    fn validate(&self) -> Result<()>;

    /// What others are told about it.
    fn event(&self) -> EventData;
}

impl Record for Product {
    type Key = Sku;

    fn key(&self) -> Sku {
        self.sku.clone()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn stamp(&mut self, version: u64, at: Timestamp) {
        self.version = version;
        self.updated_at = at;
    }

    fn validate(&self) -> Result<()> {
        Self::validate(self)
    }

    fn event(&self) -> EventData {
        let event = if self.version == 1 { ProductEvent::Created } else { ProductEvent::Updated };
        EventData::Product(event(Box::new(self.clone())))
    }
}

impl Record for Customer {
    type Key = CustomerId;

    fn key(&self) -> CustomerId {
        self.id
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn stamp(&mut self, version: u64, at: Timestamp) {
        self.version = version;
        self.updated_at = at;
    }

    fn validate(&self) -> Result<()> {
        Self::validate(self)
    }

    fn event(&self) -> EventData {
        let event = if self.version == 1 { CustomerEvent::Created } else { CustomerEvent::Updated };
        EventData::Customer(event(self.clone()))
    }
}

/// Which version of a record is expected to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Any, or none.
    #[default]
    Any,
    /// None: it is new.
    New,
    /// This one.
    Version(u64),
}

/// Stores a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Put<T> {
    /// The record; its version and time are set by storing it.
    pub record: T,
    /// Which version is expected to be there.
    pub expected: Expected,
}

/// A command to the catalog.
pub type ProductCommand = Command<Put<Product>>;
/// A command to the customers.
pub type CustomerCommand = Command<Put<Customer>>;

/// What was decided about a [`Put`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PutOutcome {
    /// Stored, or nothing was different; the version it has now.
    Stored(u64),
    /// Another version is there; 0 if none is.
    Stale(u64),
    /// The command id was used before, for something else.
    Conflict,
    /// The record makes no sense; the text says why.
    Invalid(String),
}

/// The rows that a batch of puts needs, and what they changed.
#[derive(Debug)]
pub struct RecordWorkingSet<T: Record> {
    records: HashMap<T::Key, T, RandomState>,
    outcomes: HashMap<CommandId, Decided<PutOutcome>, RandomState>,
    changed: Vec<T::Key>,
    new_outcomes: Vec<CommandId>,
    events: Vec<Event>,
}

impl<T: Record> Default for RecordWorkingSet<T> {
    fn default() -> Self {
        Self {
            records: HashMap::default(),
            outcomes: HashMap::default(),
            changed: Vec::new(),
            new_outcomes: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl<T: Record> RecordWorkingSet<T> {
    /// Loads a record.
    pub fn insert(&mut self, record: T) {
        self.records.insert(record.key(), record);
    }

    /// Loads the stored outcome of a command.
    pub fn insert_outcome(&mut self, command: CommandId, decided: Decided<PutOutcome>) {
        self.outcomes.insert(command, decided);
    }

    /// A record.
    #[must_use]
    pub fn get(&self, key: &T::Key) -> Option<&T> {
        self.records.get(key)
    }

    /// The records that changed, as they are now. A record may occur more than once.
    pub fn changed(&self) -> impl Iterator<Item = &T> {
        self.changed.iter().filter_map(|key| self.records.get(key))
    }

    /// The commands that were decided, with their outcomes, in order.
    pub fn new_outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<PutOutcome>)> {
        self.new_outcomes.iter().filter_map(|id| Some((*id, self.outcomes.get(id)?)))
    }

    /// The events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Takes the new events.
    pub fn drain_events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// Forgets what changed: it was saved. The rows stay.
    pub fn clear_changes(&mut self) {
        self.changed.clear();
        self.new_outcomes.clear();
        self.events.clear();
    }

    /// Decides one command.
    pub(crate) fn decide(&mut self, command: &Command<Put<T>>) -> PutOutcome {
        let fingerprint = content(command);
        if let Some(decided) = self.outcomes.get(&command.id) {
            let same = decided.fingerprint == fingerprint;
            return if same { decided.outcome.clone() } else { PutOutcome::Conflict };
        }
        let outcome = self.put(command);
        self.new_outcomes.push(command.id);
        self.outcomes.insert(command.id, Decided { fingerprint, outcome: outcome.clone() });
        outcome
    }

    fn put(&mut self, command: &Command<Put<T>>) -> PutOutcome {
        let Put { record, expected } = &command.action;
        if let Err(error) = record.validate() {
            return PutOutcome::Invalid(error.to_string());
        }
        let key = record.key();
        let existing = self.records.get(&key);
        let version = existing.map_or(0, Record::version);
        let fits = match expected {
            Expected::Any => true,
            Expected::New => version == 0,
            Expected::Version(wanted) => version == *wanted,
        };
        if !fits {
            return PutOutcome::Stale(version);
        }
        let mut record = record.clone();
        if let Some(existing) = existing {
            let mut same = existing.clone();
            same.stamp(0, Timestamp::default());
            record.stamp(0, Timestamp::default());
            if same == record {
                return PutOutcome::Stored(version);
            }
        }
        record.stamp(version + 1, command.at);
        let (id, at, trace) = (command.id, command.at, command.trace);
        self.events.push(Event { command: id, index: 0, sequence: version + 1, at, trace, data: record.event() });
        self.changed.push(key.clone());
        self.records.insert(key, record);
        PutOutcome::Stored(version + 1)
    }
}

/// What tells a retry from a conflict: the record's stored form without version and time, and what was expected.
fn content<T: Record>(command: &Command<Put<T>>) -> u64 {
    let mut record = command.action.record.clone();
    record.stamp(0, Timestamp::default());
    let bytes = postcard::to_stdvec(&record).unwrap_or_default();
    fingerprint(&(bytes, command.action.expected))
}

#[cfg(test)]
mod tests;
