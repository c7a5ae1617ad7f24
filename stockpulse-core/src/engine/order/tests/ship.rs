//! Goods leave, and come back.

use super::desk::{Desk, HALF_HOUR, ORDER, parts, place, reserved, set, sku, units};
use crate::engine::order::{OrderAction, OrderParts, OrderRefusal, StockAnswer};
use crate::engine::{Engine, Limits};
use crate::model::{
    LocationId, OrderChange, OrderDetail, OrderId, OrderStatus, PaymentStatus, Policy, StockKey, StockQuantity,
};

const UNKNOWN: OrderId = OrderId::from_u128(404);

const fn ship(parts: OrderParts) -> OrderAction {
    OrderAction::Ship { order: ORDER, parts }
}

fn give_back(order: OrderId, parts: OrderParts) -> OrderAction {
    OrderAction::Return { order, parts, location: LocationId::main() }
}

#[test]
fn an_order_ships_in_parts() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3), ("SAUCER", 2)]));
    let state = desk.ship(parts(&[("CUP", 1), ("CUP", 1)]));
    assert_eq!(state.status, OrderStatus::PartlyShipped);
    assert_eq!(
        (desk.event().change, &desk.event().detail),
        (OrderChange::ShippedPartly, &OrderDetail::Shipped(units(&[("CUP", 2)])))
    );
    let state = desk.ship(OrderParts::All);
    assert_eq!(state.status, OrderStatus::Shipped);
    assert_eq!(
        (desk.event().change, &desk.event().detail),
        (OrderChange::Shipped, &OrderDetail::Shipped(units(&[("CUP", 1), ("SAUCER", 2)])))
    );
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongState(OrderStatus::Shipped));
}

#[test]
fn no_more_ships_than_the_order_has() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    let not_enough = |sku, requested: u32, available: u32| OrderRefusal::NotEnough {
        sku,
        requested: requested.into(),
        available: available.into(),
    };
    assert_eq!(desk.refused(ship(parts(&[("CUP", 4)]))), not_enough(sku("CUP"), 4, 3));
    assert_eq!(desk.refused(ship(parts(&[("CUP", 2), ("CUP", 2)]))), not_enough(sku("CUP"), 2, 1));
    assert_eq!(desk.refused(ship(parts(&[("CUP", 1), ("SAUCER", 1)]))), not_enough(sku("SAUCER"), 1, 0));
    assert!(matches!(desk.refused(ship(parts(&[("CUP", 0)]))), OrderRefusal::Invalid(_)));
    assert!(matches!(desk.refused(ship(parts(&[]))), OrderRefusal::Invalid(_)));
    let unknown = OrderAction::Ship { order: UNKNOWN, parts: OrderParts::All };
    assert_eq!(desk.refused(unknown), OrderRefusal::UnknownOrder(UNKNOWN));
}

#[test]
fn nothing_ships_before_it_is_confirmed_paid_and_allocated() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongState(OrderStatus::Placed));
    desk.reserve_all();
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongPayment(PaymentStatus::Due));
    desk.begin_payment(HALF_HOUR);
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongPayment(PaymentStatus::Started));
    desk.pay();
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::NotAllocated, "the hold may be running out");
    desk.answer(StockAnswer::Allocated);
    assert_eq!((desk.event().change, desk.order().held_until), (OrderChange::Allocated, None));
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped);
}

#[test]
fn allocated_by_hand_before_it_is_paid_still_has_to_be_paid() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    desk.answer(StockAnswer::Allocated);
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongPayment(PaymentStatus::Due));
    desk.begin_payment(HALF_HOUR);
    assert_eq!(desk.order().held_until, None);
    desk.pay();
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped);
}

#[test]
fn what_waits_for_stock_does_not_ship() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]).with_policy(Policy::Backorder));
    desk.answer(reserved(&[("CUP", 3, 3)], &[("CUP", 2)]));
    let not_enough = OrderRefusal::NotEnough { sku: sku("CUP"), requested: 2.into(), available: 1.into() };
    assert_eq!(desk.refused(ship(parts(&[("CUP", 2)]))), not_enough);
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::PartlyShipped);
}

