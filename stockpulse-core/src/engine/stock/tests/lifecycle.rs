//! Extend, allocate, expire; and the tombstone of what was released before it was made.

use std::time::Duration;

use super::super::{Extended, Hold};
use super::*;
use crate::model::{MovementKind, OrderId, ReservationState};

fn extend(reservation: u128, hold: Hold) -> StockAction {
    StockAction::Extend { reservation: id(reservation), hold }
}

fn extended(outcome: StockOutcome) -> Option<Timestamp> {
    match outcome {
        StockOutcome::Extended(Extended { expires_at, .. }) => expires_at,
        other => panic!("not extended: {other:?}"),
    }
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

/// A shop with five A, of which reservation 1 holds two for a minute.
fn shop() -> Shop {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.reserve(request(1, &[("A", 2)]).with_hold(minute()));
    shop
}

#[test]
fn a_hold_is_extended_and_never_shortened() {
    let mut shop = shop();
    let first = shop.now.plus(minute());
    shop.wait(30);
    let later = shop.now.plus(minute());
    assert_eq!(extended(shop.act(extend(1, Hold::For(minute())))), Some(later));
    assert_eq!(shop.reservation(1).version, 2);
    assert_eq!(extended(shop.act(extend(1, Hold::Until(first)))), Some(later));
    let reservation = shop.reservation(1);
    assert_eq!((reservation.version, reservation.expires_at), (2, Some(later)), "nothing changed");
    assert_eq!(extended(shop.act(extend(1, Hold::Forever))), None);
    assert_eq!(extended(shop.act(extend(1, Hold::For(minute())))), None, "forever is not shortened");
    assert_eq!(shop.reservation(1).version, 3);
}

#[test]
fn an_extension_into_the_past_of_what_ended_or_of_what_is_unknown_is_refused() {
    let mut shop = shop();
    assert_eq!(shop.refused(extend(1, Hold::Until(shop.now))), Refusal::HoldEnded(shop.now));
    assert_eq!(shop.refused(extend(2, Hold::Forever)), Refusal::UnknownReservation(id(2)));
    shop.release(1, Parts::All);
    assert_eq!(shop.refused(extend(1, Hold::Forever)), Refusal::WrongState(ReservationState::Released));
}

#[test]
fn what_is_allocated_has_no_end_and_needs_no_extension() {
    let mut shop = shop();
    shop.allocate(1);
    assert_eq!(extended(shop.act(extend(1, Hold::For(minute())))), None);
    let reservation = shop.reservation(1);
    assert_eq!((reservation.state, reservation.expires_at), (ReservationState::Allocated, None));
    assert_eq!(reservation.version, 2);
}

#[test]
fn allocating_twice_is_allocating_once_and_an_overdue_hold_can_still_be() {
    let mut shop = shop();
    shop.wait(61);
    assert!(shop.reservation(1).is_overdue(shop.now));
    shop.allocate(1);
    shop.allocate(1);
    assert_eq!(shop.reservation(1).version, 2);
    assert_eq!(shop.stand("A"), (5, 2, 0, 3));
    assert_eq!(shop.expire(1).lines.len(), 0, "what is allocated does not expire");
    assert_eq!(shop.reservation(1).state, ReservationState::Allocated);
}

#[test]
fn what_ended_or_is_unknown_is_not_allocated() {
    let mut shop = shop();
    let allocate = |reservation| StockAction::Allocate { reservation: id(reservation) };
    assert_eq!(shop.refused(allocate(2)), Refusal::UnknownReservation(id(2)));
    shop.wait(60);
    shop.expire(1);
    assert_eq!(shop.refused(allocate(1)), Refusal::WrongState(ReservationState::Expired));
}

#[test]
fn a_hold_expires_once_when_its_time_has_come() {
    let mut shop = shop();
    let expire = |reservation| StockAction::Expire { reservation: id(reservation) };
    shop.wait(59);
    let end = shop.reservation(1).expires_at.unwrap();
    assert_eq!(shop.refused(expire(1)), Refusal::HoldLasts(end));
    assert_eq!(shop.refused(expire(2)), Refusal::UnknownReservation(id(2)));
    shop.wait(1);
    let expired = shop.expire(1);
    assert_eq!(plain(&expired.lines), pairs(&[("A", 2)]));
    assert_eq!(expired.state, ReservationState::Expired);
    assert_eq!(shop.movements[0].kind, MovementKind::Expired);
    assert_eq!(shop.stand("A"), (5, 0, 0, 5));
    let again = shop.expire(1);
    assert_eq!((again.lines.len(), again.state), (0, ReservationState::Expired));
    assert_eq!((shop.movements.len(), shop.events.len()), (0, 0));
    let reservation = shop.reservation(1);
    assert_eq!((reservation.version, reservation.expires_at), (2, None));
}

#[test]
fn a_hold_without_an_end_does_not_expire() {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.reserve(request(1, &[("A", 2)]));
    shop.wait(1_000_000);
    let refusal = shop.refused(StockAction::Expire { reservation: id(1) });
    assert_eq!(refusal, Refusal::WrongState(ReservationState::Held));
}

#[test]
fn a_release_before_the_request_leaves_a_tombstone_that_refuses_it() {
    let mut shop = Shop::with(&[("A", 5)]);
    let bury = |tombstone| StockAction::Release { reservation: id(1), parts: Parts::All, tombstone };
    assert_eq!(shop.refused(bury(false)), Refusal::UnknownReservation(id(1)));
    let buried = released(shop.act(bury(true)));
    assert_eq!((buried.lines.len(), buried.state), (0, ReservationState::Released));
    assert_eq!(shop.told(), Vec::<&str>::new(), "nothing was released");
    assert_eq!(shop.reservation(1).version, 1);
    let late = request(1, &[("A", 1)]).with_order(OrderId::from_u128(1));
    let refusal = shop.refused(StockAction::Reserve(late));
    assert_eq!(refusal, Refusal::ReservationExists(ReservationState::Released));
    assert_eq!(shop.stand("A"), (5, 0, 0, 5));
    assert_eq!(released(shop.act(bury(true))).lines.len(), 0);
    assert_eq!(shop.reservation(1).version, 1, "a tombstone is written once");
}

#[test]
fn a_tombstone_is_not_written_over_a_reservation() {
    let mut shop = shop();
    let bury = StockAction::Release { reservation: id(1), parts: Parts::All, tombstone: true };
    assert_eq!(plain(&released(shop.act(bury)).lines), pairs(&[("A", 2)]));
    assert_eq!(shop.reservation(1).lines.len(), 1);
}
