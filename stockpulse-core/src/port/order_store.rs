//! Where orders are kept.

use std::fmt::Debug;
use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::page::Page;
use crate::engine::Engine;
use crate::engine::order::{OrderCommand, OrderOutcome};
use crate::error::Result;
use crate::model::{CustomerId, HistoryEntry, Order, OrderId, OrderStatus, Timestamp};

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only those in this status.
    pub status: Option<OrderStatus>,
    /// Only those with an id above this one: the cursor.
    pub after: Option<OrderId>,
}

/// Where orders are kept. Like the inventory store it holds no rule.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OrderStore: Debug + Send + Sync + 'static {
    /// Decides and stores a batch of commands with its history and events, in one transaction: loads under lock
    /// what [`OrderLoadPlan`](crate::engine::order::OrderLoadPlan) names, runs the engine in input order, saves,
    /// commits once. A command whose id is known gets its stored outcome and changes nothing. The answers are aligned
    /// with the batch.
    ///
    /// # Errors
    /// Infrastructure only. After `Indeterminate` the batch may have been committed: ask again with the same ids.
    ///
    /// # Cancel safety
    /// A dropped future splits nothing.
    async fn execute(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>>;

    /// Reads orders, aligned with `ids`.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>>;

    /// Orders that wait for a payment that was due at `before` or earlier
    /// ([`Order::is_overdue`](crate::model::Order::is_overdue)), the oldest due first; `limit` at most.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>>;

    /// An order's history, oldest first; empty if there is no such order.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>>;

    /// Orders in order of id, which is the order of time for ids of version 7.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>>;
}
