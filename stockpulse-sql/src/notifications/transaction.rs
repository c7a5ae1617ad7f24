//! What is done with notifications in one transaction.

use std::collections::BTreeMap;

use stockpulse_core::model::{
    CommandId, Event, EventData, Notification, NotificationEvent, NotificationId, NotificationRecord,
    NotificationStatus, OrderId, Timestamp, derive,
};
use stockpulse_core::port::Page;

use super::rows::{NOTIFICATION, read_record, record};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::outbox;
use crate::rows::{bound, sorted};
use crate::table::Rows;
use crate::value::{Cells, Value};

/// Records by their ids, in the order in which they are locked and written.
type Records = BTreeMap<NotificationId, NotificationRecord>;

/// Begins to send: which of a batch are to be sent.
pub(super) async fn begin<S: Session>(
    session: &mut S,
    batch: &[Notification],
    now: Timestamp,
) -> Result<Vec<bool>, Failure> {
    let known = lock(session, batch.iter().map(|notification| notification.id).collect()).await?;
    // What is new could not be locked: it is inserted, and who comes second with the same is tried again.
    let (mut new, mut again) = (Records::new(), Records::new());
    let mut answers = Vec::with_capacity(batch.len());
    for notification in batch {
        let id = notification.id;
        let record = known.get(&id).cloned().unwrap_or_else(|| NotificationRecord {
            notification: notification.clone(),
            status: NotificationStatus::Pending,
            attempts: 0,
            updated_at: now,
        });
        let records = if known.contains_key(&id) { &mut again } else { &mut new };
        let begins = record.status == NotificationStatus::Pending && !records.contains_key(&id);
        if begins {
            let attempts = record.attempts.saturating_add(1);
            records.insert(id, NotificationRecord { attempts, updated_at: now, ..record });
        }
        answers.push(begins);
    }
    session.insert(&NOTIFICATION, rows(&new)?).await?;
    session.upsert(&NOTIFICATION, rows(&again)?).await?;
    Ok(answers)
}

/// Writes how sending ended, and whether anything did.
pub(super) async fn finish<S: Session>(
    session: &mut S,
    batch: &[(NotificationId, NotificationStatus)],
    now: Timestamp,
) -> Result<bool, Failure> {
    let mut known = lock(session, batch.iter().map(|(id, _)| *id).collect()).await?;
    let mut ended = Records::new();
    let mut events = Vec::new();
    for (id, status) in batch {
        let Some(record) = known.get_mut(id).filter(|record| record.status == NotificationStatus::Pending) else {
            continue;
        };
        let notification = record.notification.clone();
        let event = match status {
            NotificationStatus::Pending => continue,
            NotificationStatus::Sent => NotificationEvent::Sent(notification),
            NotificationStatus::Failed(reason) => NotificationEvent::Failed(notification, reason.clone()),
        };
        record.status = status.clone();
        record.updated_at = now;
        ended.insert(*id, record.clone());
        events.push(Event {
            command: CommandId::new(derive(id.as_uuid(), "notification.finish", 0)),
            index: 0,
            // It ends once.
            sequence: 1,
            at: now,
            trace: None,
            data: EventData::Notification(event),
        });
    }
    session.upsert(&NOTIFICATION, rows(&ended)?).await?;
    outbox::append(session, &outbox::NOTIFICATIONS, outbox::pack(&events)?).await?;
    Ok(!events.is_empty())
}

/// The notifications about an order, by the time of their event.
pub(super) async fn about<S: Session>(
    session: &mut S,
    order: OrderId,
    after: Option<NotificationId>,
    limit: usize,
) -> Result<Page<NotificationRecord, NotificationId>, Failure> {
    let (columns, name) = (NOTIFICATION.names(""), NOTIFICATION.name);
    let mut args: Vec<Value> = vec![order.as_uuid().into()];
    let mut bounds = "";
    if let Some(id) = after {
        let sql = format!("SELECT happened_at FROM {name} WHERE id = ?");
        let cursor = session.query(&sql, &[id.as_uuid().into()]).await?;
        let Some(at) = cursor.first().map(|row| row.int(0)).transpose()? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        bounds = "AND happened_at >= ? AND (happened_at > ? OR id > ?)";
        args.extend([at.into(), at.into(), id.as_uuid().into()]);
    }
    args.push(bound(limit.saturating_add(1)));
    let sql = format!("SELECT {columns} FROM {name} WHERE order_id = ? {bounds} ORDER BY happened_at, id LIMIT ?");
    let found = session.query(&sql, &args).await?;
    let records = found.iter().map(read_record).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::collect(records.into_iter(), limit, |record| record.notification.id))
}

/// Those that are known, under lock.
async fn lock<S: Session>(session: &mut S, ids: Vec<NotificationId>) -> Result<Records, Failure> {
    let ids = Rows::single(sorted(&ids).iter().map(|id| id.as_uuid()));
    let found = session.select(Select { table: &NOTIFICATION, lock: true }, &ids).await?;
    let records = found.iter().map(read_record).collect::<Result<Vec<_>, _>>()?;
    Ok(records.into_iter().map(|record| (record.notification.id, record)).collect())
}

fn rows(records: &Records) -> Result<Rows, Failure> {
    let mut rows = Rows::of(&NOTIFICATION, records.len());
    for found in records.values() {
        rows.push(record(found)?);
    }
    Ok(rows)
}
