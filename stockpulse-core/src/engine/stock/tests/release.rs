//! Release: wholly and in parts, after shipping, and twice.

use super::*;
use crate::model::{MovementKind, Policy, ReservationState};

#[test]
fn what_is_released_can_be_had_by_others() {
    let mut shop = Shop::with(&[("A", 5), ("B", 5)]);
    shop.reserve(request(1, &[("A", 5), ("B", 1)]));
    let released = shop.release(1, Parts::All);
    assert_eq!(plain(&released.lines), pairs(&[("A", 5), ("B", 1)]));
    assert_eq!(released.state, ReservationState::Released);
    assert_eq!(shop.stand("A"), (5, 0, 0, 5));
    assert_eq!(shop.movements[0].kind, MovementKind::Released);
    shop.reserve(request(2, &[("A", 5)]));
}

#[test]
fn parts_are_released_by_sku_and_by_level_and_the_rest_stays() {
    let mut shop = Shop::with(&[("A", 5), ("B", 5)]);
    shop.reserve(request(1, &[("A", 5), ("B", 2)]));
    let part = shop.release(1, skus(&[("A", 2)]));
    assert_eq!((plain(&part.lines), part.state), (pairs(&[("A", 2)]), ReservationState::Held));
    shop.allocate(1);
    let part = shop.release(1, levels(&[("B", 2), ("A", 1)]));
    assert_eq!((plain(&part.lines), part.state), (pairs(&[("A", 1), ("B", 2)]), ReservationState::Allocated));
    let line = &shop.reservation(1).lines[0];
    assert_eq!((line.quantity, line.released, line.open()), (5.into(), 3.into(), 2.into()));
    let too_many = StockAction::Release { reservation: id(1), parts: skus(&[("A", 3)]), tombstone: false };
    let refusal = shop.refused(too_many);
    assert_eq!(refusal, Refusal::NotClaimed { sku: sku("A"), requested: 3.into(), open: 2.into() });
    let rest = shop.release(1, skus(&[("A", 2)]));
    assert_eq!(rest.state, ReservationState::Released);
}

/// Acceptance scenario 7 (a): cancel after everything shipped.
#[test]
fn what_has_shipped_is_not_released() {
    let mut shop = Shop::with(&[("A", 100)]);
    shop.reserve(request(1, &[("A", 5)]));
    shop.allocate(1);
    shop.fulfil(1, Parts::All);
    let released = shop.release(1, Parts::All);
    assert_eq!((released.lines.len(), released.state), (0, ReservationState::Fulfilled));
    assert_eq!(shop.stand("A"), (95, 0, 0, 95));
}

/// Acceptance scenario 7 (b): cancel after a part shipped.
#[test]
fn exactly_the_remainder_is_released() {
    let mut shop = Shop::with(&[("A", 100)]);
    shop.reserve(request(1, &[("A", 10)]));
    shop.allocate(1);
    shop.fulfil(1, skus(&[("A", 7)]));
    let released = shop.release(1, Parts::All);
    assert_eq!(plain(&released.lines), pairs(&[("A", 3)]));
    assert_eq!(released.state, ReservationState::Fulfilled, "what shipped, shipped");
    assert_eq!(shop.stand("A"), (93, 0, 0, 93));
}

/// Acceptance scenario 8: release without a hold, or twice.
#[test]
fn a_second_release_does_nothing_and_one_without_a_hold_is_refused() {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.reserve(request(1, &[("A", 3)]));
    shop.reserve(request(2, &[("A", 1)]));
    shop.release(1, Parts::All);
    for parts in [Parts::All, skus(&[("A", 3)]), levels(&[("A", 1)])] {
        let again = shop.release(1, parts);
        assert_eq!((again.lines.len(), again.state), (0, ReservationState::Released));
        assert_eq!((shop.movements.len(), shop.events.len()), (0, 0));
    }
    assert_eq!(shop.reservation(1).version, 2);
    let unknown = StockAction::Release { reservation: id(9), parts: Parts::All, tombstone: false };
    assert_eq!(shop.refused(unknown), Refusal::UnknownReservation(id(9)));
    assert_eq!(shop.stand("A"), (5, 1, 0, 4), "the other's claim was touched");
}

#[test]
fn units_that_wait_are_released_first() {
    let mut shop = Shop::with(&[("A", 3)]);
    shop.configure("A", backorders(9_u32));
    shop.reserve(request(1, &[("A", 5)]).with_policy(Policy::Backorder));
    shop.release(1, skus(&[("A", 1)]));
    assert_eq!(claims(&shop.reservation(1)), [("A@main".to_owned(), 4, 1)]);
    shop.release(1, skus(&[("A", 2)]));
    assert_eq!(claims(&shop.reservation(1)), [("A@main".to_owned(), 2, 0)]);
    assert_eq!(shop.set.backorders(&key("A")).count(), 0);
    assert_eq!(shop.stand("A"), (3, 2, 0, 1));
}
