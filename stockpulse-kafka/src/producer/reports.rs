//! What became of the records of one call.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::statistics::Statistics;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::metrics;
use crate::trouble::Trouble;

/// The answers to the records of one call; one allocation and one wake-up for all of them.
pub(super) struct Reports {
    failures: Box<[OnceLock<KafkaError>]>,
    left: AtomicUsize,
    done: Notify,
}

impl Reports {
    /// For so many records.
    pub(super) fn new(records: usize) -> Self {
        Self {
            failures: (0..records).map(|_| OnceLock::new()).collect(),
            left: AtomicUsize::new(records),
            done: Notify::new(),
        }
    }

    /// Waits for every answer.
    pub(super) async fn answers(&self) -> Vec<Option<KafkaError>> {
        while self.left.load(Ordering::Acquire) > 0 {
            // One waiter at most, so the permit that `notify_one` leaves is not lost to another.
            self.done.notified().await;
        }
        self.failures.iter().map(|failure| failure.get().cloned()).collect()
    }
}

/// Goes along with a record and comes back with its report. If it is dropped without one, the record failed: nobody waits
/// for ever.
pub(super) struct Ticket {
    reports: Arc<Reports>,
    index: usize,
    reported: bool,
    /// Room that the record takes.
    room: Option<OwnedSemaphorePermit>,
}

impl Ticket {
    pub(super) fn new(reports: Arc<Reports>, index: usize, room: Option<OwnedSemaphorePermit>) -> Self {
        Self { reports, index, reported: false, room }
    }

    /// The record did not arrive.
    pub(super) fn failed(mut self, error: KafkaError) {
        self.report(Some(error));
    }

    fn report(&mut self, failure: Option<KafkaError>) {
        if std::mem::replace(&mut self.reported, true) {
            return;
        }
        self.room = None;
        if let (Some(error), Some(slot)) = (failure, self.reports.failures.get(self.index)) {
            // Set once, as each ticket reports once.
            let _ = slot.set(error);
        }
        if self.reports.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.reports.done.notify_one();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.report(Some(KafkaError::Canceled));
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("index", &self.index).finish_non_exhaustive()
    }
}

/// Hands reports to whoever waits for them, and hears why there are none.
#[derive(Clone, Debug)]
pub(super) struct Reporter(pub(super) Trouble);

impl ClientContext for Reporter {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        metrics::producer(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.failed(&error, reason);
    }
}

impl ProducerContext for Reporter {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, mut ticket: Box<Ticket>) {
        if result.is_ok() {
            self.0.is_over();
        }
        ticket.report(result.as_ref().err().map(|(error, _)| error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_aligned_and_a_lost_ticket_is_a_failure() {
        let reports = Arc::new(Reports::new(3));
        let tickets = [0, 1, 2].map(|index| Box::new(Ticket::new(Arc::clone(&reports), index, None)));
        let [good, lost, bad] = tickets;
        let mut good = *good;
        let waiting = tokio::spawn({
            let reports = Arc::clone(&reports);
            async move { reports.answers().await }
        });
        bad.failed(KafkaError::NoMessageReceived);
        good.report(None);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(lost);
        let expected = [None, Some(KafkaError::Canceled), Some(KafkaError::NoMessageReceived)];
        assert_eq!(waiting.await.unwrap(), expected);
    }
}
