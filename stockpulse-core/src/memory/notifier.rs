//! A notifier that remembers instead of sending.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Customer, CustomerId, Notification};
use crate::port::{Delivered, Notifier};

/// A notifier for tests and demonstrations: it keeps what it is given. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct RecordingNotifier {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Notification>,
    failures: u64,
    refused: BTreeSet<CustomerId>,
}

impl RecordingNotifier {
    /// One that was given nothing yet, and takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it took, in order. Sent twice, a notification is in it twice.
    #[must_use]
    pub fn sent(&self) -> Vec<Notification> {
        self.lock().sent.clone()
    }

    /// Makes the next so many attempts fail with `Unavailable`, like a mail server that is down.
    pub fn fail_next(&self, attempts: u64) {
        self.lock().failures = attempts;
    }

    /// Refuses everything for this customer from now on, like an address that does not exist.
    pub fn refuse(&self, customer: CustomerId) {
        self.lock().refused.insert(customer);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn send(&self, customer: &Customer, notification: &Notification) -> Result<Delivered> {
        let mut state = self.lock();
        if state.failures > 0 {
            state.failures -= 1;
            return Err(Error::new(ErrorKind::Unavailable, "made to fail").during("notifier.send"));
        }
        if state.refused.contains(&customer.id) {
            return Ok(Delivered::Refused(format!("customer {} is refused", customer.id)));
        }
        state.sent.push(notification.clone());
        Ok(Delivered::Sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventId, NotificationKind, OrderId, Timestamp};

    fn notification(event: u128, customer: CustomerId) -> Notification {
        let order = OrderId::from_u128(1);
        let at = Timestamp::from_secs(1);
        Notification::new(EventId::from_u128(event), NotificationKind::OrderConfirmed, order, customer, at)
    }

    #[tokio::test]
    async fn it_keeps_what_it_took_and_fails_or_refuses_as_it_was_told() {
        let notifier = RecordingNotifier::new();
        let (ann, bob) =
            (Customer::new(CustomerId::from_u128(1), "Ann"), Customer::new(CustomerId::from_u128(2), "Bob"));
        notifier.fail_next(1);
        notifier.refuse(bob.id);
        let (first, second) = (notification(1, ann.id), notification(2, ann.id));
        assert_eq!(notifier.send(&ann, &first).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(notifier.send(&ann, &first).await.unwrap(), Delivered::Sent);
        assert_eq!(notifier.clone().send(&ann, &second).await.unwrap(), Delivered::Sent);
        assert!(matches!(notifier.send(&bob, &notification(3, bob.id)).await.unwrap(), Delivered::Refused(_)));
        assert_eq!(notifier.sent(), [first, second]);
    }
}
