//! Payments: begun, failed, paid, late; and holds that are lost meanwhile.

use std::time::Duration;

use super::desk::{Desk, HALF_HOUR, ORDER, filled, paid, payment_failed, place, reserved, set, units};
use crate::engine::order::{OrderAction, OrderParts, OrderRefusal, StockAnswer};
use crate::model::{OrderChange, OrderDetail, OrderId, OrderStatus, PaymentStatus, Policy, StockRequest};

const MINUTE: Duration = Duration::from_secs(60);
/// How an order ends.
type End = fn(&mut Desk);

const UNKNOWN: OrderId = OrderId::from_u128(404);

fn unpaid() -> Desk {
    Desk::confirmed(place(&[("CUP", 3)]).prepaid(HALF_HOUR))
}

fn begin(order: OrderId) -> OrderAction {
    OrderAction::BeginPayment { order, window: MINUTE }
}

/// What the last event asked of inventory.
fn request(desk: &Desk) -> &StockRequest {
    match &desk.event().detail {
        OrderDetail::Wanted { request, .. } => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn beginning_to_pay_extends_the_hold_and_never_shortens_it() {
    let mut desk = unpaid();
    let due = desk.now.plus(HALF_HOUR);
    assert_eq!(desk.begin_payment(MINUTE).payment, PaymentStatus::Started);
    assert_eq!((desk.order().pay_by, desk.order().held_until), (Some(due), Some(due)));
    assert_eq!(desk.event().detail, OrderDetail::HoldUntil(due));
    let later = desk.after(HALF_HOUR - MINUTE).now.plus(2 * MINUTE);
    desk.begin_payment(2 * MINUTE);
    assert_eq!((desk.order().pay_by, desk.order().held_until), (Some(later), Some(later)));
    assert_eq!(
        (desk.event().change, &desk.event().detail),
        (OrderChange::PaymentStarted, &OrderDetail::HoldUntil(later))
    );
}

#[test]
fn only_a_confirmed_order_with_something_to_pay_begins_a_payment() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    assert_eq!(desk.refused(begin(ORDER)), OrderRefusal::WrongState(OrderStatus::Placed));
    assert_eq!(desk.refused(begin(UNKNOWN)), OrderRefusal::UnknownOrder(UNKNOWN));
    let no_time = OrderAction::BeginPayment { order: ORDER, window: Duration::ZERO };
    assert!(matches!(desk.refused(no_time), OrderRefusal::Invalid(_)));
    desk.reserve_all();
    desk.pay();
    assert_eq!(desk.refused(begin(ORDER)), OrderRefusal::WrongPayment(PaymentStatus::Paid));
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    assert_eq!(desk.refused(begin(ORDER)), OrderRefusal::WrongPayment(PaymentStatus::NotRequired));
}

#[test]
fn a_failed_payment_may_be_tried_again() {
    let mut desk = unpaid();
    desk.begin_payment(MINUTE);
    assert_eq!(desk.accepted(payment_failed(ORDER)).payment, PaymentStatus::Due);
    assert_eq!(desk.event().change, OrderChange::PaymentFailed);
    desk.begin_payment(MINUTE);
    assert_eq!(desk.pay().payment, PaymentStatus::Paid);
    assert_eq!(desk.event().change, OrderChange::Paid);
    assert!(!desk.accepted(payment_failed(ORDER)).changed, "it is paid");
    assert_eq!(desk.refused(payment_failed(UNKNOWN)), OrderRefusal::UnknownOrder(UNKNOWN));
    assert_eq!(desk.refused(paid(UNKNOWN)), OrderRefusal::UnknownOrder(UNKNOWN));
}

#[test]
fn paid_again_is_recorded_and_nobody_is_told() {
    let mut desk = unpaid();
    desk.pay();
    let told = desk.events.len();
    let state = desk.pay();
    assert_eq!((state.payment, state.changed, state.version), (PaymentStatus::Paid, true, 4));
    assert_eq!(desk.history.last().unwrap().change, OrderChange::PaidAgain);
    assert_eq!(desk.events.len(), told);
}

#[test]
fn an_order_paid_on_delivery_may_be_paid_before() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    assert_eq!(desk.pay().payment, PaymentStatus::Paid);
    assert_eq!(desk.cancel().payment, PaymentStatus::RefundDue, "the money was taken");
}

#[test]
fn money_for_a_dead_order_is_to_be_refunded_and_changes_nothing_else() {
    let ends: [(End, OrderStatus); 3] = [
        (
            |desk| {
                desk.cancel();
            },
            OrderStatus::Cancelled,
        ),
        (
            |desk| {
                desk.answer(StockAnswer::Rejected);
            },
            OrderStatus::Rejected,
        ),
        (
            |desk| {
                desk.after(HALF_HOUR).accepted(OrderAction::Expire { order: ORDER });
            },
            OrderStatus::Expired,
        ),
    ];
    for (end, status) in ends {
        let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
        end(&mut desk);
        let lines = desk.order().lines.clone();
        assert!(!desk.accepted(payment_failed(ORDER)).changed);
        let state = desk.pay();
        assert_eq!((state.status, state.payment), (status, PaymentStatus::RefundDue));
        assert_eq!((desk.event().change, &desk.event().detail), (OrderChange::PaidLate, &OrderDetail::None));
        assert_eq!(desk.order().lines, lines);
        assert_eq!(desk.pay().payment, PaymentStatus::RefundDue);
        assert_eq!(desk.history.last().unwrap().change, OrderChange::PaidAgain);
    }
}

#[test]
fn money_for_an_order_cancelled_before_it_was_placed_is_to_be_refunded() {
    let mut desk = Desk::new();
    desk.cancel();
    assert_eq!(desk.pay().payment, PaymentStatus::RefundDue);
}

