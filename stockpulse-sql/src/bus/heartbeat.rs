//! The sign of life of a member.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use stockpulse_core::{Error, ErrorKind, Result};
use tokio::task::JoinHandle;

use super::groups::{Seat, leave, stay};
use crate::database::{Access, Database};
use crate::store::Shared;

/// Keeps a member in its group for as long as this lives. Dropped, the member leaves, if there is still a runtime to do it
/// in.
#[derive(Debug)]
pub(super) struct Heartbeat<D: Database> {
    shared: Arc<Shared<D>>,
    seat: Arc<Seat>,
    /// Why the member cannot stay in the group.
    failed: Arc<Mutex<Option<Error>>>,
    pub(super) task: Option<JoinHandle<()>>,
}

impl<D: Database> Heartbeat<D> {
    /// Joins the group.
    pub(super) async fn start(shared: Arc<Shared<D>>, seat: Arc<Seat>) -> Result<Self> {
        // Given up while it joins, it leaves.
        let mut heartbeat = Self { shared, seat, failed: Arc::default(), task: None };
        show(&heartbeat.shared, &heartbeat.seat).await?;
        let (shared, seat) = (Arc::clone(&heartbeat.shared), Arc::clone(&heartbeat.seat));
        let failed = Arc::clone(&heartbeat.failed);
        heartbeat.task = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(seat.lease / 3).await;
                let Err(error) = show(&shared, &seat).await else { continue };
                tracing::warn!(%error, group = seat.group, "a member of a group could not show that it is alive");
                if error.kind() == ErrorKind::Config {
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        }));
        Ok(heartbeat)
    }

    /// Fails once for each time that the member was taken for dead and not let in again.
    pub(super) fn check(&self) -> Result<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// Leaves the group.
    pub(super) async fn leave(&mut self) -> Result<()> {
        self.stop();
        go(&self.shared, &self.seat).await
    }

    /// Answers whether it had not stopped before.
    fn stop(&mut self) -> bool {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        !self.seat.left.swap(true, Ordering::AcqRel)
    }
}

impl<D: Database> Drop for Heartbeat<D> {
    fn drop(&mut self) {
        if !self.stop() {
            return;
        }
        let (shared, seat) = (Arc::clone(&self.shared), Arc::clone(&self.seat));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = go(&shared, &seat).await {
                    tracing::warn!(%error, group = seat.group, "a member of a group could not leave; its lease runs out");
                }
            });
        }
    }
}

async fn show<D: Database>(shared: &Arc<Shared<D>>, seat: &Arc<Seat>) -> Result<()> {
    let seat = Arc::clone(seat);
    let shown = shared.transact("bus.join", Access::Write, move |session| {
        let seat = Arc::clone(&seat);
        Box::pin(async move { stay(session, &seat).await })
    });
    shown.await
}

async fn go<D: Database>(shared: &Arc<Shared<D>>, seat: &Arc<Seat>) -> Result<()> {
    let seat = Arc::clone(seat);
    let gone = shared.transact("bus.leave", Access::Write, move |session| {
        let seat = Arc::clone(&seat);
        Box::pin(async move { leave(session, &seat).await })
    });
    gone.await
}
