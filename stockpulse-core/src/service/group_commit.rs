//! Group commit: while one batch commits, the next collects.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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

/// A request that waits: one command or several that stay together, and where the answer goes.
enum Job<C, O> {
    One(C, oneshot::Sender<Result<O>>),
    Many(Vec<C>, oneshot::Sender<Result<Vec<O>>>),
}

/// Where a job's answers go, and how many they are.
enum Reply<O> {
    One(oneshot::Sender<Result<O>>),
    Many(usize, oneshot::Sender<Result<Vec<O>>>),
}

/// The queues and their tasks. Dropping it lets the tasks finish what was queued and end.
#[derive(Debug)]
pub(super) struct GroupCommit<C, O> {
    shards: Vec<mpsc::Sender<Job<C, O>>>,
    backpressure: Backpressure,
    closing: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl<C, O> Debug for Job<C, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl<C: Send + 'static, O: Send + 'static> GroupCommit<C, O> {
    /// Starts the tasks on the current tokio runtime.
    pub(super) fn start(commit: std::sync::Arc<dyn Commit<C, O>>, options: &GroupCommitOptions) -> Self {
        let closing = CancellationToken::new();
        let mut shards = Vec::with_capacity(options.shards.get());
        let mut tasks = Vec::with_capacity(options.shards.get());
        for _ in 0..options.shards.get() {
            let (sender, receiver) = mpsc::channel(options.queue.get());
            let shard = Shard {
                receiver,
                commit: std::sync::Arc::clone(&commit),
                max_batch: options.max_batch.get(),
                closing: closing.clone(),
            };
            shards.push(sender);
            tasks.push(tokio::spawn(shard.run()));
        }
        Self { shards, backpressure: options.backpressure, closing, tasks: Mutex::new(tasks) }
    }

    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Queues a command and waits for its answer. Dropped after it was queued, the command is still committed.
    pub(super) async fn one(&self, shard: usize, command: C) -> Result<O> {
        let (reply, answer) = oneshot::channel();
        self.send(shard, Job::One(command, reply)).await?;
        answer.await.map_err(|_| Error::closed("the service"))?
    }

    /// Queues commands that are committed together, in order.
    pub(super) async fn many(&self, shard: usize, commands: Vec<C>) -> Result<Vec<O>> {
        let (reply, answer) = oneshot::channel();
        self.send(shard, Job::Many(commands, reply)).await?;
        answer.await.map_err(|_| Error::closed("the service"))?
    }

    async fn send(&self, shard: usize, job: Job<C, O>) -> Result<()> {
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
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            let _ = task.await;
        }
    }
}

struct Shard<C, O> {
    receiver: mpsc::Receiver<Job<C, O>>,
    commit: std::sync::Arc<dyn Commit<C, O>>,
    max_batch: usize,
    closing: CancellationToken,
}

impl<C: Send + 'static, O: Send + 'static> Shard<C, O> {
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
                while let Some(job) = jobs.next_if(|job| batch.is_empty() || batch.len() + job.len() <= self.max_batch)
                {
                    match job {
                        Job::One(command, reply) => {
                            batch.push(command);
                            replies.push(Reply::One(reply));
                        }
                        Job::Many(mut commands, reply) => {
                            replies.push(Reply::Many(commands.len(), reply));
                            batch.append(&mut commands);
                        }
                    }
                }
                let expected = batch.len();
                let answer = self.commit.commit(batch).await.and_then(|outcomes| complete(outcomes, expected));
                answer_all(replies, answer);
            }
        }
    }
}

impl<C, O> Job<C, O> {
    fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(commands, _) => commands.len(),
        }
    }
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
