//! The table of notifications, its rows and what they say.

use serde_json::Value as Json;
use stockpulse_core::model::{
    CustomerId, EventId, Notification, NotificationId, NotificationRecord, NotificationStatus, OrderId, Timestamp,
};
use stockpulse_core::{Error, Result};

use crate::failure::Failure;
use crate::frame::named;
use crate::table::Kind::{Id, Int, Text};
use crate::table::Table;
use crate::value::{Cells, Value};

pub(crate) const NOTIFICATION: Table = Table {
    name: "notification",
    columns: &[
        ("id", Id),
        ("event", Id),
        ("kind", Text),
        ("order_id", Id),
        ("customer_id", Id),
        ("happened_at", Int),
        ("status", Int),
        ("reason", Text),
        ("attempts", Int),
        ("updated_at", Int),
    ],
    key: 1,
};

const PENDING: u8 = 1;
const SENT: u8 = 2;
const FAILED: u8 = 3;

pub(crate) fn record(record: &NotificationRecord) -> Result<[Value; 10]> {
    let NotificationRecord { notification, status, attempts, updated_at } = record;
    let (status, reason) = match status {
        NotificationStatus::Pending => (PENDING, None),
        NotificationStatus::Sent => (SENT, None),
        NotificationStatus::Failed(reason) => (FAILED, Some(reason.as_str())),
    };
    let Ok(Json::String(kind)) = serde_json::to_value(notification.kind) else {
        return Err(Error::corrupt(format!("{:?} has no name", notification.kind)));
    };
    Ok([
        notification.id.as_uuid().into(),
        notification.event.as_uuid().into(),
        kind.into(),
        notification.order.as_uuid().into(),
        notification.customer.as_uuid().into(),
        notification.at.as_micros().into(),
        status.into(),
        reason.into(),
        (*attempts).into(),
        updated_at.as_micros().into(),
    ])
}

pub(crate) fn read_record(row: &impl Cells) -> Result<NotificationRecord, Failure> {
    let id = NotificationId::new(row.id(0)?);
    let wrong = |what: String| named(Error::corrupt(what), "notification", &id);
    let kind = serde_json::from_value(Json::String(row.text(2)?)).map_err(|error| wrong(error.to_string()))?;
    let status = match (u8::try_from(row.int(6)?), row.maybe_text(7)?) {
        (Ok(PENDING), None) => NotificationStatus::Pending,
        (Ok(SENT), None) => NotificationStatus::Sent,
        (Ok(FAILED), Some(reason)) => NotificationStatus::Failed(reason),
        (status, reason) => return Err(wrong(format!("status {status:?} with reason {reason:?}")).into()),
    };
    let notification = Notification {
        id,
        event: EventId::new(row.id(1)?),
        kind,
        order: OrderId::new(row.id(3)?),
        customer: CustomerId::new(row.id(4)?),
        at: Timestamp::from_micros(row.int(5)?),
    };
    let attempts = u32::try_from(row.int(8)?).map_err(|error| wrong(error.to_string()))?;
    Ok(NotificationRecord { notification, status, attempts, updated_at: Timestamp::from_micros(row.int(9)?) })
}

#[cfg(test)]
mod tests {
    use stockpulse_core::model::NotificationKind;

    use super::*;

    #[test]
    fn kinds_are_written_by_their_names_and_ends_with_their_reasons() {
        let order = OrderId::from_u128(2);
        let (event, customer, at) = (EventId::from_u128(1), CustomerId::from_u128(3), Timestamp::from_secs(4));
        let notification = Notification::new(event, NotificationKind::OrderShipped, order, customer, at);
        let status = NotificationStatus::Failed("no such address".to_owned());
        let row = record(&NotificationRecord { notification, status, attempts: 2, updated_at: at }).unwrap();
        assert_eq!(row[2], "order_shipped".into());
        assert_eq!(row[6..9], [FAILED.into(), "no such address".into(), 2_u32.into()]);
    }
}
