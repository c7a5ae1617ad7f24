//! Placing an order, and counting what customers have on order.

use super::command::{Place, PlaceLine};
use super::decide::{Ruling, Work};
use super::outcome::OrderRefusal;
use crate::model::{
    Order, OrderChange, OrderDetail, OrderLine, OrderStatus, PaymentStatus, PaymentTerms, Policy, Quantity,
    SkuQuantity, StockRequest,
};

/// Accepts an order. From here on it will end, one way or another.
pub(super) fn place(work: &mut Work<'_>, request: &Place) -> Ruling {
    if let Some(existing) = work.set.order(request.order) {
        return Err(OrderRefusal::OrderExists(existing.status));
    }
    let mut lines = merge(&request.lines)?;
    count_purchases(work, request, &mut lines)?;
    let at = work.command.at;
    let (payment, pay_by) = match request.terms {
        PaymentTerms::OnDelivery => (PaymentStatus::NotRequired, None),
        PaymentTerms::Prepaid { pay_within } => (PaymentStatus::Due, Some(at.plus(pay_within))),
    };
    let order = Order {
        id: request.order,
        customer: request.customer,
        lines,
        kits: request.kits.clone(),
        waiting: Vec::new(),
        policy: request.policy,
        sourcing: request.sourcing.clone(),
        terms: request.terms,
        status: OrderStatus::Placed,
        payment,
        pay_by,
        held_until: pay_by,
        attempt: 1,
        placed_at: at,
        version: 0,
    };
    let detail = wanted(&order);
    Ok(work.save(order, OrderChange::Placed, None, detail))
}

/// Asks for stock: for what was ordered, held until the order has to be paid, for good if it is.
///
/// If something was granted before, that is what the customer has been told and pays for: that again, or nothing.
pub(super) fn wanted(order: &Order) -> OrderDetail {
    let once_granted = order.lines.iter().any(|line| !line.granted.is_zero());
    let units = |line: &OrderLine| if once_granted { line.granted } else { line.quantity };
    let lines = order.lines.iter().map(|line| SkuQuantity::new(line.sku.clone(), units(line)));
    let policy = match order.policy {
        Policy::Partial if once_granted => Policy::AllOrNothing,
        policy => policy,
    };
    let request = StockRequest {
        reservation: order.reservation(),
        lines: lines.filter(|line| !line.quantity.is_zero()).collect(),
        kits: order.kits.clone(),
        policy,
        sourcing: order.sourcing.clone(),
        hold_until: order.held_until,
    };
    OrderDetail::Wanted { request, lines: order.lines.clone(), terms: order.terms }
}

/// One line per SKU, in the order in which the SKUs were named.
fn merge(lines: &[PlaceLine]) -> Result<Vec<OrderLine>, OrderRefusal> {
    let mut by_sku = std::collections::BTreeMap::new();
    let mut merged: Vec<OrderLine> = Vec::with_capacity(lines.len());
    for line in lines {
        let index = *by_sku.entry(&line.sku).or_insert(merged.len());
        match merged.get_mut(index) {
            Some(first) => {
                first.quantity = first
                    .quantity
                    .checked_add(line.quantity)
                    .ok_or_else(|| OrderRefusal::Invalid(format!("{}: more than {} units", line.sku, Quantity::MAX)))?;
            }
            None => merged.push(OrderLine {
                sku: line.sku.clone(),
                unit_price: line.unit_price,
                quantity: line.quantity,
                granted: Quantity::ZERO,
                backordered: Quantity::ZERO,
                shipped: Quantity::ZERO,
                returned: Quantity::ZERO,
                counted: Quantity::ZERO,
            }),
        }
    }
    Ok(merged)
}

/// Refuses an order that would give the customer more than a product allows, and counts it otherwise.
fn count_purchases(work: &mut Work<'_>, request: &Place, lines: &mut [OrderLine]) -> Result<(), OrderRefusal> {
    let Some(customer) = request.customer else { return Ok(()) };
    let mut counted = Vec::new();
    for limit in &request.limits {
        let Some(line) = lines.iter_mut().find(|line| line.sku == limit.sku) else { continue };
        let key = (customer, limit.sku.clone());
        let ordered = work.set.purchases(&key).unwrap_or_default();
        let wanted = ordered.checked_add(line.quantity).filter(|units| *units <= limit.limit);
        let Some(units) = wanted else {
            return Err(OrderRefusal::PurchaseLimit { sku: limit.sku.clone(), limit: limit.limit, ordered });
        };
        line.counted = line.quantity;
        counted.push((key, units));
    }
    for (key, units) in counted {
        work.set.put_purchases(key, units);
    }
    Ok(())
}

/// Units that a customer will not get, or gave back, no longer count: of each line, `units` at most still do.
pub(super) fn keep_counted(work: &mut Work<'_>, order: &mut Order, units: impl Fn(&OrderLine) -> Quantity) {
    let Some(customer) = order.customer else { return };
    for line in &mut order.lines {
        let kept = units(line).min(line.counted);
        let freed = line.counted.saturating_sub(kept);
        if freed.is_zero() {
            continue;
        }
        line.counted = kept;
        let key = (customer, line.sku.clone());
        let counted = work.set.purchases(&key).unwrap_or_default();
        work.set.put_purchases(key, counted.saturating_sub(freed));
    }
}
