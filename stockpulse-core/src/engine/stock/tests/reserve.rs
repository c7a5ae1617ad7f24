//! Reserving from one location: policies, lines that add up, what is unknown or retired, holds.

use std::time::Duration;

use super::*;
use crate::model::{CustomerId, MovementKind, OrderId, Policy, ReservationState};

#[test]
fn a_reservation_claims_what_is_available() {
    let mut shop = Shop::with(&[("A", 10)]);
    let end = Timestamp::from_micros(shop.now.as_micros() + 60_000_000);
    let request = request(1, &[("A", 4)])
        .with_hold(Duration::from_secs(60))
        .with_order(OrderId::from_u128(9))
        .with_customer(CustomerId::from_u128(8));
    let outcome = shop.reserve(request);
    assert_eq!((outcome.reservation, outcome.expires_at, outcome.is_complete()), (id(1), Some(end), true));
    assert_eq!(granted(&outcome), [("A", 4, 0)]);
    assert_eq!(shop.stand("A"), (10, 4, 0, 6));
    let reservation = shop.reservation(1);
    assert_eq!((reservation.state, reservation.version), (ReservationState::Held, 1));
    assert_eq!((reservation.created_at, reservation.expires_at), (shop.now, Some(end)));
    assert_eq!(reservation.order, Some(OrderId::from_u128(9)));
    assert_eq!(reservation.customer, Some(CustomerId::from_u128(8)));
    assert_eq!(claims(&reservation), [("A@main".to_owned(), 4, 0)]);
    let movement = &shop.movements[0];
    assert_eq!((movement.kind, movement.reservation), (MovementKind::Reserved, Some(id(1))));
}

#[test]
fn all_or_nothing_takes_nothing_when_one_line_is_short_and_names_every_short_line() {
    let mut shop = Shop::with(&[("A", 10), ("B", 1), ("C", 2)]);
    let refusal = shop.refused(StockAction::Reserve(request(1, &[("A", 10), ("B", 2), ("C", 3)])));
    assert_eq!(short(refusal), [("B".to_owned(), 2, 1), ("C".to_owned(), 3, 2)]);
    assert_eq!(shop.set.reservation(id(1)), None);
    assert!(shop.reserve(request(1, &[("A", 10), ("B", 1), ("C", 2)])).is_complete());
    assert_eq!(shop.stand("A"), (10, 10, 0, 0));
}

#[test]
fn safety_stock_is_kept_back() {
    let mut shop = Shop::with(&[("A", 10)]);
    shop.configure("A", LevelSettings { safety_stock: Some(3.into()), ..LevelSettings::default() });
    let refusal = shop.refused(StockAction::Reserve(request(1, &[("A", 8)])));
    assert_eq!(short(refusal), [("A".to_owned(), 8, 7)]);
    shop.reserve(request(1, &[("A", 7)]));
    assert_eq!(shop.stand("A"), (10, 7, 0, 0));
}

/// Acceptance scenario 2: the same SKU twice in one request.
#[test]
fn lines_of_one_sku_add_up() {
    let mut shop = Shop::with(&[("A", 5)]);
    let refusal = shop.refused(StockAction::Reserve(request(1, &[("A", 5), ("A", 5)])));
    assert_eq!(short(refusal), [("A".to_owned(), 5, 0)]);
    assert_eq!(shop.stand("A"), (5, 0, 0, 5));

    let mut shop = Shop::with(&[("A", 50)]);
    shop.reserve(request(1, &[("A", 20)]));
    let outcome = shop.reserve(request(2, &[("A", 10), ("A", 5)]));
    assert_eq!(granted(&outcome), [("A", 10, 0), ("A", 5, 0)]);
    assert_eq!(shop.stand("A"), (50, 35, 0, 15));
    assert_eq!(claims(&shop.reservation(2)), [("A@main".to_owned(), 15, 0)], "one line per level");
    assert_eq!(shop.movements.len(), 1, "one movement per level");
}

