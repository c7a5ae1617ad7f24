//! The order store.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::bug::Bug;
use super::super::check;
use super::super::node::Node;
use super::super::world::{Place, World};
use super::inventory_store::forget_ids;
use crate::engine::Engine;
use crate::engine::order::{OrderAction, OrderCommand, OrderOutcome};
use crate::error::Result;
use crate::memory::MemoryOrderStore;
use crate::model::{HistoryEntry, Order, OrderId, Timestamp};
use crate::port::{OrderQuery, OrderStore, Page};

const PLACE: Place = Place::Orders;

#[derive(Debug)]
pub(in crate::sim) struct NodeOrderStore {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: Arc<dyn OrderStore>,
}

#[async_trait]
impl OrderStore for NodeOrderStore {
    async fn execute(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        let world = Arc::clone(self.node.world());
        world.say(format_args!("{} orders.execute {} commands", self.node.name(), batch.len()));
        let (inner, engine) = (Arc::clone(&self.inner), engine.clone());
        let commit = move || -> futures::future::BoxFuture<'static, _> {
            let (world, inner) = (Arc::clone(&world), Arc::clone(&inner));
            let (engine, batch) = (engine.clone(), batch.clone());
            Box::pin(async move { commit(&world, inner.as_ref(), &engine, batch).await })
        };
        self.node.commit(PLACE, "orders.execute", commit).await
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        let read = async {
            let orders = self.inner.orders(ids).await?;
            for order in orders.iter().flatten() {
                check::orders::read_order(self.node.world(), order);
            }
            Ok(orders)
        };
        self.node.call(PLACE, "orders.orders", read).await
    }

    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        self.node.call(PLACE, "orders.overdue", self.inner.overdue(before, limit)).await
    }

    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>> {
        self.node.call(PLACE, "orders.history", self.inner.history(order)).await
    }

    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        self.node.call(PLACE, "orders.list_orders", self.inner.list_orders(query, limit)).await
    }
}

/// What really happens in the database, and what is seen right after it.
async fn commit(
    world: &Arc<World>,
    store: &dyn OrderStore,
    engine: &Engine,
    mut batch: Vec<OrderCommand>,
) -> Result<Vec<OrderOutcome>> {
    if world.has(Bug::SkipDuplicateCheck) {
        forget_ids(world, &mut batch);
    }
    let only_new = batch.iter().all(|command| matches!(command.action, OrderAction::Place(_)));
    if world.has(Bug::ForgetCommit) && only_new && world.dice().chance(0.2) {
        return MemoryOrderStore::default().execute(engine, batch).await;
    }
    let outcomes = store.execute(engine, batch.clone()).await?;
    check::orders::committed(world, store, &batch, &outcomes).await?;
    Ok(outcomes)
}
