//! Orders that end early: cancelled, or not paid in time.

use super::desk::{Desk, HALF_HOUR, ORDER, cancel, paid, parts, place};
use crate::engine::order::{OrderAction, OrderParts, OrderRefusal, StockAnswer};
use crate::model::{OrderChange, OrderDetail, OrderId, OrderStatus, PaymentStatus};

const EXPIRE: OrderAction = OrderAction::Expire { order: ORDER };

/// How an order ends.
type End = fn(&mut Desk);

#[test]
fn an_order_can_be_cancelled_until_it_has_shipped() {
    let before: [fn(&mut Desk); 3] = [
        |_| {},
        |desk| {
            desk.reserve_all();
        },
        |desk| {
            desk.reserve_all();
            desk.ship(parts(&[("CUP", 1)]));
        },
    ];
    for before in before {
        let mut desk = Desk::placed(place(&[("CUP", 3)]));
        before(&mut desk);
        let shipped = desk.order().lines[0].shipped;
        let state = desk.cancel();
        assert_eq!((state.status, state.payment), (OrderStatus::Cancelled, PaymentStatus::NotRequired));
        assert_eq!((desk.event().change, &desk.event().detail), (OrderChange::Cancelled, &OrderDetail::None));
        assert_eq!(desk.history.last().unwrap().reason.as_deref(), Some("changed my mind"));
        assert_eq!(desk.order().lines[0].shipped, shipped, "what has shipped stays shipped");
    }
}

/// Scenario 7 (a): what has shipped cannot be cancelled, only come back.
#[test]
fn what_has_shipped_cannot_be_cancelled() {
    let mut desk = Desk::confirmed(place(&[("CUP", 5)]));
    desk.ship(OrderParts::All);
    assert_eq!(desk.refused(cancel(ORDER)), OrderRefusal::WrongState(OrderStatus::Shipped));
    desk.take_back(OrderParts::All);
    assert_eq!(desk.refused(cancel(ORDER)), OrderRefusal::WrongState(OrderStatus::Returned));
}

/// Scenario 8: cancelling what has ended is no error and does nothing.
#[test]
fn what_has_ended_badly_stays_as_it_ended() {
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
                desk.after(HALF_HOUR).accepted(EXPIRE);
            },
            OrderStatus::Expired,
        ),
    ];
    for (end, status) in ends {
        let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
        end(&mut desk);
        for action in [cancel(ORDER), EXPIRE] {
            let state = desk.after(HALF_HOUR).accepted(action);
            assert_eq!((state.status, state.changed), (status, false));
        }
    }
}

/// Scenario 12 (b): a late "paid" on a cancelled order is recorded and changes neither its status nor its stock.
#[test]
fn a_late_paid_on_a_cancelled_order_is_recorded() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    desk.cancel();
    let state = desk.accepted(paid(ORDER));
    assert_eq!((state.status, state.payment), (OrderStatus::Cancelled, PaymentStatus::RefundDue));
    assert_eq!(desk.history.last().unwrap().change, OrderChange::PaidLate);
    assert_eq!(desk.event().detail, OrderDetail::None);
}

#[test]
fn a_reason_too_long_to_keep_is_refused() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]));
    let because = |length| OrderAction::Cancel { order: ORDER, reason: Some("x".repeat(length)) };
    assert!(matches!(desk.refused(because(1025)), OrderRefusal::Invalid(_)));
    assert!(desk.accepted(because(1024)).changed);
}

/// Scenario 5: an unpaid order ends soon after its time.
#[test]
fn an_order_that_is_not_paid_in_time_expires() {
    for confirmed in [false, true] {
        let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
        if confirmed {
            desk.reserve_all();
        }
        assert_eq!(desk.refused(EXPIRE), OrderRefusal::NotDue);
        let state = desk.after(HALF_HOUR).accepted(EXPIRE);
        assert_eq!((state.status, state.payment), (OrderStatus::Expired, PaymentStatus::Due));
        assert_eq!((desk.event().change, &desk.event().detail), (OrderChange::Expired, &OrderDetail::None));
    }
}

#[test]
fn an_order_expires_at_its_time_and_not_before() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    desk.after(HALF_HOUR / 2).begin_payment(HALF_HOUR);
    desk.after(HALF_HOUR / 2);
    assert_eq!(desk.refused(EXPIRE), OrderRefusal::NotDue, "it is being paid");
    desk.after(HALF_HOUR / 2);
    assert_eq!(desk.accepted(EXPIRE).status, OrderStatus::Expired);
}

#[test]
fn cash_on_delivery_and_paid_orders_never_expire() {
    let mut on_delivery = Desk::confirmed(place(&[("CUP", 3)]));
    let mut paid = Desk::confirmed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    paid.pay();
    for desk in [&mut on_delivery, &mut paid] {
        assert_eq!(desk.after(10 * HALF_HOUR).refused(EXPIRE), OrderRefusal::NotDue);
    }
    paid.answer(StockAnswer::Allocated);
    for desk in [&mut on_delivery, &mut paid] {
        desk.ship(OrderParts::All);
        assert!(!desk.accepted(EXPIRE).changed);
    }
    let unknown = OrderId::from_u128(404);
    let action = OrderAction::Expire { order: unknown };
    assert_eq!(paid.refused(action), OrderRefusal::UnknownOrder(unknown));
}
