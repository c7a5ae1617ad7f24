//! The supervisor: keeps workers running, and ends them in order.

use std::fmt::Debug;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use crate::error::Result;
use crate::port::Clock;
use crate::service::{Inventory, Orders, panic_message};
use crate::system::SystemClock;

/// When a worker is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// First: what brings work in, processors and sweepers.
    Intake,
    /// Last: what carries results out, outbox relays.
    Relay,
}

/// How a shutdown ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Workers that did not end in time and were aborted, those in front of them in the order of stages first.
    pub aborted: Vec<String>,
    /// Services that had not committed everything that was queued: `inventory`, `orders`. They go on if the runtime
    /// does.
    pub undrained: Vec<String>,
}

impl ShutdownReport {
    /// Whether everything ended by itself.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.aborted.is_empty() && self.undrained.is_empty()
    }
}

/// Keeps workers running: one that fails or panics is started again after a pause. On shutdown it stops intake,
/// drains the services, flushes the outboxes, all within a deadline.
///
/// Dropping it aborts its workers, as a crash would.
#[derive(Debug)]
pub struct Supervisor {
    clock: Arc<dyn Clock>,
    backoff: Backoff,
    intake: CancellationToken,
    relay: CancellationToken,
    workers: Vec<Worker>,
    inventories: Vec<Inventory>,
    orders: Vec<Orders>,
}

#[derive(Debug)]
struct Worker {
    name: String,
    stage: Stage,
    task: JoinHandle<()>,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl Supervisor {
    /// A supervisor of nothing yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            backoff: Backoff::default(),
            intake: CancellationToken::new(),
            relay: CancellationToken::new(),
            workers: Vec::new(),
            inventories: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Drains this service between the stages of a shutdown.
    #[must_use]
    pub fn with_inventory(mut self, inventory: Inventory) -> Self {
        self.inventories.push(inventory);
        self
    }

    /// Drains this service between the stages of a shutdown.
    #[must_use]
    pub fn with_orders(mut self, orders: Orders) -> Self {
        self.orders.push(orders);
        self
    }

    /// Starts a worker on the current tokio runtime. `work` is called with the token that tells it to stop, and
    /// called again when it fails or panics.
    pub fn spawn<W, F>(&mut self, stage: Stage, name: impl Into<String>, work: W)
    where
        W: Fn(CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let name = name.into();
        let stop = match stage {
            Stage::Intake => self.intake.clone(),
            Stage::Relay => self.relay.clone(),
        };
        let keeper = Keeper { name: name.clone(), clock: Arc::clone(&self.clock), backoff: self.backoff, stop };
        let task = tokio::spawn(keeper.keep(work));
        self.workers.push(Worker { name, stage, task });
    }

    /// The workers that are running.
    pub fn running(&self) -> impl Iterator<Item = &str> {
        self.workers.iter().filter(|worker| !worker.task.is_finished()).map(|worker| worker.name.as_str())
    }

    /// Ends everything in order: intake, services, relays. What has not ended after `deadline` is aborted.
    pub async fn shutdown(mut self, deadline: Duration) -> ShutdownReport {
        let clock = Arc::clone(&self.clock);
        let (mut inventories, mut orders) = (0, 0);
        let orderly = async {
            self.intake.cancel();
            end(&mut self.workers, Stage::Intake).await;
            for inventory in &self.inventories {
                inventory.close().await;
                inventories += 1;
            }
            for service in &self.orders {
                service.close().await;
                orders += 1;
            }
            self.relay.cancel();
            end(&mut self.workers, Stage::Relay).await;
        };
        tokio::select! {
            biased;
            () = orderly => {}
            () = clock.sleep(deadline) => {}
        }
        let inventories = self.inventories.iter().skip(inventories).map(|_| "inventory");
        let undrained = inventories.chain(self.orders.iter().skip(orders).map(|_| "orders"));
        let undrained: Vec<String> = undrained.map(ToOwned::to_owned).collect();
        let mut late: Vec<&Worker> = self.workers.iter().filter(|worker| !worker.task.is_finished()).collect();
        late.sort_by_key(|worker| worker.stage);
        let aborted: Vec<String> = late.into_iter().map(|worker| worker.name.clone()).collect();
        for name in undrained.iter().chain(&aborted) {
            tracing::error!(name, "did not end in time");
        }
        ShutdownReport { aborted, undrained }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.task.abort();
        }
    }
}

async fn end(workers: &mut [Worker], stage: Stage) {
    for worker in workers.iter_mut().filter(|worker| worker.stage == stage && !worker.task.is_finished()) {
        let _ = (&mut worker.task).await;
    }
}

struct Keeper {
    name: String,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep<W, F>(self, work: W)
    where
        W: Fn(CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let mut failures = 0;
        loop {
            let started = self.clock.now();
            // A set of one aborts its task when it is dropped, so that aborting the keeper ends the worker.
            let mut run = JoinSet::new();
            // It may panic before there is a future, too.
            match std::panic::catch_unwind(AssertUnwindSafe(|| work(self.stop.clone()))) {
                Ok(worker) => drop(run.spawn(worker)),
                Err(panic) => tracing::error!(panic = panic_message(&*panic), name = self.name, "worker panicked"),
            }
            match run.join_next().await {
                Some(Ok(Ok(()))) => return,
                Some(Ok(Err(error))) => tracing::error!(%error, name = self.name, "worker failed"),
                Some(Err(error)) => tracing::error!(%error, name = self.name, "worker panicked"),
                None => {}
            }
            if self.stop.is_cancelled() {
                return;
            }
            // One that ran well for a while begins anew, so that rare failures do not add up to the longest pause.
            if self.clock.now().since(started) > self.backoff.longest {
                failures = 0;
            }
            failures += 1;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.clock.sleep(self.backoff.pause(failures)) => {}
            }
        }
    }
}
