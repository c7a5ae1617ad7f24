//! Inventory stores that are broken.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::conformance::{InventoryBackend, inventory_store};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{LevelSettings, Refusal, Reserve, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{
    Command, LocationId, Movement, Quantity, Reservation, ReservationId, StockKey, StockLevel, StockQuantity, Timestamp,
};
use stockpulse_core::port::{InventoryStore, LevelAudit, Outbox, Page};
use stockpulse_core::{Error, ErrorKind, Result};

use super::batches::fresh;
use super::broken::{Broken, Fault, by_offset, every_rule_notices};
use crate::harness;

type Store = Broken<dyn InventoryStore>;

const ALL: NonZeroUsize = NonZeroUsize::MAX;

fn is_refused(outcome: &StockOutcome) -> bool {
    matches!(outcome, StockOutcome::Refused(_))
}

fn folded(key: &StockKey) -> String {
    key.to_string().to_lowercase()
}

impl Store {
    /// Executes commands that nobody asked for.
    async fn meddle(&self, engine: &Engine, action: StockAction) -> Result<Vec<StockOutcome>> {
        let command = Command::new(fresh(), Timestamp::from_secs(1_700_000_000), action);
        self.inner.execute(engine, vec![command]).await
    }

    /// Brings units from nowhere for whom there is not enough.
    async fn oversell(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        let mut outcomes = self.inner.execute(engine, batch.clone()).await?;
        for (outcome, mut command) in outcomes.iter_mut().zip(batch) {
            if let (StockOutcome::Refused(Refusal::Short(short)), StockAction::Reserve(_)) = (&outcome, &command.action)
            {
                for short in short.clone() {
                    let line = StockQuantity::new(short.sku.into(), short.requested);
                    self.meddle(engine, StockAction::Receive { lines: std::iter::once(line).collect() }).await?;
                }
                command.id = fresh();
                if let Some(granted) = self.inner.execute(engine, vec![command]).await?.pop() {
                    *outcome = granted;
                }
            }
        }
        Ok(outcomes)
    }

    /// Looks whether levels exist before it creates them, without a lock.
    async fn create(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        let keys: Vec<_> = batch.iter().filter_map(|command| command.action.first_sku().cloned()).collect();
        let keys: Vec<StockKey> = keys.into_iter().map(StockKey::from).collect();
        let before = self.inner.levels(&keys).await?;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        if before != self.inner.levels(&keys).await? && before.iter().any(Option::is_none) {
            return Err(Error::new(ErrorKind::Unexpected, "duplicate key"));
        }
        self.inner.execute(engine, batch).await
    }

    /// Writes an event for commands that it knows, or that it refuses.
    async fn tell(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        let sku = batch.iter().find_map(|command| command.action.first_sku().cloned());
        let outcomes = self.batch(batch, is_refused, |batch| self.inner.execute(engine, batch)).await?;
        if let Some(sku) = sku.filter(|_| outcomes.iter().any(is_refused)) {
            let settings = LevelSettings::default();
            self.meddle(engine, StockAction::Configure { key: sku.into(), settings }).await?;
        }
        Ok(outcomes)
    }

    async fn all(&self) -> Result<Vec<StockLevel>> {
        Ok(self.inner.list_levels(None, ALL).await?.items)
    }
}

