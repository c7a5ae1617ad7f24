//! The inventory service: what an application calls to reserve stock.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::admission::{Admissions, Asked, Entry, Place};
use super::context::Context;
use super::group_commit::{Answer, Commit, GroupCommit, GroupCommitOptions};
#[cfg(feature = "near-cache")]
use super::reads::NearLevels;
use super::reads::Reads;
use super::router::{Router, Routes};
use crate::engine::Engine;
use crate::engine::stock::{Existing, StockAction, StockCommand, StockOutcome};
use crate::error::{Error, Result};
use crate::model::{
    Actor, Movement, Quantity, Reservation, ReservationId, StockKey, StockLevel, Timestamp, TraceContext,
};
use crate::port::{AdmissionGate, Cache, CatalogStore, Clock, IdGenerator, InventoryStore, LevelAudit, Page};

/// The inventory service: group commit before an [`InventoryStore`].
///
/// Cloning is cheap; clones share the queue. When the last one is dropped, what is queued is still committed;
/// [`Inventory::close`] waits for that.
///
/// # Cancel safety
/// A call that is dropped after its command was queued does not take it back: it is committed, and asking again
/// with the same command id gets the outcome.
#[derive(Clone, Debug)]
pub struct Inventory {
    pub(super) inner: Arc<Inner>,
    pub(super) context: Context,
}

#[derive(Debug)]
pub(super) struct Inner {
    store: Arc<dyn InventoryStore>,
    engine: Engine,
    commits: GroupCommit<StockCommand, StockOutcome, Routes>,
    router: Router,
    admissions: Option<Arc<Admissions>>,
    reads: Reads<StockLevel>,
    catalog: Option<Arc<dyn CatalogStore>>,
}

/// Builds an [`Inventory`].
#[derive(Clone, Debug)]
pub struct InventoryBuilder {
    store: Arc<dyn InventoryStore>,
    engine: Engine,
    options: GroupCommitOptions,
    context: Context,
    gate: Option<Arc<dyn AdmissionGate>>,
    negative_ttl: Option<Duration>,
    reads: Reads<StockLevel>,
    catalog: Option<Arc<dyn CatalogStore>>,
}

impl InventoryBuilder {
    /// Sets the engine, with its limits and sourcing strategies.
    #[must_use]
    pub fn with_engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Sets how commands are grouped into batches.
    #[must_use]
    pub fn with_group_commit(mut self, options: GroupCommitOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.context.clock = clock;
        self
    }

    /// Sets where command ids come from.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.context.ids = ids;
        self
    }

    /// Puts an admission gate before the queue: plain reservations (all or nothing, without an order, kits or a choice
    /// of locations) that it refuses are refused without being stored.
    ///
    /// [`Inventory::reserve`], which makes a new command each time, then never asks the store. A command that the
    /// caller made may be asked for the second time: before [`Inventory::execute`] believes the gate's refusal, it
    /// reads whether the store knows the reservation, and if so the store answers. What only the gate refused may be
    /// granted when it is asked again.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn AdmissionGate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Repeats a refusal of the gate for so long without asking it, to those who call [`Inventory::reserve`] for as much
    /// of the level or more: when all is sold, buyers cost no round trip. What comes back meanwhile is sold afterwards.
    /// Not at all unless set; a few milliseconds are enough.
    #[must_use]
    pub fn with_negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = Some(ttl);
        self
    }

    /// Answers [`Inventory::availability`] through a cache.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.reads = self.reads.with_cache(cache);
        self
    }

    /// Answers [`Inventory::availability`] from the process itself, and what is not there through the cache, if there is
    /// one, or the store.
    #[cfg(feature = "near-cache")]
    #[must_use]
    pub fn with_near_levels(mut self, near: NearLevels) -> Self {
        self.reads = self.reads.with_near(near);
        self
    }

    /// Looks up kits in this catalog when a reservation without an order names one.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Arc<dyn CatalogStore>) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Starts the service's tasks on the current tokio runtime.
    #[must_use]
    pub fn start(self) -> Inventory {
        let commit = Arc::new(StoreCommit { store: Arc::clone(&self.store), engine: self.engine.clone() });
        let commits = GroupCommit::start(commit, &self.options);
        let clock = Arc::clone(&self.context.clock);
        let inner = Inner {
            router: Router::new(commits.shards()),
            store: self.store,
            engine: self.engine,
            commits,
            admissions: self.gate.map(|gate| Arc::new(Admissions::start(gate, self.negative_ttl, clock))),
            reads: self.reads,
            catalog: self.catalog,
        };
        Inventory { inner: Arc::new(inner), context: self.context }
    }
}

