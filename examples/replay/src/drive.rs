//! The replay itself: the documents in their order, through the services and the bus.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use stockpulse_core::SystemClock;
use stockpulse_core::engine::order::{OrderCommand, OrderRefusal};
use stockpulse_core::engine::stock::{Decision, Refusal, StockCommand, StockOutcome};
use stockpulse_core::model::{OrderId, Quantity, StockKey};
use stockpulse_core::port::Clock;
use tokio::runtime::{Builder, Runtime};

use crate::args::{Args, Policy};
use crate::backends::Backends;
use crate::commands::{self, Skus};
use crate::counting::published;
use crate::error::ReplayError;
use crate::invoice::{AdjustmentLine, DocumentKind, Invoices, ReturnLine, SkuId};
use crate::progress::Progress;
use crate::report::Report;
use crate::resume;
use crate::shipping::{Shipping, Until};
use crate::shop::Shop;
use crate::tally::tally;

/// How long a clean shutdown may take.
const SHUTDOWN: Duration = Duration::from_secs(60);

/// Replays invoices and reports.
///
/// # Errors
/// [`ReplayError::Drive`] for what services, stores or bus report.
#[expect(clippy::disallowed_methods, reason = "the replay times itself")]
pub fn run(args: &Args, invoices: &Invoices) -> Result<Report, ReplayError> {
    let begun = Instant::now();
    let mut replay = Replay::begin(args, invoices)?;
    let from = replay.find_place(invoices)?;
    let progress = Progress::new(invoices.documents().len() as u64);
    progress.advance(from as u64);
    for (place, document) in (1..).zip(invoices.documents()).skip(from) {
        match document.kind() {
            DocumentKind::Order(lines) => {
                let placed = commands::place(&replay.skus, place, &lines, args.policy, SystemClock.now());
                replay.busy.extend(lines.iter().map(|line| line.sku));
                replay.order(placed.map_err(ReplayError::drive)?)?;
            }
            DocumentKind::Return(lines) => replay.take_back(place, &lines)?,
            DocumentKind::Adjustments(lines) => replay.adjust(place, &lines)?,
        }
        progress.advance(1);
    }
    replay.place_window(Until::Shipped)?;
    let report = replay.finish(invoices)?;
    Ok(report.with_elapsed(begun.elapsed()))
}

/// A replay under way. A crash ends `shop` and `runtime`; everything else goes on.
struct Replay<'a> {
    args: &'a Args,
    backends: Backends,
    skus: Skus,
    shop: Shop,
    runtime: Runtime,
    shipping: Shipping,
    window: Vec<(OrderId, OrderCommand)>,
    /// SKUs of orders that may not have been decided.
    busy: HashSet<SkuId>,
    placed: u64,
    /// Orders that an earlier process placed and that are still to be placed again.
    known: HashSet<OrderId>,
}

impl<'a> Replay<'a> {
    /// How many documents are behind.
    fn find_place(&mut self, invoices: &Invoices) -> Result<usize, ReplayError> {
        if !self.args.resume {
            return Ok(0);
        }
        let behind = self.runtime.block_on(resume::behind(&self.backends, invoices)).map_err(ReplayError::drive)?;
        let expected = self.shipping.expect_unsettled(&self.backends, &behind.placed);
        self.runtime.block_on(expected).map_err(ReplayError::drive)?;
        self.settle(Until::Shipped)?;
        self.placed = behind.first_again as u64;
        self.known = behind.placed[behind.first_again..].iter().copied().collect();
        Ok(behind.documents)
    }

