//! Who is told what. What the sides ask of each other is tested with both of them in `tests/order_saga`.

use super::*;
use crate::model::{OrderId, OrderStatus, PaymentStatus, ReservationId};

#[test]
fn a_customer_is_told_of_every_turn_an_order_takes_but_not_of_payments_and_attempts() {
    use NotificationKind::{
        OrderAdjusted, OrderCancelled, OrderConfirmed, OrderExpired, OrderRejected, OrderReturned, OrderShipped,
    };
    let told = [
        (OrderChange::Placed, None),
        (OrderChange::Confirmed, Some(OrderConfirmed)),
        (OrderChange::Adjusted, Some(OrderAdjusted)),
        (OrderChange::Rejected, Some(OrderRejected)),
        (OrderChange::PaymentStarted, None),
        (OrderChange::Paid, None),
        (OrderChange::PaymentFailed, None),
        (OrderChange::PaidLate, None),
        (OrderChange::PaidAgain, None),
        (OrderChange::ShippedPartly, Some(OrderShipped)),
        (OrderChange::Shipped, Some(OrderShipped)),
        (OrderChange::Cancelled, Some(OrderCancelled)),
        (OrderChange::Returned, Some(OrderReturned)),
        (OrderChange::Expired, Some(OrderExpired)),
        (OrderChange::HoldLost, None),
        (OrderChange::Filled, None),
        (OrderChange::Allocated, None),
    ];
    for (change, kind) in told {
        let event = OrderEvent {
            order: OrderId::from_u128(1),
            customer: None,
            change,
            status: OrderStatus::Confirmed,
            payment: PaymentStatus::NotRequired,
            reservation: ReservationId::from_u128(1),
            detail: OrderDetail::None,
        };
        assert_eq!(notification(&event), kind, "{change:?}");
    }
}
