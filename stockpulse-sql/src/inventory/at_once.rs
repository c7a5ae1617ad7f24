//! The common batch in one statement: reservations of levels that are known from the last commit.
//!
//! The batch is decided on what is remembered, and written on condition that it is still so. Otherwise nothing is written,
//! and the batch goes the way of all others: load under lock, decide, save.

use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Existing, LoadPlan, StockAction, StockCommand, StockOutcome, StockWorkingSet};
use stockpulse_core::model::Timestamp;

use super::changes::StockChanges;
use super::known::KnownLevels;
use super::rows;
use super::tables::LEVEL;
use crate::database::{Access, Database, Session};
use crate::failure::{Class, Failure};
use crate::table::Rows;

/// The columns of a level's counters and version after it, behind those that it must have.
pub(crate) const AFTER: [&str; 3] = ["new_reserved", "new_backordered", "new_version"];

/// What is written at once.
#[derive(Debug)]
pub struct AtOnce {
    /// Levels as they must be, all columns of the table, and [`AFTER`] them.
    pub(crate) levels: Rows,
    /// Reservations that must not be there: they were refused as if they were new.
    pub(crate) absent: Rows,
    pub(crate) changes: StockChanges,
}

/// That a level `t` is as `d` says, in the words of every database. Whoever changed it by hand, without a version, is
/// noticed too.
pub(crate) fn unchanged() -> String {
    let (_, others) = LEVEL.columns.split_at(LEVEL.key);
    // A threshold for an event decides nothing, and may be NULL.
    let compared = others.iter().filter(|(name, _)| *name != "low_stock_at");
    let each: Vec<String> = compared.map(|(name, _)| format!("t.{name} = d.{name}")).collect();
    each.join(" AND ")
}

impl AtOnce {
    /// Writes it in a transaction.
    pub(crate) async fn in_transaction<D: Database>(self, database: &D) -> Result<(), Failure> {
        let mut session = database.begin(Access::Write).await?;
        let written = match session.advance(&self.levels, &self.absent).await {
            Ok(()) => self.changes.save(&mut session).await,
            Err(failure) => Err(failure),
        };
        match written {
            Ok(()) => {
                tracing::trace!("saved");
                session.commit().await
            }
            Err(failure) => {
                session.rollback().await;
                Err(failure)
            }
        }
    }
}

/// Decides a batch at once, if it may be; `None` says that it has to go the other way, and that nothing was written.
pub(crate) async fn decide<D: Database>(
    database: &D,
    known: &KnownLevels,
    engine: &Engine,
    batch: &[StockCommand],
) -> Result<Option<Vec<StockOutcome>>, Failure> {
    let plain = |command: &StockCommand| matches!(&command.action, StockAction::Reserve(reserve) if reserve.existing == Existing::Refuse);
    if !batch.iter().all(plain) {
        return Ok(None);
    }
    let plan = LoadPlan::of(batch);
    let Some(mut attempt) = known.begin(&plan.levels).await else { return Ok(None) };
    let before = &attempt.levels;
    if before.is_empty() || before.iter().any(|level| !level.backordered.is_zero()) {
        return Ok(None);
    }
    let mut set = StockWorkingSet::new();
    for level in before {
        set.insert_level(level.clone());
    }
    let outcomes = engine.execute_stock(&mut set, batch);
    let at: Timestamp = batch.iter().map(|command| command.at).max().unwrap_or_default();
    let mut changes = StockChanges::of(&mut set, before, at)?;
    if !changes.are_plain() {
        return Ok(None);
    }
    // They are written on condition.
    changes.levels = Rows::of(&LEVEL, 0);
    let mut levels = Rows::new(LEVEL.columns.len() + AFTER.len());
    let mut after = Vec::with_capacity(before.len());
    for old in before {
        let Some(new) = set.level(&old.key) else { return Ok(None) };
        levels.extend(rows::level(old));
        levels.extend([new.reserved.get().into(), new.backordered.get().into(), new.version.into()]);
        after.push(new.clone());
    }
    let refused = batch.iter().zip(&outcomes).filter(|(_, outcome)| !matches!(outcome, StockOutcome::Reserved(_)));
    let absent = Rows::single(refused.filter_map(|(command, _)| command.action.reservation()).map(|id| id.as_uuid()));
    attempt.decided(after);
    if !attempt.may_be_written().await {
        return Ok(None);
    }
    tracing::trace!("decided on what is remembered");
    match database.write_at_once(AtOnce { levels, absent, changes }).await {
        Ok(()) => {
            attempt.written();
            Ok(Some(outcomes))
        }
        Err(failure) if failure.class == Class::Gone => Err(failure.of_commit()),
        Err(failure) => {
            tracing::trace!(error = %failure.error, "a batch was not written at once");
            Ok(None)
        }
    }
}
