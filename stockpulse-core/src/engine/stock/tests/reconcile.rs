//! The reconciler's repair.

use super::*;
use crate::model::{Backorder, MovementKind};

fn counters(on_hand: i64, reserved: i64, backordered: i64) -> Counters {
    Counters { on_hand, reserved, backordered }
}

fn reconcile(version: u64, ledger: Counters, claims: Counters) -> StockAction {
    StockAction::Reconcile { key: key("A"), version, ledger, claims }
}

/// A shop whose level was changed behind the engine's back.
fn drifted(on_hand: u32, reserved: u32, backordered: u32) -> Shop {
    let mut shop = Shop::default();
    let level = StockLevel::new(key("A"));
    let (on_hand, reserved, backordered) = (on_hand.into(), reserved.into(), backordered.into());
    shop.set.insert_level(StockLevel { on_hand, reserved, backordered, version: 7, ..level });
    shop
}

/// Decides without the shop's own audit, which a level that drifted does not pass.
fn run(shop: &mut Shop, action: StockAction) -> StockOutcome {
    let command = shop.command(action);
    shop.run_all(&[command]).remove(0)
}

#[test]
fn claims_become_what_they_are_and_the_ledger_what_the_level_then_is() {
    let mut shop = drifted(10, 6, 2);
    let outcome = moved(run(&mut shop, reconcile(7, counters(9, 6, 2), counters(0, 4, 0))));
    assert_eq!(plain(&outcome.on_hand), pairs(&[("A", 10)]));
    assert_eq!(shop.stand("A"), (10, 4, 0, 6));
    let movement = &shop.movements[0];
    assert_eq!((movement.kind, movement.version), (MovementKind::Reconciled, 8));
    assert_eq!(movement.change, counters(1, -2, -2), "what the ledger lacks to be the level");
}

#[test]
fn a_level_that_changed_meanwhile_is_not_repaired() {
    let mut shop = drifted(10, 6, 0);
    let outcome = run(&mut shop, reconcile(6, counters(10, 4, 0), counters(0, 4, 0)));
    assert_eq!(refusal(outcome), Refusal::Stale { version: 7 });
    assert_eq!(shop.stand("A"), (10, 6, 0, 4));
    let elsewhere =
        StockAction::Reconcile { key: key("B"), version: 0, ledger: Counters::default(), claims: Counters::default() };
    assert_eq!(refusal(run(&mut shop, elsewhere)), Refusal::UnknownLevel(key("B")));
}

#[test]
fn claims_beyond_what_lies_there_are_not_made_true() {
    let mut shop = drifted(3, 1, 0);
    let outcome = run(&mut shop, reconcile(7, counters(3, 1, 0), counters(0, 5, 1)));
    assert_eq!(refusal(outcome), Refusal::Committed { key: key("A"), on_hand: 3, committed: 4.into() });
    assert_eq!(shop.stand("A"), (3, 1, 0, 2));
}

#[test]
fn claims_to_all_that_lies_there_are_made_true() {
    let mut shop = drifted(4, 1, 0);
    moved(run(&mut shop, reconcile(7, counters(4, 1, 0), counters(0, 5, 1))));
    assert_eq!(shop.stand("A"), (4, 5, 1, -1));
}

#[test]
fn claims_that_cannot_be_are_refused() {
    let mut shop = drifted(3, 1, 0);
    let beyond = Quantity::MAX.get() + 1;
    for (reserved, backordered) in [(-1, 0), (1, -1), (1, 2), (beyond, 0), (i64::MAX, i64::MIN), (i64::MIN, i64::MAX)] {
        let outcome = run(&mut shop, reconcile(7, counters(3, 1, 0), counters(0, reserved, backordered)));
        assert!(matches!(refusal(outcome), Refusal::Invalid(_)), "{reserved} {backordered}");
    }
    assert_eq!(shop.level("A").version, 7);
}

#[test]
fn units_that_a_repair_frees_go_to_those_who_wait() {
    let mut shop = drifted(5, 9, 2);
    let (reservation, order) = (id(3), None);
    let waiting = Backorder { key: key("A"), position: 4, reservation, order, quantity: 2.into() };
    shop.set.insert_backorder(waiting);
    let outcome = moved(run(&mut shop, reconcile(7, counters(5, 9, 2), counters(0, 5, 2))));
    assert_eq!(outcome.filled.len(), 1);
    assert_eq!(shop.stand("A"), (5, 5, 0, 0));
}
