//! Telling customers once.

use std::sync::Arc;

use stockpulse_core::ErrorKind;
use stockpulse_core::engine::record::Expected;
use stockpulse_core::memory::{MemoryCustomerStore, MemoryNotificationLog, MemoryOutbox, RecordingNotifier};
use stockpulse_core::model::{
    Customer, CustomerId, EventId, Notification, NotificationKind, NotificationStatus, OrderId,
};
use stockpulse_core::service::{Customers, Notifications};

use crate::support::{clock, kind, some, start};

const ANN: CustomerId = CustomerId::from_u128(1);
const BOB: CustomerId = CustomerId::from_u128(2);
const ORDER: OrderId = OrderId::from_u128(7);

struct Desk {
    notifications: Notifications,
    notifier: RecordingNotifier,
    outbox: MemoryOutbox,
}

async fn open() -> Desk {
    let (_, clock) = clock();
    let customers = Customers::new(Arc::new(MemoryCustomerStore::default()));
    for (id, name) in [(ANN, "Ann"), (BOB, "Bob")] {
        customers.put(Customer::new(id, name), Expected::New).await.unwrap();
    }
    let (outbox, notifier) = (MemoryOutbox::new(Arc::clone(&clock)), RecordingNotifier::new());
    let log = MemoryNotificationLog::new(outbox.clone());
    let notifications = Notifications::new(Arc::new(log), Arc::new(notifier.clone()), customers).with_clock(clock);
    Desk { notifications, notifier, outbox }
}

fn about(event: u128, customer: CustomerId) -> Notification {
    Notification::new(EventId::from_u128(event), NotificationKind::OrderConfirmed, ORDER, customer, start())
}

impl Desk {
    async fn statuses(&self) -> Vec<(NotificationStatus, u32)> {
        let page = self.notifications.about(ORDER, None, some(100)).await.unwrap();
        page.items.into_iter().map(|record| (record.status, record.attempts)).collect()
    }
}

#[tokio::test]
async fn what_comes_twice_tells_nobody_twice() {
    let desk = open().await;
    let batch = [about(1, ANN), about(2, BOB), about(1, ANN)];
    for _ in 0..3 {
        desk.notifications.send_all(&batch).await.unwrap();
    }
    assert_eq!(desk.notifier.sent(), [about(1, ANN), about(2, BOB)]);
    assert_eq!(desk.statuses().await, vec![(NotificationStatus::Sent, 1); 2]);
    assert_eq!(desk.outbox.pending().len(), 2);
    desk.notifications.send_all(&[]).await.unwrap();
}

#[tokio::test]
async fn who_is_unknown_or_has_no_address_is_refused_and_that_is_written_down() {
    let desk = open().await;
    desk.notifier.refuse(BOB);
    let stranger = CustomerId::from_u128(9);
    desk.notifications.send_all(&[about(1, stranger), about(2, BOB), about(3, ANN)]).await.unwrap();
    assert_eq!(desk.notifier.sent(), [about(3, ANN)]);
    let page = desk.notifications.about(ORDER, None, some(10)).await.unwrap();
    let failed = |customer| {
        let record = page.items.iter().find(|record| record.notification.customer == customer).unwrap();
        match &record.status {
            NotificationStatus::Failed(reason) => reason.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert!(failed(stranger).contains("unknown"));
    assert!(!failed(BOB).is_empty());
    desk.notifications.send_all(&[about(1, stranger), about(2, BOB)]).await.unwrap();
    assert_eq!(desk.outbox.pending().len(), 3, "and not tried again");
}

#[tokio::test]
async fn when_the_notifier_is_down_what_was_sent_is_finished_and_the_rest_is_sent_later() {
    let desk = open().await;
    let batch = [about(1, ANN), about(2, BOB), about(3, ANN)];
    desk.notifications.send_all(&batch[..1]).await.unwrap();
    desk.notifier.fail_next(1);
    let error = desk.notifications.send_all(&batch[1..]).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, "notifications.send"));
    assert_eq!(desk.notifier.sent().len(), 1);
    desk.notifications.send_all(&batch).await.unwrap();
    assert_eq!(desk.notifier.sent(), batch);
    let mut attempts: Vec<u32> = desk.statuses().await.iter().map(|(_, attempts)| *attempts).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2, 2]);

    // In the middle of a batch, too.
    let desk = open().await;
    let flaky = FailsAt::new(desk.notifier.clone(), 2);
    let customers = Customers::new(Arc::new(MemoryCustomerStore::default()));
    customers.put(Customer::new(ANN, "Ann"), Expected::New).await.unwrap();
    let log = Arc::new(MemoryNotificationLog::new(desk.outbox.clone()));
    let notifications = Notifications::new(log, Arc::new(flaky), customers);
    let batch = [about(1, ANN), about(2, ANN), about(3, ANN)];
    assert_eq!(kind(notifications.send_all(&batch).await), Some(ErrorKind::Unavailable));
    notifications.send_all(&batch).await.unwrap();
    assert_eq!(desk.notifier.sent(), batch, "the first was not sent again");
}

/// Fails at one attempt, counted from 1.
#[derive(Debug)]
struct FailsAt {
    notifier: RecordingNotifier,
    at: usize,
    attempts: std::sync::atomic::AtomicUsize,
}

impl FailsAt {
    fn new(notifier: RecordingNotifier, at: usize) -> Self {
        Self { notifier, at, attempts: std::sync::atomic::AtomicUsize::new(0) }
    }
}

#[async_trait::async_trait]
impl stockpulse_core::port::Notifier for FailsAt {
    async fn send(
        &self,
        customer: &Customer,
        notification: &Notification,
    ) -> stockpulse_core::Result<stockpulse_core::port::Delivered> {
        if self.attempts.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == self.at {
            return Err(stockpulse_core::Error::new(ErrorKind::Unavailable, "made to fail"));
        }
        stockpulse_core::port::Notifier::send(&self.notifier, customer, notification).await
    }
}
