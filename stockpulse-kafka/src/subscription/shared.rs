//! What a subscription, its polling thread and its undertaker share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;

use stockpulse_core::Error;
use tokio::sync::Notify;

use super::intake::{Intake, Limits};

/// A bounded queue from the polling thread to whoever receives, and back.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The group, without the prefix.
    pub(crate) group: String,
    intake: Mutex<Intake>,
    /// Wakes who receives.
    pub(crate) changed: Notify,
    /// Wakes the undertaker.
    pub(crate) foreign: Notify,
    poller: OnceLock<Thread>,
    closing: AtomicBool,
    /// Why the consumer ended, until it is built anew.
    failed: Mutex<Option<Error>>,
}

impl Shared {
    pub(crate) fn new(group: String, limits: Limits) -> Self {
        Self {
            group,
            intake: Mutex::new(Intake::new(limits)),
            changed: Notify::new(),
            foreign: Notify::new(),
            poller: OnceLock::new(),
            closing: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }

    /// The partitions. Held for moments only, and never while the broker is asked.
    pub(crate) fn intake(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which thread polls.
    pub(crate) fn polled_by(&self, thread: Thread) {
        // Set once, before anybody else has this.
        let _ = self.poller.set(thread);
    }

    /// Wakes the polling thread if it waits for room or for acknowledgements.
    pub(crate) fn wake_poller(&self) {
        if let Some(thread) = self.poller.get() {
            thread.unpark();
        }
    }

    /// Asks the polling thread to leave the group and end.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.wake_poller();
        self.changed.notify_waiters();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The consumer failed for good; whoever receives is told once.
    pub(crate) fn fail(&self, error: Error) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.changed.notify_waiters();
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
