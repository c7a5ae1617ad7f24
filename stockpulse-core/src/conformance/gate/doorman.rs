//! Asking a gate under test, and finding out what it has left.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, Violation};
use crate::model::{Quantity, ReservationId, StockKey, StockQuantity};
use crate::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};

/// A time to live that no rule waits for.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// A time to live that is not over while a rule waits.
pub(super) const MIDDLE: Duration = Duration::from_secs(50);
/// A time to live whose end rules wait for.
pub(super) const SHORT: Duration = Duration::from_millis(300);

/// A gate.
#[derive(Debug)]
pub(super) struct Doorman {
    pub gate: Arc<dyn AdmissionGate>,
}

impl Doorman {
    pub(super) async fn open(harness: &dyn Harness<Arc<dyn AdmissionGate>>) -> Result<Self, Violation> {
        Ok(Self { gate: harness.open().await? })
    }

    /// Tells the gate what the database knows of a level.
    pub(super) async fn reconcile(&self, key: &StockKey, sellable: u32, version: u64) -> Result<(), Violation> {
        Ok(self.gate.reconcile(&[figure(key, sellable, version)]).await?)
    }

    /// Asks for one request.
    pub(super) async fn admit(&self, request: &AdmitRequest) -> Result<Admission, Violation> {
        let answers = self.gate.admit(std::slice::from_ref(request)).await?;
        let [answer] = <[Admission; 1]>::try_from(answers)
            .map_err(|answers| Violation::new(format!("answers to one request: {answers:?}")))?;
        Ok(answer)
    }

    /// Has a request let through.
    pub(super) async fn enter(&self, lines: &[(&StockKey, u32)], ttl: Duration) -> Result<ReservationId, Violation> {
        let request = AdmitRequest { ttl, ..request(lines) };
        ensure_eq!(self.admit(&request).await?, Admission::Admitted, "the answer to {request:?}");
        Ok(request.reservation)
    }

    /// How many units of a level it would let through: asks for one after the other, and releases them.
    pub(super) async fn free(&self, key: &StockKey) -> Result<usize, Violation> {
        let probes: Vec<AdmitRequest> = (0..40).map(|_| request(&[(key, 1)])).collect();
        let answers = self.gate.admit(&probes).await?;
        ensure_eq!(answers.len(), probes.len(), "answers to as many requests");
        let strange = answers.iter().find(|answer| !matches!(answer, Admission::Admitted | Admission::Refused(_)));
        ensure!(strange.is_none(), "{strange:?} for a level that was reconciled");
        let probes: Vec<ReservationId> = probes.iter().map(|probe| probe.reservation).collect();
        self.gate.release(&probes).await?;
        Ok(answers.iter().filter(|answer| **answer == Admission::Admitted).count())
    }
}

/// Levels that no other rule uses.
pub(super) fn levels<const N: usize>() -> Result<[StockKey; N], Violation> {
    let id = fresh();
    let mut keys = Vec::with_capacity(N);
    for number in 0..N {
        keys.push(StockKey::main(sku(format!("{id}-{number}"))?));
    }
    <[StockKey; N]>::try_from(keys).map_err(|_| Violation::new("too few levels"))
}

/// A request that nobody made before, and nobody waits for the end of.
pub(super) fn request(lines: &[(&StockKey, u32)]) -> AdmitRequest {
    let lines = lines.iter().map(|(key, units)| StockQuantity::new((*key).clone(), Quantity::from(*units)));
    AdmitRequest { reservation: ReservationId::new(fresh()), lines: lines.collect(), ttl: LONG }
}

/// What the database knows of a level.
pub(super) fn figure(key: &StockKey, sellable: u32, version: u64) -> GateLevel {
    GateLevel { key: key.clone(), sellable: Quantity::from(sellable), version }
}
