//! A process of the simulated shop: it can stand still and die, and its calls can fail.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::faults::Fault;
use super::violation::Rule;
use super::world::{Place, World, locked};
use super::wrap::Seat;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Timestamp, micros};
use crate::port::Clock;

/// By how much a clock is wrong at most, in either direction.
const MAX_SKEW: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Node {
    world: Arc<World>,
    name: String,
    /// What its clock is ahead, plus [`MAX_SKEW`].
    skew: Duration,
    dead: AtomicBool,
    hung: AtomicBool,
    /// It stands still until then, in milliseconds since the beginning.
    frozen_until: AtomicU64,
    seats: Mutex<Vec<Weak<Seat>>>,
}

/// What becomes of a call.
enum Fate {
    Done,
    Refused(ErrorKind),
    AnswerLost,
    Hang,
}

impl Node {
    pub(super) fn new(world: Arc<World>, name: String) -> Arc<Self> {
        let skewed = world.strikes(Fault::Skew);
        let skew = if skewed { world.dice().between(Duration::ZERO, MAX_SKEW * 2) } else { MAX_SKEW };
        let ahead = micros(skew) - micros(MAX_SKEW);
        world.say(format_args!("{name} starts, its clock is {ahead} µs ahead"));
        Arc::new(Self {
            world,
            name,
            skew,
            dead: AtomicBool::new(false),
            hung: AtomicBool::new(false),
            frozen_until: AtomicU64::new(0),
            seats: Mutex::default(),
        })
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// From now on nothing it does comes to anything.
    pub(super) fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.world.say(format_args!("{} dies", self.name));
    }

    /// It stands still for so long.
    pub(super) fn freeze(&self, duration: Duration) {
        let until = self.world.elapsed() + duration;
        self.frozen_until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.world.say(format_args!("{} stands still for {} ms", self.name, duration.as_millis()));
    }

    /// Whether a call of it never came back.
    pub(super) fn is_hung(&self) -> bool {
        self.hung.load(Ordering::Relaxed)
    }

    pub(super) fn sit(&self, seat: &Arc<Seat>) {
        locked(&self.seats).push(Arc::downgrade(seat));
    }

    /// The bus has not heard of it for too long: its partitions go to others.
    pub(super) fn lose_sessions(&self) {
        self.world.say(format_args!("{} loses its sessions", self.name));
        for seat in locked(&self.seats).iter().filter_map(Weak::upgrade) {
            seat.lose();
        }
    }

    /// Goes on at once, when it stands still no longer, or never.
    pub(super) async fn pass(&self) {
        loop {
            if self.dead.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            let until = Duration::from_millis(self.frozen_until.load(Ordering::Relaxed));
            match until.checked_sub(self.world.elapsed()) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left).await,
                _ => return,
            }
        }
    }

    /// A pause that the dice choose, often none.
    pub(super) async fn delay(&self) {
        if self.world.strikes(Fault::Delay) {
            let pause = {
                let mut dice = self.world.dice();
                let (least, most) = match dice.roll(100) {
                    0..80 => (1, 6),
                    80..97 => (6, 100),
                    _ => (100, 1_500),
                };
                dice.between(Duration::from_millis(least), Duration::from_millis(most))
            };
            tokio::time::sleep(pause).await;
        }
        self.pass().await;
    }

    fn fate(&self, place: Place) -> Fate {
        if self.world.is_cut_off(place) {
            return Fate::Refused(ErrorKind::Unavailable);
        }
        if self.world.strikes(Fault::Refused) {
            let kinds = [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Contention];
            let kind = self.world.dice().pick(&kinds).copied().unwrap_or(ErrorKind::Unavailable);
            return Fate::Refused(kind);
        }
        if self.world.strikes(Fault::Unexpected) {
            return Fate::Refused(ErrorKind::Unexpected);
        }
        if self.world.strikes(Fault::AnswerLost) {
            return Fate::AnswerLost;
        }
        if self.world.strikes(Fault::Hang) { Fate::Hang } else { Fate::Done }
    }

    /// What happens before a call arrives: it waits, or fails, or hangs. Answers whether its answer will be lost.
    pub(super) async fn begin(&self, place: Place, operation: &'static str) -> Result<bool> {
        self.delay().await;
        match self.fate(place) {
            Fate::Done => Ok(false),
            Fate::AnswerLost => Ok(true),
            Fate::Refused(kind) => {
                self.world.say(format_args!("{} {operation}: {kind:?}, nothing done", self.name));
                Err(Error::new(kind, "made to fail").during(operation))
            }
            Fate::Hang => {
                self.world.say(format_args!("{} {operation}: hangs", self.name));
                self.hung.store(true, Ordering::Relaxed);
                std::future::pending().await
            }
        }
    }

    /// A call to a port, with all that can happen to it on its way.
    pub(super) async fn call<T: Send>(
        &self,
        place: Place,
        operation: &'static str,
        inner: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let lost = self.begin(place, operation).await?;
        let answer = inner.await;
        self.end(operation, ErrorKind::Timeout, lost, answer).await
    }

    /// What happens on the way back.
    async fn end<T: Send>(&self, operation: &'static str, kind: ErrorKind, lost: bool, answer: Result<T>) -> Result<T> {
        self.delay().await;
        if lost {
            self.world.say(format_args!("{} {operation}: {kind:?}, the answer is lost", self.name));
            return Err(Error::new(kind, "the answer was lost").during(operation));
        }
        match &answer {
            Ok(_) => self.world.say(format_args!("{} {operation}: ok", self.name)),
            Err(error) => self.world.say(format_args!("{} {operation}: {error}", self.name)),
        }
        answer
    }

    /// A commit: a call that may also be carried out later than its failure is reported, or twice.
    pub(super) async fn commit<T, F>(&self, place: Place, operation: &'static str, commit: F) -> Result<T>
    where
        T: PartialEq + Send + 'static,
        F: Fn() -> BoxFuture<'static, Result<T>> + Send + Sync + 'static,
    {
        let lost = self.begin(place, operation).await?;
        if self.world.strikes(Fault::CommitLate) {
            let late = self.world.dice().between(Duration::from_millis(1), Duration::from_secs(3));
            self.world.say(format_args!("{} {operation}: to be committed in {} ms", self.name, late.as_millis()));
            drop(tokio::spawn(async move {
                tokio::time::sleep(late).await;
                commit().await
            }));
            self.delay().await;
            return Err(Error::new(ErrorKind::Indeterminate, "the answer is not there").during(operation));
        }
        let answer = commit().await;
        if self.world.strikes(Fault::CommitTwice)
            && let (Ok(first), Ok(second)) = (&answer, &commit().await)
            && first != second
        {
            self.world.violated(Rule::SameAnswer, format!("{operation}: the same batch twice, and other outcomes"));
        }
        self.end(operation, ErrorKind::Indeterminate, lost, answer).await
    }
}

/// A node's own idea of the time.
#[derive(Clone, Debug)]
pub(super) struct NodeClock(pub(super) Arc<Node>);

#[async_trait]
impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        self.0.world.now().plus(self.0.skew).minus(MAX_SKEW)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
        self.0.pass().await;
    }
}
