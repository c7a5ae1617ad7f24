//! What those who wait for the gate share: a call that admits, and calls that tell how it ended.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::ReservationId;
use crate::port::{Admission, AdmissionGate, AdmitRequest};
use crate::service::group_commit::{Commit, GroupCommit};

/// The outcomes that the gate is to be told, in their order.
pub(super) type Ends = GroupCommit<End, ()>;

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum End {
    /// The store granted it.
    Sold(ReservationId),
    /// The store did not, or its stock came back.
    Free(ReservationId),
}

/// The gate's answer, with the place that it took.
#[derive(Debug)]
pub(in crate::service) struct Admitted {
    pub(super) admission: Admission,
    pub(super) seat: Option<Seat>,
}

/// A place that the gate took for a caller. Dropped before the store was asked, it is given back: nobody else should be
/// refused for one who has gone away.
///
/// A reservation that is asked for twice has one place. If one of its callers goes away, it is given back to the loss of
/// the other; the gate lets one too many through then, and the store refuses him.
#[derive(Debug)]
pub(in crate::service) struct Seat {
    taken: Option<ReservationId>,
    ends: Arc<Ends>,
}

impl Seat {
    /// The store is asked; its outcome says what becomes of the place.
    pub(super) fn keep(mut self) {
        self.taken = None;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(reservation) = self.taken {
            // If there is no room, it ends with its time.
            self.ends.post(0, End::Free(reservation), ());
        }
    }
}

/// Asks the gate for all who wait.
#[derive(Debug)]
pub(super) struct Admit {
    pub(super) gate: Arc<dyn AdmissionGate>,
    pub(super) ends: Arc<Ends>,
}

#[async_trait]
impl Commit<AdmitRequest, Admitted> for Admit {
    async fn commit(&self, batch: Vec<AdmitRequest>) -> Result<Vec<Admitted>> {
        let mut answers = self.gate.admit(&batch).await.inspect_err(|error| {
            tracing::warn!(%error, requests = batch.len(), "admission gate failed; the store decides");
        })?;
        // What it leaves out, it does not know.
        answers.resize(batch.len(), Admission::Unknown);
        let with_seat = |(request, admission): (&AdmitRequest, Admission)| {
            let taken = (admission == Admission::Admitted).then_some(request.reservation);
            Admitted { admission, seat: taken.map(|_| Seat { taken, ends: Arc::clone(&self.ends) }) }
        };
        Ok(batch.iter().zip(answers).map(with_seat).collect())
    }

    /// Nobody is promised to be asked for before the others.
    fn commutes(&self, _: &AdmitRequest) -> bool {
        true
    }

    fn fails_as_one(&self) -> bool {
        true
    }
}

/// Tells the gate of all outcomes that wait.
#[derive(Debug)]
pub(super) struct Tell {
    pub(super) gate: Arc<dyn AdmissionGate>,
}

impl Tell {
    /// Tells of ends of which no two are of the same reservation, so that sales and returns may go side by side.
    async fn tell(&self, ends: &[End]) -> Result<()> {
        let sold: Vec<ReservationId> = ends.iter().filter_map(|end| end.sold()).collect();
        let free: Vec<ReservationId> = ends.iter().filter_map(|end| end.free()).collect();
        let settle = async { if sold.is_empty() { Ok(()) } else { self.gate.settle(&sold).await } };
        let release = async { if free.is_empty() { Ok(()) } else { self.gate.release(&free).await } };
        let (settled, released) = futures::future::join(settle, release).await;
        settled.and(released)
    }
}

#[async_trait]
impl Commit<End, ()> for Tell {
    async fn commit(&self, batch: Vec<End>) -> Result<Vec<()>> {
        let mut rest = batch.as_slice();
        while !rest.is_empty() {
            let (next, later) = rest.split_at(distinct(rest));
            self.tell(next).await.inspect_err(|error: &Error| {
                tracing::warn!(%error, outcomes = rest.len(), "admission gate was not told outcomes");
            })?;
            rest = later;
        }
        Ok(vec![(); batch.len()])
    }

    /// What was sold and came back is told in this order.
    fn commutes(&self, _: &End) -> bool {
        false
    }

    fn fails_as_one(&self) -> bool {
        true
    }
}

/// How many ends, from the first on, name no reservation twice.
fn distinct(ends: &[End]) -> usize {
    let mut seen = HashSet::with_capacity(ends.len());
    ends.iter().take_while(|end| seen.insert(end.reservation())).count()
}

impl End {
    const fn reservation(self) -> ReservationId {
        match self {
            Self::Sold(reservation) | Self::Free(reservation) => reservation,
        }
    }

    const fn sold(self) -> Option<ReservationId> {
        match self {
            Self::Sold(reservation) => Some(reservation),
            Self::Free(_) => None,
        }
    }

    const fn free(self) -> Option<ReservationId> {
        match self {
            Self::Free(reservation) => Some(reservation),
            Self::Sold(_) => None,
        }
    }
}
