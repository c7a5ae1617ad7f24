//! What a batch changed, as rows.

use std::collections::BTreeMap;

use stockpulse_core::Result;
use stockpulse_core::engine::stock::{BackorderChange, RowChange, StockWorkingSet};
use stockpulse_core::model::{StockKey, StockLevel, Timestamp};

use super::rows;
use super::tables::{BACKORDER, LEVEL, MOVEMENT, RESERVATION};
use crate::database::Session;
use crate::failure::Failure;
use crate::frame::{STOCK_COMMAND, outcome_row};
use crate::outbox::{self, Pack};
use crate::table::Rows;
use crate::value::Value;

/// The rows that a batch changed, each table's in the order in which they are written.
#[derive(Debug)]
pub(crate) struct StockChanges {
    /// Levels that existed, as they are now.
    pub(crate) levels: Rows,
    pub(crate) new_levels: Rows,
    pub(crate) reservations: Rows,
    pub(crate) new_reservations: Rows,
    pub(crate) backorders: Rows,
    pub(crate) ended_backorders: Rows,
    pub(crate) movements: Rows,
    pub(crate) commands: Rows,
    pub(crate) packs: Vec<Pack>,
}

impl StockChanges {
    /// What `set` says changed; `loaded` are the levels it was loaded with, sorted.
    pub(crate) fn of(set: &mut StockWorkingSet, loaded: &[StockLevel], at: Timestamp) -> Result<Self> {
        let (reservations, commands) = (set.changed_reservations().count(), set.new_outcomes().count());
        let mut changes = Self {
            levels: Rows::of(&LEVEL, loaded.len()),
            new_levels: Rows::of(&LEVEL, 0),
            reservations: Rows::of(&RESERVATION, 0),
            new_reservations: Rows::of(&RESERVATION, reservations),
            backorders: Rows::of(&BACKORDER, 0),
            ended_backorders: Rows::new(BACKORDER.key),
            movements: Rows::of(&MOVEMENT, set.movements().len()),
            commands: Rows::of(&STOCK_COMMAND, commands),
            packs: Vec::new(),
        };
        let mut levels: Vec<&StockLevel> = set.changed_levels().collect();
        levels.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        for level in levels {
            let known = loaded.binary_search_by(|before| before.key.cmp(&level.key)).is_ok();
            let rows = if known { &mut changes.levels } else { &mut changes.new_levels };
            rows.push(rows::level(level));
        }
        for (reservation, change) in set.changed_reservations() {
            let rows = match change {
                RowChange::Created => &mut changes.new_reservations,
                RowChange::Updated => &mut changes.reservations,
            };
            rows.push(rows::reservation(reservation)?);
        }
        changes.add_backorders(set);
        for movement in set.movements() {
            changes.movements.push(rows::movement(movement));
        }
        for (id, decided) in set.new_outcomes() {
            changes.commands.push(outcome_row(id, decided, at)?);
        }
        for rows in [&mut changes.reservations, &mut changes.new_reservations, &mut changes.commands] {
            rows.sort_by_id();
        }
        changes.packs = outbox::pack(set.events())?;
        Ok(changes)
    }

    /// Whether they are reservations of levels that existed, and nothing else.
    pub(crate) fn are_plain(&self) -> bool {
        self.new_levels.is_empty()
            && self.reservations.is_empty()
            && self.backorders.is_empty()
            && self.ended_backorders.is_empty()
    }

    /// Each entry of a queue as it is in the end, however often it changed.
    fn add_backorders(&mut self, set: &StockWorkingSet) {
        let mut last: BTreeMap<(&StockKey, u64), Option<[Value; 6]>> = BTreeMap::new();
        for change in set.backorder_changes() {
            let (key, position) = match change {
                BackorderChange::Added(entry) => (&entry.key, entry.position),
                BackorderChange::Left { key, position, .. } => (key, *position),
            };
            let entry = set.backorders(key).find(|entry| entry.position == position);
            last.insert((key, position), entry.map(rows::backorder));
        }
        for ((key, position), row) in last {
            let [sku, location] = rows::key(key);
            match row {
                Some(row) => self.backorders.push(row),
                None => self.ended_backorders.push([sku, location, position.into()]),
            }
        }
    }

    /// Writes them, the events last.
    pub(crate) async fn save<S: Session>(self, session: &mut S) -> Result<(), Failure> {
        session.insert(&LEVEL, self.new_levels).await?;
        session.upsert(&LEVEL, self.levels).await?;
        session.insert(&RESERVATION, self.new_reservations).await?;
        session.upsert(&RESERVATION, self.reservations).await?;
        session.upsert(&BACKORDER, self.backorders).await?;
        session.delete(&BACKORDER, &self.ended_backorders).await?;
        session.insert(&MOVEMENT, self.movements).await?;
        session.insert(&STOCK_COMMAND, self.commands).await?;
        outbox::append(session, &outbox::STOCK, self.packs).await
    }
}
