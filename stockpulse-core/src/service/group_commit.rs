//! Group commit: while one batch commits, the next collects.

mod shard;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::shard::Shard;
pub(crate) use self::shard::panic_message;
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
    /// From how many requests in a batch on the next one is handed to the store while it is being committed; 64 unless
    /// set. That is done when both hold new reservations only, whose order does not matter, and the next is about as
    /// large. A store that gets it ready meanwhile wastes no time between them.
    pub ahead_from: NonZeroUsize,
    /// What a caller gets while the queue is full.
    pub backpressure: Backpressure,
}

impl Default for GroupCommitOptions {
    fn default() -> Self {
        let some = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            shards: some(1),
            queue: some(8_192),
            max_batch: some(1_024),
            ahead_from: some(64),
            backpressure: Backpressure::Wait,
        }
    }
}

/// Commits a batch of commands: a store with its engine.
#[async_trait]
pub(super) trait Commit<C, O>: Debug + Send + Sync + 'static {
    async fn commit(&self, batch: Vec<C>) -> Result<Vec<O>>;

    /// Whether it does not matter which of this command and others of which the same is said is committed first. A batch
    /// of them may be handed to the store while another one is still being committed.
    fn commutes(&self, command: &C) -> bool;

    /// Whether those who wait while a batch fails fail with it. A store is asked again for them. What one can do without
    /// is not: nobody waits longer for a failure than it takes.
    fn fails_as_one(&self) -> bool;
}

/// A request that waits: one command or several that stay together, with a ticket that lives until they are
/// decided, and where the answer goes.
enum Job<C, O, T> {
    One(C, T, oneshot::Sender<Result<O>>),
    Many(Vec<C>, T, oneshot::Sender<Result<Vec<O>>>),
}

/// The queues and their tasks. Dropping it lets the tasks finish what was queued and end.
#[derive(Debug)]
pub(super) struct GroupCommit<C, O, T = ()> {
    shards: Vec<mpsc::Sender<Job<C, O, T>>>,
    backpressure: Backpressure,
    closing: CancellationToken,
    tasks: TaskTracker,
}

/// The answer to a command that was queued.
#[derive(Debug)]
pub(super) struct Answer<O>(oneshot::Receiver<Result<O>>);

impl<O> Answer<O> {
    /// Waits for it. Dropped, the command is still committed.
    pub(super) async fn wait(self) -> Result<O> {
        self.0.await.map_err(|_| Error::closed("the service"))?
    }
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
            shards.push(sender);
            let (max_batch, ahead_from) = (options.max_batch.get(), options.ahead_from.get());
            let (closing, waiting) = (closing.clone(), VecDeque::new());
            tasks.spawn(Shard { receiver, commit, max_batch, ahead_from, closing, waiting }.run());
        }
        tasks.close();
        Self { shards, backpressure: options.backpressure, closing, tasks }
    }

    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Queues a command and waits for its answer. Dropped after it was queued, the command is still committed.
    pub(super) async fn one(&self, shard: usize, command: C, ticket: T) -> Result<O> {
        self.queue(shard, command, ticket).await?.wait().await
    }

    /// Queues a command, whose answer can be waited for.
    pub(super) async fn queue(&self, shard: usize, command: C, ticket: T) -> Result<Answer<O>> {
        let (reply, answer) = oneshot::channel();
        self.send(shard, Job::One(command, ticket, reply)).await?;
        Ok(Answer(answer))
    }

    /// Queues a command for whose answer nobody waits, if there is room.
    pub(super) fn post(&self, shard: usize, command: C, ticket: T) {
        if let Some(sender) = self.shards.get(shard) {
            let (reply, _) = oneshot::channel();
            // Without room it is lost, as is said.
            let _ = sender.try_send(Job::One(command, ticket, reply));
        }
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

impl<C, O, T> Job<C, O, T> {
    fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(commands, ..) => commands.len(),
        }
    }

    /// Answers it with a failure; a caller that has gone misses nothing.
    fn fail(self, error: &Error) {
        match self {
            Self::One(_, ticket, reply) => {
                drop(ticket);
                let _ = reply.send(Err(error.duplicate()));
            }
            Self::Many(_, ticket, reply) => {
                drop(ticket);
                let _ = reply.send(Err(error.duplicate()));
            }
        }
    }
}