#[async_trait]
impl InventoryStore for Store {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        for command in &batch {
            if let StockAction::Reserve(Reserve { reservation, hold, .. }) = &command.action {
                let end = hold.ends(command.at);
                self.memory.ends.lock().unwrap().extend(end.map(|end| (end, reservation.as_uuid())));
            }
        }
        let own = Engine::new();
        let engine = if self.is(Fault::OwnEngine) { &own } else { engine };
        match self.fault {
            Fault::Oversells => return self.oversell(engine, batch).await,
            Fault::CreatesTwice => return self.create(engine, batch).await,
            Fault::TellsOfRetries => return self.tell(engine, batch).await,
            _ => {}
        }
        let mut outcomes = self.batch(batch, is_refused, |batch| self.inner.execute(engine, batch)).await?;
        if self.is(Fault::FillsLastFirst) {
            for outcome in &mut outcomes {
                if let StockOutcome::Moved(moved) = outcome {
                    moved.filled.reverse();
                }
            }
        }
        Ok(outcomes)
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        let mut levels = self.inner.levels(keys).await?;
        match self.fault {
            Fault::LeavesOutTheUnknown => levels.retain(Option::is_some),
            Fault::InventsTheUnknown => {
                let invented = levels.iter_mut().zip(keys);
                invented.for_each(|(level, key)| *level = Some(level.take().unwrap_or(StockLevel::new(key.clone()))));
            }
            Fault::IgnoresCase => {
                let all = self.all().await?;
                let find = |key| all.iter().find(|level| folded(&level.key) == folded(key)).cloned();
                levels = keys.iter().map(find).collect();
            }
            Fault::SmallNumbers => {
                let most = Quantity::from(u32::MAX);
                levels.iter_mut().flatten().for_each(|level| level.on_hand = level.on_hand.min(most));
            }
            Fault::RetiresMainOnly => {
                let elsewhere = levels.iter_mut().flatten().filter(|level| level.key.location != LocationId::main());
                elsewhere.for_each(|level| level.retired = false);
            }
            _ => {}
        }
        Ok(levels)
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        let mut found = self.inner.reservations(ids).await?;
        match self.fault {
            Fault::LeavesOutTheUnknown => found.retain(Option::is_some),
            Fault::SortsLines => {
                found.iter_mut().flatten().for_each(|found| found.lines.sort_by(|a, b| a.key.cmp(&b.key)));
            }
            Fault::HidesWhatWaits => {
                let lines = found.iter_mut().flatten().flat_map(|found| &mut found.lines);
                lines.for_each(|line| line.backordered = Quantity::ZERO);
            }
            _ => {}
        }
        Ok(found)
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        match self.fault {
            Fault::BeforeIsExclusive => {
                self.inner.expiring(Timestamp::from_micros(before.as_micros() - 1), limit).await
            }
            Fault::IgnoresTheLimit => self.inner.expiring(before, ALL).await,
            Fault::NewestFirst => {
                let mut ids = self.inner.expiring(before, limit).await?;
                ids.reverse();
                Ok(ids)
            }
            Fault::ListsByOldEnds => {
                let mut ends = self.memory.ends.lock().unwrap().clone();
                ends.sort_unstable();
                let due = ends.into_iter().filter(|(end, _)| *end <= before);
                Ok(due.map(|(_, id)| ReservationId::new(id)).take(limit.get()).collect())
            }
            _ => self.inner.expiring(before, limit).await,
        }
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        let after = if self.is(Fault::CursorIsInclusive) { after.saturating_sub(1) } else { after };
        let mut page = self.inner.movements(key, after, limit).await?;
        if self.is(Fault::LosesText) {
            page.items.iter_mut().for_each(|movement| movement.reason = None);
        }
        Ok(page)
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        if self.is(Fault::PagesByOffset) {
            let after = after.map(|key| key.to_string());
            let all = self.all().await?;
            return Ok(by_offset(
                &self.memory,
                all,
                after,
                limit.get(),
                |level| level.key.clone(),
                StockKey::to_string,
            ));
        }
        let mut page = self.inner.list_levels(after, limit).await?;
        match self.fault {
            Fault::ListsOneLess if page.next.is_some() => drop(page.items.pop()),
            Fault::FullPageSaysMore if page.items.len() == limit.get() => {
                page.next = page.items.last().map(|level| level.key.clone());
            }
            Fault::SortsIgnoringCase => page.items.sort_by_key(|level| folded(&level.key)),
            _ => {}
        }
        Ok(page)
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let mut page = self.inner.audit(after, limit).await?;
        match self.fault {
            Fault::AuditsNoClaims => page.items.iter_mut().for_each(|audit| audit.claims.reserved = 0),
            Fault::AuditSaysMore if page.items.len() == limit.get() => {
                page.next = page.items.last().map(|audit| audit.level.key.clone());
            }
            _ => {}
        }
        Ok(page)
    }
}

