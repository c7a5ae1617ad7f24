//! Payments: begun, ended, late.

use std::time::Duration;

use super::command::PaymentResult;
use super::decide::{Ruling, Work, unchanged};
use super::outcome::OrderRefusal;
use crate::model::{OrderChange, OrderDetail, OrderId, OrderStatus, PaymentStatus};

/// The customer begins to pay: the order, and with it the hold on its stock, lasts until the payment can have
/// ended.
pub(super) fn begin(work: &mut Work<'_>, id: OrderId, window: Duration) -> Ruling {
    let mut order = work.load(id)?;
    if order.status != OrderStatus::Confirmed {
        return Err(OrderRefusal::WrongState(order.status));
    }
    if !matches!(order.payment, PaymentStatus::Due | PaymentStatus::Started) {
        return Err(OrderRefusal::WrongPayment(order.payment));
    }
    let until = work.command.at.plus(window);
    let pay_by = order.pay_by.map_or(until, |by| by.max(until));
    order.payment = PaymentStatus::Started;
    order.pay_by = Some(pay_by);
    order.held_until = order.held_until.map(|_| pay_by);
    Ok(work.save(order, OrderChange::PaymentStarted, None, OrderDetail::HoldUntil(pay_by)))
}

/// A payment ended. Money for an order that is off changes neither its status nor stock: it is recorded, and a
/// refund is due.
pub(super) fn record(work: &mut Work<'_>, id: OrderId, result: PaymentResult) -> Ruling {
    let mut order = work.load(id)?;
    let open = matches!(order.payment, PaymentStatus::Due | PaymentStatus::Started);
    // Money for an order that needed none before shipping counts too: cancelled, it has to go back.
    let unpaid = open || order.payment == PaymentStatus::NotRequired;
    let dead = order.status.is_dead();
    Ok(match result {
        PaymentResult::Paid if dead && order.payment != PaymentStatus::RefundDue => {
            order.payment = PaymentStatus::RefundDue;
            work.save(order, OrderChange::PaidLate, None, OrderDetail::None)
        }
        PaymentResult::Paid if unpaid => {
            order.payment = PaymentStatus::Paid;
            work.save(order, OrderChange::Paid, None, OrderDetail::None)
        }
        PaymentResult::Paid => work.note(order, OrderChange::PaidAgain, None),
        PaymentResult::Failed if open && !dead => {
            order.payment = PaymentStatus::Due;
            work.save(order, OrderChange::PaymentFailed, None, OrderDetail::None)
        }
        PaymentResult::Failed => unchanged(&order),
    })
}
