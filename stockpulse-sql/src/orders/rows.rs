//! The rows of orders: values into tables, and cells out of them.

use stockpulse_core::engine::order::PurchaseKey;
use stockpulse_core::model::{
    CommandId, CustomerId, HistoryEntry, Order, OrderChange, OrderId, OrderStatus, Quantity, Sku, Timestamp,
};
use stockpulse_core::{Error, Result};

use crate::failure::Failure;
use crate::frame::{actor, cause, named, read_actor, read_cause};
use crate::rows::{code, json};
use crate::value::{Cells, Value};

/// An order is read back from its body; the other columns are what it is found by, and what people look at.
pub(crate) fn order(order: &Order) -> Result<[Value; 9]> {
    let due_at = order.pay_by.filter(|_| order.is_overdue(Timestamp::MAX));
    Ok([
        order.id.as_uuid().into(),
        order.customer.map(|id| id.as_uuid()).into(),
        order.status.code().into(),
        order.payment.code().into(),
        order.pay_by.map(Timestamp::as_micros).into(),
        due_at.map(Timestamp::as_micros).into(),
        order.placed_at.as_micros().into(),
        order.version.into(),
        json(order)?,
    ])
}

pub(crate) fn read_order(row: &impl Cells) -> Result<Order, Failure> {
    let id = OrderId::new(row.id(0)?);
    let order = serde_json::from_str(&row.text(8)?);
    Ok(order.map_err(|error| named(Error::corrupt(error.to_string()), "order", &id))?)
}

pub(crate) fn history(entry: &HistoryEntry) -> [Value; 9] {
    [
        entry.order.as_uuid().into(),
        entry.version.into(),
        entry.change.code().into(),
        entry.status.code().into(),
        entry.at.as_micros().into(),
        actor(&entry.actor),
        cause(entry.cause),
        entry.command.as_uuid().into(),
        entry.reason.as_deref().into(),
    ]
}

pub(crate) fn read_history(row: &impl Cells) -> Result<HistoryEntry, Failure> {
    Ok(HistoryEntry {
        order: OrderId::new(row.id(0)?),
        version: row.count(1)?,
        change: code(row, 2, "change of an order", OrderChange::from_code)?,
        status: code(row, 3, "status of an order", OrderStatus::from_code)?,
        at: Timestamp::from_micros(row.int(4)?),
        actor: read_actor(row.maybe_text(5)?)?,
        cause: read_cause(row.maybe_text(6)?)?,
        command: CommandId::new(row.id(7)?),
        reason: row.maybe_text(8)?,
    })
}

pub(crate) fn purchase((customer, sku): &PurchaseKey, units: Quantity) -> [Value; 3] {
    let [customer, sku] = purchase_key(*customer, sku);
    [customer, sku, units.get().into()]
}

pub(crate) fn purchase_key(customer: CustomerId, sku: &Sku) -> [Value; 2] {
    [customer.as_uuid().into(), sku.as_str().into()]
}

pub(crate) fn read_purchase(row: &impl Cells) -> Result<(PurchaseKey, Quantity), Failure> {
    let key = (CustomerId::new(row.id(0)?), Sku::new(row.text(1)?)?);
    Ok((key, Quantity::new(row.int(2)?)?))
}
