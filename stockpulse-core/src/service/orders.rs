//! The order service: what an application calls to take orders.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::catalog::Catalog;
use super::context::Context;
use super::group_commit::{Commit, GroupCommit, GroupCommitOptions};
use super::reads::Reads;
use crate::engine::Engine;
use crate::engine::order::{
    OrderAction, OrderCommand, OrderOutcome, OrderParts, OrderRefusal, OrderState, PaymentResult, Place, PurchaseLimit,
};
use crate::engine::stock::Decision;
use crate::error::{Error, Result};
use crate::model::{Actor, HistoryEntry, LocationId, Order, OrderId, Sku, Timestamp, TraceContext};
use crate::port::{Cache, Clock, IdGenerator, OrderQuery, OrderStore, Page};

/// The order service: group commit before an [`OrderStore`]. An order that was accepted ends: confirmed and
/// shipped, rejected, cancelled or expired.
///
/// Cloning is cheap; clones share the queue.
///
/// # Cancel safety
/// A call that is dropped after its command was queued does not take it back.
#[derive(Clone, Debug)]
pub struct Orders {
    inner: Arc<Inner>,
    context: Context,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn OrderStore>,
    engine: Engine,
    commits: GroupCommit<OrderCommand, OrderOutcome>,
    reads: Reads<Order>,
    catalog: Option<Catalog>,
}

/// Builds an [`Orders`].
#[derive(Clone, Debug)]
pub struct OrdersBuilder {
    store: Arc<dyn OrderStore>,
    engine: Engine,
    options: GroupCommitOptions,
    context: Context,
    reads: Reads<Order>,
    catalog: Option<Catalog>,
}

impl OrdersBuilder {
    /// Sets the engine, with its limits.
    #[must_use]
    pub fn with_engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Sets how commands are grouped into batches. There is one queue whatever `shards` says: orders do not
    /// contend for rows.
    #[must_use]
    pub fn with_group_commit(mut self, options: GroupCommitOptions) -> Self {
        self.options = GroupCommitOptions { shards: NonZeroUsize::MIN, ..options };
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.context.clock = clock;
        self
    }

    /// Sets where ids come from.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.context.ids = ids;
        self
    }

    /// Looks up what is ordered in this catalog: unknown and inactive products are refused, kits expand, purchase
    /// limits hold. Without a catalog every SKU can be ordered, as itself and without limit.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Answers [`Orders::view`] through a cache that processes share. The process itself keeps none: few people look at the
    /// same order.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.reads = self.reads.with_cache(cache);
        self
    }

    /// Starts the service's task on the current tokio runtime.
    #[must_use]
    pub fn start(self) -> Orders {
        let commit = Arc::new(StoreCommit { store: Arc::clone(&self.store), engine: self.engine.clone() });
        let commits = GroupCommit::start(commit, &self.options);
        let inner = Inner { store: self.store, engine: self.engine, commits, reads: self.reads, catalog: self.catalog };
        Orders { inner: Arc::new(inner), context: self.context }
    }
}

#[derive(Debug)]
struct StoreCommit {
    store: Arc<dyn OrderStore>,
    engine: Engine,
}

#[async_trait]
impl Commit<OrderCommand, OrderOutcome> for StoreCommit {
    async fn commit(&self, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        self.store.execute(&self.engine, batch).await
    }

    fn commutes(&self, _: &OrderCommand) -> bool {
        false
    }

    fn fails_as_one(&self) -> bool {
        false
    }
}

/// What the order service answers: where the order stands, or why not.
pub type OrderDecision = Decision<OrderState, OrderRefusal>;

impl Orders {
    /// Builds a service on a store.
    #[must_use]
    pub fn builder(store: Arc<dyn OrderStore>) -> OrdersBuilder {
        OrdersBuilder {
            reads: Reads::new(Arc::clone(&store)),
            store,
            engine: Engine::new(),
            options: GroupCommitOptions::default(),
            context: Context::default(),
            catalog: None,
        }
    }

    /// The same service, in somebody's name: histories will say who.
    #[must_use]
    pub fn as_actor(&self, actor: Actor) -> Self {
        let mut same = self.clone();
        same.context.actor = actor;
        same
    }

    /// The same service, within a trace.
    #[must_use]
    pub fn within_trace(&self, trace: Option<TraceContext>) -> Self {
        let mut same = self.clone();
        same.context.trace = trace;
        same
    }

    /// A new order id.
    #[must_use]
    pub fn new_order_id(&self) -> OrderId {
        OrderId::new(self.context.id())
    }

    /// Makes a command with a new id. Keep it and pass it to [`Orders::execute`] again to ask once more.
    #[must_use]
    pub fn command(&self, action: OrderAction) -> OrderCommand {
        self.context.command(action)
    }

    /// Decides a command. Asked again with the same id, the answer is the first answer.
    ///
    /// # Errors
    /// `InvalidInput` for a command that makes no sense, an unknown product included, `Contention` when the queue
    /// is full and callers do not wait, `Closed` after [`Orders::close`], and what the store reports.
    pub async fn execute(&self, command: OrderCommand) -> Result<OrderDecision> {
        let mut answers = self.execute_all(vec![command]).await?;
        answers.pop().ok_or_else(|| Error::corrupt("the store answered nothing"))
    }

