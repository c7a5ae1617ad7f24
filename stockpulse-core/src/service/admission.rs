//! The admission gate before the queue.

mod commits;
mod refusals;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use self::commits::{Admit, End, Ends, Tell};
pub(super) use self::commits::{Admitted, Seat};
use self::refusals::Refusals;
use super::group_commit::{Answer, Backpressure, GroupCommit, GroupCommitOptions};
use crate::engine::stock::{Refusal, Reserve, StockAction, StockCommand, StockOutcome};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{LocationId, Policy, Quantity, ReservationId, ReservationState, Shortage, StockKey, StockQuantity};
use crate::port::{Admission, AdmissionGate, AdmitRequest, Clock};

/// How long the gate keeps a place for a request that nobody settles: longer than any commit takes.
const PLACE_TTL: Duration = Duration::from_secs(60);
/// How many requests or outcomes one call of the gate is about at most: while it judges, others wait.
const MAX_BATCH: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// How many wait for a call before callers do.
const QUEUE: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// The gate, and those who wait for it. Who comes while a call is under way shares the next; nobody lingers for others.
///
/// When a call fails, those who wait for the next are let through with those who were in it: a gate that does not answer
/// costs nobody more than the call that failed.
#[derive(Debug)]
pub(super) struct Admissions {
    admits: GroupCommit<AdmitRequest, Admitted>,
    ends: Arc<Ends>,
    telling: TaskTracker,
    refusals: Option<Refusals>,
}

/// Whether a command may have been asked for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Never,
    Perhaps,
}

/// What a command finds at the gate.
#[derive(Debug)]
pub(super) enum Entry {
    /// The store decides. A place was taken for it, or none.
    Open(Option<Seat>),
    /// There is not enough.
    Refused(StockOutcome),
}

impl Admissions {
    /// Starts the tasks that call the gate, on the current tokio runtime. A refusal is repeated for `negative_ttl`.
    pub(super) fn start(gate: Arc<dyn AdmissionGate>, negative_ttl: Option<Duration>, clock: Arc<dyn Clock>) -> Self {
        let options = GroupCommitOptions {
            shards: NonZeroUsize::MIN,
            queue: QUEUE,
            max_batch: MAX_BATCH,
            ahead_from: NonZeroUsize::MIN,
            backpressure: Backpressure::Wait,
        };
        let ends = Arc::new(GroupCommit::start(Arc::new(Tell { gate: Arc::clone(&gate) }), &options));
        let admit = Admit { gate, ends: Arc::clone(&ends) };
        let refusals = negative_ttl.map(|ttl| Refusals::new(ttl, clock));
        Self { admits: GroupCommit::start(Arc::new(admit), &options), ends, telling: TaskTracker::new(), refusals }
    }

    /// What the gate says to a command. It is asked only about plain requests that want everything from one location
    /// each; a gate that fails lets through. Somebody who asks for the first time may be refused as others were a moment
    /// ago; who may have a place already is not.
    pub(super) async fn admit(&self, command: &StockCommand, asked: Asked) -> Entry {
        let StockAction::Reserve(reserve) = &command.action else { return Entry::Open(None) };
        let Some(lines) = plain_lines(reserve) else { return Entry::Open(None) };
        let refusals = self.refusals.as_ref().filter(|_| asked == Asked::Never);
        if let Some(key) = refusals.and_then(|refusals| refusals.find(&lines)) {
            return Entry::Refused(short(&lines, key));
        }
        let request = AdmitRequest { reservation: reserve.reservation, lines: lines.clone(), ttl: PLACE_TTL };
        match self.admits.one(0, request, ()).await {
            Ok(Admitted { admission: Admission::Refused(key), .. }) => {
                if let Some(refusals) = &self.refusals {
                    refusals.remember(&lines, &key);
                }
                Entry::Refused(short(&lines, &key))
            }
            Ok(Admitted { seat, .. }) => Entry::Open(seat),
            Err(_) => Entry::Open(None),
        }
    }

    /// Waits for what the store decides, and tells the gate. Both go on in a task of their own when the caller is gone:
    /// a place that nobody settles counts for its whole time. A gate that fails is corrected by the next reconciliation.
    pub(super) async fn decided(
        self: &Arc<Self>,
        place: Place,
        seat: Option<Seat>,
        queued: Result<Answer<StockOutcome>>,
    ) -> Result<StockOutcome> {
        if let Some(seat) = seat {
            seat.keep();
        }
        let this = Arc::clone(self);
        let told = self.telling.spawn(async move {
            let outcome = match queued {
                Ok(answer) => answer.wait().await,
                Err(error) => Err(error),
            };
            if let Some(end) = place.end(&outcome) {
                // That it was not told has been logged, once for all who waited.
                let _ = this.ends.one(0, end, ()).await;
            }
            outcome
        });
        told.await.unwrap_or_else(|_| Err(Error::closed("the service")))
    }

    /// Waits until the gate was told what is decided.
    pub(super) async fn close(&self) {
        self.telling.close();
        self.telling.wait().await;
    }
}

/// The place at the gate that a command is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    reservation: ReservationId,
    asked_for: bool,
}

impl Place {
    /// The place that a command may take or give back, if any.
    pub(super) const fn of(action: &StockAction) -> Option<Self> {
        match action {
            StockAction::Reserve(Reserve { reservation, .. }) => {
                Some(Self { reservation: *reservation, asked_for: true })
            }
            StockAction::Release { reservation, .. } | StockAction::Expire { reservation } => {
                Some(Self { reservation: *reservation, asked_for: false })
            }
            _ => None,
        }
    }

    /// What becomes of it. `None` when nobody knows, or only a part came back: it ends by itself, or with the next
    /// reconciliation.
    fn end(self, outcome: &Result<StockOutcome>) -> Option<End> {
        let (sold, free) = (Some(End::Sold(self.reservation)), Some(End::Free(self.reservation)));
        match outcome {
            Ok(StockOutcome::Reserved(_)) => sold,
            Ok(StockOutcome::Refused(refusal)) if self.asked_for => match refusal {
                // Asked for twice: the first command's claim stands, with the place that it took.
                Refusal::ReservationExists(state) if state.is_live() => sold,
                Refusal::ReservationExists(ReservationState::Fulfilled) | Refusal::Conflict => None,
                _ => free,
            },
            Ok(StockOutcome::Released(end) | StockOutcome::Expired(end)) => match end.state {
                ReservationState::Released | ReservationState::Expired => free,
                _ => None,
            },
            // Neither a full queue nor a closed one has asked the store.
            Err(error) if self.asked_for && matches!(error.kind(), ErrorKind::Contention | ErrorKind::Closed) => free,
            _ => None,
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

fn short(lines: &[StockQuantity], key: &StockKey) -> StockOutcome {
    let requested = lines.iter().find(|line| line.key == *key).map_or(Quantity::ZERO, |line| line.quantity);
    let shortage = Shortage { sku: key.sku.clone(), requested, sellable: Quantity::ZERO };
    StockOutcome::Refused(Refusal::Short(vec![shortage]))
}