#[test]
fn a_paid_order_that_dies_is_to_be_refunded() {
    let mut desk = unpaid();
    desk.pay();
    let state = desk.cancel();
    assert_eq!((state.status, state.payment), (OrderStatus::Cancelled, PaymentStatus::RefundDue));
    assert_eq!(desk.event().payment, PaymentStatus::RefundDue);
    let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    desk.pay();
    assert_eq!(desk.answer(StockAnswer::Rejected).payment, PaymentStatus::RefundDue);
}

#[test]
fn a_hold_lost_while_nobody_pays_expires_the_order() {
    for fail_first in [false, true] {
        let mut desk = unpaid();
        if fail_first {
            desk.begin_payment(MINUTE);
            desk.accepted(payment_failed(ORDER));
        }
        let state = desk.answer(StockAnswer::Expired);
        assert_eq!((state.status, state.payment), (OrderStatus::Expired, PaymentStatus::Due));
        assert_eq!(desk.event().change, OrderChange::Expired);
    }
}

#[test]
fn a_hold_lost_while_paying_is_asked_for_again_under_a_new_id() {
    let mut desk = unpaid();
    let paying_until = desk.after(HALF_HOUR - MINUTE).now.plus(5 * MINUTE);
    desk.begin_payment(5 * MINUTE);
    let state = desk.after(2 * MINUTE).answer(StockAnswer::Expired);
    assert_eq!((state.status, state.payment), (OrderStatus::Placed, PaymentStatus::Started));
    assert_eq!((desk.event().change, desk.event().reservation), (OrderChange::HoldLost, ORDER.reservation(2)));
    assert_ne!(ORDER.reservation(1), ORDER.reservation(2));
    let wanted = request(&desk);
    assert_eq!((wanted.reservation, wanted.hold_until), (ORDER.reservation(2), Some(paying_until)));
    assert_eq!(wanted.lines, units(&[("CUP", 3)]));
    assert_eq!(desk.reserve_all().status, OrderStatus::Confirmed);
    assert_eq!(desk.pay().payment, PaymentStatus::Paid);
}

#[test]
fn a_hold_lost_after_the_payment_had_its_time_expires_the_order() {
    let mut desk = unpaid();
    desk.begin_payment(HALF_HOUR);
    let state = desk.after(HALF_HOUR).answer(StockAnswer::Expired);
    assert_eq!((state.status, state.payment), (OrderStatus::Expired, PaymentStatus::Started));
}

#[test]
fn a_paid_order_that_lost_its_hold_asks_for_a_claim_without_end() {
    let mut desk = unpaid();
    desk.begin_payment(MINUTE);
    desk.pay();
    desk.after(HALF_HOUR).answer(StockAnswer::Expired);
    assert_eq!((desk.event().change, request(&desk).hold_until), (OrderChange::HoldLost, None));
    desk.reserve_all();
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped, "nothing could take it away");
}

#[test]
fn a_paid_order_whose_stock_is_gone_is_rejected_and_to_be_refunded() {
    let mut desk = unpaid();
    desk.pay();
    desk.after(HALF_HOUR).answer(StockAnswer::Expired);
    let state = desk.answer(StockAnswer::Rejected);
    assert_eq!((state.status, state.payment), (OrderStatus::Rejected, PaymentStatus::RefundDue));
}

#[test]
fn what_is_asked_for_again_is_what_was_granted_or_nothing() {
    let place = place(&[("CUP", 5), ("SAUCER", 2)]).with_policy(Policy::Partial).prepaid(HALF_HOUR);
    let mut desk = Desk::placed(place);
    desk.answer(reserved(&[("CUP", 5, 3), ("SAUCER", 2, 0)], &[]));
    desk.pay();
    let total = desk.order().total();
    desk.answer(StockAnswer::Expired);
    assert_eq!((request(&desk).policy, &request(&desk).lines), (Policy::AllOrNothing, &units(&[("CUP", 3)])));
    desk.answer(reserved(&[("CUP", 3, 3)], &[]));
    assert_eq!((desk.order().status, desk.order().total()), (OrderStatus::Confirmed, total));
}

#[test]
fn what_is_asked_for_again_waits_anew() {
    let mut wanted = place(&[("SET", 2)]).with_policy(Policy::Backorder).prepaid(HALF_HOUR);
    wanted.kits = vec![set()];
    let mut desk = Desk::placed(wanted);
    desk.answer(reserved(&[("SET", 2, 2)], &[("CUP", 1)]));
    desk.pay();
    desk.answer(StockAnswer::Expired);
    assert_eq!((desk.order().waiting.len(), desk.order().lines[0].backordered), (0, 0.into()));
    assert_eq!((request(&desk).policy, &request(&desk).kits), (Policy::Backorder, &vec![set()]));
    desk.answer(reserved(&[("SET", 2, 2)], &[("SAUCER", 3)]));
    assert_eq!(desk.order().lines[0].backordered, 2.into());
    assert!(!desk.answer(filled(&[("CUP", 1)])).changed);
}

#[test]
fn a_request_that_reached_inventory_after_its_hold_is_made_again_if_it_was_paid() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    desk.pay();
    let state = desk.after(HALF_HOUR).answer(StockAnswer::Rejected);
    assert_eq!((state.status, state.payment), (OrderStatus::Placed, PaymentStatus::Paid));
    assert_eq!((request(&desk).reservation, request(&desk).hold_until), (ORDER.reservation(2), None));
    assert_eq!(request(&desk).lines, units(&[("CUP", 3)]));
    assert_eq!(desk.answer(StockAnswer::Rejected).status, OrderStatus::Rejected, "once");
    let mut unpaid = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    assert_eq!(unpaid.after(HALF_HOUR).answer(StockAnswer::Rejected).status, OrderStatus::Rejected);
}
