//! A member of a consumer group.

mod intake;
mod lane;
mod member;
mod poller;
mod shared;
mod source;
mod undertaker;
mod watermark;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::port::{Delivery, DeliveryTag, Nack, SubscribeOptions, Subscription};
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use self::intake::{Given, Limits};
use self::lane::Fetched;
use self::poller::Poller;
use self::shared::Shared;
use self::source::{Source, sources};
use crate::admin::TopicSettings;
use crate::aside::{Aside, Where};
use crate::connection::Connection;
use crate::wire::{Decoder, event_headers};
use crate::{client, metrics, topics};

/// A member of a consumer group on a [`KafkaBus`](crate::KafkaBus). Dropping it leaves the group in the background; if the
/// process ends instead, the brokers notice after the session timeout.
pub(crate) struct KafkaSubscription {
    connection: Arc<Connection>,
    shared: Arc<Shared>,
    sources: Vec<Source>,
    undertaker: AbortHandle,
    /// How leaving went, when the polling thread has ended.
    left: Option<oneshot::Receiver<Result<()>>>,
}

impl fmt::Debug for KafkaSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSubscription").field("group", &self.shared.group).finish_non_exhaustive()
    }
}

impl KafkaSubscription {
    /// Joins a group.
    pub(crate) async fn join(connection: Arc<Connection>, subscribe: SubscribeOptions) -> Result<Self> {
        connection.check()?;
        let SubscribeOptions { group, mut event_types, start, max_in_flight } = subscribe;
        if event_types.is_empty() || max_in_flight == 0 || group.is_empty() {
            let message = format!("group '{group}': no name, no event types, or a max_in_flight of 0");
            return Err(Error::new(ErrorKind::Config, message));
        }
        event_types.sort_unstable();
        event_types.dedup();
        let options = &connection.options;
        let delays = options.retry_topics.get(group.as_str()).map_or(&[][..], Vec::as_slice);
        let sources = sources(&options.topic_names(&event_types), &group, delays);
        find_topics(&connection, &sources, &group).await?;

        let limits = Limits {
            in_flight: max_in_flight,
            prefetch: options.prefetch.max(1),
            prefetch_bytes: options.prefetch_bytes,
        };
        let shared = Arc::new(Shared::new(group.to_string(), limits));
        let mut properties = options.consumer_properties();
        properties.insert("group.id".to_owned(), options.group(&group));
        let plain = options.plain.iter().map(|(topic, plain)| (format!("{}{topic}", options.prefix), plain.clone()));
        let poller = Poller {
            config: client::config(properties),
            shared: Arc::clone(&shared),
            closed: connection.closed.clone(),
            start,
            drain: options.drain,
            request_timeout: options.request_timeout,
            decoder: Decoder::new(&event_types, plain.collect(), options.max_event_bytes),
            sources: sources.clone(),
        };
        let consumer = poller.connect()?;
        let (leave, left) = oneshot::channel();
        let thread = std::thread::Builder::new().name("kafka-poll".to_owned());
        let spawned = thread.spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.polled_by(std::thread::current());
                poller.run(consumer, leave);
            }
        });
        spawned.map_err(|error| Error::new(ErrorKind::Unavailable, "no thread for polling").with_source(error))?;
        let undertaker = tokio::spawn(undertaker::bury(Arc::clone(&connection), Arc::clone(&shared))).abort_handle();
        Ok(Self { connection, shared, sources, undertaker, left: Some(left) })
    }

    fn check(&self, operation: &'static str) -> Result<()> {
        if self.shared.is_closing() {
            return Err(Error::closed("subscription").during(operation));
        }
        self.connection.check().map_err(|error| error.during(operation))
    }

    /// What is to be done about an event in flight; `None` if it is not, or is to be tried again in place, which is done.
    fn aside<'a>(&'a self, tag: DeliveryTag, nack: &'a Nack) -> Option<Left<'a>> {
        let (partition, fetched) = self.shared.intake().find(tag)?;
        let (to, reason) = match nack {
            Nack::DeadLetter(reason) => (Where::DeadLetters, reason.as_str()),
            Nack::Retry(after) => {
                let source = self.sources.iter().find(|source| source.topic == partition.topic)?;
                match (&source.next, source.is_last) {
                    (Some(next), _) => (Where::Retry(next), "to be tried again"),
                    (None, true) => (Where::DeadLetters, "tried again as often as it may be"),
                    (None, false) => {
                        if self.shared.intake().retry(tag, Instant::now() + *after) {
                            metrics::retried(&self.shared.group, 1);
                        }
                        return None;
                    }
                }
            }
        };
        Some(Left { tag, fetched, to, reason })
    }

    /// Puts events aside. Those that are have been handled, whatever becomes of the others.
    async fn put_aside(&self, left: &[Left<'_>]) -> Result<()> {
        let asides: Vec<Aside<'_>> = left.iter().map(|left| left.aside(&self.shared.group)).collect();
        let mut failure = None;
        for (left, answer) in left.iter().zip(self.connection.put_aside(&asides).await) {
            match answer {
                Ok(()) => {
                    self.settle(&[left.tag]);
                    metrics::retried(&self.shared.group, usize::from(matches!(left.to, Where::Retry(_))));
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn settle(&self, tags: &[DeliveryTag]) {
        let settled = self.shared.intake().ack(tags);
        self.shared.wake_poller();
        drop(settled);
    }
}

/// An event that this group leaves to another topic.
struct Left<'a> {
    tag: DeliveryTag,
    fetched: Arc<Fetched>,
    to: Where<'a>,
    reason: &'a str,
}

impl Left<'_> {
    fn aside<'a>(&'a self, group: &'a str) -> Aside<'a> {
        let envelope = &self.fetched.envelope;
        Aside {
            to: self.to,
            group,
            origin: &self.fetched.origin,
            key: Some(envelope.partition_key.as_bytes()),
            value: Some(&envelope.data),
            headers: event_headers(envelope),
            reason: self.reason,
        }
    }
}

/// Checks that the topics of events exist, and makes those of retries. They have as many partitions as the topic that they
/// belong to.
async fn find_topics(connection: &Connection, sources: &[Source], group: &str) -> Result<()> {
    let there = connection.admin.all().await?;
    for source in sources {
        topics::check(&topics::dead_letter_topic(&source.base, group))?;
        let Some(partitions) = there.get(&*source.base) else {
            return Err(Error::new(ErrorKind::Config, format!("topic '{}' does not exist", source.base)));
        };
        if source.delay.is_some() {
            let partitions = u16::try_from(*partitions).unwrap_or(u16::MAX);
            let settings = TopicSettings::default().with_partitions(partitions);
            connection.ensure_topic(&source.topic, settings).await?;
        }
    }
    Ok(())
}

impl Drop for KafkaSubscription {
    fn drop(&mut self) {
        self.undertaker.abort();
        self.shared.close();
    }
}

#[async_trait]
impl Subscription for KafkaSubscription {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        if max == 0 {
            return Err(Error::invalid("max is 0, and at least one event is answered").during("bus.receive"));
        }
        loop {
            self.check("bus.receive")?;
            // Made before the look, so that what comes after it wakes this.
            let changed = self.shared.changed.notified();
            if let Some(error) = self.shared.failure() {
                return Err(error.during("bus.receive"));
            }
            let taken = self.shared.intake().take(max, Instant::now());
            if !taken.given.is_empty() {
                self.shared.wake_poller();
                return Ok(taken.given.iter().map(Given::delivery).collect());
            }
            let wake = async {
                match taken.look_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.connection.closed.cancelled() => {}
                () = changed => {}
                () = wake => {}
            }
        }
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        self.check("bus.ack")?;
        self.settle(tags);
        Ok(())
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        self.check("bus.nack")?;
        let left: Vec<Left<'_>> = tags.iter().filter_map(|(tag, nack)| self.aside(*tag, nack)).collect();
        match left.is_empty() {
            true => Ok(()),
            false => self.put_aside(&left).await.map_err(|error| error.during("bus.nack")),
        }
    }

    async fn close(&mut self) -> Result<()> {
        self.undertaker.abort();
        self.shared.close();
        let Some(left) = &mut self.left else { return Ok(()) };
        let answer = match tokio::time::timeout(self.connection.options.close_timeout, left).await {
            Ok(Ok(answer)) => answer,
            // The thread has gone without a word: there is nothing that could still be waited for.
            Ok(Err(_)) => Ok(()),
            Err(_) => {
                let message = format!("the group was not left within {:?}", self.connection.options.close_timeout);
                Err(Error::new(ErrorKind::Timeout, message).during("bus.leave"))
            }
        };
        self.left = None;
        answer
    }
}
