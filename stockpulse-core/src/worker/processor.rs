//! The processor: receives events, hands them to a handler, acknowledges what was handled.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use compact_str::CompactString;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{Envelope, EventData, EventType};
use crate::port::{Clock, Delivery, DeliveryTag, Nack, SubscribeOptions, Subscriber, Subscription};
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
    /// Infrastructure: nothing was decided about any of them. What may be retried is tried again until it
    /// succeeds; otherwise the events are handed over one by one, to find the one that fails.
    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>>;
}

/// How events are processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorOptions {
    /// How many events are handed over at once; 512 unless set.
    pub batch: usize,
    /// How often an event that fails is tried before it is put aside; 3 unless set.
    pub tries: u32,
    /// Pauses while infrastructure fails, and before an event that failed comes again.
    pub backoff: Backoff,
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self { batch: 512, tries: 3, backoff: Backoff::default() }
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
}

impl Processor {
    /// A processor of a handler's events.
    #[must_use]
    pub fn new(subscriber: Arc<dyn Subscriber>, handler: Arc<dyn Handler>) -> Self {
        Self { subscriber, handler, clock: Arc::new(SystemClock), options: ProcessorOptions::default() }
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
    /// When the subscription cannot be opened.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        let mut subscription = self.subscribe().await?;
        let mut failures = 0;
        while !stop.is_cancelled() {
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                received = subscription.receive(self.options.batch) => received,
            };
            let processed = match received {
                Ok(deliveries) => self.process(subscription.as_mut(), deliveries, &stop).await,
                Err(error) if error.kind() == ErrorKind::Closed => break,
                Err(error) => Err(error),
            };
            match processed {
                Ok(()) => failures = 0,
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
    /// What the subscription reports on acknowledging.
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
                    tags.push((delivery.tag, delivery.redeliveries));
                    batch.push(Incoming { envelope: delivery.envelope, data });
                }
                Err(error) => nacks.push((delivery.tag, dead(&error.to_string()))),
            }
        }
        let Some(handled) = self.handle(&batch, stop).await else { return Ok(()) };
        let mut acks: Vec<DeliveryTag> = Vec::with_capacity(tags.len());
        for ((tag, redeliveries), handled) in tags.into_iter().zip(handled) {
            match handled {
                Handled::Done => acks.push(tag),
                Handled::Rejected(reason) => nacks.push((tag, dead(&reason))),
                Handled::Failed(reason) if redeliveries + 1 >= self.options.tries => nacks.push((tag, dead(&reason))),
                Handled::Failed(reason) => {
                    tracing::warn!(reason, group = self.handler.group(), "event failed; it comes again");
                    nacks.push((tag, Nack::Retry(self.options.backoff.pause(redeliveries + 1))));
                }
            }
        }
        if !acks.is_empty() {
            subscription.ack(&acks).await?;
        }
        if !nacks.is_empty() {
            subscription.nack(&nacks).await?;
        }
        Ok(())
    }

    /// Hands events over until that works; `None` if told to stop first.
    async fn handle(&self, batch: &[Incoming], stop: &CancellationToken) -> Option<Vec<Handled>> {
        if batch.is_empty() {
            return Some(Vec::new());
        }
        let mut failures = 0;
        loop {
            let error = match self.handler.handle(batch).await.and_then(|handled| aligned(handled, batch.len())) {
                Ok(handled) => return Some(handled),
                Err(error) => error,
            };
            if error.retry() == Retry::Never {
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

    /// Finds the events for which a batch failed.
    async fn one_by_one(&self, batch: &[Incoming], error: Error, stop: &CancellationToken) -> Option<Vec<Handled>> {
        if batch.len() == 1 {
            return Some(vec![Handled::Failed(error.to_string())]);
        }
        let mut handled = Vec::with_capacity(batch.len());
        for single in batch {
            let answer = Box::pin(self.handle(std::slice::from_ref(single), stop)).await?;
            handled.extend(answer);
        }
        Some(handled)
    }

    async fn pause(&self, failures: u32, stop: &CancellationToken) {
        let pause: Duration = self.options.backoff.pause(failures);
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.clock.sleep(pause) => {}
        }
    }
}

fn dead(reason: &str) -> Nack {
    tracing::error!(reason, "event was put aside");
    Nack::DeadLetter(CompactString::from(reason).into_string())
}

fn aligned(handled: Vec<Handled>, expected: usize) -> Result<Vec<Handled>> {
    if handled.len() == expected {
        return Ok(handled);
    }
    Err(Error::corrupt(format!("the handler answered {} of {expected} events", handled.len())))
}