#[derive(Debug)]
struct StoreCommit {
    store: Arc<dyn InventoryStore>,
    engine: Engine,
}

#[async_trait]
impl Commit<StockCommand, StockOutcome> for StoreCommit {
    async fn commit(&self, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        self.store.execute(&self.engine, batch).await
    }

    /// Among new reservations nobody is promised a place before the others.
    fn commutes(&self, command: &StockCommand) -> bool {
        matches!(&command.action, StockAction::Reserve(reserve) if reserve.existing == Existing::Refuse)
    }

    fn fails_as_one(&self) -> bool {
        false
    }
}

impl Inventory {
    /// Builds a service on a store.
    #[must_use]
    pub fn builder(store: Arc<dyn InventoryStore>) -> InventoryBuilder {
        InventoryBuilder {
            reads: Reads::new(Arc::clone(&store)),
            store,
            engine: Engine::new(),
            options: GroupCommitOptions::default(),
            context: Context::default(),
            gate: None,
            negative_ttl: None,
            catalog: None,
        }
    }

    /// The same service, in somebody's name: movements will say who.
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

    /// Makes a command with a new id. Keep it and pass it to [`Inventory::execute`] again to ask once more.
    #[must_use]
    pub fn command(&self, action: StockAction) -> StockCommand {
        self.context.command(action)
    }

    /// A new reservation id.
    #[must_use]
    pub fn new_reservation_id(&self) -> ReservationId {
        ReservationId::new(self.context.id())
    }

    /// Decides a command. Asked again with the same id, the answer is the first answer.
    ///
    /// # Errors
    /// `InvalidInput` for a command that makes no sense, `Contention` when the queue is full and callers do not
    /// wait, `Closed` after [`Inventory::close`], and what the store reports.
    pub async fn execute(&self, command: StockCommand) -> Result<StockOutcome> {
        self.decide(command, Asked::Perhaps).await
    }

    /// Decides a command whose id was made for this call, so that the store cannot know it.
    pub(super) async fn decide_new(&self, action: StockAction) -> Result<StockOutcome> {
        self.decide(self.command(action), Asked::Never).await
    }

    async fn decide(&self, mut command: StockCommand, asked: Asked) -> Result<StockOutcome> {
        let named = |error: Error| error.during("inventory.execute");
        command.action.validate(self.inner.engine.limits()).map_err(named)?;
        self.resolve_kits(std::slice::from_mut(&mut command)).await?;
        let Some(admissions) = &self.inner.admissions else {
            return self.queue(command).await.map_err(named)?.wait().await.map_err(named);
        };
        let seat = match admissions.admit(&command, asked).await {
            Entry::Open(seat) => seat,
            Entry::Refused(refused) if asked == Asked::Never => return Ok(refused),
            Entry::Refused(refused) => match self.is_known(&command).await.map_err(named)? {
                true => None,
                false => return Ok(refused),
            },
        };
        let place = Place::of(&command.action);
        let queued = self.queue(command).await;
        match place {
            Some(place) => admissions.decided(place, seat, queued).await.map_err(named),
            None => queued.map_err(named)?.wait().await.map_err(named),
        }
    }

    /// Hands a command to the shard that it goes through.
    async fn queue(&self, command: StockCommand) -> Result<Answer<StockOutcome>> {
        let route = self.inner.router.route(&command.action);
        self.inner.commits.queue(route.shard(), command, Routes::from_buf([route])).await
    }

