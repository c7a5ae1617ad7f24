//! The order store.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderCommand, OrderLoadPlan, OrderOutcome, OrderWorkingSet, PurchaseKey};
use stockpulse_core::model::{HistoryEntry, Order, OrderId, Quantity, Timestamp};
use stockpulse_core::port::{OrderQuery, OrderStore, Outbox, Page};

use crate::document::{Document, OutcomeRow, Tables};
use crate::file::JsonFile;
use crate::inventory::page;
use crate::options::StoreOptions;
use crate::outbox::JsonOutbox;
use crate::table::{Row, Table};

impl Row for Order {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.id
    }
}

impl Row for HistoryEntry {
    type Key = (OrderId, u64);

    fn key(&self) -> Self::Key {
        (self.order, self.version)
    }
}

/// How many units of a limited SKU a customer has on order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PurchaseRow {
    of: PurchaseKey,
    units: Quantity,
}

impl Row for PurchaseRow {
    type Key = PurchaseKey;

    fn key(&self) -> PurchaseKey {
        self.of.clone()
    }
}

/// What the file holds of orders.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderTables {
    orders: Table<Order>,
    history: Table<HistoryEntry>,
    purchases: Table<PurchaseRow>,
    outcomes: Table<OutcomeRow<OrderOutcome>>,
}

impl Tables for OrderTables {
    const STORE: &'static str = "orders";
}

impl OrderTables {
    /// The rows that a batch needs.
    fn load(&self, batch: &[OrderCommand]) -> OrderWorkingSet {
        let mut plan = OrderLoadPlan::of(batch);
        let mut set = OrderWorkingSet::new();
        for row in plan.commands.iter().filter_map(|id| self.outcomes.get(id)) {
            set.insert_outcome(row.command, row.decided.clone());
        }
        for id in std::mem::take(&mut plan.orders) {
            if let Some(order) = self.orders.get(&id) {
                plan.add_purchases_of(order);
                set.insert_order(order.clone());
            }
        }
        for row in plan.purchases.iter().filter_map(|key| self.purchases.get(key)) {
            set.insert_purchases(row.of.clone(), row.units);
        }
        set
    }

    fn save(&mut self, set: &OrderWorkingSet) {
        for (order, _) in set.changed_orders() {
            self.orders.put(order.clone());
        }
        for (of, units) in set.changed_purchases() {
            self.purchases.put(PurchaseRow { of: of.clone(), units });
        }
        for entry in set.history() {
            self.history.put(entry.clone());
        }
        for (command, decided) in set.new_outcomes() {
            self.outcomes.put(OutcomeRow { command, decided: decided.clone() });
        }
    }
}

/// An order store in one JSON file. Clones are handles on the same opening.
#[derive(Debug, Clone)]
pub struct JsonOrderStore {
    file: JsonFile<OrderTables>,
}

impl JsonOrderStore {
    /// Opens the store in a file, and makes the file if it does not exist. It reads the file, and so blocks.
    ///
    /// # Errors
    /// As for [`JsonInventoryStore::open`](crate::JsonInventoryStore::open).
    pub fn open(path: impl Into<PathBuf>, options: StoreOptions) -> Result<Self> {
        Ok(Self { file: JsonFile::open(path.into(), options)? })
    }

    /// The outbox that its events go to.
    #[must_use]
    pub fn outbox(&self) -> impl Outbox + Clone + use<> {
        JsonOutbox(self.file.clone())
    }
}

#[async_trait]
impl OrderStore for JsonOrderStore {
    async fn execute(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        let engine = engine.clone();
        let execute = move |document: &mut Document<OrderTables>| {
            let mut set = document.tables.load(&batch);
            let outcomes = engine.execute_orders(&mut set, &batch);
            document.tables.save(&set);
            for event in set.drain_events() {
                document.outbox.append(event);
            }
            Ok(outcomes)
        };
        self.file.change("orders.execute", execute).await
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        let document = self.file.read();
        Ok(ids.iter().map(|id| document.tables.orders.get(id).cloned()).collect())
    }

    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        let document = self.file.read();
        let overdue = document.tables.orders.rows().filter(|order| order.is_overdue(before));
        let mut ends: Vec<_> = overdue.map(|order| (order.pay_by, order.id)).collect();
        ends.sort_unstable();
        Ok(ends.into_iter().take(limit.get()).map(|(_, id)| id).collect())
    }

    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>> {
        let document = self.file.read();
        Ok(document.tables.history.range((order, 0)..=(order, u64::MAX)).cloned().collect())
    }

    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        let document = self.file.read();
        let asked_for = |order: &&Order| {
            query.customer.is_none_or(|customer| order.customer == Some(customer))
                && query.status.is_none_or(|status| order.status == status)
        };
        let orders = document.tables.orders.after(query.after.as_ref()).filter(asked_for);
        Ok(page(orders.cloned(), limit, |order| order.id))
    }
}
