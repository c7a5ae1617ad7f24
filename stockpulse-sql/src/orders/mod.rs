//! Where orders are kept.

mod changes;
mod load;
mod read;
mod rows;
mod tables;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderCommand, OrderOutcome};
use stockpulse_core::model::{HistoryEntry, Order, OrderId, Timestamp};
use stockpulse_core::port::{OrderQuery, OrderStore, Page};

use self::changes::OrderChanges;
use crate::context::Context;
use crate::database::{Access, Database, Session};
use crate::failure::Failure;
use crate::store::SqlStore;

/// Decides a batch within an open transaction.
pub(crate) async fn decide<S: Session>(
    session: &mut S,
    engine: &Engine,
    batch: &[OrderCommand],
) -> Result<Vec<OrderOutcome>, Failure> {
    let mut loaded = load::load(session, batch).await?;
    tracing::trace!("loaded");
    let outcomes = engine.execute_orders(&mut loaded.set, batch);
    let at = batch.iter().map(|command| command.at).max().unwrap_or_default();
    let changes = OrderChanges::of(&loaded.set, &loaded.purchases, at)?;
    changes.save(session).await?;
    tracing::trace!("saved");
    Ok(outcomes)
}

/// Decides a batch within a transaction that somebody else ends.
pub(crate) async fn decide_in<S: Session>(
    session: &mut S,
    engine: &Engine,
    batch: &[OrderCommand],
) -> Result<Vec<OrderOutcome>, Failure> {
    let outcomes = decide(session, engine, batch).await?;
    session.flush().await?;
    Ok(outcomes)
}

#[async_trait]
impl<D: Database> OrderStore for SqlStore<D> {
    async fn execute(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (engine, batch) = (engine.clone(), Arc::new(batch));
        let outcomes = self.shared.transact("orders.execute", Access::Write, move |session| {
            let (engine, batch) = (engine.clone(), Arc::clone(&batch));
            Box::pin(async move { decide(session, &engine, &batch).await })
        });
        let outcomes = outcomes.await?;
        tracing::trace!("committed");
        self.shared.wake(Context::Orders);
        Ok(outcomes)
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        let ids = ids.to_vec();
        let orders = self.shared.transact("orders.orders", Access::Read, move |session| {
            let ids = ids.clone();
            Box::pin(async move { read::orders(session, &ids).await })
        });
        orders.await
    }

    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        let overdue = self.shared.transact("orders.overdue", Access::Read, move |session| {
            Box::pin(async move { read::overdue(session, before, limit.get()).await })
        });
        overdue.await
    }

    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>> {
        let history = self.shared.transact("orders.history", Access::Read, move |session| {
            Box::pin(async move { read::history(session, order).await })
        });
        history.await
    }

    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        let query = query.clone();
        let listed = self.shared.transact("orders.list_orders", Access::Read, move |session| {
            let query = query.clone();
            Box::pin(async move { read::list_orders(session, &query, limit.get()).await })
        });
        listed.await
    }
}
