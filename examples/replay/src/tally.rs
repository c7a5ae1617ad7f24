//! What the stores hold at the end.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use stockpulse_core::Result;
use stockpulse_core::model::{CommandId, Movement, MovementKind, OrderStatus, StockKey, StockLevel};
use stockpulse_core::port::OrderQuery;
use stockpulse_core::worker::Reconciler;

use crate::commands::Skus;
use crate::invoice::{DocumentKind, Invoices};
use crate::report::{Report, Units, stock_digest};
use crate::shop::Shop;

const PAGE: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");

/// Reads orders, levels and ledgers into the report. The invoices add only what leaves no trace in a store: rows of
/// services, and rows that change nothing.
///
/// # Errors
/// What the stores report.
pub async fn tally(shop: &Shop, skus: &Skus, invoices: &Invoices, report: &mut Report) -> Result<()> {
    report.rows = invoices.rows();
    report.rows_rejected = invoices.rejections().len() as u64;
    orders(shop, report).await?;
    let ledger = levels(shop, skus, report).await?;
    documents(skus, invoices, &ledger, report);
    report.ledger_consistent = Reconciler::new(shop.inventory.clone()).run_once().await?.drifts.is_empty();
    Ok(())
}

/// What the ledgers of all levels say about returns and adjustments.
#[derive(Debug, Default)]
struct Ledger {
    returns: HashSet<CommandId>,
    returned: Units,
    adjustments: u64,
    adjusted: Units,
    oversold: bool,
}

impl Ledger {
    fn take(&mut self, movement: &Movement) {
        match movement.kind {
            MovementKind::Returned => {
                self.returns.insert(movement.command);
                self.returned += Units::from(movement.change.on_hand);
            }
            MovementKind::Adjusted => {
                self.adjustments += 1;
                self.adjusted += Units::from(movement.change.on_hand);
            }
            _ => {}
        }
    }
}

fn documents(skus: &Skus, invoices: &Invoices, ledger: &Ledger, report: &mut Report) {
    report.orders.returns = ledger.returns.len() as u64;
    report.units.returned = ledger.returned;
    report.adjustments.applied = ledger.adjustments;
    report.units.adjusted = ledger.adjusted;
    let mut asked = 0_u64;
    for document in invoices.documents() {
        match document.kind() {
            DocumentKind::Order(_) => {}
            kind @ DocumentKind::Return(_) => report.orders.returns += u64::from(!skus.moves(&kind)),
            DocumentKind::Adjustments(lines) => {
                for line in lines {
                    match (skus.is_tracked(line.sku), line.delta) {
                        (false, _) => report.adjustments.untracked += 1,
                        (true, 0) => report.adjustments.applied += 1,
                        (true, _) => asked += 1,
                    }
                }
            }
        }
    }
    report.adjustments.rejected = asked.saturating_sub(ledger.adjustments);
}

async fn orders(shop: &Shop, report: &mut Report) -> Result<()> {
    let mut query = OrderQuery::default();
    loop {
        let page = shop.orders.list(&query, PAGE).await?;
        for order in &page.items {
            report.orders.placed += 1;
            match order.status {
                OrderStatus::Rejected => report.orders.rejected += 1,
                _ if order.is_adjusted() => report.orders.partially_confirmed += 1,
                _ => report.orders.confirmed += 1,
            }
            for line in &order.lines {
                report.units.ordered += Units::from(line.quantity.get());
                report.units.shipped += Units::from(line.shipped.get());
                report.units.backordered += Units::from(line.backordered.get());
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn levels(shop: &Shop, skus: &Skus, report: &mut Report) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let keys: Vec<StockKey> = skus.tracked().cloned().map(StockKey::main).collect();
    report.skus_tracked = keys.len() as u64;
    let mut on_hand: Vec<(String, i64)> = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(PAGE.get()) {
        for level in shop.inventory.levels(chunk).await?.into_iter().flatten() {
            report.units_on_hand += Units::from(level.on_hand.get());
            ledger.oversold = false;
            movements(shop, &level, &mut ledger).await?;
            report.oversold += u64::from(ledger.oversold);
            on_hand.push((level.key.sku.to_string(), level.on_hand.get()));
        }
    }
    report.stock_digest = stock_digest(on_hand.iter().map(|(sku, units)| (sku.as_str(), *units)));
    Ok(ledger)
}

/// Reads the ledger of a level, and whether the level broke what must hold after any of its movements.
async fn movements(shop: &Shop, level: &StockLevel, ledger: &mut Ledger) -> Result<()> {
    let mut then = StockLevel::new(level.key.clone());
    let mut sum = then.counters();
    let mut after = 0;
    loop {
        let page = shop.inventory.movements(&level.key, after, PAGE).await?;
        for movement in &page.items {
            ledger.take(movement);
            sum = sum.plus(movement.change);
            let counters = [sum.on_hand, sum.reserved, sum.backordered];
            if let [Ok(on_hand), Ok(reserved), Ok(backordered)] = counters.map(TryFrom::try_from) {
                (then.on_hand, then.reserved, then.backordered) = (on_hand, reserved, backordered);
                ledger.oversold |= then.is_oversold();
            } else {
                ledger.oversold = true;
            }
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
