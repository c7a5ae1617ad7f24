//! Where stock is kept.

mod at_once;
mod audit;
mod changes;
mod known;
mod load;
mod read;
mod rows;
mod tables;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{StockCommand, StockOutcome};
use stockpulse_core::model::{Movement, Reservation, ReservationId, StockKey, StockLevel, Timestamp};
use stockpulse_core::port::{InventoryStore, LevelAudit, Page};

pub(crate) use self::at_once::{AFTER, AtOnce, unchanged};
use self::changes::StockChanges;
pub(crate) use self::known::KnownLevels;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::tables::MOVEMENT;
pub(crate) use self::tables::{LEVEL, RESERVATION};
use crate::context::Context;
use crate::database::{Access, Database, Session};
use crate::failure::Failure;
use crate::store::SqlStore;

/// Decides a batch within an open transaction. Answers also how the levels are after it.
pub(crate) async fn decide<S: Session>(
    session: &mut S,
    engine: &Engine,
    batch: &[StockCommand],
) -> Result<(Vec<StockOutcome>, Vec<StockLevel>), Failure> {
    let mut loaded = load::load(session, batch).await?;
    tracing::trace!("loaded");
    let outcomes = engine.execute_stock(&mut loaded.set, batch);
    let at = batch.iter().map(|command| command.at).max().unwrap_or_default();
    let changes = StockChanges::of(&mut loaded.set, &loaded.levels, at)?;
    changes.save(session).await?;
    tracing::trace!("saved");
    Ok((outcomes, loaded.set.levels().cloned().collect()))
}

/// Decides a batch within a transaction that somebody else ends.
pub(crate) async fn decide_in<S: Session>(
    session: &mut S,
    engine: &Engine,
    batch: &[StockCommand],
) -> Result<Vec<StockOutcome>, Failure> {
    let (outcomes, _) = decide(session, engine, batch).await?;
    session.flush().await?;
    Ok(outcomes)
}

#[async_trait]
impl<D: Database> InventoryStore for SqlStore<D> {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (engine, batch, shared) = (engine.clone(), Arc::new(batch), Arc::clone(&self.shared));
        let outcomes = self.shared.detached("inventory.execute", async move {
            if let Some(outcomes) = at_once::decide(&shared.database, &shared.known, &engine, &batch).await? {
                tracing::trace!("committed");
                return Ok(outcomes);
            }
            let decided = shared.attempt(Access::Write, move |session| {
                let (engine, batch) = (engine.clone(), Arc::clone(&batch));
                Box::pin(async move { decide(session, &engine, &batch).await })
            });
            let (outcomes, levels) = decided.await?;
            tracing::trace!("committed");
            shared.known.put(levels);
            Ok(outcomes)
        });
        let outcomes = outcomes.await?;
        self.shared.wake(Context::Inventory);
        Ok(outcomes)
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        let keys = keys.to_vec();
        let levels = self.shared.transact("inventory.levels", Access::Read, move |session| {
            let keys = keys.clone();
            Box::pin(async move { read::levels(session, &keys).await })
        });
        levels.await
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        let ids = ids.to_vec();
        let reservations = self.shared.transact("inventory.reservations", Access::Snapshot, move |session| {
            let ids = ids.clone();
            Box::pin(async move { read::reservations(session, &ids).await })
        });
        reservations.await
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        let expiring = self.shared.transact("inventory.expiring", Access::Read, move |session| {
            Box::pin(async move { read::expiring(session, before, limit.get()).await })
        });
        expiring.await
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        let key = key.clone();
        let movements = self.shared.transact("inventory.movements", Access::Read, move |session| {
            let key = key.clone();
            Box::pin(async move { read::movements(session, &key, after, limit.get()).await })
        });
        movements.await
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        let listed = self.shared.transact("inventory.list_levels", Access::Read, move |session| {
            let after = after.clone();
            Box::pin(async move { read::list_levels(session, after.as_ref(), limit.get()).await })
        });
        listed.await
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let audited = self.shared.transact("inventory.audit", Access::Snapshot, move |session| {
            let after = after.clone();
            Box::pin(async move { audit::audit(session, after.as_ref(), limit.get()).await })
        });
        audited.await
    }
}
