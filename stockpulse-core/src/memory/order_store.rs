//! The reference order store.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::inventory_store::from;
use super::outbox::MemoryOutbox;
use crate::engine::Engine;
use crate::engine::order::{OrderCommand, OrderOutcome, OrderWorkingSet};
use crate::error::Result;
use crate::model::{HistoryEntry, Order, OrderId, Timestamp};
use crate::port::{Clock, OrderQuery, OrderStore, Page};
use crate::system::SystemClock;

/// An order store in memory. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryOrderStore {
    state: Arc<Mutex<State>>,
    outbox: MemoryOutbox,
}

#[derive(Debug, Default)]
struct State {
    set: OrderWorkingSet,
    ids: BTreeSet<OrderId>,
    history: HashMap<OrderId, Vec<HistoryEntry>>,
    /// Orders by the time they have to be paid. Entries that no longer hold are dropped when they are met.
    due: BTreeSet<(Timestamp, OrderId)>,
}

impl Default for MemoryOrderStore {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl MemoryOrderStore {
    /// An empty store whose outbox leases end by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), outbox: MemoryOutbox::new(clock) }
    }

    /// Its outbox.
    #[must_use]
    pub fn outbox(&self) -> MemoryOutbox {
        self.outbox.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl OrderStore for MemoryOrderStore {
    async fn execute(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let outcomes = engine.execute_orders(&mut state.set, &batch);
        for entry in state.set.take_history() {
            state.history.entry(entry.order).or_default().push(entry);
        }
        for (order, _) in state.set.changed_orders() {
            state.ids.insert(order.id);
            if let Some(by) = order.pay_by.filter(|_| order.is_overdue(Timestamp::MAX)) {
                state.due.insert((by, order.id));
            }
        }
        self.outbox.append(state.set.drain_events());
        state.set.clear_changes();
        Ok(outcomes)
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        let state = self.lock();
        Ok(ids.iter().map(|id| state.set.order(*id).cloned()).collect())
    }

    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        let mut state = self.lock();
        let mut due = Vec::new();
        let mut gone = Vec::new();
        for entry in state.due.iter().take_while(|(by, _)| *by <= before) {
            let order = state.set.order(entry.1);
            if !order.is_some_and(|order| order.pay_by == Some(entry.0) && order.is_overdue(before)) {
                gone.push(*entry);
            } else if due.len() < limit.get() {
                due.push(entry.1);
            } else {
                break;
            }
        }
        for entry in gone {
            state.due.remove(&entry);
        }
        Ok(due)
    }

    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>> {
        Ok(self.lock().history.get(&order).cloned().unwrap_or_default())
    }

    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        let state = self.lock();
        let wanted = |order: &&Order| {
            query.status.is_none_or(|status| order.status == status)
                && (query.customer.is_none() || order.customer == query.customer)
        };
        let orders = from(&state.ids, query.after).filter_map(|id| state.set.order(*id)).filter(wanted);
        Ok(Page::collect(orders.cloned(), limit.get(), |order| order.id))
    }
}
