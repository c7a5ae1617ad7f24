//! Purchase limits: what a customer has on order counts, and what they will not get no longer does.

use super::desk::{CUSTOMER, Desk, HALF_HOUR, ORDER, cancel, parts, place, reserved, sku};
use crate::engine::order::{OrderAction, OrderParts, OrderRefusal, Place, PurchaseLimit, StockAnswer};
use crate::model::{CustomerId, OrderId, Policy};

const OTHER: OrderId = OrderId::from_u128(8);

fn limited(lines: &[(&str, u32)], limit: u32) -> Place {
    let mut place = place(lines);
    place.limits = vec![PurchaseLimit { sku: sku("CUP"), limit: limit.into() }];
    place
}

fn another(quantity: u32) -> OrderAction {
    OrderAction::Place(Place { order: OTHER, ..limited(&[("CUP", quantity)], 5) })
}

#[test]
fn a_customer_may_have_up_to_the_limit_on_order() {
    let mut desk = Desk::placed(limited(&[("CUP", 2), ("CUP", 1), ("SAUCER", 9)], 5));
    assert_eq!((desk.counted("CUP"), desk.counted("SAUCER")), (Some(3), None));
    let too_many = OrderRefusal::PurchaseLimit { sku: sku("CUP"), limit: 5.into(), ordered: 3.into() };
    assert_eq!(desk.refused(another(3)), too_many);
    assert!(desk.find(OTHER).is_none());
    desk.accepted(another(2));
    assert_eq!(desk.counted("CUP"), Some(5));
}

#[test]
fn limits_are_each_customers_own_and_need_a_customer() {
    let mut desk = Desk::placed(limited(&[("CUP", 5)], 5));
    let of = |customer, order: u128| {
        let order = OrderId::from_u128(order);
        OrderAction::Place(Place { order, customer, ..limited(&[("CUP", 5)], 5) })
    };
    desk.accepted(of(Some(CustomerId::from_u128(71)), 8));
    desk.accepted(of(None, 9));
    assert_eq!(desk.counted("CUP"), Some(5));
}

#[test]
fn one_limit_that_is_passed_counts_nothing() {
    let mut place = limited(&[("CUP", 3), ("SAUCER", 3)], 5);
    place.limits.push(PurchaseLimit { sku: sku("SAUCER"), limit: 2.into() });
    let mut desk = Desk::new();
    assert!(matches!(desk.refused(OrderAction::Place(place)), OrderRefusal::PurchaseLimit { .. }));
    assert_eq!(desk.counted("CUP"), None);
}

#[test]
fn rejected_cancelled_and_expired_orders_no_longer_count() {
    let endings: [fn(&mut Desk); 4] = [
        |desk| {
            desk.answer(StockAnswer::Rejected);
        },
        |desk| {
            desk.cancel();
        },
        |desk| {
            desk.reserve_all();
            desk.cancel();
        },
        |desk| {
            desk.after(HALF_HOUR).accepted(OrderAction::Expire { order: ORDER });
        },
    ];
    for end in endings {
        let mut desk = Desk::placed(limited(&[("CUP", 4)], 5).prepaid(HALF_HOUR));
        desk.accepted(another(1));
        end(&mut desk);
        assert_eq!(desk.counted("CUP"), Some(1), "{:?}", desk.order());
    }
}

#[test]
fn what_was_not_granted_does_not_count() {
    let mut desk = Desk::placed(limited(&[("CUP", 5)], 5).with_policy(Policy::Partial));
    desk.answer(reserved(&[("CUP", 5, 3)], &[]));
    assert_eq!(desk.counted("CUP"), Some(3));
    desk.accepted(another(2));
    desk.cancel();
    assert_eq!(desk.counted("CUP"), Some(2));
}

#[test]
fn what_has_shipped_counts_until_it_comes_back() {
    let mut desk = Desk::confirmed(limited(&[("CUP", 5)], 5));
    desk.ship(parts(&[("CUP", 3)]));
    assert_eq!(desk.counted("CUP"), Some(5));
    desk.take_back(parts(&[("CUP", 1)]));
    assert_eq!(desk.counted("CUP"), Some(4));
    desk.cancel();
    assert_eq!(desk.counted("CUP"), Some(2));
    desk.take_back(OrderParts::All);
    assert_eq!(desk.counted("CUP"), Some(0));
}

#[test]
fn a_hold_that_was_lost_and_asked_for_again_counts_once() {
    let place = limited(&[("CUP", 5)], 5).with_policy(Policy::Partial).prepaid(HALF_HOUR);
    let mut desk = Desk::placed(place);
    desk.answer(reserved(&[("CUP", 5, 3)], &[]));
    desk.begin_payment(HALF_HOUR);
    desk.answer(StockAnswer::Expired);
    assert_eq!(desk.counted("CUP"), Some(3));
    desk.accepted(another(2));
    desk.answer(reserved(&[("CUP", 3, 3)], &[]));
    assert_eq!(desk.counted("CUP"), Some(5));
    desk.cancel();
    assert_eq!(desk.counted("CUP"), Some(2));
}

#[test]
fn an_order_from_before_there_was_a_limit_takes_nothing_off_the_count() {
    let mut desk = Desk::placed(place(&[("CUP", 4)]));
    desk.accepted(another(5));
    desk.cancel();
    assert_eq!(desk.counted("CUP"), Some(5));
    assert_eq!(desk.accepted(cancel(OTHER)).order, OTHER);
    assert_eq!(desk.counted("CUP"), Some(0));
    assert_eq!(desk.find(OTHER).unwrap().customer, Some(CUSTOMER));
}
