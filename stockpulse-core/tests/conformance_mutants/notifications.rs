//! Notification logs that are broken.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::conformance::{NotificationBackend, notification_log};
use stockpulse_core::model::{
    CustomerId, EventId, Notification, NotificationId, NotificationKind, NotificationRecord, NotificationStatus,
    OrderId, Timestamp,
};
use stockpulse_core::port::{NotificationLog, Outbox, Page};
use stockpulse_core::{Error, ErrorKind, Result};

use super::batches::fresh;
use super::broken::{Broken, Fault, every_rule_notices};
use crate::harness;

type Log = Broken<dyn NotificationLog>;

const ALL: NonZeroUsize = NonZeroUsize::MAX;

impl Log {
    /// Ends a notification that nobody began, which makes an event.
    async fn end_something(&self, now: Timestamp) -> Result<()> {
        let order = OrderId::new(fresh().as_uuid());
        let (event, customer) = (EventId::new(fresh().as_uuid()), CustomerId::new(fresh().as_uuid()));
        let one = Notification::new(event, NotificationKind::OrderConfirmed, order, customer, now);
        self.inner.begin(std::slice::from_ref(&one), now).await?;
        self.inner.finish(&[(one.id, NotificationStatus::Sent)], now).await
    }
}

#[async_trait]
impl NotificationLog for Log {
    async fn begin(&self, batch: &[Notification], now: Timestamp) -> Result<Vec<bool>> {
        let mut answers = match self.fault {
            Fault::EndOfLargeBatchLost => self.inner.begin(batch.get(..300).unwrap_or(batch), now).await?,
            Fault::EmptyBatchFails if batch.is_empty() => {
                return Err(Error::new(ErrorKind::Unexpected, "INSERT without VALUES"));
            }
            // Reads what is there, and writes later, without a lock: of many, the last one counts.
            Fault::LosesAttempts => {
                let busy = self.memory.busy.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                let answers = match busy {
                    0 => self.inner.begin(batch, now).await?,
                    _ => vec![true; batch.len()],
                };
                self.memory.busy.fetch_sub(1, Ordering::SeqCst);
                answers
            }
            _ => self.inner.begin(batch, now).await?,
        };
        match self.fault {
            Fault::OutcomesReversed => answers.reverse(),
            Fault::SendsForever | Fault::SendsTwiceInABatch => answers.fill(true),
            Fault::SendsOnce => {
                let mut seen = self.memory.commands.lock().unwrap();
                for (answer, notification) in answers.iter_mut().zip(batch) {
                    *answer &= !seen.contains(&notification.id.as_uuid());
                    seen.push(notification.id.as_uuid());
                }
            }
            _ => {}
        }
        Ok(answers)
    }

    async fn finish(&self, batch: &[(NotificationId, NotificationStatus)], now: Timestamp) -> Result<()> {
        let mut seen = self.memory.commands.lock().unwrap().clone();
        let again = batch.iter().any(|(id, _)| {
            let again = seen.contains(&id.as_uuid());
            seen.push(id.as_uuid());
            again
        });
        let pending = batch.iter().any(|(_, status)| *status == NotificationStatus::Pending);
        match self.fault {
            Fault::EndsAgain => *self.memory.commands.lock().unwrap() = seen,
            Fault::EmptyBatchFails if batch.is_empty() => {
                return Err(Error::new(ErrorKind::Unexpected, "INSERT without VALUES"));
            }
            _ => {}
        }
        self.inner.finish(batch, now).await?;
        if (self.is(Fault::EndsAgain) && again) || (self.is(Fault::EndsWhatIsUnknown) && pending) {
            self.end_something(now).await?;
        }
        Ok(())
    }

    async fn about(
        &self,
        order: OrderId,
        after: Option<NotificationId>,
        limit: NonZeroUsize,
    ) -> Result<Page<NotificationRecord, NotificationId>> {
        let mut page = self.inner.about(order, after, limit).await?;
        match self.fault {
            Fault::ListsOneLess if page.next.is_some() => drop(page.items.pop()),
            Fault::FullPageSaysMore if page.items.len() == limit.get() => {
                page.next = page.items.last().map(|record| record.notification.id);
            }
            Fault::AnyOrder => page.items.sort_by_key(|record| record.notification.id),
            Fault::LosesText => page.items.iter_mut().for_each(|record| {
                if let NotificationStatus::Failed(reason) = &mut record.status {
                    reason.truncate(20);
                }
            }),
            Fault::CountsNoAttempts => page.items.iter_mut().for_each(|record| record.attempts = 1),
            Fault::IgnoresTheLimit => page = self.inner.about(order, after, ALL).await?,
            _ => {}
        }
        Ok(page)
    }
}

fn broken(backend: NotificationBackend, fault: Fault) -> NotificationBackend {
    let outbox: Arc<dyn Outbox> = Broken::new(backend.outbox, fault);
    NotificationBackend { log: Broken::new(backend.log, fault), outbox }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_notification_logs_notices_a_mutant() {
    let mutants: &[(Fault, &[&str])] = &[
        (Fault::OutcomesReversed, &["answers_are_aligned"]),
        (Fault::SendsTwiceInABatch, &["twice_in_a_batch_is_sent_once"]),
        (Fault::SendsOnce, &["what_did_not_end_is_sent_again"]),
        (Fault::CountsNoAttempts, &["what_did_not_end_is_sent_again"]),
        (Fault::SendsForever, &["what_ended_is_not_sent_again", "a_large_batch_is_stored"]),
        (Fault::EmptyBatchFails, &["an_empty_batch_changes_nothing"]),
        (Fault::EndOfLargeBatchLost, &["a_large_batch_is_stored"]),
        (Fault::LosesTheFirst, &["events_are_written_with_the_end"]),
        (Fault::RowsReversed, &["events_are_written_with_the_end"]),
        (Fault::EndsAgain, &["a_second_end_changes_nothing", "one_of_many_ends_it"]),
        (Fault::EndsWhatIsUnknown, &["what_is_no_end_changes_nothing"]),
        (Fault::LosesAttempts, &["one_of_many_ends_it"]),
        (Fault::LosesText, &["every_field_is_kept"]),
        (Fault::AnyOrder, &["notifications_are_about_one_order"]),
        (Fault::ListsOneLess, &["notifications_are_paged"]),
        (Fault::FullPageSaysMore, &["notifications_are_paged"]),
        (Fault::IgnoresTheLimit, &["notifications_are_paged"]),
        (Fault::ForgetsOnRestart, &["everything_survives_a_restart"]),
    ];
    every_rule_notices(notification_log::RULES, mutants, harness::notifications, broken).await;
}
