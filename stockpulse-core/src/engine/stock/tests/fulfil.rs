//! Fulfilment: wholly, and in parts by SKU and level.

use super::*;
use crate::model::{MovementKind, Policy, ReservationState, Sourcing};

/// A shop in which reservation 1 has four A and one B at `main` and two A in the east, allocated.
fn shop() -> Shop {
    let mut shop = Shop::with(&[("A", 4), ("A@east", 9), ("B", 9)]);
    let sourcing = Sourcing { locations: vec![place("main"), place("east")], ..Sourcing::default() };
    shop.reserve(request(1, &[("A", 6), ("B", 1)]).with_sourcing(sourcing));
    shop.allocate(1);
    shop
}

fn fulfil(parts: Parts) -> StockAction {
    StockAction::Fulfil { reservation: id(1), parts }
}

#[test]
fn all_units_leave_hand_and_claim_together() {
    let mut shop = shop();
    let fulfilled = shop.fulfil(1, Parts::All);
    assert_eq!(plain(&fulfilled.lines), pairs(&[("A", 4), ("A@east", 2), ("B", 1)]));
    assert_eq!(fulfilled.state, ReservationState::Fulfilled);
    assert_eq!(shop.stand("A"), (0, 0, 0, 0));
    assert_eq!(shop.stand("A@east"), (7, 0, 0, 7));
    assert_eq!(shop.stand("B"), (8, 0, 0, 8));
    let kinds: Vec<_> = shop.movements.iter().map(|movement| (movement.kind, movement.reservation)).collect();
    assert_eq!(kinds, [(MovementKind::Fulfilled, Some(id(1))); 3]);
    assert_eq!(shop.refused(fulfil(Parts::All)), Refusal::WrongState(ReservationState::Fulfilled));
}

#[test]
fn units_leave_in_parts_by_sku_from_the_first_location_on() {
    let mut shop = shop();
    let first = shop.fulfil(1, skus(&[("A", 5)]));
    assert_eq!(plain(&first.lines), pairs(&[("A", 4), ("A@east", 1)]));
    assert_eq!(first.state, ReservationState::Allocated);
    let rest = shop.fulfil(1, skus(&[("B", 1), ("A", 1)]));
    assert_eq!(plain(&rest.lines), pairs(&[("A@east", 1), ("B", 1)]));
    assert_eq!(rest.state, ReservationState::Fulfilled);
}

#[test]
fn units_leave_in_parts_by_level() {
    let mut shop = shop();
    let part = shop.fulfil(1, levels(&[("A@east", 1), ("A", 3)]));
    assert_eq!(plain(&part.lines), pairs(&[("A", 3), ("A@east", 1)]));
    assert_eq!((shop.stand("A"), shop.stand("A@east")), ((1, 1, 0, 0), (8, 1, 0, 7)));
    let line = &shop.reservation(1).lines[0];
    assert_eq!((line.quantity, line.fulfilled, line.open()), (4.into(), 3.into(), 1.into()));
}

#[test]
fn no_more_leaves_than_is_claimed() {
    let mut shop = shop();
    let missing = |name, requested: u32, open: u32| Refusal::NotClaimed {
        sku: sku(name),
        requested: requested.into(),
        open: open.into(),
    };
    assert_eq!(shop.refused(fulfil(skus(&[("A", 7)]))), missing("A", 7, 6));
    assert_eq!(shop.refused(fulfil(skus(&[("A", 4), ("A", 3)]))), missing("A", 3, 2));
    assert_eq!(shop.refused(fulfil(skus(&[("C", 1)]))), missing("C", 1, 0));
    assert_eq!(shop.refused(fulfil(levels(&[("A@east", 3)]))), missing("A", 3, 2));
    assert_eq!(shop.refused(fulfil(levels(&[("A@east", 2), ("A@east", 1)]))), missing("A", 1, 0));
    assert_eq!(shop.refused(fulfil(levels(&[("A@west", 1)]))), missing("A", 1, 0));
    for wrong in [skus(&[]), skus(&[("A", 0)]), levels(&[]), levels(&[("A", 0)])] {
        assert!(matches!(shop.refused(fulfil(wrong)), Refusal::Invalid(_)));
    }
}

#[test]
fn only_what_is_allocated_leaves() {
    let mut shop = Shop::with(&[("A", 4)]);
    assert_eq!(shop.refused(fulfil(Parts::All)), Refusal::UnknownReservation(id(1)));
    shop.reserve(request(1, &[("A", 1)]));
    assert_eq!(shop.refused(fulfil(Parts::All)), Refusal::WrongState(ReservationState::Held));
    shop.release(1, Parts::All);
    assert_eq!(shop.refused(fulfil(Parts::All)), Refusal::WrongState(ReservationState::Released));
}

#[test]
fn units_that_wait_do_not_leave() {
    let mut shop = Shop::with(&[("A", 2), ("B", 0)]);
    shop.configure("A", backorders(9_u32));
    shop.configure("B", backorders(9_u32));
    shop.reserve(request(1, &[("A", 5), ("B", 1)]).with_policy(Policy::Backorder));
    shop.allocate(1);
    let refusal = shop.refused(fulfil(skus(&[("A", 3)])));
    assert_eq!(refusal, Refusal::NotClaimed { sku: sku("A"), requested: 3.into(), open: 2.into() });
    let first = shop.fulfil(1, Parts::All);
    assert_eq!((plain(&first.lines), first.state), (pairs(&[("A", 2)]), ReservationState::Allocated));
    let none = shop.fulfil(1, Parts::All);
    assert_eq!((none.lines.len(), none.state), (0, ReservationState::Allocated));
    assert_eq!((shop.movements.len(), shop.events.len()), (0, 0), "nothing happened");
    shop.receive(&[("A", 9), ("B", 1)]);
    let rest = shop.fulfil(1, Parts::All);
    assert_eq!((plain(&rest.lines), rest.state), (pairs(&[("A", 3), ("B", 1)]), ReservationState::Fulfilled));
    assert_eq!(shop.stand("A"), (6, 0, 0, 6));
}

#[test]
fn a_service_is_fulfilled_without_stock() {
    let mut shop = Shop::with(&[("S", 0)]);
    shop.configure("S", LevelSettings { tracked: Some(false), ..LevelSettings::default() });
    shop.reserve(request(1, &[("S", 3)]));
    shop.allocate(1);
    shop.fulfil(1, Parts::All);
    assert_eq!(shop.stand("S"), (0, 0, 0, 0));
}
