//! The replay itself: the documents in their order, through the services and the bus.

use std::time::{Duration, Instant};

use stockpulse_core::SystemClock;
use stockpulse_core::engine::order::OrderCommand;
use stockpulse_core::engine::stock::{Decision, Refusal, StockCommand, StockOutcome};
use stockpulse_core::model::{OrderId, Quantity};
use stockpulse_core::port::Clock;
use tokio::runtime::{Builder, Runtime};

use crate::args::Args;
use crate::backends::Backends;
use crate::commands::{self, Skus};
use crate::error::ReplayError;
use crate::invoice::{AdjustmentLine, DocumentKind, Invoices, ReturnLine};
use crate::progress::Progress;
use crate::report::{Report, Units};
use crate::shipping::Shipping;
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
    let progress = Progress::new(invoices.documents().len() as u64);
    for (place, document) in (1..).zip(invoices.documents()) {
        match document.kind() {
            DocumentKind::Order(lines) => {
                let placed = commands::place(&replay.skus, place, &lines, args.policy, SystemClock.now());
                replay.order(placed.map_err(ReplayError::drive)?)?;
            }
            DocumentKind::Return(lines) => replay.take_back(place, &lines)?,
            DocumentKind::Adjustments(lines) => replay.adjust(place, &lines)?,
        }
        progress.advance(1);
    }
    replay.place_window()?;
    let mut report = replay.finish()?;
    report.rows = invoices.rows();
    report.rows_rejected = invoices.rejections().len() as u64;
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
    placed: u64,
    report: Report,
}

impl<'a> Replay<'a> {
    fn begin(args: &'a Args, invoices: &Invoices) -> Result<Self, ReplayError> {
        let backends = Backends::open(args)?;
        let skus = Skus::new(invoices.skus()).map_err(ReplayError::drive)?;
        let runtime = runtime()?;
        let shop = runtime.block_on(Shop::open(&backends)).map_err(ReplayError::drive)?;
        let opening = Quantity::new(args.opening_stock).map_err(ReplayError::drive)?;
        let (report, shipping) = (Report::default(), Shipping::default());
        let replay = Self { args, backends, skus, shop, runtime, shipping, window: Vec::new(), placed: 0, report };
        let commands = replay.skus.opening(opening, args.policy, SystemClock.now());
        for chunk in commands.chunks(1_000) {
            for outcome in replay.execute(chunk.to_vec())? {
                if let StockOutcome::Refused(refusal) = outcome {
                    return Err(ReplayError::drive(format!("the shop was not opened: {refusal}")));
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
            self.settle()?;
        }
        Ok(())
    }

    /// Places what is in the window and waits until it has shipped or was rejected.
    fn place_window(&mut self) -> Result<(), ReplayError> {
        self.place_all()?;
        self.settle()
    }

    fn place_all(&mut self) -> Result<(), ReplayError> {
        let (orders, commands): (Vec<OrderId>, Vec<OrderCommand>) = self.window.drain(..).unzip();
        let decisions = self.runtime.block_on(self.shop.orders.execute_all(commands)).map_err(ReplayError::drive)?;
        for (order, decision) in orders.into_iter().zip(decisions) {
            match decision {
                Decision::Accepted(_) => self.shipping.expect_order(order),
                Decision::Refused(refusal) => {
                    return Err(ReplayError::drive(format!("order {order} was not accepted: {refusal}")));
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), ReplayError> {
        self.runtime.block_on(self.shipping.settle(&mut self.shop))
    }

    fn take_back(&mut self, place: u64, lines: &[ReturnLine]) -> Result<(), ReplayError> {
        self.place_window()?;
        self.report.orders.returns += 1;
        let command = commands::take_back(&self.skus, place, lines, SystemClock.now()).map_err(ReplayError::drive)?;
        let Some(command) = command else { return Ok(()) };
        match self.execute(vec![command])?.pop() {
            Some(StockOutcome::Moved(moved)) => self.shipping.expect_filled(&moved.filled),
            other => return Err(ReplayError::drive(format!("a return was refused: {other:?}"))),
        }
        let tracked = lines.iter().filter(|line| self.skus.is_tracked(line.sku));
        self.report.units.returned += tracked.map(|line| Units::from(line.quantity)).sum::<Units>();
        self.settle()
    }

    fn adjust(&mut self, place: u64, lines: &[AdjustmentLine]) -> Result<(), ReplayError> {
        self.place_window()?;
        let commands = commands::adjust(&self.skus, place, lines, SystemClock.now()).map_err(ReplayError::drive)?;
        let mut outcomes = self.execute(commands)?.into_iter();
        for line in lines {
            if !self.skus.is_tracked(line.sku) {
                self.report.adjustments.untracked += 1;
            } else if line.delta == 0 {
                self.report.adjustments.applied += 1;
            } else {
                match outcomes.next() {
                    Some(StockOutcome::Moved(_)) => {
                        self.report.adjustments.applied += 1;
                        self.report.units.adjusted += Units::from(line.delta);
                    }
                    Some(StockOutcome::Refused(Refusal::Committed { .. })) => self.report.adjustments.rejected += 1,
                    other => return Err(ReplayError::drive(format!("an adjustment failed: {other:?}"))),
                }
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
        self.shop = self.runtime.block_on(Shop::open(&self.backends)).map_err(ReplayError::drive)?;
        Ok(())
    }

    /// Shuts the shop down in order, so that every event is out, and reports what the stores hold.
    fn finish(mut self) -> Result<Report, ReplayError> {
        self.runtime.block_on(async {
            tally(&self.shop, &self.skus, &mut self.report).await.map_err(ReplayError::drive)?;
            let ended = self.shop.supervisor.shutdown(SHUTDOWN).await;
            if !ended.is_clean() {
                return Err(ReplayError::drive(format!("did not end in time: {}", ended.aborted.join(", "))));
            }
            for (name, outbox) in
                [("inventory", &self.backends.inventory_outbox), ("orders", &self.backends.order_outbox)]
            {
                let stats = outbox.stats().await.map_err(ReplayError::drive)?;
                if stats.pending + stats.quarantined > 0 {
                    return Err(ReplayError::drive(format!("{name}: events were not published: {stats:?}")));
                }
            }
            Ok(())
        })?;
        self.report.events_published = self.backends.publisher.published();
        Ok(self.report)
    }
}

fn runtime() -> Result<Runtime, ReplayError> {
    Builder::new_multi_thread().enable_all().build().map_err(ReplayError::drive)
}
