//! Reading what a store wrote to its outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::rule::Violation;
use super::support::limit;
use crate::model::{Event, EventKey};
use crate::port::{Outbox, OutboxRow};

/// Takes everything out of an outbox, as a relay does whose publisher never fails.
pub(super) async fn drain(outbox: &dyn Outbox) -> Result<Vec<OutboxRow>, Violation> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    loop {
        let claim = outbox.claim("conformance", Duration::from_secs(60), limit(500)).await?;
        if claim.rows.is_empty() {
            return Ok(rows);
        }
        let ids: Vec<_> = claim.rows.iter().map(|row| row.id).collect();
        outbox.settle(&claim.lease, &ids).await?;
        for id in ids {
            ensure!(seen.insert(id), "the outbox handed out row {id} after it was settled");
        }
        rows.extend(claim.rows);
    }
}

/// Events by what they are about, each key's in the order in which they came.
pub(super) fn by_key<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<EventKey, Vec<Event>> {
    let mut keys: BTreeMap<EventKey, Vec<Event>> = BTreeMap::new();
    for event in events {
        keys.entry(event.key()).or_default().push(event.clone());
    }
    keys
}

/// The outbox holds these events and no others, in their order for each key. It is empty afterwards.
pub(super) async fn holds(outbox: &dyn Outbox, expected: &[Event]) -> Result<(), Violation> {
    let rows = drain(outbox).await?;
    let (mut found, expected) = (by_key(rows.iter().map(|row| &row.event)), by_key(expected));
    for (key, events) in expected {
        let found = found.remove(&key).unwrap_or_default();
        let ids = |events: &[Event]| events.iter().map(|event| (event.command, event.index)).collect::<Vec<_>>();
        ensure_eq!(ids(&found), ids(&events), "events of {key} in the outbox, by command and index");
        for (found, expected) in found.iter().zip(&events) {
            ensure_eq!(found, expected, "an event of {key}");
        }
    }
    ensure!(found.is_empty(), "the outbox holds events that nothing caused: {found:?}");
    Ok(())
}
