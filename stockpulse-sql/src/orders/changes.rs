//! What a batch changed, as rows.

use std::collections::{BTreeMap, BTreeSet};

use stockpulse_core::Result;
use stockpulse_core::engine::order::{OrderWorkingSet, PurchaseKey};
use stockpulse_core::engine::stock::RowChange;
use stockpulse_core::model::Timestamp;

use super::rows;
use super::tables::{HISTORY, ORDER, PURCHASE};
use crate::database::Session;
use crate::failure::Failure;
use crate::frame::{ORDER_COMMAND, outcome_row};
use crate::outbox::{self, Pack};
use crate::table::Rows;

/// The rows that a batch changed, each table's in the order in which they are written: by their keys, so that batches
/// that write the same rows wait for each other and do not block each other.
#[derive(Debug)]
pub(crate) struct OrderChanges {
    new_orders: Rows,
    /// Orders that existed, as they are now.
    orders: Rows,
    /// Counts of what was not counted before. Nobody could lock them: two who count the same thing for the first time
    /// meet at the insert, and the second is tried again.
    new_purchases: Rows,
    purchases: Rows,
    history: Rows,
    commands: Rows,
    packs: Vec<Pack>,
}

impl OrderChanges {
    /// What `set` says changed; `counted` are the purchases it was loaded with.
    pub(crate) fn of(set: &OrderWorkingSet, counted: &BTreeSet<PurchaseKey>, at: Timestamp) -> Result<Self> {
        let mut changes = Self {
            new_orders: Rows::of(&ORDER, 0),
            orders: Rows::of(&ORDER, 0),
            new_purchases: Rows::of(&PURCHASE, 0),
            purchases: Rows::of(&PURCHASE, 0),
            history: Rows::of(&HISTORY, set.history().len()),
            commands: Rows::of(&ORDER_COMMAND, 0),
            packs: outbox::pack(set.events())?,
        };
        let mut orders: Vec<_> = set.changed_orders().collect();
        orders.sort_unstable_by_key(|(order, _)| order.id);
        for (order, change) in orders {
            let rows = match change {
                RowChange::Created => &mut changes.new_orders,
                RowChange::Updated => &mut changes.orders,
            };
            rows.push(rows::order(order)?);
        }
        // However often a count changed, it is what it is in the end.
        let purchases: BTreeMap<_, _> = set.changed_purchases().collect();
        for (key, units) in purchases {
            let rows = if counted.contains(key) { &mut changes.purchases } else { &mut changes.new_purchases };
            rows.push(rows::purchase(key, units));
        }
        for entry in set.history() {
            changes.history.push(rows::history(entry));
        }
        let mut commands: Vec<_> = set.new_outcomes().collect();
        commands.sort_unstable_by_key(|(id, _)| *id);
        for (id, decided) in commands {
            changes.commands.push(outcome_row(id, decided, at)?);
        }
        Ok(changes)
    }

    /// Writes them, the events last.
    pub(crate) async fn save<S: Session>(self, session: &mut S) -> Result<(), Failure> {
        session.insert(&ORDER, self.new_orders).await?;
        session.upsert(&ORDER, self.orders).await?;
        session.insert(&PURCHASE, self.new_purchases).await?;
        session.upsert(&PURCHASE, self.purchases).await?;
        session.insert(&HISTORY, self.history).await?;
        session.insert(&ORDER_COMMAND, self.commands).await?;
        outbox::append(session, &outbox::ORDERS, self.packs).await
    }
}