/// The store's fault, or its outbox's.
pub(crate) fn broken(backend: InventoryBackend, fault: Fault) -> InventoryBackend {
    let outbox: Arc<dyn Outbox> = Broken::new(backend.outbox, fault);
    InventoryBackend { store: Broken::new(backend.store, fault), outbox }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_inventory_stores_notices_a_mutant() {
    let mutants: &[(Fault, &[&str])] = &[
        (Fault::OutcomesReversed, &["answers_are_aligned", "random_histories_agree_with_the_engine"]),
        (Fault::LeavesOutTheUnknown, &["answers_are_aligned"]),
        (Fault::EmptyBatchFails, &["an_empty_batch_changes_nothing", "what_changed_nothing_tells_nothing"]),
        (Fault::BatchReversed, &["a_batch_is_decided_in_order", "random_histories_agree_with_the_engine"]),
        (Fault::LargeBatchInPieces, &["a_large_batch_is_stored"]),
        (Fault::EndOfLargeBatchLost, &["a_large_batch_is_stored"]),
        (Fault::SortsLines, &["a_reservation_of_many_lines_is_stored"]),
        (Fault::OwnEngine, &["the_given_engine_decides"]),
        (Fault::SmallNumbers, &["the_largest_numbers_are_kept"]),
        (
            Fault::ForgetsCommands,
            &[
                "a_known_command_gets_its_first_answer",
                "a_replayed_history_changes_nothing",
                "everything_survives_a_restart",
            ],
        ),
        (Fault::ForgetsOldCommands, &["a_replayed_history_changes_nothing"]),
        (Fault::ForgetsRefusals, &["a_refusal_is_an_answer_for_good"]),
        (Fault::MissesDuplicatesInBatch, &["a_command_twice_in_a_batch_is_decided_once"]),
        (Fault::IgnoresContents, &["another_command_of_a_known_id_is_a_conflict"]),
        (Fault::IgnoresCase, &["names_differ_by_bytes"]),
        (Fault::SortsIgnoringCase, &["names_are_ordered_by_bytes"]),
        (Fault::LosesText, &["every_field_is_kept"]),
        (Fault::InventsTheUnknown, &["what_does_not_exist_is_none", "answers_are_aligned"]),
        (Fault::BeforeIsExclusive, &["ended_holds_are_listed"]),
        (Fault::IgnoresTheLimit, &["ended_holds_are_listed"]),
        (Fault::NewestFirst, &["ended_holds_are_listed"]),
        (Fault::ListsByOldEnds, &["only_live_holds_are_listed"]),
        (Fault::AuditsNoClaims, &["the_audit_adds_up"]),
        (Fault::ListsOneLess, &["levels_are_paged", "pages_skip_nothing_while_others_write"]),
        (Fault::FullPageSaysMore, &["levels_are_paged"]),
        (Fault::CursorIsInclusive, &["movements_are_paged"]),
        (Fault::AuditSaysMore, &["audits_are_paged"]),
        (Fault::PagesByOffset, &["pages_skip_nothing_while_others_write"]),
        (Fault::FillsLastFirst, &["backorders_are_filled_in_order"]),
        (Fault::HidesWhatWaits, &["a_reader_sees_what_waits"]),
        (Fault::RetiresMainOnly, &["retiring_reaches_every_location"]),
        (Fault::LosesUpdates, &["events_are_written_with_the_decision", "events_are_published_after_a_crash"]),
        (Fault::TellsOfRetries, &["what_changed_nothing_tells_nothing"]),
        (Fault::Oversells, &["the_last_units_are_sold_once"]),
        (Fault::FailsWhenBusy, &["opposite_orders_both_end", "the_last_units_are_sold_once"]),
        (Fault::ChecksBeforeItLocks, &["one_command_at_once_is_decided_once"]),
        (Fault::CreatesTwice, &["what_is_created_at_once_is_created_once"]),
        (Fault::TwoTransactions, &["a_dropped_call_splits_nothing"]),
        (Fault::ForgetsOnRestart, &["everything_survives_a_restart", "events_are_published_after_a_crash"]),
    ];
    every_rule_notices(inventory_store::RULES, mutants, harness::inventory, broken).await;
}
