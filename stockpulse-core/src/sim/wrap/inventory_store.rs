//! Inventory's store.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::bug::Bug;
use super::super::check;
use super::super::node::Node;
use super::super::world::{Place, World};
use crate::engine::Engine;
use crate::engine::stock::{StockAction, StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::{
    Command, CommandId, Counters, Movement, Reservation, ReservationId, StockKey, StockLevel, StockQuantity, Timestamp,
    derive,
};
use crate::port::{InventoryStore, LevelAudit, Page};

const PLACE: Place = Place::Inventory;

#[derive(Debug)]
pub(in crate::sim) struct NodeInventoryStore {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: Arc<dyn InventoryStore>,
}

#[async_trait]
impl InventoryStore for NodeInventoryStore {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        let world = Arc::clone(self.node.world());
        world.say(format_args!("{} inventory.execute {} commands", self.node.name(), batch.len()));
        let (inner, engine) = (Arc::clone(&self.inner), engine.clone());
        let commit = move || -> futures::future::BoxFuture<'static, _> {
            let (world, inner) = (Arc::clone(&world), Arc::clone(&inner));
            let (engine, batch) = (engine.clone(), batch.clone());
            Box::pin(async move { commit(&world, inner.as_ref(), &engine, batch).await })
        };
        self.node.commit(PLACE, "inventory.execute", commit).await
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        let read = async {
            let levels = self.inner.levels(keys).await?;
            for level in levels.iter().flatten() {
                check::stock::read_level(self.node.world(), level);
            }
            Ok(levels)
        };
        self.node.call(PLACE, "inventory.levels", read).await
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        let read = async {
            let reservations = self.inner.reservations(ids).await?;
            for reservation in reservations.iter().flatten() {
                check::stock::read_reservation(self.node.world(), reservation);
            }
            Ok(reservations)
        };
        self.node.call(PLACE, "inventory.reservations", read).await
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        self.node.call(PLACE, "inventory.expiring", self.inner.expiring(before, limit)).await
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        self.node.call(PLACE, "inventory.movements", self.inner.movements(key, after, limit)).await
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        self.node.call(PLACE, "inventory.list_levels", self.inner.list_levels(after, limit)).await
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        self.node.call(PLACE, "inventory.audit", self.inner.audit(after, limit)).await
    }
}

/// What really happens in the database, and what is seen right after it.
async fn commit(
    world: &Arc<World>,
    store: &dyn InventoryStore,
    engine: &Engine,
    mut batch: Vec<StockCommand>,
) -> Result<Vec<StockOutcome>> {
    if world.has(Bug::SkipDuplicateCheck) {
        forget_ids(world, &mut batch);
    }
    let outcomes = store.execute(engine, batch.clone()).await?;
    if world.has(Bug::ReleaseTwice) {
        release_again(store, engine, &batch, &outcomes).await?;
    }
    check::stock::committed(world, store, &batch, &outcomes).await?;
    Ok(outcomes)
}

/// For [`Bug::SkipDuplicateCheck`]: each command becomes one that was never there before.
pub(super) fn forget_ids<A>(world: &World, batch: &mut [Command<A>]) {
    for command in batch {
        let number = world.dice().roll(u64::MAX);
        command.id = CommandId::new(derive(command.id.as_uuid(), "forgotten", number));
    }
}

/// For [`Bug::ReleaseTwice`]: takes off the levels once more what was released, as far as it can.
async fn release_again(
    store: &dyn InventoryStore,
    engine: &Engine,
    batch: &[StockCommand],
    outcomes: &[StockOutcome],
) -> Result<()> {
    for (command, outcome) in batch.iter().zip(outcomes) {
        let (StockOutcome::Released(released) | StockOutcome::Expired(released)) = outcome else { continue };
        for (number, StockQuantity { key, quantity }) in (0..).zip(&released.lines) {
            let Some(level) = store.levels(std::slice::from_ref(key)).await?.pop().flatten() else { continue };
            let counters = level.counters();
            let reserved = (counters.reserved - quantity.get()).max(counters.backordered);
            let action = StockAction::Reconcile {
                key: key.clone(),
                version: level.version,
                ledger: counters,
                claims: Counters { reserved, ..counters },
            };
            let id = CommandId::new(derive(command.id.as_uuid(), "again", number));
            store.execute(engine, vec![Command::new(id, command.at, action)]).await?;
        }
    }
    Ok(())
}
