//! The notification log in memory.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use foldhash::fast::RandomState;

use super::outbox::MemoryOutbox;
use crate::error::Result;
use crate::model::{
    CommandId, Event, EventData, Notification, NotificationEvent, NotificationId, NotificationRecord,
    NotificationStatus, OrderId, Timestamp, derive,
};
use crate::port::{NotificationLog, Page};

type Map<K, V> = HashMap<K, V, RandomState>;

/// A notification log in memory, with the outbox that its events go to. Clones share it.
///
/// In one batch, `begin` lets the same notification be sent once. `finish` with
/// [`NotificationStatus::Pending`], which is no end, or for a notification that was never begun changes nothing.
/// The event's command id is derived from the notification's id, so the same end is the same event.
#[derive(Clone, Debug)]
pub struct MemoryNotificationLog {
    outbox: MemoryOutbox,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    records: Map<NotificationId, NotificationRecord>,
    by_order: Map<OrderId, BTreeSet<(Timestamp, NotificationId)>>,
}

impl MemoryNotificationLog {
    /// An empty log whose events go to this outbox.
    #[must_use]
    pub fn new(outbox: MemoryOutbox) -> Self {
        Self { outbox, state: Arc::default() }
    }

    /// Every change is complete before the lock is given back, so a poisoned one holds no halves.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl NotificationLog for MemoryNotificationLog {
    async fn begin(&self, batch: &[Notification], now: Timestamp) -> Result<Vec<bool>> {
        let mut state = self.lock();
        let mut begun: HashSet<NotificationId, RandomState> = HashSet::default();
        Ok(batch.iter().map(|notification| begun.insert(notification.id) && state.begin(notification, now)).collect())
    }

    async fn finish(&self, batch: &[(NotificationId, NotificationStatus)], now: Timestamp) -> Result<()> {
        let mut state = self.lock();
        let events: Vec<Event> = batch.iter().filter_map(|(id, status)| state.finish(*id, status, now)).collect();
        // Under the log's lock: nobody sees an end without its event.
        self.outbox.append(events.into_iter());
        Ok(())
    }

    async fn about(
        &self,
        order: OrderId,
        after: Option<NotificationId>,
        limit: NonZeroUsize,
    ) -> Result<Page<NotificationRecord, NotificationId>> {
        let state = self.lock();
        let from = match after {
            None => Some(Bound::Unbounded),
            Some(id) => state.records.get(&id).map(|record| Bound::Excluded((record.notification.at, id))),
        };
        let ids = state.by_order.get(&order).zip(from).map(|(ids, from)| ids.range((from, Bound::Unbounded)));
        let records = ids.into_iter().flatten().filter_map(|(_, id)| state.records.get(id).cloned());
        Ok(Page::collect(records, limit.get(), |record| record.notification.id))
    }
}

impl State {
    fn begin(&mut self, notification: &Notification, now: Timestamp) -> bool {
        let record = self.records.entry(notification.id).or_insert_with(|| {
            self.by_order.entry(notification.order).or_default().insert((notification.at, notification.id));
            NotificationRecord {
                notification: notification.clone(),
                status: NotificationStatus::Pending,
                attempts: 0,
                updated_at: now,
            }
        });
        if record.status != NotificationStatus::Pending {
            return false;
        }
        record.attempts = record.attempts.saturating_add(1);
        record.updated_at = now;
        true
    }

    fn finish(&mut self, id: NotificationId, status: &NotificationStatus, now: Timestamp) -> Option<Event> {
        let record = self.records.get_mut(&id).filter(|record| record.status == NotificationStatus::Pending)?;
        let notification = record.notification.clone();
        let event = match status {
            NotificationStatus::Pending => return None,
            NotificationStatus::Sent => NotificationEvent::Sent(notification),
            NotificationStatus::Failed(reason) => NotificationEvent::Failed(notification, reason.clone()),
        };
        record.status = status.clone();
        record.updated_at = now;
        Some(Event {
            command: CommandId::new(derive(id.as_uuid(), "notification.finish", 0)),
            index: 0,
            // It ends once.
            sequence: 1,
            at: now,
            trace: None,
            data: EventData::Notification(event),
        })
    }
}
