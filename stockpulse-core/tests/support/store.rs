//! An inventory store that can be watched, held up and made to fail.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::watch;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{StockAction, StockCommand, StockOutcome};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{Movement, Reservation, ReservationId, StockKey, StockLevel, Timestamp};
use stockpulse_core::port::{InventoryStore, LevelAudit, Page};
use stockpulse_core::{Error, ErrorKind, Result};

/// How the next batch fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing was done.
    Before(ErrorKind),
    /// It was committed, and the answer was lost.
    After(ErrorKind),
    /// It panics.
    Panic,
}

/// A memory store that counts what it is asked.
#[derive(Clone, Debug)]
pub(crate) struct WatchedStore {
    pub(crate) inner: MemoryInventoryStore,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    batches: Arc<Mutex<Vec<usize>>>,
    reads: Arc<AtomicUsize>,
    requests_only: Arc<AtomicBool>,
    open: Arc<watch::Sender<bool>>,
}

impl WatchedStore {
    pub(crate) fn new(inner: MemoryInventoryStore) -> Arc<Self> {
        let open = Arc::new(watch::Sender::new(true));
        let (faults, batches, reads) = Default::default();
        Arc::new(Self { inner, faults, batches, reads, requests_only: Arc::default(), open })
    }

    pub(crate) fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// The sizes of the batches that it was asked for.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }

    /// How often reservations were read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Holds up those batches that claim stock.
    pub(crate) fn hold_requests(&self) {
        self.requests_only.store(true, Ordering::SeqCst);
        self.set_open(false);
    }

    /// Holds batches up, or lets them go on.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

#[async_trait]
impl InventoryStore for WatchedStore {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        self.batches.lock().unwrap().push(batch.len());
        let requests = batch.iter().any(|command| matches!(command.action, StockAction::Reserve(_)));
        if requests || !self.requests_only.load(Ordering::SeqCst) {
            let _ = self.open.subscribe().wait_for(|open| *open).await;
        }
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None => self.inner.execute(engine, batch).await,
            Some(Fault::Before(kind)) => Err(Error::new(kind, "made to fail")),
            Some(Fault::After(kind)) => {
                self.inner.execute(engine, batch).await?;
                Err(Error::new(kind, "the answer was lost"))
            }
            Some(Fault::Panic) => panic!("made to panic"),
        }
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.levels(keys).await
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.reservations(ids).await
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        self.inner.expiring(before, limit).await
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        self.inner.movements(key, after, limit).await
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        self.inner.list_levels(after, limit).await
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        self.inner.audit(after, limit).await
    }
}