#[test]
fn partial_grants_what_there_is_line_by_line() {
    let mut shop = Shop::with(&[("A", 3), ("B", 0), ("C", 9)]);
    let wanted = request(1, &[("A", 5), ("B", 1), ("C", 2), ("A", 1)]).with_policy(Policy::Partial);
    let outcome = shop.reserve(wanted);
    assert!(!outcome.is_complete());
    assert_eq!(granted(&outcome), [("A", 3, 0), ("B", 0, 0), ("C", 2, 0), ("A", 0, 0)]);
    let claimed = [("A@main".to_owned(), 3, 0), ("C@main".to_owned(), 2, 0)];
    assert_eq!(claims(&shop.reservation(1)), claimed, "no line for what was not granted");
}

#[test]
fn partial_is_refused_when_there_is_nothing_at_all() {
    let mut shop = Shop::with(&[("A", 0), ("B", 0)]);
    let wanted = request(1, &[("A", 5), ("B", 1)]).with_policy(Policy::Partial);
    let refusal = shop.refused(StockAction::Reserve(wanted));
    assert_eq!(short(refusal), [("A".to_owned(), 5, 0), ("B".to_owned(), 1, 0)]);
}

#[test]
fn backorder_promises_the_rest_within_the_limit() {
    let mut shop = Shop::with(&[("A", 3)]);
    shop.configure("A", backorders(4_u32));
    let wanted = |units| StockAction::Reserve(request(1, &[("A", units)]).with_policy(Policy::Backorder));
    assert_eq!(short(shop.refused(wanted(8))), [("A".to_owned(), 8, 7)]);
    assert_eq!(granted(&reserved(shop.act(wanted(7)))), [("A", 7, 4)]);
    assert_eq!(shop.stand("A"), (3, 7, 4, -4));
    assert_eq!(claims(&shop.reservation(1)), [("A@main".to_owned(), 7, 4)]);
    let more = |policy| StockAction::Reserve(request(2, &[("A", 1)]).with_policy(policy));
    for policy in [Policy::AllOrNothing, Policy::Partial, Policy::Backorder] {
        assert_eq!(short(shop.refused(more(policy))), [("A".to_owned(), 1, 0)], "{policy:?}");
    }
}

#[test]
fn lines_of_one_sku_share_its_backorder_limit() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.configure("A", backorders(3_u32));
    let wanted = |second| request(1, &[("A", 3), ("A", second)]).with_policy(Policy::Backorder);
    assert_eq!(short(shop.refused(StockAction::Reserve(wanted(2)))), [("A".to_owned(), 2, 1)]);
    assert_eq!(granted(&shop.reserve(wanted(1))), [("A", 3, 2), ("A", 1, 1)]);
    assert_eq!(claims(&shop.reservation(1)), [("A@main".to_owned(), 4, 3)]);
}

#[test]
fn only_the_backorder_policy_backorders() {
    let mut shop = Shop::with(&[("A", 3)]);
    shop.configure("A", backorders(Quantity::MAX));
    shop.refused(StockAction::Reserve(request(1, &[("A", 4)])));
    let partial = shop.reserve(request(1, &[("A", 4)]).with_policy(Policy::Partial));
    assert_eq!(granted(&partial), [("A", 3, 0)]);
}

#[test]
fn claims_never_count_beyond_what_can_be_counted() {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.configure("A", backorders(Quantity::MAX));
    shop.reserve(request(1, &[("A", 3)]));
    let wanted = |units: i64| {
        let request = Reserve::new(id(2)).with_line(sku("A"), Quantity::new(units).unwrap());
        StockAction::Reserve(request.with_policy(Policy::Backorder))
    };
    let (most, room) = (Quantity::MAX.get(), Quantity::MAX.get() - 3);
    assert_eq!(short(shop.refused(wanted(most))), [("A".to_owned(), most, room)]);
    assert_eq!(granted(&reserved(shop.act(wanted(room)))), [("A", room, room - 2)]);
    assert_eq!(shop.level("A").reserved, Quantity::MAX);

    let mut shop = Shop::with(&[("S", 0)]);
    shop.configure("S", LevelSettings { tracked: Some(false), ..LevelSettings::default() });
    shop.reserve(Reserve::new(id(1)).with_line(sku("S"), Quantity::MAX));
    assert_eq!(short(shop.refused(StockAction::Reserve(request(2, &[("S", 1)])))), [("S".to_owned(), 1, 0)]);
}

