//! On-hand changes: receive, return, adjust, count, transfer.

use std::collections::BTreeMap;

use compact_str::CompactString;
use smallvec::SmallVec;

use super::decide::{Ruling, Work};
use super::outcome::{Filled, Moved, Refusal, StockOutcome};
use crate::model::{
    Counters, LocationId, MovementKind, Quantity, Sku, StockAdjusted, StockEvent, StockKey, StockQuantity,
};

/// Goods come in, from a supplier or back from a customer; waiting claims are covered first.
pub(super) fn receive(work: &mut Work<'_>, lines: &[StockQuantity], kind: MovementKind) -> Ruling {
    let mut incoming: BTreeMap<&StockKey, i64> = BTreeMap::new();
    for line in lines {
        let units = incoming.entry(&line.key).or_default();
        *units = units.saturating_add(line.quantity.get());
    }
    for (key, units) in incoming {
        check_room(work, key, kind, units)?;
    }
    let rows: SmallVec<[usize; 1]> = lines.iter().map(|line| work.set.find_or_create(&line.key)).collect();
    let mut filled = Vec::new();
    for (row, line) in rows.iter().zip(lines) {
        move_on_hand(work, *row, kind, line.quantity.get(), None, &mut filled);
    }
    Ok(moved(work, rows, filled))
}

/// On-hand is corrected by a difference.
pub(super) fn adjust(work: &mut Work<'_>, key: &StockKey, change: i64, reason: Option<&CompactString>) -> Ruling {
    let row = work.set.find(key).ok_or_else(|| Refusal::UnknownLevel(key.clone()))?;
    check_on_hand(work, row, MovementKind::Adjusted, change)?;
    let mut filled = Vec::new();
    move_on_hand(work, row, MovementKind::Adjusted, change, reason, &mut filled);
    Ok(moved(work, [row], filled))
}

/// On-hand is what was counted. Fewer than are promised is refused: say first which claims to release.
pub(super) fn count(work: &mut Work<'_>, key: &StockKey, counted: Quantity, reason: Option<&CompactString>) -> Ruling {
    if let Some(row) = work.set.find(key) {
        let change = counted.get() - work.level(row).on_hand.get();
        check_on_hand(work, row, MovementKind::Counted, change)?;
    }
    let row = work.set.find_or_create(key);
    let change = counted.get() - work.level(row).on_hand.get();
    let mut filled = Vec::new();
    move_on_hand(work, row, MovementKind::Counted, change, reason, &mut filled);
    Ok(moved(work, [row], filled))
}

/// Goods move between locations: two movements, one command.
pub(super) fn transfer(
    work: &mut Work<'_>,
    sku: &Sku,
    from: &LocationId,
    to: &LocationId,
    quantity: Quantity,
) -> Ruling {
    let from = StockKey::new(sku.clone(), from.clone());
    let to = StockKey::new(sku.clone(), to.clone());
    let source = work.set.find(&from).ok_or(Refusal::UnknownLevel(from))?;
    check_on_hand(work, source, MovementKind::TransferredOut, -quantity.get())?;
    check_room(work, &to, MovementKind::TransferredIn, quantity.get())?;
    let target = work.set.find_or_create(&to);
    let mut filled = Vec::new();
    move_on_hand(work, source, MovementKind::TransferredOut, -quantity.get(), None, &mut filled);
    move_on_hand(work, target, MovementKind::TransferredIn, quantity.get(), None, &mut filled);
    Ok(moved(work, [source, target], filled))
}

/// Refuses what would take away promised units, stock up what is retired, or count beyond what can be counted.
fn check_on_hand(work: &Work<'_>, row: usize, kind: MovementKind, change: i64) -> Result<(), Refusal> {
    let level = work.level(row);
    let on_hand = level.on_hand.get().saturating_add(change);
    if on_hand > Quantity::MAX.get() {
        return Err(too_many(&level.key));
    }
    if level.retired && matches!(kind, MovementKind::Received | MovementKind::TransferredIn) {
        return Err(Refusal::RetiredSku(level.key.sku.clone()));
    }
    let committed = if level.tracked { level.committed() } else { Quantity::ZERO };
    if on_hand < committed.get() {
        return Err(Refusal::Committed { key: level.key.clone(), on_hand, committed });
    }
    Ok(())
}

fn check_room(work: &Work<'_>, key: &StockKey, kind: MovementKind, incoming: i64) -> Result<(), Refusal> {
    match work.set.find(key) {
        Some(row) => check_on_hand(work, row, kind, incoming),
        None if incoming > Quantity::MAX.get() => Err(too_many(key)),
        None => Ok(()),
    }
}

fn too_many(key: &StockKey) -> Refusal {
    Refusal::Invalid(format!("{key}: on-hand would be above {}", Quantity::MAX))
}

fn move_on_hand(
    work: &mut Work<'_>,
    row: usize,
    kind: MovementKind,
    change: i64,
    reason: Option<&CompactString>,
    filled: &mut Vec<Filled>,
) {
    work.change(row, kind, Counters { on_hand: change, ..Counters::default() }, None, reason);
    let level = work.level(row);
    let (key, on_hand, version) = (level.key.clone(), level.on_hand, level.version);
    work.emit(StockEvent::Adjusted(StockAdjusted { key, kind, change, on_hand, version }), version);
    if change > 0 {
        filled.append(&mut work.fill(row));
    }
}

fn moved(work: &Work<'_>, rows: impl IntoIterator<Item = usize>, filled: Vec<Filled>) -> StockOutcome {
    let level = |row| {
        let level = work.level(row);
        StockQuantity::new(level.key.clone(), level.on_hand)
    };
    let on_hand: SmallVec<[StockQuantity; 1]> = rows.into_iter().map(level).collect();
    StockOutcome::Moved(Moved { on_hand, filled })
}