    /// Whether the store knows the reservation of a command that the gate refused.
    async fn is_known(&self, command: &StockCommand) -> Result<bool> {
        match command.action.reservation() {
            Some(id) => Ok(self.reservation(id).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Decides commands together, past the admission gate: what a worker does with a batch of events. Those of one
    /// shard are committed together and in order; with one shard, that is all of them. A command that makes no sense
    /// gets its refusal. The answers are aligned with the batch.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn execute_all(&self, mut batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.resolve_kits(&mut batch).await?;
        let commit = |shard, commands, routes| self.inner.commits.many(shard, commands, routes);
        let answers = self.inner.router.split(batch, commit);
        answers.await.map_err(|error| error.during("inventory.execute"))
    }

    /// Reads stock levels from the store, aligned with `keys`.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        self.inner.store.levels(keys).await
    }

    /// Reads stock levels through the caches, if there are any: they may be a moment old. What can be sold is
    /// [`StockLevel::sellable`].
    ///
    /// # Errors
    /// What the store reports; a cache that fails is a miss.
    pub async fn availability(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        self.inner.reads.many(keys).await
    }

    /// How many units of a SKU can be sold at a location, from stock or by backorder; 0 if it is not kept there, or
    /// retired.
    ///
    /// # Errors
    /// As for [`Inventory::availability`].
    pub async fn sellable(&self, key: impl Into<StockKey>) -> Result<Quantity> {
        let sellable = |level: &StockLevel| if level.retired { Quantity::ZERO } else { level.sellable() };
        Ok(self.inner.reads.one(key.into(), sellable).await?.unwrap_or(Quantity::ZERO))
    }

    /// Reads a reservation.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn reservation(&self, id: ReservationId) -> Result<Option<Reservation>> {
        Ok(self.inner.store.reservations(&[id]).await?.pop().flatten())
    }

    /// Reads a page of a level's ledger: what moved, who did it, when and why.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        self.inner.store.movements(key, after, limit).await
    }

    /// Reads a page of stock levels with what they should add up to.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        self.inner.store.audit(after, limit).await
    }

    /// Reads which holds end at `before` or earlier, those that ended first in front.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        self.inner.store.expiring(before, limit).await
    }

    /// Takes no more commands, commits what is queued, and waits for it, and until the gate was told of it.
    pub async fn close(&self) {
        self.inner.commits.close().await;
        if let Some(admissions) = &self.inner.admissions {
            admissions.close().await;
        }
    }

    /// Attaches the kits that the reservations name, as the catalog has them now. Those of orders bring theirs.
    async fn resolve_kits(&self, batch: &mut [StockCommand]) -> Result<()> {
        let Some(catalog) = &self.inner.catalog else { return Ok(()) };
        let mut skus = Vec::new();
        for command in batch.iter() {
            if let StockAction::Reserve(reserve) = &command.action
                && reserve.order.is_none()
                && reserve.kits.is_empty()
            {
                skus.extend(reserve.lines.iter().map(|line| line.sku.clone()));
            }
        }
        if skus.is_empty() {
            return Ok(());
        }
        skus.sort_unstable();
        skus.dedup();
        let products = catalog.products(&skus).await.map_err(|error| error.during("inventory.resolve_kits"))?;
        let kits: Vec<_> = products.into_iter().flatten().filter_map(|product| product.kit()).collect();
        for command in batch {
            if let StockAction::Reserve(reserve) = &mut command.action
                && reserve.order.is_none()
                && reserve.kits.is_empty()
            {
                let named = kits.iter().filter(|kit| reserve.lines.iter().any(|line| line.sku == kit.sku));
                reserve.kits = named.cloned().collect();
            }
        }
        Ok(())
    }
}

/// An outcome of another kind than the command: a broken store.
pub(super) fn mismatch(outcome: &StockOutcome) -> Error {
    Error::corrupt(format!("the store answered with another command's outcome: {outcome:?}"))
}
