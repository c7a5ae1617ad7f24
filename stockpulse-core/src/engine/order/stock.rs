//! What inventory's answers mean for an order.

use std::collections::BTreeMap;

use super::cancel::{end_unpaid, stop_waiting};
use super::command::StockAnswer;
use super::decide::{Ruling, Work, unchanged};
use super::outcome::OrderState;
use super::place::{keep_counted, wanted};
use crate::model::{
    Component, Order, OrderChange, OrderDetail, OrderId, OrderStatus, PaymentStatus, Quantity, ReservationId,
    ReservedLine, Sku, SkuQuantity,
};

/// Records what inventory said about the reservation of an order's current attempt. An answer that comes late,
/// or about an earlier attempt, changes nothing.
pub(super) fn record_reservation(
    work: &mut Work<'_>,
    id: OrderId,
    reservation: ReservationId,
    answer: &StockAnswer,
) -> Ruling {
    let order = work.load(id)?;
    if order.reservation() != reservation {
        return Ok(unchanged(&order));
    }
    Ok(match (answer, order.status) {
        (StockAnswer::Reserved { lines, waiting }, OrderStatus::Placed) => reserved(work, order, lines, waiting),
        (StockAnswer::Rejected, OrderStatus::Placed) => rejected(work, order),
        (StockAnswer::Allocated, OrderStatus::Confirmed) => allocated(work, order),
        (StockAnswer::Expired, OrderStatus::Placed | OrderStatus::Confirmed) => hold_ended(work, order),
        (StockAnswer::Filled(lines), OrderStatus::Confirmed | OrderStatus::PartlyShipped) => filled(work, order, lines),
        _ => unchanged(&order),
    })
}

fn reserved(work: &mut Work<'_>, mut order: Order, lines: &[ReservedLine], waiting: &[SkuQuantity]) -> OrderState {
    let granted: BTreeMap<_, _> = lines.iter().map(|line| (&line.sku, line)).collect();
    for line in &mut order.lines {
        let answer = granted.get(&line.sku);
        line.granted = answer.map_or(Quantity::ZERO, |answer| answer.granted.min(line.quantity));
    }
    order.waiting = merge(waiting);
    note_waiting(&mut order);
    order.status = OrderStatus::Confirmed;
    keep_counted(work, &mut order, |line| line.granted);
    let change = if order.is_adjusted() { OrderChange::Adjusted } else { OrderChange::Confirmed };
    let detail = OrderDetail::Lines(order.lines.clone());
    work.save(order, change, None, detail)
}

/// Nothing can take the stock away any more but the order itself: from now on it can ship.
fn allocated(work: &mut Work<'_>, mut order: Order) -> OrderState {
    if order.held_until.take().is_none() {
        return unchanged(&order);
    }
    work.save(order, OrderChange::Allocated, None, OrderDetail::None)
}

fn rejected(work: &mut Work<'_>, mut order: Order) -> OrderState {
    // The request may have reached inventory after the end of the hold that it asked for. The order was paid in
    // time, so that it asks again, for a claim without an end: it cannot come here twice.
    let late = order.held_until.is_some_and(|end| end <= work.command.at);
    if late && order.payment == PaymentStatus::Paid {
        return ask_again(work, order);
    }
    keep_counted(work, &mut order, |_| Quantity::ZERO);
    order.status = OrderStatus::Rejected;
    order.payment = after_death(order.payment);
    work.save(order, OrderChange::Rejected, None, OrderDetail::None)
}

/// The hold ran out. If nobody is paying, so does the order; otherwise stock is asked for once more.
fn hold_ended(work: &mut Work<'_>, order: Order) -> OrderState {
    let window_over = order.pay_by.is_some_and(|by| by <= work.command.at);
    match order.payment {
        PaymentStatus::Due => return end_unpaid(work, order),
        PaymentStatus::Started if window_over => return end_unpaid(work, order),
        _ => {}
    }
    ask_again(work, order)
}

fn ask_again(work: &mut Work<'_>, mut order: Order) -> OrderState {
    order.status = OrderStatus::Placed;
    order.attempt += 1;
    order.held_until = order.pay_by.filter(|_| !order.payment.is_settled());
    stop_waiting(&mut order);
    let detail = wanted(&order);
    work.save(order, OrderChange::HoldLost, None, detail)
}

/// Units that waited came in.
fn filled(work: &mut Work<'_>, mut order: Order, lines: &[SkuQuantity]) -> OrderState {
    let before = order.waiting.clone();
    for came in lines {
        if let Some(missing) = order.waiting.iter_mut().find(|missing| missing.sku == came.sku) {
            missing.quantity = missing.quantity.saturating_sub(came.quantity);
        }
    }
    if order.waiting == before {
        return unchanged(&order);
    }
    order.waiting.retain(|missing| !missing.quantity.is_zero());
    note_waiting(&mut order);
    let detail = OrderDetail::Lines(order.lines.clone());
    work.save(order, OrderChange::Filled, None, detail)
}

fn merge(waiting: &[SkuQuantity]) -> Vec<SkuQuantity> {
    let mut sums: BTreeMap<&Sku, i64> = BTreeMap::new();
    for missing in waiting {
        *sums.entry(&missing.sku).or_default() += missing.quantity.get();
    }
    let whole = |(sku, units): (&Sku, i64)| SkuQuantity::new(sku.clone(), Quantity::saturating_from(units));
    sums.into_iter().map(whole).collect()
}

/// Says of each line how many of its units wait: for what it is, or for a component of it. What two lines wait
/// for counts in both, so that neither ships too early.
fn note_waiting(order: &mut Order) {
    let Order { lines, kits, waiting, .. } = order;
    let missing = |sku: &Sku| waiting.iter().find(|missing| missing.sku == *sku).map_or(0, |line| line.quantity.get());
    for line in lines {
        let units = match kits.iter().find(|kit| kit.sku == line.sku) {
            None => missing(&line.sku),
            Some(kit) => {
                let short_of = |part: &Component| {
                    let (units, each) = (missing(&part.sku), part.quantity.get().max(1));
                    units / each + i64::from(units % each != 0)
                };
                kit.components.iter().map(short_of).max().unwrap_or(0)
            }
        };
        line.backordered = Quantity::saturating_from(units).min(line.granted.saturating_sub(line.shipped));
    }
}

/// Money that came for what cannot be delivered goes back.
pub(super) const fn after_death(payment: PaymentStatus) -> PaymentStatus {
    match payment {
        PaymentStatus::Paid => PaymentStatus::RefundDue,
        other => other,
    }
}
