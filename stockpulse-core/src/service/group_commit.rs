//! Group commit: while one batch commits, the next collects.

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::{Error, ErrorKind, Result};

/// What a caller gets while the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backpressure {
    /// It waits for a place.
    #[default]
    Wait,
    /// It gets `Contention` at once.
    Refuse,
}

/// How commands are grouped into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCommitOptions {
    /// Queues that commit side by side, each with a task of its own; 1 unless set. Commands that name the same
    /// SKU first go through the same one.
    pub shards: NonZeroUsize,
    /// How many requests wait in a queue before callers feel it; 8,192 unless set.
    pub queue: NonZeroUsize,
    /// How many commands are committed together at most; 1,024 unless set.
    pub max_batch: NonZeroUsize,
    /// What a caller gets while the queue is full.
    pub backpressure: Backpressure,
}

impl Default for GroupCommitOptions {
    fn default() -> Self {
        let some = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self { shards: some(1), queue: some(8_192), max_batch: some(1_024), backpressure: Backpressure::Wait }
    }
}

/// Commits a batch of commands: a store with its engine.
#[async_trait]
pub(super) trait Commit<C, O>: Debug + Send + Sync + 'static {
    async fn commit(&self, batch: Vec<C>) -> Result<Vec<O>>;
}

/// A request that waits: one command or several that stay together, with a ticket that lives until they are
/// decided, and where the answer goes.
enum Job<C, O, T> {
    One(C, T, oneshot::Sender<Result<O>>),
    Many(Vec<C>, T, oneshot::Sender<Result<Vec<O>>>),
}

/// Where a job's answers go, and how many they are.
enum Reply<O> {
    One(oneshot::Sender<Result<O>>),
    Many(usize, oneshot::Sender<Result<Vec<O>>>),
}

/// The queues and their tasks. Dropping it lets the tasks finish what was queued and end.
#[derive(Debug)]
pub(super) struct GroupCommit<C, O, T = ()> {
    shards: Vec<mpsc::Sender<Job<C, O, T>>>,
    backpressure: Backpressure,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl<C, O, T> Debug for Job<C, O, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl<C: Send + 'static, O: Send + 'static, T: Send + 'static> GroupCommit<C, O, T> {
    /// Starts the tasks on the current tokio runtime.
    pub(super) fn start(commit: Arc<dyn Commit<C, O>>, options: &GroupCommitOptions) -> Self {
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut shards = Vec::with_capacity(options.shards.get());
        for commit in std::iter::repeat_n(commit, options.shards.get()) {
            let (sender, receiver) = mpsc::channel(options.queue.get());
            let shard = Shard { receiver, commit, max_batch: options.max_batch.get(), closing: closing.clone() };
            shards.push(sender);
            tasks.spawn(shard.run());
        }
        tasks.close();
        Self { shards, backpressure: options.backpressure, closing, tasks }
    }

    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Queues a command and waits for its answer. Dropped after it was queued, the command is still committed.
    pub(super) async fn one(&self, shard: usize, command: C, ticket: T) -> Result<O> {
        let (reply, answer) = oneshot::channel();
        self.send(shard, Job::One(command, ticket, reply)).await?;
        answer.await.map_err(|_| Error::closed("the service"))?
    }

    /// Queues commands that are committed together, in order.
    pub(super) async fn many(&self, shard: usize, commands: Vec<C>, ticket: T) -> Result<Vec<O>> {
        let (reply, answer) = oneshot::channel();
        self.send(shard, Job::Many(commands, ticket, reply)).await?;
        answer.await.map_err(|_| Error::closed("the service"))?
    }

    async fn send(&self, shard: usize, job: Job<C, O, T>) -> Result<()> {
        let closed = || Error::closed("the service");
        let sender = self.shards.get(shard).ok_or_else(closed)?;
        match self.backpressure {
            Backpressure::Wait => sender.send(job).await.map_err(|_| closed()),
            Backpressure::Refuse => sender.try_send(job).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Error::new(ErrorKind::Contention, "the queue is full"),
                mpsc::error::TrySendError::Closed(_) => closed(),
            }),
        }
    }

    /// Takes nothing more, commits what is queued, and waits for the tasks to end.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

