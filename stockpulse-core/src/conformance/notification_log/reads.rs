//! What is read is what was written.

use std::time::Duration;

use super::sending::{about, is, order};
use crate::conformance::events::drain;
use crate::conformance::support::{PAGES, limit};
use crate::conformance::{Harness, NotificationBackend, Violation};
use crate::model::{Notification, NotificationId, NotificationKind, NotificationRecord, NotificationStatus, OrderId};
use crate::port::NotificationLog;

/// Every record about an order.
pub(super) async fn all_about(log: &dyn NotificationLog, order: OrderId) -> Result<Vec<NotificationRecord>, Violation> {
    let page = log.about(order, None, limit(10_000)).await?;
    ensure_eq!(page.next, None, "where the page after all notifications about an order begins");
    Ok(page.items)
}

pub(super) async fn every_field_is_kept(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, now) = (harness.open().await?, harness.now());
    let order = order();
    let kinds = [
        NotificationKind::OrderConfirmed,
        NotificationKind::OrderAdjusted,
        NotificationKind::OrderRejected,
        NotificationKind::OrderCancelled,
        NotificationKind::OrderExpired,
        NotificationKind::OrderShipped,
        NotificationKind::OrderReturned,
    ];
    let mut expected = Vec::new();
    for (kind, micros) in kinds.into_iter().zip(1..) {
        let at = now.plus(Duration::from_micros(micros));
        let notification = Notification { kind, ..about(order, at) };
        let (begun, ended) = (at.plus(Duration::from_micros(3)), at.plus(Duration::from_micros(7)));
        ensure_eq!(log.begin(std::slice::from_ref(&notification), begun).await?, [true], "whether it is to be sent");
        let status = match micros % 3 {
            0 => NotificationStatus::Pending,
            1 => NotificationStatus::Sent,
            _ => NotificationStatus::Failed(format!("no such address \u{1f4ea}, it's \"gone\"; {kind:?}").repeat(20)),
        };
        log.finish(&[(notification.id, status.clone())], ended).await?;
        let updated_at = if status == NotificationStatus::Pending { begun } else { ended };
        expected.push(NotificationRecord { notification, status, attempts: 1, updated_at });
    }
    ensure_eq!(all_about(&*log, order).await?, expected, "records");
    Ok(())
}

/// Notifications about one order, one that came later first, and others in between.
async fn five(
    harness: &dyn Harness<NotificationBackend>,
) -> Result<(NotificationBackend, OrderId, Vec<NotificationId>), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let (one, other) = (order(), order());
    let mut ids = Vec::new();
    for seconds in [4, 2, 5, 1, 3] {
        let at = now.plus(Duration::from_secs(seconds));
        let notification = about(one, at);
        backend.log.begin(&[about(other, at), notification.clone()], now).await?;
        ids.push((seconds, notification.id));
    }
    ids.sort_unstable();
    Ok((backend, one, ids.into_iter().map(|(_, id)| id).collect()))
}

pub(super) async fn notifications_are_about_one_order(
    harness: &dyn Harness<NotificationBackend>,
) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, one, expected) = five(harness).await?;
    let found: Vec<_> = all_about(&*log, one).await?.iter().map(|record| record.notification.id).collect();
    ensure_eq!(found, expected, "notifications about an order, oldest first");
    ensure_eq!(all_about(&*log, order()).await?, Vec::new(), "notifications about an unknown order");
    Ok(())
}

pub(super) async fn notifications_are_paged(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, order, ids) = five(harness).await?;
    let id = |place: Option<usize>| place.and_then(|place| ids.get(place).copied());
    for (after, most, from, to, next) in PAGES {
        let page = log.about(order, id(after), limit(most)).await?;
        let found: Vec<_> = page.items.iter().map(|record| record.notification.id).collect();
        ensure_eq!(found, ids[from..to], "{most} notifications after {:?}", id(after));
        ensure_eq!(page.next, id(next), "where the page after {most} notifications after {:?} begins", id(after));
    }
    Ok(())
}

pub(super) async fn everything_survives_a_restart(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (mut backend, now) = (harness.open().await?, harness.now());
    let [pending, sent] = std::array::from_fn(|_| about(order(), now));
    backend.log.begin(&[pending.clone(), sent.clone()], now).await?;
    backend.log.finish(&[(sent.id, NotificationStatus::Sent)], now).await?;
    backend = harness.reopen(backend).await?;
    is(&*backend.log, &pending, NotificationStatus::Pending, 1, now).await?;
    is(&*backend.log, &sent, NotificationStatus::Sent, 1, now).await?;
    let begun = backend.log.begin(&[pending.clone(), sent.clone()], now).await?;
    ensure_eq!(begun, [true, false], "whether one pending and one sent are to be sent after a restart");
    backend.log.finish(&[(sent.id, NotificationStatus::Sent)], now).await?;
    backend = harness.reopen(backend).await?;
    is(&*backend.log, &pending, NotificationStatus::Pending, 2, now).await?;
    ensure_eq!(drain(&*backend.outbox).await?.len(), 1, "events after restarts");
    Ok(())
}
