//! Placing an order.

use std::time::Duration;

use super::desk::{CUSTOMER, Desk, HALF_HOUR, ORDER, cancel, eur, place, set, sku, units};
use crate::engine::order::{OrderAction, OrderRefusal, OrderState, Place};
use crate::engine::{Engine, Limits};
use crate::model::{
    Currency, LocationId, Money, OrderChange, OrderDetail, OrderStatus, PaymentStatus, PaymentTerms, Policy, Quantity,
    Sourcing, StockRequest, Strategy,
};

fn refusal(place: Place) -> String {
    match Desk::new().refused(OrderAction::Place(place)) {
        OrderRefusal::Invalid(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_order_is_accepted_and_asks_for_its_stock() {
    let mut request = place(&[("CUP", 3), ("SET", 1)]).with_policy(Policy::Partial);
    request.kits = vec![set()];
    request.sourcing = Sourcing { strategy: Strategy::FewestSplits, locations: vec![LocationId::new("east").unwrap()] };
    let mut desk = Desk::new();
    let state = desk.accepted(OrderAction::Place(request.clone()));
    let (status, payment) = (OrderStatus::Placed, PaymentStatus::NotRequired);
    assert_eq!(state, OrderState { order: ORDER, status, payment, version: 1, changed: true });
    let order = desk.order();
    assert_eq!((order.customer, order.placed_at, order.pay_by), (Some(CUSTOMER), desk.now, None));
    let event = desk.event();
    assert_eq!(
        (event.change, event.reservation, event.customer),
        (OrderChange::Placed, ORDER.reservation(1), Some(CUSTOMER))
    );
    let OrderDetail::Wanted { request: wanted, lines, terms } = &event.detail else { panic!("{event:?}") };
    assert_eq!((lines, *terms), (&order.lines, PaymentTerms::OnDelivery));
    let expected = StockRequest {
        reservation: ORDER.reservation(1),
        lines: units(&[("CUP", 3), ("SET", 1)]),
        kits: vec![set()],
        policy: Policy::Partial,
        sourcing: request.sourcing,
        hold_until: None,
    };
    assert_eq!(*wanted, expected);
}

#[test]
fn a_prepaid_order_asks_for_a_hold_until_it_has_to_be_paid() {
    let desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    let due = Some(desk.now.plus(HALF_HOUR));
    let order = desk.order();
    assert_eq!((order.payment, order.pay_by, order.held_until), (PaymentStatus::Due, due, due));
    let OrderDetail::Wanted { request, .. } = &desk.event().detail else { panic!("{:?}", desk.event()) };
    assert_eq!(request.hold_until, due);
}

#[test]
fn lines_of_one_sku_add_up_at_the_first_price() {
    let request = place(&[("CUP", 3), ("cup", 1)]).with_line(sku("CUP"), 2, eur(999));
    let desk = Desk::placed(request);
    let lines: Vec<_> =
        desk.order().lines.iter().map(|line| (line.sku.as_str(), line.quantity, line.unit_price)).collect();
    assert_eq!(lines, [("CUP", 5.into(), eur(250)), ("cup", 1.into(), eur(250))]);
}

#[test]
fn more_units_of_a_sku_than_can_be_counted_are_refused() {
    let free = |place: Place| place.with_line(sku("CUP"), Quantity::MAX, eur(0));
    assert!(refusal(free(free(Place::new(ORDER)))).starts_with("CUP: more than"));
}

#[test]
fn what_exists_is_not_placed_again() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]));
    let again = OrderAction::Place(place(&[("CUP", 4)]));
    assert_eq!(desk.refused(again), OrderRefusal::OrderExists(OrderStatus::Placed));
}

#[test]
fn an_order_cancelled_before_it_was_placed_is_refused() {
    let mut desk = Desk::new();
    let state = desk.accepted(cancel(ORDER));
    assert_eq!((state.status, state.version), (OrderStatus::Cancelled, 1));
    assert_eq!(desk.event().change, OrderChange::Cancelled);
    assert_eq!(desk.history[0].reason.as_deref(), Some("changed my mind"));
    let late = OrderAction::Place(place(&[("CUP", 3)]));
    assert_eq!(desk.refused(late), OrderRefusal::OrderExists(OrderStatus::Cancelled));
    assert!(!desk.accepted(cancel(ORDER)).changed);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    assert_eq!(refusal(Place::new(ORDER)), "no lines");
    assert!(refusal(place(&[("CUP", 0)])).contains("CUP: quantity is 0"));
    assert!(refusal(Place::new(ORDER).with_line(sku("CUP"), 1, eur(-1))).contains("CUP: price"));
    assert!(refusal(place(&[("CUP", 1)]).prepaid(Duration::ZERO)).contains("no time to pay"));
}

#[test]
fn a_total_that_cannot_be_counted_is_refused() {
    let mixed = |name| place(&[("CUP", 1)]).with_line(sku(name), 1, Money::new(1, Currency::USD));
    assert!(refusal(mixed("SAUCER")).contains("SAUCER: the order's total"));
    assert!(refusal(mixed("CUP")).contains("mixes currencies"));
    let dear = |place: Place, name| place.with_line(sku(name), 1, eur(i64::MAX));
    assert!(refusal(dear(place(&[("CUP", 1)]), "GOLD")).contains("GOLD: the order's total is too large"));
    assert!(refusal(Place::new(ORDER).with_line(sku("GOLD"), 2, eur(i64::MAX))).contains("too large"));
    // Merged at the first price, which is what the customer pays.
    let merged = Place::new(ORDER).with_line(sku("GOLD"), 1, eur(i64::MAX)).with_line(sku("GOLD"), 1, eur(0));
    assert!(refusal(merged).contains("too large"));
    let desk = Desk::confirmed(dear(Place::new(ORDER), "GOLD"));
    assert_eq!(desk.order().total(), Some(eur(i64::MAX)));
}

#[test]
fn more_lines_or_locations_than_the_limits_are_refused() {
    let engine = Engine::new().with_limits(Limits { max_lines: 1, max_locations: 1 });
    let mut desk = Desk::with_engine(engine);
    let two = OrderAction::Place(place(&[("CUP", 1), ("SAUCER", 1)]));
    assert!(matches!(desk.refused(two), OrderRefusal::Invalid(reason) if reason.contains("lines")));
    let locations = ["east", "west"].map(|name| LocationId::new(name).unwrap()).to_vec();
    let far = place(&[("CUP", 1)]).with_sourcing(Sourcing { strategy: Strategy::Priority, locations });
    assert!(
        matches!(desk.refused(OrderAction::Place(far)), OrderRefusal::Invalid(reason) if reason.contains("locations"))
    );
    assert!(desk.find(ORDER).is_none());
    let near = Sourcing { strategy: Strategy::Priority, locations: vec![LocationId::main()] };
    assert!(desk.accepted(OrderAction::Place(place(&[("CUP", 1)]).with_sourcing(near))).changed);
}
