//! What the engine alone makes of the same commands: what a store has to answer and to hold.

use std::collections::BTreeMap;

use crate::conformance::Violation;
use crate::conformance::support::limit;
use crate::engine::Engine;
use crate::engine::order::{OrderCommand, OrderOutcome, OrderWorkingSet};
use crate::model::{Event, HistoryEntry, Order, OrderId, Timestamp};
use crate::port::{OrderQuery, OrderStore};

/// A working set that is never unloaded, with all that it said.
#[derive(Debug, Default)]
pub(super) struct Reference {
    engine: Engine,
    set: OrderWorkingSet,
    history: BTreeMap<OrderId, Vec<HistoryEntry>>,
    events: Vec<Event>,
}

impl Reference {
    /// Decides a batch.
    pub(super) fn decide(&mut self, batch: &[OrderCommand]) -> Vec<OrderOutcome> {
        let outcomes = self.engine.execute_orders(&mut self.set, batch);
        for entry in self.set.take_history() {
            self.history.entry(entry.order).or_default().push(entry);
        }
        self.events.extend_from_slice(self.set.events());
        self.set.clear_changes();
        outcomes
    }

    /// Decides a batch, lets the store decide it too, and compares the answers.
    pub(super) async fn both(
        &mut self,
        store: &dyn OrderStore,
        batch: &[OrderCommand],
    ) -> Result<Vec<OrderOutcome>, Violation> {
        let expected = self.decide(batch);
        let found = store.execute(&self.engine, batch.to_vec()).await?;
        ensure_eq!(found.len(), expected.len(), "outcomes of a batch of {}", batch.len());
        for ((found, expected), command) in found.iter().zip(&expected).zip(batch) {
            ensure_eq!(found, expected, "the outcome of {:?}", command);
        }
        Ok(found)
    }

    /// All events so far, in order.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// An order as it is now.
    pub(super) fn order(&self, id: OrderId) -> Option<&Order> {
        self.set.order(id)
    }

    /// Compares everything that can be read of a store with what the engine left.
    pub(super) async fn agrees(&self, store: &dyn OrderStore) -> Result<(), Violation> {
        let mut orders: Vec<Order> = self.set.orders().cloned().collect();
        orders.sort_unstable_by_key(|order| order.id);
        let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
        let found = store.orders(&ids).await?;
        ensure_eq!(found.len(), ids.len(), "orders that were read");
        for (found, expected) in found.iter().zip(&orders) {
            ensure_eq!(found.as_ref(), Some(expected), "an order");
        }
        let page = store.list_orders(&OrderQuery::default(), limit(orders.len() + 1)).await?;
        ensure_eq!(page.items, orders, "all orders, listed");
        for id in ids {
            let expected = self.history.get(&id).map_or(&[] as &[HistoryEntry], Vec::as_slice);
            ensure_eq!(store.history(id).await?, expected, "the history of {id}");
        }
        self.overdue_agree(store, &orders).await
    }

    /// Compares the orders that wait for a payment, of which those due together may come in any order.
    async fn overdue_agree(&self, store: &dyn OrderStore, orders: &[Order]) -> Result<(), Violation> {
        let due = orders.iter().filter(|order| order.is_overdue(Timestamp::MAX));
        let mut due: Vec<_> = due.map(|order| (order.pay_by, order.id)).collect();
        due.sort_unstable();
        let found = store.overdue(Timestamp::MAX, limit(due.len() + 1)).await?;
        let mut found: Vec<_> = found.iter().map(|id| (self.order(*id).and_then(|order| order.pay_by), *id)).collect();
        ensure!(found.is_sorted_by_key(|(end, _)| *end), "orders are not listed as they fall due: {found:?}");
        found.sort_unstable();
        ensure_eq!(found, due, "orders that wait for a payment, with its end");
        Ok(())
    }
}
