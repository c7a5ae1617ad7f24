//! Beginning to send.

use std::time::Duration;

use super::reads::all_about;
use crate::conformance::support::fresh;
use crate::conformance::{Harness, NotificationBackend, Violation};
use crate::error::Result;
use crate::model::{CustomerId, EventId, Notification, NotificationKind, NotificationStatus, OrderId, Timestamp};
use crate::port::NotificationLog;

pub(super) fn order() -> OrderId {
    OrderId::new(fresh())
}

/// A new notification about an order.
pub(super) fn about(order: OrderId, at: Timestamp) -> Notification {
    let (event, customer) = (EventId::new(fresh()), CustomerId::new(fresh()));
    Notification::new(event, NotificationKind::OrderConfirmed, order, customer, at)
}

/// Fails unless the record of a notification says this.
pub(super) async fn is(
    log: &dyn NotificationLog,
    notification: &Notification,
    status: NotificationStatus,
    attempts: u32,
    updated_at: Timestamp,
) -> Result<(), Violation> {
    let records = all_about(log, notification.order).await?;
    let record = records.iter().find(|record| record.notification.id == notification.id);
    let found = record.map(|record| (record.status.clone(), record.attempts, record.updated_at));
    ensure_eq!(found, Some((status, attempts, updated_at)), "status, attempts and last change of a notification");
    Ok(())
}

pub(super) async fn answers_are_aligned(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, now) = (harness.open().await?, harness.now());
    let [sent, refused, pending, new] = std::array::from_fn(|_| about(order(), now));
    let begun = log.begin(&[pending.clone(), refused.clone(), sent.clone()], now).await?;
    ensure_eq!(begun, [true, true, true], "whether three new ones are to be sent");
    let ends = [(sent.id, NotificationStatus::Sent), (refused.id, NotificationStatus::Failed("no".to_owned()))];
    log.finish(&ends, now).await?;
    let begun = log.begin(&[sent, pending, refused, new], now).await?;
    ensure_eq!(begun, [false, true, false, true], "whether one sent, one pending, one refused, one new are to be sent");
    Ok(())
}

pub(super) async fn twice_in_a_batch_is_sent_once(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, now) = (harness.open().await?, harness.now());
    let [one, two] = std::array::from_fn(|_| about(order(), now));
    let begun = log.begin(&[one.clone(), two.clone(), one.clone()], now).await?;
    ensure_eq!(begun, [true, true, false], "whether the first, another, and the first again are to be sent");
    is(&*log, &one, NotificationStatus::Pending, 1, now).await?;
    is(&*log, &two, NotificationStatus::Pending, 1, now).await
}

pub(super) async fn what_did_not_end_is_sent_again(
    harness: &dyn Harness<NotificationBackend>,
) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, now) = (harness.open().await?, harness.now());
    let (one, other) = (about(order(), now), about(order(), now));
    log.begin(std::slice::from_ref(&other), now).await?;
    for attempt in 1..4 {
        let at = now.plus(Duration::from_secs(u64::from(attempt)));
        ensure_eq!(log.begin(std::slice::from_ref(&one), at).await?, [true], "attempt {attempt}");
        is(&*log, &one, NotificationStatus::Pending, attempt, at).await?;
    }
    is(&*log, &other, NotificationStatus::Pending, 1, now).await
}

pub(super) async fn what_ended_is_not_sent_again(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, .. }, now) = (harness.open().await?, harness.now());
    let (begun, ended, late) = (now, now.plus(Duration::from_secs(1)), now.plus(Duration::from_secs(2)));
    for status in [NotificationStatus::Sent, NotificationStatus::Failed("no such address".to_owned())] {
        let one = about(order(), now);
        log.begin(std::slice::from_ref(&one), begun).await?;
        log.finish(&[(one.id, status.clone())], ended).await?;
        ensure_eq!(log.begin(std::slice::from_ref(&one), late).await?, [false], "once more after {status:?}");
        is(&*log, &one, status, 1, ended).await?;
    }
    Ok(())
}

pub(super) async fn an_empty_batch_changes_nothing(
    harness: &dyn Harness<NotificationBackend>,
) -> Result<(), Violation> {
    let (NotificationBackend { log, outbox }, now) = (harness.open().await?, harness.now());
    let one = about(order(), now);
    log.begin(std::slice::from_ref(&one), now).await?;
    ensure_eq!(log.begin(&[], now.plus(Duration::from_secs(1))).await?, Vec::<bool>::new(), "to be sent of nothing");
    log.finish(&[], now.plus(Duration::from_secs(1))).await?;
    is(&*log, &one, NotificationStatus::Pending, 1, now).await?;
    ensure_eq!(outbox.stats().await?.pending, 0, "events");
    Ok(())
}

pub(super) async fn a_large_batch_is_stored(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, outbox }, now) = (harness.open().await?, harness.now());
    let order = order();
    let batch: Vec<_> = (0..1_000).map(|_| about(order, now)).collect();
    ensure_eq!(log.begin(&batch, now).await?, vec![true; batch.len()], "whether a thousand new ones are to be sent");
    let ends: Vec<_> = batch.iter().map(|one| (one.id, NotificationStatus::Sent)).collect();
    log.finish(&ends, now).await?;
    ensure_eq!(log.begin(&batch, now).await?, vec![false; batch.len()], "whether they are to be sent again");
    let sent = all_about(&*log, order).await?;
    let sent = sent.iter().filter(|record| record.status == NotificationStatus::Sent).count();
    ensure_eq!(sent, batch.len(), "records that say sent");
    ensure_eq!(crate::conformance::events::drain(&*outbox).await?.len(), batch.len(), "events");
    Ok(())
}
