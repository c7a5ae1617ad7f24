//! Orders that end early: cancelled, or not paid in time.

use super::decide::{Ruling, Work, unchanged};
use super::outcome::{OrderRefusal, OrderState};
use super::place::keep_counted;
use super::stock::after_death;
use crate::model::{
    Order, OrderChange, OrderDetail, OrderId, OrderLine, OrderStatus, PaymentStatus, PaymentTerms, Policy, Quantity,
    Sourcing,
};

/// The order is off. What has shipped stays shipped; the rest of its stock is given back.
pub(super) fn cancel(work: &mut Work<'_>, id: OrderId, reason: Option<&str>) -> Ruling {
    let Some(mut order) = work.set.order(id).cloned() else {
        let tombstone = tombstone(work, id);
        return Ok(work.save(tombstone, OrderChange::Cancelled, reason, OrderDetail::None));
    };
    match order.status {
        OrderStatus::Placed | OrderStatus::Confirmed | OrderStatus::PartlyShipped => {}
        OrderStatus::Shipped | OrderStatus::Returned => return Err(OrderRefusal::WrongState(order.status)),
        OrderStatus::Cancelled | OrderStatus::Rejected | OrderStatus::Expired => return Ok(unchanged(&order)),
    }
    give_up(work, &mut order, OrderStatus::Cancelled);
    Ok(work.save(order, OrderChange::Cancelled, reason, OrderDetail::None))
}

/// An order that was not paid in time is off. Orders that need no payment first never expire.
pub(super) fn expire(work: &mut Work<'_>, id: OrderId) -> Ruling {
    let order = work.load(id)?;
    if order.status.is_terminal() {
        return Ok(unchanged(&order));
    }
    if !order.is_overdue(work.command.at) {
        return Err(OrderRefusal::NotDue);
    }
    Ok(end_unpaid(work, order))
}

pub(super) fn end_unpaid(work: &mut Work<'_>, mut order: Order) -> OrderState {
    give_up(work, &mut order, OrderStatus::Expired);
    work.save(order, OrderChange::Expired, None, OrderDetail::None)
}

fn give_up(work: &mut Work<'_>, order: &mut Order, status: OrderStatus) {
    keep_counted(work, order, OrderLine::returnable);
    stop_waiting(order);
    order.status = status;
    order.payment = after_death(order.payment);
}

/// What is given back, or asked for once more, does not wait for stock.
pub(super) fn stop_waiting(order: &mut Order) {
    order.waiting.clear();
    for line in &mut order.lines {
        line.backordered = Quantity::ZERO;
    }
}

/// An order cancelled before it was placed: it will be refused when it is.
fn tombstone(work: &Work<'_>, id: OrderId) -> Order {
    Order {
        id,
        customer: None,
        lines: Vec::new(),
        kits: Vec::new(),
        waiting: Vec::new(),
        policy: Policy::default(),
        sourcing: Sourcing::default(),
        terms: PaymentTerms::OnDelivery,
        status: OrderStatus::Cancelled,
        payment: PaymentStatus::NotRequired,
        pay_by: None,
        held_until: None,
        attempt: 1,
        placed_at: work.command.at,
        version: 0,
    }
}