struct Shard<C, O, T> {
    receiver: mpsc::Receiver<Job<C, O, T>>,
    commit: Arc<dyn Commit<C, O>>,
    max_batch: usize,
    closing: CancellationToken,
}

impl<C: Send + 'static, O: Send + 'static, T: Send + 'static> Shard<C, O, T> {
    async fn run(mut self) {
        let mut jobs = Vec::new();
        let mut closed = false;
        loop {
            let received = tokio::select! {
                biased;
                () = self.closing.cancelled(), if !closed => {
                    self.receiver.close();
                    closed = true;
                    continue;
                }
                received = self.receiver.recv_many(&mut jobs, self.max_batch) => received,
            };
            if received == 0 {
                return;
            }
            let mut jobs = jobs.drain(..).peekable();
            while jobs.peek().is_some() {
                let mut batch = Vec::with_capacity(received);
                let mut replies = Vec::with_capacity(received);
                let mut tickets = Vec::with_capacity(received);
                while let Some(job) = jobs.next_if(|job| batch.is_empty() || batch.len() + job.len() <= self.max_batch)
                {
                    match job {
                        Job::One(command, ticket, reply) => {
                            batch.push(command);
                            tickets.push(ticket);
                            replies.push(Reply::One(reply));
                        }
                        Job::Many(mut commands, ticket, reply) => {
                            replies.push(Reply::Many(commands.len(), reply));
                            batch.append(&mut commands);
                            tickets.push(ticket);
                        }
                    }
                }
                let expected = batch.len();
                let answer = self.commit(batch).await.and_then(|outcomes| complete(outcomes, expected));
                drop(tickets);
                answer_all(replies, answer);
            }
        }
    }

    /// Commits a batch. A store that panics fails this batch and no other: the queue goes on.
    async fn commit(&self, batch: Vec<C>) -> Result<Vec<O>> {
        let commit = async { self.commit.commit(batch).await };
        let committed = AssertUnwindSafe(commit).catch_unwind().await;
        committed.unwrap_or_else(|panic| {
            let message = format!("the store panicked, and may have committed or not: {}", panic_message(&*panic));
            tracing::error!(message, "a batch failed");
            Err(Error::new(ErrorKind::Unexpected, message))
        })
    }
}

impl<C, O, T> Job<C, O, T> {
    fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(commands, ..) => commands.len(),
        }
    }
}

/// What somebody said when he panicked.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn complete<O>(outcomes: Vec<O>, expected: usize) -> Result<Vec<O>> {
    if outcomes.len() == expected {
        return Ok(outcomes);
    }
    let message = format!("the store answered {} of {expected} commands", outcomes.len());
    Err(Error::new(ErrorKind::Unexpected, message))
}

/// Gives each caller its own answers; a caller that has gone misses nothing.
fn answer_all<O>(replies: Vec<Reply<O>>, answer: Result<Vec<O>>) {
    match answer {
        Ok(outcomes) => {
            let mut outcomes = outcomes.into_iter();
            for reply in replies {
                match reply {
                    Reply::One(reply) => {
                        if let Some(outcome) = outcomes.next() {
                            let _ = reply.send(Ok(outcome));
                        }
                    }
                    Reply::Many(count, reply) => {
                        let _ = reply.send(Ok(outcomes.by_ref().take(count).collect()));
                    }
                }
            }
        }
        Err(error) => {
            for reply in replies {
                match reply {
                    Reply::One(reply) => drop(reply.send(Err(error.duplicate()))),
                    Reply::Many(_, reply) => drop(reply.send(Err(error.duplicate()))),
                }
            }
        }
    }
}
