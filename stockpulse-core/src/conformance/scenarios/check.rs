//! What has to hold of stock, whatever happened.

use super::shop::Shop;
use crate::conformance::Violation;
use crate::conformance::support::limit;
use crate::model::{Movement, MovementKind, ReservationId, StockKey, StockLevel};
use crate::service::Inventory;
use crate::worker::Reconciler;

/// A level that is there.
pub(super) async fn level(inventory: &Inventory, key: impl Into<StockKey>) -> Result<StockLevel, Violation> {
    let key = key.into();
    let level = inventory.levels(std::slice::from_ref(&key)).await?.pop().flatten();
    level.ok_or_else(|| Violation::new(format!("there is no level {key}")))
}

/// Of a level: on hand, reserved, available.
pub(super) async fn stock(inventory: &Inventory, key: impl Into<StockKey>) -> Result<[i64; 3], Violation> {
    let level = level(inventory, key).await?;
    Ok([level.on_hand.get(), level.reserved.get(), level.available()])
}

/// All movements of a level.
pub(super) async fn ledger(inventory: &Inventory, key: impl Into<StockKey>) -> Result<Vec<Movement>, Violation> {
    let key = key.into();
    let mut movements = Vec::new();
    let mut after = Some(0);
    while let Some(version) = after {
        let page = inventory.movements(&key, version, limit(500)).await?;
        movements.extend(page.items);
        after = page.next;
    }
    Ok(movements)
}

/// By how much each movement of these kinds changed `reserved`, oldest first.
pub(super) async fn moved(
    inventory: &Inventory,
    key: impl Into<StockKey>,
    kinds: &[MovementKind],
) -> Result<Vec<i64>, Violation> {
    let movements = ledger(inventory, key).await?.into_iter();
    Ok(movements.filter(|one| kinds.contains(&one.kind)).map(|one| one.change.reserved).collect())
}

/// `reserved` is the sum of what these reservations, which are all there are, still claim.
pub(super) async fn claims_add_up(
    inventory: &Inventory,
    key: impl Into<StockKey>,
    reservations: impl IntoIterator<Item = ReservationId>,
) -> Result<(), Violation> {
    let level = level(inventory, key).await?;
    let mut claimed = 0;
    for id in reservations {
        let Some(reservation) = inventory.reservation(id).await? else { continue };
        let lines = reservation.lines.iter().filter(|line| reservation.state.is_live() && line.key == level.key);
        claimed += lines.map(|line| line.open().get()).sum::<i64>();
    }
    ensure_eq!(level.reserved.get(), claimed, "reserved units of {} and the sum of live reservations", level.key);
    Ok(())
}

/// What was available was never below zero, at no moment of the level's history.
pub(super) async fn never_oversold(inventory: &Inventory, key: impl Into<StockKey>) -> Result<(), Violation> {
    let mut available = 0;
    for movement in ledger(inventory, key).await? {
        available += movement.change.on_hand - movement.change.reserved;
        ensure!(available >= 0, "{available} units of {} were available after {movement:?}", movement.key);
    }
    Ok(())
}

/// The reconciler finds every level explained by its ledger and by the claims on it.
pub(super) async fn no_drift(shop: &Shop<'_>) -> Result<(), Violation> {
    let report = Reconciler::new(shop.inventory.clone()).run_once().await?;
    ensure!(report.levels > 0, "the reconciler found no levels");
    ensure!(report.drifts.is_empty(), "the reconciler found drift: {:?}", report.drifts);
    Ok(())
}
