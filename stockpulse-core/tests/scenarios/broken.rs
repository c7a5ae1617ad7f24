//! Shops that are broken on purpose.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::conformance::scenarios::ShopBackend;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderAction, OrderCommand, OrderOutcome, StockAnswer};
use stockpulse_core::engine::stock::{Existing, Hold, Parts, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{
    Command, CommandId, HistoryEntry, Movement, Order, OrderChange, OrderId, Quantity, Reservation, ReservationId,
    SkuQuantity, StockKey, StockLevel, StockQuantity, Timestamp,
};
use stockpulse_core::port::{
    Claim, Clock, Failed, IdGenerator, InventoryStore, Lease, LevelAudit, OrderQuery, OrderStore, Outbox, OutboxId,
    OutboxRow, OutboxStats, Page, Quarantined,
};
use stockpulse_core::{Error, ErrorKind, RandomIds, Result, Retry, SystemClock};

/// What is wrong with a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Whoever asks gets it, as if it had just come in.
    Oversells,
    /// Holds are not extended.
    ForgetsExtensions,
    /// Commands are decided again, whatever their ids.
    ForgetsKeys,
    /// A claim that comes again is another claim.
    ClaimsTwice,
    /// Releasing brings back what has shipped, too.
    ReleasesWhatShipped,
    /// Nothing is released.
    NeverReleases,
    /// The audit counts one claim too many.
    Drifts,
    /// Only the first location is asked.
    OneLocation,
    /// A hold is in the way of its own cart.
    NeverReplaces,
    /// Two batches at once are a deadlock.
    Deadlocks,
    /// Nothing comes in while anybody pays for a hold.
    LocksWhilePaying,
    /// No hold and no order is ever over.
    NeverExpires,
    /// Orders do not listen when their hold is lost.
    DeafToExpiry,
    /// An order that is placed again is another order.
    PlacesAgain,
    /// Histories leave out what should not have happened.
    HidesAnomalies,
    /// Events are gone once somebody has read them.
    LosesEvents,
}

/// What broken stores remember; it outlives a restart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    busy: Arc<AtomicUsize>,
    claimed: Arc<Mutex<BTreeSet<ReservationId>>>,
    placed: Arc<Mutex<BTreeSet<OrderId>>>,
    paying: Arc<Mutex<BTreeSet<ReservationId>>>,
}

/// A shop with a fault.
pub(crate) fn shop(mut shop: ShopBackend, fault: Fault, memory: &Memory) -> ShopBackend {
    let (clock, memory) = (Arc::clone(&shop.clock), || memory.clone());
    shop.inventory.store = Arc::new(Stock { inner: shop.inventory.store, fault, clock, memory: memory() });
    shop.orders.store = Arc::new(Orders { inner: shop.orders.store, fault, memory: memory() });
    shop.orders.outbox = Arc::new(Rows { inner: shop.orders.outbox, fault });
    shop
}

fn fresh() -> uuid::Uuid {
    RandomIds.next_id(SystemClock.now())
}

#[derive(Debug)]
struct Stock {
    inner: Arc<dyn InventoryStore>,
    fault: Fault,
    clock: Arc<dyn Clock>,
    memory: Memory,
}

impl Stock {
    /// What the store does instead of a command, and beside it.
    async fn instead(&self, command: &mut StockCommand) -> Option<StockAction> {
        let StockCommand { id, action, .. } = command;
        match (self.fault, action) {
            (Fault::ForgetsKeys, _) => *id = CommandId::new(fresh()),
            (Fault::Oversells, StockAction::Reserve(request)) => {
                let lines = request.lines.iter().map(|line| (line.sku.clone(), line.quantity));
                let in_kits = request.kits.iter().flat_map(|kit| &kit.components);
                let lines = lines.chain(in_kits.map(|part| (part.sku.clone(), part.quantity)));
                let lines = lines.map(|(sku, units)| StockQuantity::new(sku.into(), units)).collect();
                return Some(StockAction::Receive { lines });
            }
            (Fault::ForgetsExtensions, StockAction::Extend { hold, .. }) => *hold = Hold::For(Duration::ZERO),
            (Fault::ClaimsTwice, StockAction::Reserve(request))
                if !self.memory.claimed.lock().unwrap().insert(request.reservation) =>
            {
                *id = CommandId::new(fresh());
                request.reservation = ReservationId::new(fresh());
            }
            (Fault::ReleasesWhatShipped, StockAction::Release { reservation, .. }) => {
                let released = self.inner.reservations(&[*reservation]).await.ok()?.pop().flatten()?;
                let shipped = released.lines.iter().filter(|line| !line.fulfilled.is_zero());
                let lines = shipped.map(|line| StockQuantity::new(line.key.clone(), line.fulfilled)).collect();
                return Some(StockAction::Return { lines, order: None });
            }
            (Fault::NeverReleases, StockAction::Release { parts, .. }) => {
                let nothing = SkuQuantity::new("NOTHING".parse().unwrap(), Quantity::ONE);
                *parts = Parts::Skus(vec![nothing]);
            }
            (Fault::OneLocation, StockAction::Reserve(request)) => request.sourcing.locations.truncate(1),
            (Fault::NeverReplaces, StockAction::Reserve(request)) => request.existing = Existing::Refuse,
            _ => {}
        }
        None
    }
}

