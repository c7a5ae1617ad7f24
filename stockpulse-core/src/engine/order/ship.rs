//! Goods leave, and come back.

use std::collections::BTreeMap;

use super::command::OrderParts;
use super::decide::{Ruling, Work, unchanged};
use super::outcome::OrderRefusal;
use super::place::keep_counted;
use crate::engine::Limits;
use crate::model::{
    LocationId, Order, OrderChange, OrderDetail, OrderId, OrderLine, OrderStatus, Quantity, Sku, SkuQuantity, StockKey,
    StockQuantity,
};

/// Goods leave: whole or in parts, never more than is there and paid for.
pub(super) fn ship(work: &mut Work<'_>, id: OrderId, parts: &OrderParts) -> Ruling {
    let mut order = work.load(id)?;
    if !matches!(order.status, OrderStatus::Confirmed | OrderStatus::PartlyShipped) {
        return Err(OrderRefusal::WrongState(order.status));
    }
    if !order.payment.is_settled() {
        return Err(OrderRefusal::WrongPayment(order.payment));
    }
    // Paid is not enough: until inventory has said that the hold can no longer run out, it may be running out
    // at this moment.
    if order.held_until.is_some() {
        return Err(OrderRefusal::NotAllocated);
    }
    let lines = select(&order, parts, OrderLine::shippable)?;
    if lines.is_empty() {
        return Ok(unchanged(&order));
    }
    add(&mut order, &lines, |line| &mut line.shipped);
    let complete = order.lines.iter().all(|line| line.shipped >= line.granted);
    let (status, change) = if complete {
        (OrderStatus::Shipped, OrderChange::Shipped)
    } else {
        (OrderStatus::PartlyShipped, OrderChange::ShippedPartly)
    };
    order.status = status;
    Ok(work.save(order, change, None, OrderDetail::Shipped(lines)))
}

/// Goods come back, as many as have shipped at most.
pub(super) fn take_back(
    limits: &Limits,
    work: &mut Work<'_>,
    id: OrderId,
    parts: &OrderParts,
    location: &LocationId,
) -> Ruling {
    let mut order = work.load(id)?;
    let lines = select(&order, parts, OrderLine::returnable)?;
    if lines.is_empty() {
        return Ok(unchanged(&order));
    }
    // Inventory would refuse more in one command, and the goods would be lost to it.
    let stock = put_away(&order, &lines, location);
    limits.check_lines(stock.len()).map_err(|error| OrderRefusal::Invalid(error.to_string()))?;
    add(&mut order, &lines, |line| &mut line.returned);
    let all_back = order.lines.iter().all(|line| line.returnable().is_zero());
    if order.status == OrderStatus::Shipped && all_back {
        order.status = OrderStatus::Returned;
    }
    keep_counted(work, &mut order, |line| {
        let back = lines.iter().find(|back| back.sku == line.sku).map_or(Quantity::ZERO, |back| back.quantity);
        line.counted.saturating_sub(back)
    });
    Ok(work.save(order, OrderChange::Returned, None, OrderDetail::Returned { lines, stock }))
}

/// What is put where, one entry per SKU: of a kit, its components.
fn put_away(order: &Order, lines: &[SkuQuantity], location: &LocationId) -> Vec<StockQuantity> {
    let mut units: BTreeMap<&Sku, i64> = BTreeMap::new();
    for line in lines {
        let mut put = |sku, quantity: i64| {
            let sum = units.entry(sku).or_default();
            *sum = sum.saturating_add(quantity);
        };
        match order.kits.iter().find(|kit| kit.sku == line.sku) {
            None => put(&line.sku, line.quantity.get()),
            Some(kit) => kit.components.iter().for_each(|part| {
                put(&part.sku, line.quantity.get().saturating_mul(part.quantity.get()));
            }),
        }
    }
    let put = |(sku, units): (&Sku, i64)| {
        StockQuantity::new(StockKey::new(sku.clone(), location.clone()), Quantity::saturating_from(units))
    };
    units.into_iter().map(put).collect()
}

/// The units that `parts` means, one entry per SKU and none of zero; refused if they are not to be had.
fn select(
    order: &Order,
    parts: &OrderParts,
    limit: impl Fn(&OrderLine) -> Quantity,
) -> Result<Vec<SkuQuantity>, OrderRefusal> {
    let OrderParts::Lines(wanted) = parts else {
        let all = order.lines.iter().map(|line| SkuQuantity::new(line.sku.clone(), limit(line)));
        return Ok(all.filter(|line| !line.quantity.is_zero()).collect());
    };
    let mut selected: Vec<SkuQuantity> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let available = order.lines.iter().find(|line| line.sku == wanted.sku).map(&limit).unwrap_or_default();
        let before = selected.iter().position(|line| line.sku == wanted.sku);
        let taken = before.and_then(|index| selected.get(index)).map_or(Quantity::ZERO, |line| line.quantity);
        let total = taken.checked_add(wanted.quantity).filter(|total| *total <= available);
        let Some(total) = total else {
            let (sku, requested) = (wanted.sku.clone(), wanted.quantity);
            return Err(OrderRefusal::NotEnough { sku, requested, available: available.saturating_sub(taken) });
        };
        match before.and_then(|index| selected.get_mut(index)) {
            Some(line) => line.quantity = total,
            None => selected.push(SkuQuantity::new(wanted.sku.clone(), total)),
        }
    }
    Ok(selected)
}

fn add(order: &mut Order, lines: &[SkuQuantity], counter: impl Fn(&mut OrderLine) -> &mut Quantity) {
    for units in lines {
        if let Some(line) = order.lines.iter_mut().find(|line| line.sku == units.sku) {
            let counter = counter(line);
            *counter = Quantity::saturating_from(counter.get() + units.quantity.get());
        }
    }
}
