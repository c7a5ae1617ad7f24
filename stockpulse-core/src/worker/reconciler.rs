//! The reconciler: finds levels that do not add up, and can repair them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::engine::stock::{Refusal, StockAction, StockOutcome};
use crate::error::Result;
use crate::model::{Counters, StockKey};
use crate::port::{AdmissionGate, Clock, GateLevel, LevelAudit};
use crate::service::Inventory;
use crate::system::SystemClock;

/// A level that does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Which.
    pub key: StockKey,
    /// Its version when it was read.
    pub version: u64,
    /// What it says.
    pub level: Counters,
    /// The sum of its movements.
    pub ledger: Counters,
    /// What live reservations claim: `reserved` and `backordered`.
    pub claims: Counters,
    /// Whether more is promised than there is.
    pub oversold: bool,
    /// Whether it was repaired; if not, why not.
    pub repair: Repair,
}

/// What became of a drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// It was only to be found.
    NotAsked,
    /// A compensating movement was written.
    Done,
    /// It was refused: the level has changed since, or more is claimed than there is.
    Refused(Refusal),
}

/// What a pass found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReconcileReport {
    /// How many levels were looked at.
    pub levels: u64,
    /// Those that do not add up.
    pub drifts: Vec<Drift>,
}

/// Compares every level with the sum of its movements and with what live reservations claim of it.
#[derive(Clone, Debug)]
pub struct Reconciler {
    inventory: Inventory,
    clock: Arc<dyn Clock>,
    gate: Option<Arc<dyn AdmissionGate>>,
    repair: bool,
    every: Duration,
    page: NonZeroUsize,
}

impl Reconciler {
    /// A reconciler that reports and repairs nothing, every hour.
    #[must_use]
    pub fn new(inventory: Inventory) -> Self {
        Self {
            inventory,
            clock: Arc::new(SystemClock),
            gate: None,
            repair: false,
            every: Duration::from_secs(3600),
            page: NonZeroUsize::new(500).unwrap_or(NonZeroUsize::MIN),
        }
    }

    /// Repairs what it finds, by a compensating movement.
    #[must_use]
    pub const fn with_repair(mut self) -> Self {
        self.repair = true;
        self
    }

    /// Tells this gate of every level on each pass. A gate that lost what it knew, and then heard of an old version
    /// from an event that came late or twice, would otherwise refuse too early until the level next changes.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn AdmissionGate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Sets how often it looks.
    #[must_use]
    pub const fn with_interval(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Looks again and again until told to stop; what it finds is logged.
    ///
    /// # Errors
    /// None: failures are logged, and the next pass tries again.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            match self.run_once().await {
                Ok(report) => {
                    for drift in &report.drifts {
                        tracing::error!(?drift, "stock level does not add up");
                    }
                }
                Err(error) => tracing::warn!(%error, "stock was not reconciled"),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.clock.sleep(self.every) => {}
            }
        }
        Ok(())
    }

    /// Looks at every level once.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn run_once(&self) -> Result<ReconcileReport> {
        let mut report = ReconcileReport::default();
        let mut after = None;
        loop {
            let page = self.inventory.audit(after, self.page).await?;
            report.levels += page.items.len() as u64;
            self.tell_gate(&page.items).await;
            for drift in page.items.iter().filter_map(drift) {
                report.drifts.push(self.treat(drift).await?);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(report),
            }
        }
    }

    async fn tell_gate(&self, audits: &[LevelAudit]) {
        let Some(gate) = &self.gate else { return };
        let levels: Vec<GateLevel> = audits.iter().map(|audit| GateLevel::from(&audit.level)).collect();
        if let Err(error) = gate.reconcile(&levels).await {
            tracing::warn!(%error, "admission gate was not told of the levels; the next pass tells it again");
        }
    }

    async fn treat(&self, mut drift: Drift) -> Result<Drift> {
        if self.repair {
            let Drift { key, version, ledger, claims, .. } = drift.clone();
            let action = StockAction::Reconcile { key, version, ledger, claims };
            // Not `execute`: what it refuses as invalid input, claims that make no sense, is to be reported like any
            // other refusal, and the levels behind it are to be looked at.
            let outcomes = self.inventory.execute_all(vec![self.inventory.command(action)]).await?;
            drift.repair = match outcomes.into_iter().next() {
                Some(StockOutcome::Refused(refusal)) => Repair::Refused(refusal),
                _ => Repair::Done,
            };
        }
        Ok(drift)
    }
}

/// The drift of a level, if it does not add up.
fn drift(audit: &LevelAudit) -> Option<Drift> {
    let LevelAudit { level, ledger, claims } = audit;
    let counters = level.counters();
    let claimed = Counters { on_hand: counters.on_hand, ..*claims };
    let oversold = level.is_oversold();
    (counters != *ledger || counters != claimed || oversold).then(|| Drift {
        key: level.key.clone(),
        version: level.version,
        level: counters,
        ledger: *ledger,
        claims: *claims,
        oversold,
        repair: Repair::NotAsked,
    })
}
