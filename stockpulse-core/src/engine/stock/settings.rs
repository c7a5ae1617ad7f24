//! Settings of a level: configure, retire; and the reconciler's repair.

use super::command::LevelSettings;
use super::decide::{Ruling, Work};
use super::outcome::{Moved, Refusal, Retired, StockOutcome};
use crate::model::{Counters, MovementKind, Quantity, Sku, StockKey, StockQuantity};

/// Changes settings; what that frees covers waiting claims. What is claimed is neither retired nor suddenly
/// counted, or no longer counted.
pub(super) fn configure(work: &mut Work<'_>, key: &StockKey, settings: &LevelSettings) -> Ruling {
    if let Some(row) = work.set.find(key) {
        let level = work.level(row);
        let recounted = settings.tracked.is_some_and(|tracked| tracked != level.tracked);
        let retired = settings.retired == Some(true) && !level.retired;
        if (recounted || retired) && !level.reserved.is_zero() {
            return Err(Refusal::Claimed { key: key.clone(), reserved: level.reserved });
        }
    }
    let row = work.set.find_or_create(key);
    let level = &mut work.set.touch(row).level;
    let before = level.available();
    level.safety_stock = settings.safety_stock.unwrap_or(level.safety_stock);
    level.backorder_limit = settings.backorder_limit.unwrap_or(level.backorder_limit);
    level.low_stock_at = settings.low_stock_at.unwrap_or(level.low_stock_at);
    level.tracked = settings.tracked.unwrap_or(level.tracked);
    level.retired = settings.retired.unwrap_or(level.retired);
    let on_hand = level.on_hand;
    work.moved(row, MovementKind::Configured, Counters::default(), None, None, before);
    let filled = work.fill(row);
    let on_hand = std::iter::once(StockQuantity::new(key.clone(), on_hand)).collect();
    Ok(StockOutcome::Moved(Moved { on_hand, filled }))
}

/// Ends the sale of a SKU at every location, unless claims on it are live.
pub(super) fn retire(work: &mut Work<'_>, sku: &Sku) -> Ruling {
    let rows = work.set.rows_of_sku(sku);
    if rows.is_empty() {
        return Err(Refusal::UnknownSku(sku.clone()));
    }
    for row in &rows {
        let level = work.level(*row);
        if !level.reserved.is_zero() {
            return Err(Refusal::Claimed { key: level.key.clone(), reserved: level.reserved });
        }
    }
    for row in rows {
        let level = &mut work.set.touch(row).level;
        let before = level.available();
        level.retired = true;
        work.moved(row, MovementKind::Retired, Counters::default(), None, None, before);
    }
    Ok(StockOutcome::Retired(Retired { sku: sku.clone() }))
}

/// Makes a level's claims what the live reservations add up to, and the ledger's sum what the level then is.
pub(super) fn reconcile(
    work: &mut Work<'_>,
    key: &StockKey,
    version: u64,
    ledger: Counters,
    claims: Counters,
) -> Ruling {
    let row = work.set.find(key).ok_or_else(|| Refusal::UnknownLevel(key.clone()))?;
    let level = work.level(row);
    if level.version != version {
        return Err(Refusal::Stale { version: level.version });
    }
    let target = Counters { on_hand: level.on_hand.get(), ..claims };
    let committed = Quantity::saturating_from(target.reserved - target.backordered);
    if level.tracked && target.on_hand < committed.get() {
        return Err(Refusal::Committed { key: key.clone(), on_hand: target.on_hand, committed });
    }
    let level = &mut work.set.touch(row).level;
    let before = level.available();
    level.reserved = Quantity::saturating_from(target.reserved);
    level.backordered = Quantity::saturating_from(target.backordered);
    let on_hand = level.on_hand;
    work.moved(row, MovementKind::Reconciled, target.minus(ledger), None, None, before);
    let filled = work.fill(row);
    let on_hand = std::iter::once(StockQuantity::new(key.clone(), on_hand)).collect();
    Ok(StockOutcome::Moved(Moved { on_hand, filled }))
}