impl Stock {
    /// Waits for whoever pays, and remembers who does.
    async fn lock(&self, batch: &[StockCommand]) {
        let paying = &self.memory.paying;
        for command in batch {
            match &command.action {
                StockAction::Reserve(request) => {
                    paying.lock().unwrap().insert(request.reservation);
                }
                StockAction::Allocate { reservation } => {
                    paying.lock().unwrap().remove(reservation);
                }
                StockAction::Receive { .. } => {
                    while !paying.lock().unwrap().is_empty() {
                        SystemClock.sleep(Duration::from_millis(1)).await;
                    }
                }
                _ => {}
            }
        }
    }
}

#[async_trait]
impl InventoryStore for Stock {
    async fn execute(&self, engine: &Engine, mut batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        if self.fault == Fault::Deadlocks {
            let others = self.memory.busy.fetch_add(1, Ordering::SeqCst);
            SystemClock.sleep(Duration::from_millis(5)).await;
            self.memory.busy.fetch_sub(1, Ordering::SeqCst);
            if others > 0 {
                return Err(Error::new(ErrorKind::Contention, "deadlock").with_retry(Retry::Exhausted));
            }
        }
        if self.fault == Fault::LocksWhilePaying {
            self.lock(&batch).await;
        }
        let mut beside = Vec::new();
        for command in &mut batch {
            beside.extend(self.instead(command).await);
        }
        let now = self.clock.now();
        let beside = beside.into_iter().map(|action| Command::new(CommandId::new(fresh()), now, action));
        let beside: Vec<StockCommand> = beside.collect();
        if !beside.is_empty() {
            self.inner.execute(engine, beside).await?;
        }
        self.inner.execute(engine, batch).await
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        self.inner.levels(keys).await
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        self.inner.reservations(ids).await
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        if self.fault == Fault::NeverExpires {
            return Ok(Vec::new());
        }
        self.inner.expiring(before, limit).await
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        self.inner.movements(key, after, limit).await
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        self.inner.list_levels(after, limit).await
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let mut page = self.inner.audit(after, limit).await?;
        if self.fault == Fault::Drifts {
            page.items.iter_mut().for_each(|audit| audit.claims.reserved += 1);
        }
        Ok(page)
    }
}

#[derive(Debug)]
struct Orders {
    inner: Arc<dyn OrderStore>,
    fault: Fault,
    memory: Memory,
}

impl Orders {
    fn instead(&self, command: &mut OrderCommand) {
        let OrderCommand { id, action, .. } = command;
        match (self.fault, action) {
            (Fault::ForgetsKeys, _) => *id = CommandId::new(fresh()),
            (Fault::DeafToExpiry, OrderAction::RecordReservation { answer, .. }) if *answer == StockAnswer::Expired => {
                *answer = StockAnswer::Filled(Vec::new());
            }
            (Fault::PlacesAgain, OrderAction::Place(place))
                if !self.memory.placed.lock().unwrap().insert(place.order) =>
            {
                place.order = OrderId::new(fresh());
            }
            _ => {}
        }
    }
}

#[async_trait]
impl OrderStore for Orders {
    async fn execute(&self, engine: &Engine, mut batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        batch.iter_mut().for_each(|command| self.instead(command));
        self.inner.execute(engine, batch).await
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        self.inner.orders(ids).await
    }

    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        if self.fault == Fault::NeverExpires {
            return Ok(Vec::new());
        }
        self.inner.overdue(before, limit).await
    }

    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>> {
        let mut history = self.inner.history(order).await?;
        let anomalies = [OrderChange::PaidLate, OrderChange::PaidAgain, OrderChange::HoldLost];
        history.retain(|entry| self.fault != Fault::HidesAnomalies || !anomalies.contains(&entry.change));
        Ok(history)
    }

    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        self.inner.list_orders(query, limit).await
    }
}

#[derive(Debug)]
struct Rows {
    inner: Arc<dyn Outbox>,
    fault: Fault,
}

#[async_trait]
impl Outbox for Rows {
    async fn claim(&self, worker: &str, lease: Duration, limit: NonZeroUsize) -> Result<Claim> {
        let claim = self.inner.claim(worker, lease, limit).await?;
        if self.fault == Fault::LosesEvents {
            let ids: Vec<OutboxId> = claim.rows.iter().map(|row| row.id).collect();
            self.inner.settle(&claim.lease, &ids).await?;
        }
        Ok(claim)
    }

    async fn settle(&self, lease: &Lease, rows: &[OutboxId]) -> Result<()> {
        self.inner.settle(lease, rows).await
    }

    async fn release(&self, lease: &Lease, rows: &[Failed]) -> Result<()> {
        self.inner.release(lease, rows).await
    }

    async fn quarantine(&self, lease: &Lease, rows: &[Quarantined]) -> Result<()> {
        self.inner.quarantine(lease, rows).await
    }

    async fn surrender(&self, lease: &Lease) -> Result<()> {
        self.inner.surrender(lease).await
    }

    async fn quarantined(&self, limit: NonZeroUsize) -> Result<Vec<(OutboxRow, String)>> {
        self.inner.quarantined(limit).await
    }

    async fn requeue(&self, rows: &[OutboxId]) -> Result<usize> {
        self.inner.requeue(rows).await
    }

    async fn discard(&self, rows: &[OutboxId]) -> Result<usize> {
        self.inner.discard(rows).await
    }

    async fn stats(&self) -> Result<OutboxStats> {
        self.inner.stats().await
    }

    async fn appended(&self) {
        self.inner.appended().await;
    }
}
