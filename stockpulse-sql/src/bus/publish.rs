//! Publishing: what waits at the same time is appended in one transaction.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stockpulse_core::model::Envelope;
use stockpulse_core::port::Published;
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::sync::{Notify, OnceCell, oneshot};

use super::append::{Entry, append, partitions};
use super::options::BusOptions;
use crate::database::{Access, Database};
use crate::store::Shared;

/// Events and bytes of one transaction, beyond which further publications wait for the next.
const EVENTS: usize = 4_096;
const BYTES: usize = 4 << 20;

/// A connection to the bus.
#[derive(Debug)]
pub(super) struct Connection<D> {
    pub(super) shared: Arc<Shared<D>>,
    pub(super) options: BusOptions,
    /// Told whenever something was published, or a connection was closed.
    pub(super) changed: Arc<Notify>,
    closed: AtomicBool,
    partitions: OnceCell<u32>,
    waiting: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

/// A publication that waits for its turn.
#[derive(Debug)]
struct Waiting {
    entries: Vec<Entry>,
    bytes: usize,
    answer: oneshot::Sender<Result<()>>,
}

impl<D: Database> Connection<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, changed: Arc<Notify>, options: BusOptions) -> Self {
        Self {
            shared,
            options,
            changed,
            closed: AtomicBool::new(false),
            partitions: OnceCell::new(),
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Fails if it was closed.
    pub(super) fn check(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::closed("bus")) } else { Ok(()) }
    }

    /// Publishes nothing more from now on, and ends when what is under way has ended.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_waiters();
        drop(self.turn.lock().await);
    }

    /// How many partitions there are; they are made if there are none.
    pub(super) async fn partitions(&self) -> Result<u32> {
        let wanted = self.options.partitions;
        let found = self.partitions.get_or_try_init(|| {
            self.shared.transact("bus.open", Access::Write, move |session| {
                Box::pin(async move { partitions(session, wanted).await })
            })
        });
        found.await.copied()
    }

    pub(super) async fn publish(self: &Arc<Self>, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.check()?;
        let mut answers = Vec::with_capacity(batch.len());
        let mut entries = Vec::with_capacity(batch.len());
        for envelope in batch {
            if let Err(reason) = envelope.validate(self.options.max_event_bytes) {
                answers.push(Published::Refused(reason.to_string()));
                continue;
            }
            answers.push(Published::Acknowledged);
            entries.push(Entry { envelope: envelope.clone(), only: None, deliveries: 0 });
        }
        if entries.is_empty() {
            return Ok(answers);
        }
        let bytes = entries.iter().map(|entry| entry.envelope.data.len()).sum();
        let (answer, answered) = oneshot::channel();
        self.queue().push_back(Waiting { entries, bytes, answer });
        // A task of its own goes on when the caller does not, and takes what others put here meanwhile along.
        let connection = Arc::clone(self);
        tokio::spawn(async move { connection.take_turn().await });
        let published = answered.await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Indeterminate, "the task that publishes was lost").with_source(cause))
        });
        published.map(|()| answers)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what waits, or the first part of it. There is a turn for each publication, so none is left.
    async fn take_turn(&self) {
        let _turn = self.turn.lock().await;
        let mut taken = Vec::new();
        let (mut events, mut bytes) = (0, 0);
        {
            let mut waiting = self.queue();
            while let Some(next) = waiting.pop_front() {
                events += next.entries.len();
                bytes += next.bytes;
                if !taken.is_empty() && (events > EVENTS || bytes > BYTES) {
                    waiting.push_front(next);
                    break;
                }
                taken.push(next);
            }
        }
        if taken.is_empty() {
            return;
        }
        let sizes: Vec<usize> = taken.iter().map(|next| next.entries.len()).collect();
        let (mut entries, mut answers) = (Vec::with_capacity(events), Vec::with_capacity(taken.len()));
        for next in taken {
            entries.extend(next.entries);
            answers.push(next.answer);
        }
        let entries = Arc::new(entries);
        let published = self.append(&entries, 0..entries.len()).await;
        // An event that the database alone finds fault with should harm nobody else's.
        let alone = answers.len() > 1 && published.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unexpected);
        let mut begin = 0;
        for (size, answer) in sizes.into_iter().zip(answers) {
            let range = begin..begin + size;
            begin = range.end;
            let result = match &published {
                _ if alone => self.append(&entries, range).await,
                Ok(()) => Ok(()),
                Err(error) => Err(error.duplicate()),
            };
            // Whoever gave up does not want to know.
            let _ = answer.send(result);
        }
    }

    async fn append(&self, entries: &Arc<Vec<Entry>>, range: std::ops::Range<usize>) -> Result<()> {
        let partitions = self.partitions().await?;
        let entries = Arc::clone(entries);
        let appended = self.shared.transact("bus.publish", Access::Write, move |session| {
            let (entries, range) = (Arc::clone(&entries), range.clone());
            Box::pin(async move { append(session, entries.get(range).unwrap_or_default(), partitions).await })
        });
        appended.await?;
        tracing::trace!("committed");
        self.changed.notify_waiters();
        Ok(())
    }
}
