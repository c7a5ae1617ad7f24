//! One queue and its task.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Commit, Job};
use crate::error::{Error, ErrorKind, Result};

/// One queue, and what was taken from it and waits for its batch.
pub(super) struct Shard<C, O, T> {
    pub(super) receiver: mpsc::Receiver<Job<C, O, T>>,
    pub(super) commit: Arc<dyn Commit<C, O>>,
    pub(super) max_batch: usize,
    pub(super) ahead_from: usize,
    pub(super) closing: CancellationToken,
    pub(super) waiting: VecDeque<Job<C, O, T>>,
}

/// Requests on their way to the store.
struct Batch<C, O, T> {
    commands: Vec<C>,
    tickets: Vec<T>,
    replies: Vec<Reply<O>>,
}

/// What the latest batch was like.
#[derive(Clone, Copy, Default)]
struct Latest {
    requests: usize,
    /// Another one may be handed over before it is committed.
    lets_others_by: bool,
}

/// Where a job's answers go, and how many they are.
enum Reply<O> {
    One(oneshot::Sender<Result<O>>),
    Many(usize, oneshot::Sender<Result<Vec<O>>>),
}

impl<C: Send + 'static, O: Send + 'static, T: Send + 'static> Shard<C, O, T> {
    /// Hands batches to the store, one after the other. While a large one is being committed, the next may be handed over
    /// already, if their order does not matter: a store that gets it ready meanwhile wastes no time between them.
    pub(super) async fn run(mut self) {
        let (mut closed, mut ended) = (false, false);
        let mut running = FuturesUnordered::new();
        let mut latest = Latest::default();
        let mut received = Vec::new();
        loop {
            let ahead = !running.is_empty();
            let starts =
                if ahead { running.len() == 1 && self.is_another_ready(latest) } else { !self.waiting.is_empty() };
            if starts {
                let batch = self.next_batch();
                let requests = batch.replies.len();
                let lets_others_by = requests >= self.ahead_from && self.commute(&batch.commands);
                latest = Latest { requests, lets_others_by };
                running.push(batch.run(Arc::clone(&self.commit)));
                continue;
            }
            if ended && !ahead {
                return;
            }
            let room = self.room();
            let takes = !ended && room > 0 && (!ahead || latest.lets_others_by);
            tokio::select! {
                biased;
                () = self.closing.cancelled(), if !closed => {
                    self.receiver.close();
                    closed = true;
                }
                Some(failed) = running.next(), if ahead => {
                    if let Some(error) = failed && self.commit.fails_as_one() {
                        self.fail_waiting(&error);
                    }
                    // Who has come meanwhile goes with the next one.
                    self.receiver.recv_many(&mut received, room).now_or_never();
                    self.waiting.extend(received.drain(..));
                }
                count = self.receiver.recv_many(&mut received, room), if takes => {
                    ended = count == 0;
                    self.waiting.extend(received.drain(..));
                }
            }
        }
    }

    /// How many more requests may be taken from the queue.
    fn room(&self) -> usize {
        self.max_batch.saturating_sub(self.waiting.len())
    }

    /// Whether, beside the latest batch, another one of about its size may be handed over.
    fn is_another_ready(&self, latest: Latest) -> bool {
        let commutes = |job: &Job<C, O, T>| match job {
            Job::One(command, ..) => self.commit.commutes(command),
            Job::Many(commands, ..) => self.commute(commands),
        };
        latest.lets_others_by && self.waiting.len() * 4 >= latest.requests * 3 && self.waiting.iter().all(commutes)
    }

    /// Answers all who wait with the failure of a batch.
    fn fail_waiting(&mut self, error: &Error) {
        let queued = std::iter::from_fn(|| self.receiver.try_recv().ok());
        for job in self.waiting.drain(..).chain(queued) {
            job.fail(error);
        }
    }

    fn commute(&self, commands: &[C]) -> bool {
        commands.iter().all(|command| self.commit.commutes(command))
    }

    /// As many of those who wait as a batch takes; at least one.
    fn next_batch(&mut self) -> Batch<C, O, T> {
        let room = self.waiting.len();
        let mut batch = Batch {
            commands: Vec::with_capacity(room),
            tickets: Vec::with_capacity(room),
            replies: Vec::with_capacity(room),
        };
        while let Some(job) = self
            .waiting
            .pop_front_if(|job| batch.commands.is_empty() || batch.commands.len() + job.len() <= self.max_batch)
        {
            match job {
                Job::One(command, ticket, reply) => {
                    batch.commands.push(command);
                    batch.tickets.push(ticket);
                    batch.replies.push(Reply::One(reply));
                }
                Job::Many(mut commands, ticket, reply) => {
                    batch.replies.push(Reply::Many(commands.len(), reply));
                    batch.commands.append(&mut commands);
                    batch.tickets.push(ticket);
                }
            }
        }
        batch
    }
}

impl<C: Send + 'static, O: Send + 'static, T: Send> Batch<C, O, T> {
    /// Commits it, answers, and says how it failed, if it did. A store that panics fails this batch and no other.
    async fn run(self, store: Arc<dyn Commit<C, O>>) -> Option<Error> {
        let Self { commands, tickets, replies } = self;
        let expected = commands.len();
        let committed = AssertUnwindSafe(async { store.commit(commands).await }).catch_unwind().await;
        let answer = committed.unwrap_or_else(|panic| {
            let message = format!("the store panicked, and may have committed or not: {}", panic_message(&*panic));
            tracing::error!(message, "a batch failed");
            Err(Error::new(ErrorKind::Unexpected, message))
        });
        let answer = answer.and_then(|outcomes| complete(outcomes, expected));
        drop(tickets);
        let failed = answer.as_ref().err().map(Error::duplicate);
        answer_all(replies, answer);
        failed
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
