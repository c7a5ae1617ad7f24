use super::*;
use crate::memory::ManualClock;
use crate::model::{CustomerId, EventId, EventType, NotificationKind};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn log() -> (MemoryNotificationLog, MemoryOutbox) {
    let outbox = MemoryOutbox::new(Arc::new(ManualClock::new(at(0))));
    (MemoryNotificationLog::new(outbox.clone()), outbox)
}

fn order(number: u128) -> OrderId {
    OrderId::from_u128(number)
}

fn notification(event: u128, order: OrderId, seconds: i64) -> Notification {
    let customer = CustomerId::from_u128(1);
    Notification::new(EventId::from_u128(event), NotificationKind::OrderShipped, order, customer, at(seconds))
}

async fn about(
    log: &MemoryNotificationLog,
    order: OrderId,
    after: Option<NotificationId>,
    limit: usize,
) -> Page<NotificationRecord, NotificationId> {
    log.about(order, after, NonZeroUsize::new(limit).unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_is_new_or_pending_is_to_be_sent_and_what_has_ended_is_not() {
    let (log, _outbox) = log();
    let [one, two, three] = [1, 2, 3].map(|event| notification(event, order(1), 1));
    assert_eq!(log.begin(&[one.clone(), two.clone()], at(10)).await.unwrap(), [true, true]);
    let ends = [(one.id, NotificationStatus::Sent), (two.id, NotificationStatus::Failed("no address".to_owned()))];
    log.finish(&ends, at(11)).await.unwrap();
    assert_eq!(log.begin(std::slice::from_ref(&three), at(12)).await.unwrap(), [true]);
    let again = log.begin(&[one, three.clone(), two], at(13)).await.unwrap();
    assert_eq!(again, [false, true, false]);
    let records = about(&log, order(1), None, 10).await.items;
    let attempts = |id| records.iter().find(|record| record.notification.id == id).map(|record| record.attempts);
    assert_eq!(attempts(three.id), Some(2));
    assert_eq!(attempts(ends[0].0), Some(1));
}

#[tokio::test]
async fn the_same_notification_twice_in_a_batch_is_sent_once() {
    let (log, _outbox) = log();
    let one = notification(1, order(1), 1);
    assert_eq!(log.begin(&[one.clone(), one.clone()], at(10)).await.unwrap(), [true, false]);
    assert_eq!(about(&log, order(1), None, 10).await.items[0].attempts, 1);
    assert_eq!(log.begin(&[one], at(10)).await.unwrap(), [true]);
}

#[tokio::test]
async fn each_end_writes_its_event_once() {
    let (log, outbox) = log();
    let [one, two] = [1, 2].map(|event| notification(event, order(1), 1));
    log.begin(&[one.clone(), two.clone()], at(10)).await.unwrap();
    assert!(outbox.pending().is_empty());
    let failed = NotificationStatus::Failed("no address".to_owned());
    let ends = [
        (one.id, NotificationStatus::Pending),
        (one.id, NotificationStatus::Sent),
        (one.id, failed.clone()),
        (two.id, failed.clone()),
        (NotificationId::from_u128(9), NotificationStatus::Sent),
    ];
    log.finish(&ends, at(11)).await.unwrap();
    log.finish(&ends, at(12)).await.unwrap();
    let events = outbox.pending();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].data, EventData::Notification(NotificationEvent::Sent(one)));
    assert_eq!(events[1].data, EventData::Notification(NotificationEvent::Failed(two, "no address".to_owned())));
    assert_eq!((events[0].at, events[0].data.event_type()), (at(11), EventType::NotificationSent));
    assert_ne!(events[0].id(), events[1].id());
    let records = about(&log, order(1), None, 10).await.items;
    assert!(records.iter().any(|record| record.status == NotificationStatus::Sent && record.updated_at == at(11)));
    assert!(records.iter().any(|record| record.status == failed));
}

#[tokio::test]
async fn the_event_is_the_same_wherever_the_notification_ends() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (log, outbox) = log();
        let one = notification(1, order(1), 1);
        log.begin(std::slice::from_ref(&one), at(10)).await.unwrap();
        log.finish(&[(one.id, NotificationStatus::Sent)], at(11)).await.unwrap();
        ids.push(outbox.pending()[0].id());
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn notifications_about_an_order_are_listed_oldest_first_in_pages() {
    let (log, _outbox) = log();
    let batch: Vec<Notification> =
        (0_u8..20).map(|number| notification(number.into(), order(1), 100 - i64::from(number / 2))).collect();
    log.begin(&batch, at(200)).await.unwrap();
    log.begin(&[notification(99, order(2), 95)], at(200)).await.unwrap();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = about(&log, order(1), after, 7).await;
        assert!(page.items.len() <= 7);
        listed.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed.len(), 20);
    assert!(listed.is_sorted_by_key(|record| record.notification.at));
    assert!(listed.iter().all(|record| record.notification.order == order(1)));
    assert!(about(&log, order(3), None, 7).await.items.is_empty());
    assert!(about(&log, order(1), Some(NotificationId::from_u128(7)), 7).await.items.is_empty());
}