    /// Decides commands together and in order. The answers are aligned with the batch.
    ///
    /// # Errors
    /// As for [`Orders::execute`]; one command that makes no sense fails the whole call, before anything is done.
    pub async fn execute_all(&self, mut batch: Vec<OrderCommand>) -> Result<Vec<OrderDecision>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        for command in &batch {
            command.action.validate(self.inner.engine.limits())?;
        }
        self.resolve(&mut batch).await?;
        let outcomes = match <[OrderCommand; 1]>::try_from(batch) {
            Ok([command]) => self.inner.commits.one(0, command, ()).await.map(|outcome| vec![outcome]),
            Err(batch) => self.inner.commits.many(0, batch, ()).await,
        };
        let outcomes = outcomes.map_err(|error| error.during("orders.execute"))?;
        Ok(outcomes.into_iter().map(decision).collect())
    }

    /// Takes an order. Once this has answered, the order is accepted and will end one way or another.
    ///
    /// # Errors
    /// As for [`Orders::execute`].
    pub async fn place(&self, request: Place) -> Result<OrderDecision> {
        self.execute(self.command(OrderAction::Place(request))).await
    }

    /// The customer begins to pay: the hold on the order's stock lasts at least `window` longer.
    ///
    /// # Errors
    /// As for [`Orders::execute`].
    pub async fn begin_payment(&self, order: OrderId, window: Duration) -> Result<OrderDecision> {
        self.execute(self.command(OrderAction::BeginPayment { order, window })).await
    }

    /// A payment ended. Money for an order that is off changes nothing but its payment: a refund is due.
    ///
    /// # Errors
    /// As for [`Orders::execute`].
    pub async fn record_payment(&self, order: OrderId, result: PaymentResult) -> Result<OrderDecision> {
        self.execute(self.command(OrderAction::RecordPayment { order, result })).await
    }

    /// Goods leave: all that is there, or some of it.
    ///
    /// # Errors
    /// As for [`Orders::execute`].
    pub async fn ship(&self, order: OrderId, parts: OrderParts) -> Result<OrderDecision> {
        self.execute(self.command(OrderAction::Ship { order, parts })).await
    }

    /// The order is off; what has shipped stays shipped.
    ///
    /// # Errors
    /// As for [`Orders::execute`].
    pub async fn cancel(&self, order: OrderId, reason: Option<String>) -> Result<OrderDecision> {
        self.execute(self.command(OrderAction::Cancel { order, reason })).await
    }

    /// Goods come back to a location.
    ///
    /// # Errors
    /// As for [`Orders::execute`].
    pub async fn take_back(&self, order: OrderId, parts: OrderParts, location: LocationId) -> Result<OrderDecision> {
        self.execute(self.command(OrderAction::Return { order, parts, location })).await
    }

    /// Reads orders to show them, through the cache if there is one, aligned with `ids`: they may be a moment old. What is
    /// to be decided about an order is decided by a command, and [`Orders::order`] reads it from the store.
    ///
    /// With a [`CacheHandler`](crate::worker::CacheHandler) what is read is as old as an event takes to arrive, without one
    /// 30 s at most. Every change makes an event but one: money that came for an order that was paid is written into its
    /// history and tells nobody. For so long the order may be read without it; nothing of it differs but its version.
    ///
    /// # Errors
    /// What the store reports; a cache that fails is a miss.
    pub async fn view(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        self.inner.reads.many(ids).await
    }

    /// Reads an order from the store.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>> {
        Ok(self.inner.store.orders(&[id]).await?.pop().flatten())
    }

    /// Reads an order's history: what, when, who, why.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn history(&self, id: OrderId) -> Result<Vec<HistoryEntry>> {
        self.inner.store.history(id).await
    }

    /// Reads a page of orders.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn list(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        self.inner.store.list_orders(query, limit).await
    }

    /// Reads which orders had to be paid at `before` or earlier and were not, the oldest due first.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        self.inner.store.overdue(before, limit).await
    }

    /// Takes no more commands, commits what is queued, and waits for it.
    pub async fn close(&self) {
        self.inner.commits.close().await;
    }

    /// Attaches kits and purchase limits from the catalog, and refuses what is not for sale. An order that is known
    /// already is left to the store: its product may have gone since, and asked again it gets its first answer.
    async fn resolve(&self, batch: &mut [OrderCommand]) -> Result<()> {
        let Some(catalog) = &self.inner.catalog else { return Ok(()) };
        for command in batch {
            let OrderAction::Place(place) = &mut command.action else { continue };
            let skus: Vec<Sku> = place.lines.iter().map(|line| line.sku.clone()).collect();
            let products = catalog.products(&skus).await?;
            for (sku, product) in skus.iter().zip(products) {
                let Some(product) = product.filter(|product| product.active) else {
                    if self.order(place.order).await?.is_some() {
                        break;
                    }
                    return Err(Error::invalid(format!("{sku} is not for sale")).during("orders.execute"));
                };
                if place.kits.iter().all(|kit| kit.sku != *sku) {
                    place.kits.extend(product.kit());
                }
                if let Some(limit) = product.purchase_limit.filter(|_| place.limits.iter().all(|line| line.sku != *sku))
                {
                    place.limits.push(PurchaseLimit { sku: sku.clone(), limit });
                }
            }
        }
        Ok(())
    }
}

fn decision(outcome: OrderOutcome) -> OrderDecision {
    match outcome {
        OrderOutcome::Accepted(state) => Decision::Accepted(state),
        OrderOutcome::Refused(refusal) => Decision::Refused(refusal),
    }
}
