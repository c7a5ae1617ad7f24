//! Outboxes that are broken.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::conformance::{InventoryBackend, outbox};
use stockpulse_core::model::{EventData, StockEvent, Timestamp};
use stockpulse_core::port::{Claim, Failed, Lease, Outbox, OutboxId, OutboxRow, OutboxStats, Quarantined};
use stockpulse_core::{Error, ErrorKind, Result, Retry};

use super::broken::{Broken, Fault, every_rule_notices};
use crate::harness;

type Mutant = Broken<dyn Outbox>;

const ALL: NonZeroUsize = NonZeroUsize::MAX;
const LONG: Duration = Duration::from_secs(1_000_000);

impl Mutant {
    /// The lease to show, instead of the one that was given.
    fn lease(&self, given: &Lease, fault: Fault) -> Lease {
        let last = self.memory.lease.lock().unwrap().clone();
        last.filter(|_| self.is(fault) || self.is(Fault::EpochsStandStill) || self.is(Fault::NoLeases))
            .unwrap_or_else(|| given.clone())
    }

    async fn rows(&self, claim: &mut Claim, limit: NonZeroUsize) -> Result<()> {
        let rows = &mut claim.rows;
        match self.fault {
            Fault::LosesUpdates => {
                rows.retain(|row| !matches!(row.event.data, EventData::Stock(StockEvent::Updated(_))));
            }
            Fault::LosesTheFirst => rows.retain(|row| row.id > 1),
            Fault::RowsReversed => rows.reverse(),
            Fault::LosesEveryFiftieth => rows.retain(|row| row.id % 50 != 0),
            Fault::CountsNoAttempts => rows.iter_mut().for_each(|row| row.attempts = 0),
            Fault::RequeueKeepsAttempts => {
                let attempts = self.memory.attempts.lock().unwrap();
                rows.iter_mut().for_each(|row| row.attempts = attempts.get(&row.id).copied().unwrap_or(0));
            }
            Fault::WaitingHoldsUpNothing | Fault::AsideHoldsUpNothing => {
                let hidden = self.memory.hidden.lock().unwrap();
                rows.retain(|row| !hidden.contains(&row.id));
            }
            Fault::AsideHoldsUpEverything if !self.inner.quarantined(ALL).await?.is_empty() => rows.clear(),
            Fault::HeldUpTakesRoom => {
                let mut seen = self.memory.rows.lock().unwrap();
                seen.extend(rows.iter().map(|row| row.id));
                let room: Vec<_> = seen.iter().copied().take(limit.get()).collect();
                rows.retain(|row| room.contains(&row.id));
            }
            Fault::HandsOutOnce => {
                let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
                self.inner.settle(&claim.lease, &ids).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[async_trait]
impl Outbox for Mutant {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let inner = if self.is(Fault::NoLeases) { "everybody" } else { worker };
        let lease = match self.fault {
            Fault::LeasesForever => LONG,
            Fault::RenewalKeepsTheEnd => {
                *self.memory.durations.lock().unwrap().entry(worker.to_owned()).or_insert(lease)
            }
            _ => lease,
        };
        let most = match self.fault {
            Fault::IgnoresTheLimit | Fault::HeldUpTakesRoom => ALL,
            _ => limit,
        };
        let mut claim = self.inner.claim(inner, lease, most).await?;
        if !claim.lease.shards.is_empty() {
            *self.memory.lease.lock().unwrap() = Some(claim.lease.clone());
        }
        self.rows(&mut claim, limit).await?;
        claim.lease.worker = worker.into();
        if self.is(Fault::EpochsStandStill) {
            claim.lease.shards.iter_mut().for_each(|(_, epoch)| *epoch = 1);
        }
        Ok(claim)
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        let lease = self.lease(lease, Fault::SettlesStale);
        match self.fault {
            Fault::SettlingTwiceFails => {
                let mut settled = self.memory.rows.lock().unwrap();
                if rows.iter().any(|row| settled.contains(row)) {
                    return Err(Error::new(ErrorKind::Unexpected, "no such row"));
                }
                settled.extend(rows);
            }
            Fault::SettlesUpTo => {
                let last = rows.iter().max().copied().unwrap_or(0);
                let below: Vec<_> = (1..=last).collect();
                return self.inner.settle(&lease, &below).await;
            }
            _ => {}
        }
        let settled = self.inner.settle(&lease, rows).await;
        if self.is(Fault::StaleIsSafe) { settled.map_err(|error| error.with_retry(Retry::Safe)) } else { settled }
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        let lease = self.lease(lease, Fault::ReleasesStale);
        let mut rows = rows.to_vec();
        match self.fault {
            Fault::RetriesAtOnce => rows.iter_mut().for_each(|row| row.retry_at = Timestamp::default()),
            Fault::RequeueKeepsAttempts => {
                let mut attempts = self.memory.attempts.lock().unwrap();
                rows.iter().for_each(|row| *attempts.entry(row.id).or_default() += 1);
            }
            Fault::WaitingHoldsUpNothing => {
                self.memory.hidden.lock().unwrap().extend(rows.iter().map(|row| row.id));
                return Ok(());
            }
            _ => {}
        }
        self.inner.release(&lease, &rows).await
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        let lease = self.lease(lease, Fault::QuarantinesStale);
        if self.is(Fault::AsideHoldsUpNothing) {
            self.memory.hidden.lock().unwrap().extend(rows.iter().map(|row| row.id));
            return Ok(());
        }
        self.inner.quarantine(&lease, rows).await
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        if self.is(Fault::KeepsTheLease) {
            return Ok(());
        }
        let lease = self.lease(lease, Fault::SurrendersForAnybody);
        self.inner.surrender(&lease).await
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        let limit = if self.is(Fault::IgnoresTheLimit) { ALL } else { limit };
        let mut rows = self.inner.quarantined(limit).await?;
        if self.is(Fault::LosesReasons) {
            rows.iter_mut().for_each(|(_, reason)| *reason = reason.chars().take(3).collect());
        }
        Ok(rows)
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        match self.fault {
            Fault::RequeuesNothing => Ok(rows.len()),
            Fault::RequeueCountsAll => {
                self.inner.requeue(rows).await?;
                Ok(rows.len())
            }
            _ => self.inner.requeue(rows).await,
        }
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        match self.fault {
            Fault::DiscardRequeues => self.inner.requeue(rows).await,
            Fault::DiscardsAnything => {
                let discarded = self.inner.discard(rows).await?;
                let lease = self.memory.lease.lock().unwrap().clone().unwrap();
                self.inner.settle(&lease, rows).await?;
                Ok(discarded)
            }
            _ => self.inner.discard(rows).await,
        }
    }

    async fn stats(&self) -> Result<OutboxStats> {
        let mut stats = self.inner.stats().await?;
        match self.fault {
            Fault::CountsEverything => stats.pending += stats.quarantined,
            // The event that was written first, not the one that happened first.
            Fault::OldestIsFirst => {
                let last = self.memory.lease.lock().unwrap().as_ref().map(|lease| lease.worker.clone());
                let claim = self.inner.claim(last.as_deref().unwrap_or("one"), LONG, ALL).await?;
                stats.oldest = claim.rows.first().map(|row| row.event.at);
            }
            _ => {}
        }
        Ok(stats)
    }

    async fn appended(&self) {
        if self.is(Fault::WaitingTakesTheLease) {
            let _ = self.inner.claim("whoever waits", LONG, ALL).await;
        }
        self.inner.appended().await;
    }
}

fn broken(backend: InventoryBackend, fault: Fault) -> InventoryBackend {
    let outbox: Arc<dyn Outbox> = Broken::new(backend.outbox, fault);
    InventoryBackend { store: backend.store, outbox }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_outboxes_notices_a_mutant() {
    let mutants: &[(Fault, &[&str])] = &[
        (Fault::RowsReversed, &["rows_are_read_in_order"]),
        (Fault::LosesTheFirst, &["rows_are_read_in_order"]),
        (Fault::IgnoresTheLimit, &["a_claim_is_limited", "what_is_set_aside_is_listed"]),
        (Fault::HandsOutOnce, &["what_is_not_settled_comes_again"]),
        (Fault::SettlesUpTo, &["what_is_settled_is_gone"]),
        (Fault::SettlingTwiceFails, &["settling_what_is_gone_is_harmless"]),
        (Fault::LosesEveryFiftieth, &["no_row_is_skipped_while_others_write"]),
        (Fault::CountsEverything, &["the_stats_count_rows"]),
        (Fault::OldestIsFirst, &["the_stats_count_rows"]),
        (Fault::WaitingTakesTheLease, &["waiting_may_be_given_up"]),
        (Fault::ForgetsOnRestart, &["rows_survive_a_restart", "epochs_only_grow"]),
        (Fault::NoLeases, &["a_lease_keeps_others_out", "a_shard_is_leased_to_one"]),
        (Fault::RenewalKeepsTheEnd, &["the_holder_renews_its_lease"]),
        (Fault::LeasesForever, &["an_ended_lease_passes_on"]),
        (Fault::SettlesStale, &["a_stale_lease_changes_nothing"]),
        (Fault::StaleIsSafe, &["a_stale_lease_changes_nothing"]),
        (Fault::ReleasesStale, &["a_stale_lease_changes_nothing"]),
        (Fault::QuarantinesStale, &["a_stale_lease_changes_nothing"]),
        (Fault::KeepsTheLease, &["a_lease_can_be_given_back"]),
        (Fault::SurrendersForAnybody, &["a_lease_can_be_given_back"]),
        (Fault::EpochsStandStill, &["epochs_only_grow", "an_ended_lease_passes_on"]),
        (Fault::RetriesAtOnce, &["a_row_that_was_put_back_waits"]),
        (Fault::CountsNoAttempts, &["a_row_that_was_put_back_waits"]),
        (Fault::WaitingHoldsUpNothing, &["a_waiting_row_holds_up_its_key"]),
        (Fault::AsideHoldsUpNothing, &["a_row_set_aside_holds_up_its_key"]),
        (Fault::AsideHoldsUpEverything, &["a_row_set_aside_holds_up_its_key"]),
        (Fault::HeldUpTakesRoom, &["held_up_rows_take_no_room"]),
        (Fault::LosesReasons, &["what_is_set_aside_is_listed"]),
        (Fault::RequeuesNothing, &["a_requeued_row_comes_again"]),
        (Fault::RequeueKeepsAttempts, &["a_requeued_row_comes_again"]),
        (Fault::DiscardRequeues, &["a_discarded_row_is_gone"]),
        (Fault::RequeueCountsAll, &["only_what_is_set_aside_is_requeued_or_discarded"]),
        (Fault::DiscardsAnything, &["only_what_is_set_aside_is_requeued_or_discarded"]),
    ];
    every_rule_notices(outbox::RULES, mutants, harness::inventory, broken).await;
}
