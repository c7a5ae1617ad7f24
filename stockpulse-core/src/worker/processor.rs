//! The processor: receives events, hands them to a handler, acknowledges what was handled.

use std::collections::HashMap;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{Envelope, EventData, EventType};
use crate::port::{Clock, Delivery, DeliveryTag, Nack, SubscribeOptions, Subscriber, Subscription};
use crate::service::panic_message;
use crate::system::SystemClock;

/// An event that was received and understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The envelope it came in.
    pub envelope: Envelope,
    /// What it says.
    pub data: EventData,
}

/// What a handler did with one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It is done with, or was none of its business.
    Done,
    /// It failed; try again a few times, then put it aside.
    Failed(String),
    /// It makes no sense; put it aside.
    Rejected(String),
}

/// Does something about events. It must be idempotent: events come at least once.
#[async_trait]
pub trait Handler: Debug + Send + Sync + 'static {
    /// The consumer group, which is also the service's name.
    fn group(&self) -> &str;

    /// The event types it wants.
    fn event_types(&self) -> Vec<EventType>;

    /// Handles events, in order. The answers are aligned with the batch.
    ///
    /// # Errors
    /// Infrastructure: some of them may have been handled, and all are handed over again. What may be retried, a
    /// service that is closed and a wrong configuration are waited out, however long that takes; for anything else,
    /// a panic included, the events are handed over one by one, to find the one that fails.
    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>>;
}

/// How events are processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorOptions {
    /// How many events are handed over at once; 2,048 unless set.
    pub batch: usize,
    /// How often an event that fails is tried before it is put aside; 3 unless set.
    pub tries: u32,
    /// Pauses while infrastructure fails, and before an event that failed comes again.
    pub backoff: Backoff,
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self { batch: 2_048, tries: 3, backoff: Backoff::default() }
    }
}

/// Consumes a subscription with a handler. An infrastructure failure pauses it and loses nothing; an event that
/// cannot be understood or handled is put aside with its reason, and the others go on.
#[derive(Clone, Debug)]
pub struct Processor {
    subscriber: Arc<dyn Subscriber>,
    handler: Arc<dyn Handler>,
    clock: Arc<dyn Clock>,
    options: ProcessorOptions,
    /// How often an event failed here, by partition and offset. A bus need not count redeliveries, and one that does
    /// counts those of a crash or a rebalance too, in which nothing failed.
    failed: Arc<Mutex<HashMap<(u32, u64), u32>>>,
}

impl Processor {
    /// A processor of a handler's events.
    #[must_use]
    pub fn new(subscriber: Arc<dyn Subscriber>, handler: Arc<dyn Handler>) -> Self {
        let options = ProcessorOptions::default();
        Self { subscriber, handler, clock: Arc::new(SystemClock), options, failed: Arc::default() }
    }