#[test]
fn lines_of_one_sku_share_what_can_be_counted() {
    let mut shop = Shop::with(&[("A", 2)]);
    shop.configure("A", backorders(Quantity::MAX));
    let most = Quantity::MAX.get();
    let wanted = |first: i64| {
        let request = Reserve::new(id(1)).with_line(sku("A"), Quantity::new(first).unwrap()).with_line(sku("A"), 1_u32);
        request.with_policy(Policy::Backorder)
    };
    assert_eq!(short(shop.refused(StockAction::Reserve(wanted(most)))), [("A".to_owned(), 1, 0)]);
    assert_eq!(granted(&shop.reserve(wanted(most - 1))), [("A", most - 1, most - 3), ("A", 1, 1)]);
    assert_eq!(shop.level("A").reserved, Quantity::MAX);
}

#[test]
fn what_is_untracked_is_always_there() {
    let mut shop = Shop::with(&[("S", 0)]);
    shop.configure("S", LevelSettings { tracked: Some(false), ..LevelSettings::default() });
    assert_eq!(granted(&shop.reserve(request(1, &[("S", 1_000)]))), [("S", 1_000, 0)]);
    assert_eq!(shop.level("S").reserved, 1_000.into());
}

#[test]
fn unknown_and_retired_skus_are_refused_whatever_the_policy() {
    let mut shop = Shop::with(&[("A", 5), ("B", 5)]);
    shop.act(StockAction::Retire { sku: sku("B") });
    for policy in [Policy::AllOrNothing, Policy::Partial, Policy::Backorder] {
        let wanted = |name| StockAction::Reserve(request(1, &[("A", 1), (name, 1)]).with_policy(policy));
        assert_eq!(shop.refused(wanted("X")), Refusal::UnknownSku(sku("X")));
        assert_eq!(shop.refused(wanted("a")), Refusal::UnknownSku(sku("a")), "SKUs compare byte for byte");
        assert_eq!(shop.refused(wanted("B")), Refusal::RetiredSku(sku("B")));
    }
}

#[test]
fn a_hold_that_ends_before_it_begins_is_refused() {
    let mut shop = Shop::with(&[("A", 5)]);
    let mut late = request(1, &[("A", 1)]);
    late.hold = super::super::Hold::Until(shop.now);
    assert_eq!(shop.refused(StockAction::Reserve(late)), Refusal::HoldEnded(shop.now));
    let none = request(1, &[("A", 1)]).with_hold(Duration::ZERO);
    assert_eq!(shop.refused(StockAction::Reserve(none)), Refusal::HoldEnded(shop.now));
}

#[test]
fn an_order_reserves_once() {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.reserve(request(1, &[("A", 2)]));
    let again = || StockAction::Reserve(request(1, &[("A", 2)]));
    assert_eq!(shop.refused(again()), Refusal::ReservationExists(ReservationState::Held));
    shop.allocate(1);
    assert_eq!(shop.refused(again()), Refusal::ReservationExists(ReservationState::Allocated));
    shop.fulfil(1, Parts::All);
    assert_eq!(shop.refused(again()), Refusal::ReservationExists(ReservationState::Fulfilled));
}

#[test]
fn requests_without_sense_are_refused() {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.engine = Engine::new().with_limits(crate::engine::Limits { max_lines: 2, max_locations: 1 });
    let mut far = request(1, &[("A", 1)]);
    far.sourcing.locations = vec![place("east"), place("main")];
    for wrong in [request(1, &[]), request(1, &[("A", 0)]), request(1, &[("A", 1), ("A", 1), ("A", 1)]), far] {
        assert!(matches!(shop.refused(StockAction::Reserve(wrong)), Refusal::Invalid(_)));
    }
}

#[test]
fn as_many_lines_and_locations_as_the_limits_allow_are_taken() {
    let mut shop = Shop::with(&[("A", 5)]);
    shop.engine = Engine::new().with_limits(crate::engine::Limits { max_lines: 2, max_locations: 1 });
    let mut wanted = request(1, &[("A", 1), ("A", 1)]);
    wanted.sourcing.locations = vec![place("main")];
    assert!(shop.reserve(wanted).is_complete());
}
