//! Reading orders.

use stockpulse_core::model::{HistoryEntry, Order, OrderId, Timestamp};
use stockpulse_core::port::{OrderQuery, Page};

use super::rows::{read_history, read_order};
use super::tables::{HISTORY, ORDER};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::rows::{aligned, bound, sorted};
use crate::table::Rows;
use crate::value::{Cells, Value};

pub(super) async fn orders<S: Session>(session: &mut S, ids: &[OrderId]) -> Result<Vec<Option<Order>>, Failure> {
    let keys = Rows::single(sorted(ids).iter().map(|id| id.as_uuid()));
    let found = session.select(Select { table: &ORDER, lock: false }, &keys).await?;
    let orders = found.iter().map(read_order).collect::<Result<Vec<_>, _>>()?;
    Ok(aligned(ids, orders, |order| order.id))
}

pub(super) async fn overdue<S: Session>(
    session: &mut S,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<OrderId>, Failure> {
    let sql = format!("SELECT id FROM {} WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", ORDER.name);
    let found = session.query(&sql, &[before.as_micros().into(), bound(limit)]).await?;
    found.iter().map(|row| Ok(OrderId::new(row.id(0)?))).collect()
}

pub(super) async fn history<S: Session>(session: &mut S, order: OrderId) -> Result<Vec<HistoryEntry>, Failure> {
    let keys = Rows::single([order.as_uuid()]);
    let found = session.select(Select { table: &HISTORY, lock: false }, &keys).await?;
    found.iter().map(read_history).collect()
}

pub(super) async fn list_orders<S: Session>(
    session: &mut S,
    query: &OrderQuery,
    limit: usize,
) -> Result<Page<Order, OrderId>, Failure> {
    let OrderQuery { customer, status, after } = query;
    // A customer has few orders and a status may have millions, which SQLite does not know: a sum has no index.
    let of_status = if customer.is_some() { "status + 0 = ?" } else { "status = ?" };
    let conditions: [(&str, Option<Value>); 3] = [
        ("customer_id = ?", customer.map(|id| id.as_uuid().into())),
        (of_status, status.map(|status| status.code().into())),
        ("id > ?", after.map(|id| id.as_uuid().into())),
    ];
    let mut bounds = String::new();
    let mut args = Vec::new();
    for (condition, arg) in conditions {
        if let Some(arg) = arg {
            bounds += if args.is_empty() { "WHERE " } else { " AND " };
            bounds += condition;
            args.push(arg);
        }
    }
    args.push(bound(limit.saturating_add(1)));
    let sql = format!("SELECT {} FROM {} {bounds} ORDER BY id LIMIT ?", ORDER.names(""), ORDER.name);
    let found = session.query(&sql, &args).await?;
    let orders = found.iter().map(read_order).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::collect(orders.into_iter(), limit, |order| order.id))
}