    fn begin(args: &'a Args, invoices: &Invoices) -> Result<Self, ReplayError> {
        let skus = Skus::new(invoices.skus()).map_err(ReplayError::drive)?;
        let opening = Quantity::new(args.opening_stock).map_err(ReplayError::drive)?;
        let runtime = runtime()?;
        let backends = runtime.block_on(Backends::open(args))?;
        runtime.block_on(resume::check(&backends, args))?;
        let shop = runtime.block_on(Shop::open(&backends)).map_err(ReplayError::drive)?;
        let (shipping, window, busy, known) = (Shipping::default(), Vec::new(), HashSet::new(), HashSet::new());
        let replay = Self { args, backends, skus, shop, runtime, shipping, window, busy, placed: 0, known };
        // A replay that goes on sends this too: the answers are the first ones, unless it is another replay.
        let commands = replay.skus.opening(opening, args.policy, SystemClock.now());
        for chunk in commands.chunks(1_000) {
            for outcome in replay.execute(chunk.to_vec())? {
                match outcome {
                    StockOutcome::Refused(Refusal::Conflict) => return Err(ReplayError::Another(args.shown_store())),
                    StockOutcome::Refused(refusal) => {
                        return Err(ReplayError::drive(format!("the shop was not opened: {refusal}")));
                    }
                    _ => {}
                }
            }
        }
        Ok(replay)
    }

    /// Takes an order into the window, which is placed when it is full or a crash is due.
    fn order(&mut self, order: (OrderId, OrderCommand)) -> Result<(), ReplayError> {
        self.window.push(order);
        self.placed += 1;
        let crash = self.args.crash_every.is_some_and(|every| self.placed.is_multiple_of(every.get()));
        if crash || self.window.len() >= self.args.window.get() {
            self.place_all()?;
            if crash {
                self.crash()?;
            }
            self.settle(Until::Decided)?;
        }
        Ok(())
    }

    /// Places what is in the window and waits for it.
    fn place_window(&mut self, until: Until) -> Result<(), ReplayError> {
        self.place_all()?;
        self.settle(until)
    }

    /// Lets a return or adjustments of these SKUs happen after the orders before them, and before those behind them.
    /// Claims and goods change together as an order ships, so that it is enough that these orders were decided, and
    /// others do not matter. Where claims wait, it decides about the number of shipments what had shipped before.
    fn clear(&mut self, mut skus: impl Iterator<Item = SkuId>) -> Result<(), ReplayError> {
        match self.args.policy {
            Policy::Backorder => self.place_window(Until::Shipped),
            Policy::AllOrNothing | Policy::Partial if skus.any(|sku| self.busy.contains(&sku)) => {
                self.place_window(Until::Decided)
            }
            Policy::AllOrNothing | Policy::Partial => Ok(()),
        }
    }

    fn place_all(&mut self) -> Result<(), ReplayError> {
        self.look()?;
        let (orders, commands): (Vec<OrderId>, Vec<OrderCommand>) = self.window.drain(..).unzip();
        let decisions = self.runtime.block_on(self.shop.orders.execute_all(commands)).map_err(ReplayError::drive)?;
        for (order, decision) in orders.into_iter().zip(decisions) {
            match decision {
                // It has ended.
                Decision::Accepted(_) if self.known.remove(&order) => {}
                Decision::Accepted(_) => self.shipping.expect_order(order),
                Decision::Refused(OrderRefusal::Conflict) => return Err(ReplayError::Another(self.args.shown_store())),
                Decision::Refused(refusal) => {
                    return Err(ReplayError::drive(format!("order {order} was not accepted: {refusal}")));
                }
            }
        }
        Ok(())
    }

    /// Looks at what is there of all that is about to be ordered, as customers do, if there is a cache.
    fn look(&self) -> Result<(), ReplayError> {
        if self.backends.front.cache.is_none() {
            return Ok(());
        }
        let keys = self.busy.iter().map(|sku| self.skus.sku(*sku).cloned().map(StockKey::main));
        let keys: Vec<StockKey> = keys.collect::<stockpulse_core::Result<_>>().map_err(ReplayError::drive)?;
        self.runtime.block_on(self.shop.inventory.availability(&keys)).map(drop).map_err(ReplayError::drive)
    }