    /// Sets the options.
    #[must_use]
    pub fn with_options(mut self, options: ProcessorOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Joins the handler's group.
    ///
    /// # Errors
    /// What the bus reports.
    pub async fn subscribe(&self) -> Result<Box<dyn Subscription>> {
        let options = SubscribeOptions::new(self.handler.group(), self.handler.event_types());
        self.subscriber.subscribe(options).await
    }

    /// Processes events until told to stop or the bus is closed. What is under way is finished, and the group is
    /// left.
    ///
    /// # Errors
    /// When the subscription cannot be opened, or fails in a way that trying again does not help; what was not
    /// acknowledged comes again.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        let mut subscription = self.subscribe().await?;
        let mut failures = 0;
        while !stop.is_cancelled() {
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                received = subscription.receive(self.options.batch) => received,
            };
            match received {
                Ok(deliveries) => {
                    failures = 0;
                    match self.process(subscription.as_mut(), deliveries, &stop).await {
                        Err(error) if error.kind() == ErrorKind::Closed => break,
                        processed => processed?,
                    }
                }
                Err(error) if error.kind() == ErrorKind::Closed => break,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, group = self.handler.group(), "bus failed");
                    self.pause(failures, &stop).await;
                }
            }
        }
        subscription.close().await
    }

    /// Processes what was received: hands it over, then acknowledges it or not. If told to stop while
    /// infrastructure fails, it acknowledges nothing, and everything comes again.
    ///
    /// # Errors
    /// What the subscription reports on acknowledging, unless trying again may help: then it is tried until it works.
    pub async fn process(
        &self,
        subscription: &mut dyn Subscription,
        deliveries: Vec<Delivery>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut nacks = Vec::new();
        let mut tags = Vec::with_capacity(deliveries.len());
        let mut batch = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            match delivery.envelope.open() {
                Ok(data) => {
                    tags.push(delivery.tag);
                    batch.push(Incoming { envelope: delivery.envelope, data });
                }
                Err(error) => nacks.push((delivery.tag, dead(error.to_string()))),
            }
        }
        let Some(handled) = self.handle(&batch, stop).await else { return Ok(()) };
        let mut acks: Vec<DeliveryTag> = Vec::with_capacity(tags.len());
        for (tag, handled) in tags.into_iter().zip(handled) {
            match self.nack(tag, handled) {
                None => acks.push(tag),
                Some(nack) => nacks.push((tag, nack)),
            }
        }
        self.acknowledge(subscription, &acks, &nacks, stop).await
    }

    /// What becomes of an event that is not done with.
    fn nack(&self, tag: DeliveryTag, handled: Handled) -> Option<Nack> {
        let place = (tag.partition, tag.offset);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match handled {
            Handled::Done => {
                failed.remove(&place);
                None
            }
            Handled::Rejected(reason) => {
                failed.remove(&place);
                Some(dead(reason))
            }
            Handled::Failed(reason) => {
                let times = failed.entry(place).or_insert(0);
                *times += 1;
                if *times >= self.options.tries {
                    failed.remove(&place);
                    return Some(dead(reason));
                }
                tracing::warn!(reason, group = self.handler.group(), "event failed; it comes again");
                Some(Nack::Retry(self.options.backoff.pause(*times)))
            }
        }
    }

    /// Acknowledges until that works: what is neither acknowledged nor put back would stay in flight for as long as
    /// the subscription lives.
    async fn acknowledge(
        &self,
        subscription: &mut dyn Subscription,
        acks: &[DeliveryTag],
        nacks: &[(DeliveryTag, Nack)],
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut failures = 0;
        loop {
            let acked = match acks {
                [] => Ok(()),
                acks => subscription.ack(acks).await,
            };
            let done = match (acked, nacks) {
                (Err(error), _) => Err(error),
                (Ok(()), []) => Ok(()),
                (Ok(()), nacks) => subscription.nack(nacks).await,
            };
            match done {
                Err(error) if error.retry() != Retry::Never && !stop.is_cancelled() => {
                    failures += 1;
                    tracing::warn!(%error, group = self.handler.group(), "events were not acknowledged; trying again");
                    self.pause(failures, stop).await;
                }
                done => return done,
            }
        }
    }

    /// Hands events over until that works; `None` if told to stop first.
    async fn handle(&self, batch: &[Incoming], stop: &CancellationToken) -> Option<Vec<Handled>> {
        if batch.is_empty() {
            return Some(Vec::new());
        }
        let mut failures = 0;
        loop {
            let error = match self.hand_over(batch).await {
                Ok(handled) => return Some(handled),
                Err(error) => error,
            };
            if may_be_the_events_fault(&error) {
                return self.one_by_one(batch, error, stop).await;
            }
            failures += 1;
            tracing::warn!(%error, group = self.handler.group(), "events were not handled; trying again");
            self.pause(failures, stop).await;
            if stop.is_cancelled() {
                return None;
            }
        }
    }

    async fn hand_over(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let handle = async { self.handler.handle(batch).await };
        let handled = AssertUnwindSafe(handle).catch_unwind().await;
        handled
            .unwrap_or_else(|panic| {
                let message = format!("the handler panicked: {}", panic_message(&*panic));
                Err(Error::new(ErrorKind::Unexpected, message))
            })
            .and_then(|handled| aligned(handled, batch.len()))
    }

    /// Finds the events for which a batch failed.
    async fn one_by_one(&self, batch: &[Incoming], error: Error, stop: &CancellationToken) -> Option<Vec<Handled>> {
        if batch.len() == 1 {
            return Some(vec![Handled::Failed(error.to_string())]);
        }
        tracing::warn!(%error, group = self.handler.group(), "events were not handled; trying them one by one");
        let mut handled = Vec::with_capacity(batch.len());
        for single in batch {
            let answer = Box::pin(self.handle(std::slice::from_ref(single), stop)).await?;
            handled.extend(answer);
        }
        Some(handled)
    }

    async fn pause(&self, failures: u32, stop: &CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.clock.sleep(self.options.backoff.pause(failures)) => {}
        }
    }
}

/// Whether other events might be handled, so that it helps to hand them over alone. No event is put aside for what
/// is nobody's fault: a backend that is down, a service that was closed before its processor, a wrong configuration.
fn may_be_the_events_fault(error: &Error) -> bool {
    error.retry() == Retry::Never && !matches!(error.kind(), ErrorKind::Closed | ErrorKind::Config)
}

fn dead(reason: String) -> Nack {
    tracing::error!(reason, "event was put aside");
    Nack::DeadLetter(reason)
}

fn aligned(handled: Vec<Handled>, expected: usize) -> Result<Vec<Handled>> {
    if handled.len() == expected {
        return Ok(handled);
    }
    Err(Error::corrupt(format!("the handler answered {} of {expected} events", handled.len())))
}
