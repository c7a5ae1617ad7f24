//! What the engine alone makes of the same puts.

use std::collections::BTreeMap;

use super::Records;
use crate::conformance::Violation;
use crate::conformance::support::limit;
use crate::engine::Engine;
use crate::engine::record::{Put, PutOutcome, Record, RecordWorkingSet};
use crate::model::{Command, Event};

/// A working set that is never unloaded, with all that it said.
pub(super) struct Reference<B: Records> {
    set: RecordWorkingSet<B::Record>,
    records: BTreeMap<<B::Record as Record>::Key, B::Record>,
    events: Vec<Event>,
}

impl<B: Records> Reference<B> {
    pub(super) fn new() -> Self {
        Self { set: RecordWorkingSet::default(), records: BTreeMap::new(), events: Vec::new() }
    }

    /// Decides a batch.
    pub(super) fn decide(&mut self, batch: &[Command<Put<B::Record>>]) -> Vec<PutOutcome> {
        let outcomes = Engine::new().execute_puts(&mut self.set, batch);
        self.records.extend(self.set.changed().map(|record| (record.key(), record.clone())));
        self.events.extend_from_slice(self.set.events());
        self.set.clear_changes();
        outcomes
    }

    /// Decides a batch, lets the store decide it too, and compares the answers.
    pub(super) async fn both(
        &mut self,
        backend: &B,
        batch: &[Command<Put<B::Record>>],
    ) -> Result<Vec<PutOutcome>, Violation> {
        let expected = self.decide(batch);
        let found = backend.put(batch.to_vec()).await?;
        ensure_eq!(found, expected, "the outcomes of a batch of {}", batch.len());
        Ok(found)
    }

    /// All events so far, in order.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Compares everything that can be read of a store with what the engine left.
    pub(super) async fn agrees(&self, backend: &B) -> Result<(), Violation> {
        let keys: Vec<_> = self.records.keys().cloned().collect();
        let records: Vec<_> = self.records.values().cloned().collect();
        let found = backend.get(&keys).await?;
        ensure_eq!(found, records.iter().cloned().map(Some).collect::<Vec<_>>(), "what is stored");
        let page = backend.list(None, limit(records.len() + 1)).await?;
        ensure_eq!(page.items, records, "all that is stored, listed");
        ensure_eq!(page.next, None, "where the page after all that is stored begins");
        Ok(())
    }
}
