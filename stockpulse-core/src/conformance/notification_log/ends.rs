//! How sending ends.

use std::sync::Arc;
use std::time::Duration;

use super::sending::{about, is, order};
use crate::conformance::events::drain;
use crate::conformance::support::together;
use crate::conformance::{Harness, NotificationBackend, Violation};
use crate::model::{EventData, EventKey, NotificationEvent, NotificationStatus};
use crate::port::Outbox;

/// What the outbox holds about notifications. It is empty afterwards.
async fn told(outbox: &dyn Outbox) -> Result<Vec<NotificationEvent>, Violation> {
    let mut told = Vec::new();
    let mut ids = Vec::new();
    for row in drain(outbox).await? {
        ids.push(row.event.id());
        match row.event.data {
            EventData::Notification(event) => told.push(event),
            other => return Err(Violation::new(format!("an event that is about no notification: {other:?}"))),
        }
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == all, "events of different notifications have one id");
    Ok(told)
}

pub(super) async fn events_are_written_with_the_end(
    harness: &dyn Harness<NotificationBackend>,
) -> Result<(), Violation> {
    let (NotificationBackend { log, outbox }, now) = (harness.open().await?, harness.now());
    let (order, reason) = (order(), "no such address \u{1f4ea}, it's \"gone\"");
    let [one, two, three] = std::array::from_fn(|_| about(order, now));
    log.begin(&[one.clone(), two.clone(), three.clone()], now).await?;
    ensure_eq!(told(&*outbox).await?, Vec::new(), "events before anything ended");
    let ended = now.plus(Duration::from_secs(1));
    let failed = NotificationStatus::Failed(reason.to_owned());
    log.finish(&[(two.id, failed), (one.id, NotificationStatus::Sent)], ended).await?;
    let rows = drain(&*outbox).await?;
    ensure!(rows.iter().all(|row| row.event.key() == EventKey::Order(order)), "events of another key: {rows:?}");
    ensure!(rows.iter().all(|row| row.event.at == ended), "events of another time: {rows:?}");
    let data: Vec<_> = rows.into_iter().map(|row| row.event.data).collect();
    let expected = [NotificationEvent::Failed(two, reason.to_owned()), NotificationEvent::Sent(one)];
    ensure_eq!(data, expected.map(EventData::Notification), "events of two ends, in their order");
    log.finish(&[(three.id, NotificationStatus::Sent)], ended).await?;
    ensure_eq!(told(&*outbox).await?, [NotificationEvent::Sent(three)], "events of a third end");
    Ok(())
}

pub(super) async fn a_second_end_changes_nothing(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (NotificationBackend { log, outbox }, now) = (harness.open().await?, harness.now());
    let late = now.plus(Duration::from_secs(1));
    let [one, two] = std::array::from_fn(|_| about(order(), now));
    log.begin(&[one.clone(), two.clone()], now).await?;
    let failed = || NotificationStatus::Failed("no".to_owned());
    log.finish(&[(one.id, NotificationStatus::Sent), (one.id, failed()), (two.id, failed())], now).await?;
    log.finish(&[(two.id, NotificationStatus::Sent), (one.id, NotificationStatus::Sent)], late).await?;
    is(&*log, &one, NotificationStatus::Sent, 1, now).await?;
    is(&*log, &two, failed(), 1, now).await?;
    let told = told(&*outbox).await?;
    let of_one = told.contains(&NotificationEvent::Sent(one));
    let of_two = told.contains(&NotificationEvent::Failed(two, "no".to_owned()));
    ensure!(told.len() == 2 && of_one && of_two, "events of two ends, each told twice: {told:?}");
    Ok(())
}

pub(super) async fn what_is_no_end_changes_nothing(
    harness: &dyn Harness<NotificationBackend>,
) -> Result<(), Violation> {
    let (NotificationBackend { log, outbox }, now) = (harness.open().await?, harness.now());
    let [begun, unknown] = std::array::from_fn(|_| about(order(), now));
    log.begin(std::slice::from_ref(&begun), now).await?;
    let ends = [(begun.id, NotificationStatus::Pending), (unknown.id, NotificationStatus::Sent)];
    log.finish(&ends, now.plus(Duration::from_secs(1))).await?;
    is(&*log, &begun, NotificationStatus::Pending, 1, now).await?;
    ensure_eq!(told(&*outbox).await?, Vec::new(), "events of what is no end");
    let again = log.begin(&[begun, unknown], now).await?;
    ensure_eq!(again, [true, true], "whether one pending and one that was never begun are to be sent");
    Ok(())
}

pub(super) async fn one_of_many_ends_it(harness: &dyn Harness<NotificationBackend>) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let other = harness.another().await?.unwrap_or_else(|| backend.clone());
    for _ in 0..5 {
        let one = about(order(), now);
        let logs = [&backend.log, &other.log].map(Arc::clone);
        let calls = logs.iter().cycle().take(12).map(|log| {
            let (log, one) = (Arc::clone(log), one.clone());
            async move { log.begin(&[one], now).await }
        });
        let begun = together(calls).await?;
        ensure_eq!(begun, vec![[true]; 12], "whether a pending one is to be sent, asked twelve times at once");
        is(&*backend.log, &one, NotificationStatus::Pending, 12, now).await?;
        let calls = logs.iter().cycle().take(12).map(|log| {
            let (log, id) = (Arc::clone(log), one.id);
            async move { log.finish(&[(id, NotificationStatus::Sent)], now).await }
        });
        together(calls).await?;
        is(&*other.log, &one, NotificationStatus::Sent, 12, now).await?;
        ensure_eq!(told(&*backend.outbox).await?, [NotificationEvent::Sent(one)], "events of twelve ends at once");
    }
    Ok(())
}