#[test]
fn nothing_of_a_dead_order_ships() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    desk.ship(parts(&[("CUP", 1)]));
    desk.cancel();
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongState(OrderStatus::Cancelled));
}

#[test]
fn what_shipped_comes_back_in_parts_and_no_more_than_that() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3), ("SAUCER", 2)]));
    assert!(!desk.take_back(OrderParts::All).changed, "nothing has shipped");
    desk.ship(OrderParts::All);
    let state = desk.take_back(parts(&[("CUP", 2)]));
    assert_eq!((state.status, desk.event().change), (OrderStatus::Shipped, OrderChange::Returned));
    let not_enough = OrderRefusal::NotEnough { sku: sku("CUP"), requested: 2.into(), available: 1.into() };
    assert_eq!(desk.refused(give_back(ORDER, parts(&[("CUP", 2)]))), not_enough);
    assert!(matches!(desk.refused(give_back(ORDER, parts(&[("CUP", 0)]))), OrderRefusal::Invalid(_)));
    assert_eq!(desk.refused(give_back(UNKNOWN, OrderParts::All)), OrderRefusal::UnknownOrder(UNKNOWN));
    assert_eq!(desk.take_back(OrderParts::All).status, OrderStatus::Returned);
    assert_eq!(desk.refused(ship(OrderParts::All)), OrderRefusal::WrongState(OrderStatus::Returned));
    assert!(!desk.take_back(OrderParts::All).changed);
}

#[test]
fn an_order_that_still_ships_is_not_returned_by_what_came_back_so_far() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    desk.ship(parts(&[("CUP", 1)]));
    assert_eq!(desk.take_back(OrderParts::All).status, OrderStatus::PartlyShipped);
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped);
    assert_eq!(desk.take_back(OrderParts::All).status, OrderStatus::Returned);
}

#[test]
fn what_shipped_of_a_cancelled_order_can_come_back() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    desk.ship(parts(&[("CUP", 2)]));
    desk.cancel();
    let state = desk.take_back(OrderParts::All);
    assert_eq!((state.status, desk.order().lines[0].returned), (OrderStatus::Cancelled, 2.into()));
}

#[test]
fn a_kit_is_put_away_as_its_components_each_once() {
    let mut request = place(&[("SET", 3), ("CUP", 1)]);
    request.kits = vec![set()];
    let mut desk = Desk::confirmed(request);
    desk.ship(OrderParts::All);
    let shelf = LocationId::new("shelf").unwrap();
    let action = OrderAction::Return { order: ORDER, parts: OrderParts::All, location: shelf.clone() };
    desk.accepted(action);
    let OrderDetail::Returned { lines, stock } = &desk.event().detail else { panic!("{:?}", desk.event()) };
    assert_eq!(*lines, units(&[("SET", 3), ("CUP", 1)]));
    let put = |name, quantity: u32| StockQuantity::new(StockKey::new(sku(name), shelf.clone()), quantity.into());
    assert_eq!(*stock, [put("CUP", 4), put("SAUCER", 6)]);
}

#[test]
fn more_components_at_once_than_inventory_takes_come_back_in_parts() {
    let mut desk = Desk::with_engine(Engine::new().with_limits(Limits::default().with_max_lines(2)));
    let mut request = place(&[("SET", 1), ("SPOON", 1)]);
    request.kits = vec![set()];
    desk.accepted(OrderAction::Place(request));
    desk.reserve_all();
    desk.ship(OrderParts::All);
    assert!(matches!(desk.refused(give_back(ORDER, OrderParts::All)), OrderRefusal::Invalid(_)));
    desk.take_back(parts(&[("SET", 1)]));
    assert_eq!(desk.take_back(parts(&[("SPOON", 1)])).status, OrderStatus::Returned);
}
