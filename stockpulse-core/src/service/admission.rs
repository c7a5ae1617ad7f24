//! The admission gate before the queue.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::stock::{Refusal, Reserve, StockAction, StockCommand, StockOutcome};
use crate::error::{ErrorKind, Result};
use crate::model::{LocationId, Policy, Quantity, ReservationId, ReservationState, Shortage, StockKey, StockQuantity};
use crate::port::{Admission, AdmissionGate, AdmitRequest};

/// How long the gate keeps a place for a request that nobody settles: longer than any commit takes.
const PLACE_TTL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Admissions {
    gate: Arc<dyn AdmissionGate>,
}

impl Admissions {
    pub(super) fn new(gate: Arc<dyn AdmissionGate>) -> Self {
        Self { gate }
    }

    /// The gate's refusal, if it has one. It is asked only about plain requests that want everything from one
    /// location each; a gate that fails lets through.
    pub(super) async fn admit(&self, command: &StockCommand) -> Option<StockOutcome> {
        let StockAction::Reserve(reserve) = &command.action else { return None };
        let lines = plain_lines(reserve)?;
        let request = AdmitRequest { reservation: reserve.reservation, lines, ttl: PLACE_TTL };
        match self.gate.admit(std::slice::from_ref(&request)).await {
            Ok(answers) => match answers.into_iter().next() {
                Some(Admission::Refused(key)) => Some(short(&request, &key)),
                Some(Admission::Admitted | Admission::Unknown) | None => None,
            },
            Err(error) => {
                tracing::warn!(%error, "admission gate failed; the store decides");
                None
            }
        }
    }

    /// Tells the gate what the store decided. A gate that fails is corrected by the next reconciliation.
    pub(super) async fn record(&self, place: Place, outcome: &Result<StockOutcome>) {
        let told = match place.fate(outcome) {
            Fate::Sold => self.gate.settle(&[place.reservation]).await,
            Fate::Free => self.gate.release(&[place.reservation]).await,
            Fate::Open => Ok(()),
        };
        if let Err(error) = told {
            tracing::warn!(%error, reservation = %place.reservation, "admission gate was not told the outcome");
        }
    }
}

/// The place at the gate that a command is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    reservation: ReservationId,
    asked_for: bool,
}

/// What becomes of a place at the gate.
enum Fate {
    /// The store granted it.
    Sold,
    /// The store did not, or its stock came back.
    Free,
    /// Nobody knows, or only a part came back; it ends by itself, or with the next reconciliation.
    Open,
}

impl Place {
    /// The place that a command is about, if any.
    pub(super) const fn of(action: &StockAction) -> Option<Self> {
        match action.reservation() {
            Some(reservation) => Some(Self { reservation, asked_for: matches!(action, StockAction::Reserve(_)) }),
            None => None,
        }
    }

    fn fate(self, outcome: &Result<StockOutcome>) -> Fate {
        match outcome {
            Ok(StockOutcome::Reserved(_)) => Fate::Sold,
            Ok(StockOutcome::Refused(refusal)) if self.asked_for => match refusal {
                // Asked for twice: the first command's claim stands, with the place that it took.
                Refusal::ReservationExists(state) if state.is_live() => Fate::Sold,
                Refusal::ReservationExists(ReservationState::Fulfilled) | Refusal::Conflict => Fate::Open,
                _ => Fate::Free,
            },
            Ok(StockOutcome::Released(end) | StockOutcome::Expired(end)) => match end.state {
                ReservationState::Released | ReservationState::Expired => Fate::Free,
                _ => Fate::Open,
            },
            // Neither a full queue nor a closed one has asked the store.
            Err(error) if self.asked_for && matches!(error.kind(), ErrorKind::Contention | ErrorKind::Closed) => {
                Fate::Free
            }
            _ => Fate::Open,
        }
    }
}

/// The levels that a request wants, if the gate can judge it: all or nothing, no order behind it that must hear of
/// a refusal, no kits, no choice of locations, nothing to replace.
fn plain_lines(reserve: &Reserve) -> Option<Vec<StockQuantity>> {
    let plain = reserve.order.is_none()
        && reserve.policy == Policy::AllOrNothing
        && reserve.kits.is_empty()
        && reserve.existing == crate::engine::stock::Existing::Refuse;
    let anywhere = match reserve.sourcing.locations.as_slice() {
        [] => Some(LocationId::main()),
        [only] => Some(only.clone()),
        _ => None,
    };
    if !plain {
        return None;
    }
    let mut lines: Vec<StockQuantity> = Vec::with_capacity(reserve.lines.len());
    for line in &reserve.lines {
        let location = line.location.clone().or_else(|| anywhere.clone())?;
        let key = StockKey::new(line.sku.clone(), location);
        match lines.iter_mut().find(|same| same.key == key) {
            Some(same) => same.quantity = same.quantity.checked_add(line.quantity)?,
            None => lines.push(StockQuantity::new(key, line.quantity)),
        }
    }
    Some(lines)
}

fn short(request: &AdmitRequest, key: &StockKey) -> StockOutcome {
    let requested = request.lines.iter().find(|line| line.key == *key).map_or(Quantity::ZERO, |line| line.quantity);
    let shortage = Shortage { sku: key.sku.clone(), requested, sellable: Quantity::ZERO };
    StockOutcome::Refused(Refusal::Short(vec![shortage]))
}
