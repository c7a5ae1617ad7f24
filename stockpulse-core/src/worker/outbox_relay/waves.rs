//! What of a batch is published, and what may be under way at once.

use std::collections::HashMap;

use crate::model::{EventData, EventKey, StockEvent, StockKey};
use crate::port::{OutboxId, OutboxRow};

/// Takes out the ids of each `stock.updated` that has one of the same level before and after it. The first stays, so
/// that nothing of the key comes before what may have been published already; the last is still in the outbox when
/// those between are settled.
pub(super) fn supersede(rows: Vec<OutboxRow>) -> (Vec<OutboxRow>, Vec<OutboxId>) {
    let mut ends: HashMap<StockKey, (OutboxId, OutboxId)> = HashMap::new();
    for row in &rows {
        if let Some(level) = updated(row) {
            ends.entry(level.clone()).or_insert((row.id, row.id)).1 = row.id;
        }
    }
    let is_between = |row: &OutboxRow| {
        let ends = updated(row).and_then(|level| ends.get(level));
        ends.is_some_and(|(first, last)| row.id != *first && row.id != *last)
    };
    let (superseded, kept): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_between);
    (kept, superseded.into_iter().map(|row| row.id).collect())
}

const fn updated(row: &OutboxRow) -> Option<&StockKey> {
    match &row.event.data {
        EventData::Stock(StockEvent::Updated(level)) => Some(&level.key),
        _ => None,
    }
}

/// Cuts rows into waves with at most one row of a key each: at most one event of a key is under way.
pub(super) fn waves(rows: Vec<OutboxRow>) -> Vec<Vec<(EventKey, OutboxRow)>> {
    let mut seen: HashMap<EventKey, usize> = HashMap::new();
    let mut waves: Vec<Vec<(EventKey, OutboxRow)>> = Vec::new();
    for row in rows {
        let key = row.event.key();
        let wave = seen.entry(key.clone()).or_insert(0);
        if waves.len() == *wave {
            waves.push(Vec::new());
        }
        if let Some(rows) = waves.get_mut(*wave) {
            rows.push((key, row));
        }
        *wave += 1;
    }
    waves
}