    fn settle(&mut self, until: Until) -> Result<(), ReplayError> {
        self.runtime.block_on(self.shipping.settle(&mut self.shop, until))?;
        // What was not placed yet is decided in its time.
        if self.window.is_empty() {
            self.busy.clear();
        }
        Ok(())
    }

    fn take_back(&mut self, place: u64, lines: &[ReturnLine]) -> Result<(), ReplayError> {
        let command = commands::take_back(&self.skus, place, lines, SystemClock.now()).map_err(ReplayError::drive)?;
        let Some(command) = command else { return Ok(()) };
        self.clear(lines.iter().map(|line| line.sku))?;
        match self.execute(vec![command])?.pop() {
            Some(StockOutcome::Moved(moved)) => {
                let expected = self.shipping.expect_filled(&self.backends, &moved.filled);
                self.runtime.block_on(expected).map_err(ReplayError::drive)?;
            }
            Some(StockOutcome::Refused(Refusal::Conflict)) => {
                return Err(ReplayError::Another(self.args.shown_store()));
            }
            other => return Err(ReplayError::drive(format!("a return was refused: {other:?}"))),
        }
        match self.args.policy {
            Policy::Backorder => self.settle(Until::Shipped),
            Policy::AllOrNothing | Policy::Partial => Ok(()),
        }
    }

    fn adjust(&mut self, place: u64, lines: &[AdjustmentLine]) -> Result<(), ReplayError> {
        let commands = commands::adjust(&self.skus, place, lines, SystemClock.now()).map_err(ReplayError::drive)?;
        if commands.is_empty() {
            return Ok(());
        }
        self.clear(lines.iter().map(|line| line.sku))?;
        for outcome in self.execute(commands)? {
            match outcome {
                StockOutcome::Moved(_) | StockOutcome::Refused(Refusal::Committed { .. }) => {}
                StockOutcome::Refused(Refusal::Conflict) => return Err(ReplayError::Another(self.args.shown_store())),
                other => return Err(ReplayError::drive(format!("an adjustment failed: {other:?}"))),
            }
        }
        Ok(())
    }

    fn execute(&self, commands: Vec<StockCommand>) -> Result<Vec<StockOutcome>, ReplayError> {
        self.runtime.block_on(self.shop.inventory.execute_all(commands)).map_err(ReplayError::drive)
    }

    /// Drops services and workers wherever they are, and opens the shop again on what the stores hold.
    fn crash(&mut self) -> Result<(), ReplayError> {
        drop(std::mem::replace(&mut self.runtime, runtime()?));
        self.backends = self.runtime.block_on(self.backends.reopen(self.args))?;
        self.shop = self.runtime.block_on(Shop::open(&self.backends)).map_err(ReplayError::drive)?;
        Ok(())
    }

    /// Shuts the shop down in order, so that every event is out, and reports what the stores hold.
    fn finish(self, invoices: &Invoices) -> Result<Report, ReplayError> {
        let mut report = Report::default();
        self.runtime.block_on(async {
            tally(&self.shop, &self.skus, invoices, &mut report).await.map_err(ReplayError::drive)?;
            let keys: Vec<StockKey> = self.skus.tracked().cloned().map(StockKey::main).collect();
            let front = self.backends.front.check(&self.backends.inventory, &keys, &mut report);
            front.await.map_err(ReplayError::drive)?;
            let ended = self.shop.supervisor.shutdown(SHUTDOWN).await;
            if !ended.is_clean() {
                return Err(ReplayError::drive(format!("did not end in time: {}", ended.aborted.join(", "))));
            }
            report.events_published = published(&self.backends, self.args).await?;
            Ok(())
        })?;
        Ok(report)
    }
}

fn runtime() -> Result<Runtime, ReplayError> {
    Builder::new_multi_thread().enable_all().build().map_err(ReplayError::drive)
}
