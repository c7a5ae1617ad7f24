//! What the stores hold at the end.

use std::num::NonZeroUsize;

use stockpulse_core::Result;
use stockpulse_core::model::{OrderStatus, StockKey, StockLevel};
use stockpulse_core::port::OrderQuery;
use stockpulse_core::worker::Reconciler;

use crate::commands::Skus;
use crate::report::{Report, Units, stock_digest};
use crate::shop::Shop;

const PAGE: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");

/// Reads orders, levels and ledgers into the report.
///
/// # Errors
/// What the stores report.
pub async fn tally(shop: &Shop, skus: &Skus, report: &mut Report) -> Result<()> {
    orders(shop, report).await?;
    levels(shop, skus, report).await?;
    report.ledger_consistent = Reconciler::new(shop.inventory.clone()).run_once().await?.drifts.is_empty();
    Ok(())
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

async fn levels(shop: &Shop, skus: &Skus, report: &mut Report) -> Result<()> {
    let keys: Vec<StockKey> = skus.tracked().cloned().map(StockKey::main).collect();
    report.skus_tracked = keys.len() as u64;
    let mut on_hand: Vec<(String, i64)> = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(PAGE.get()) {
        for level in shop.inventory.levels(chunk).await?.into_iter().flatten() {
            report.units_on_hand += Units::from(level.on_hand.get());
            report.oversold += u64::from(ever_oversold(shop, &level).await?);
            on_hand.push((level.key.sku.to_string(), level.on_hand.get()));
        }
    }
    report.stock_digest = stock_digest(on_hand.iter().map(|(sku, units)| (sku.as_str(), *units)));
    Ok(())
}

/// Whether a level broke what must hold after any of its movements.
async fn ever_oversold(shop: &Shop, level: &StockLevel) -> Result<bool> {
    let mut then = StockLevel::new(level.key.clone());
    let mut sum = then.counters();
    let mut after = 0;
    loop {
        let page = shop.inventory.movements(&level.key, after, PAGE).await?;
        for movement in &page.items {
            sum = sum.plus(movement.change);
            let counters = [sum.on_hand, sum.reserved, sum.backordered];
            let [Ok(on_hand), Ok(reserved), Ok(backordered)] = counters.map(TryFrom::try_from) else {
                return Ok(true);
            };
            (then.on_hand, then.reserved, then.backordered) = (on_hand, reserved, backordered);
            if then.is_oversold() {
                return Ok(true);
            }
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(false),
        }
    }
}
