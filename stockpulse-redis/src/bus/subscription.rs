//! A member of a consumer group.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{BoxFuture, join_all};
use stockpulse_core::bus::Read;
use stockpulse_core::port::{Delivery, DeliveryTag, Nack, SubscribeOptions, Subscription};
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::fetch::{Answers, fetch};
use super::member::Member;
use super::reader::Reader;
use super::settle::{aside, pause, settle};
use super::shared::Shared;
use super::watch::{BLOCK, Watch};

/// Bytes that a group's name may have.
const MAX_GROUP_BYTES: usize = 255;

/// A member of a consumer group. Dropping it leaves the group as soon as Redis can be reached; if the process ends instead,
/// its leases run out.
pub(super) struct StreamsSubscription {
    member: Arc<Member>,
    heartbeat: Option<JoinHandle<()>>,
    types: Arc<[&'static str]>,
    reader: Reader,
    /// Reading that is under way. It outlives a call of `receive` that was given up, as does what it reads.
    reading: Option<BoxFuture<'static, Answers>>,
    watch: Watch,
}

impl fmt::Debug for StreamsSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Member { group, id, .. } = &*self.member;
        f.debug_struct("StreamsSubscription").field("group", group).field("member", id).finish_non_exhaustive()
    }
}

impl StreamsSubscription {
    /// Joins a group.
    pub(super) async fn join(shared: Arc<Shared>, options: SubscribeOptions) -> Result<Self> {
        shared.check()?;
        let SubscribeOptions { group, mut event_types, start, max_in_flight } = options;
        if event_types.is_empty() || max_in_flight == 0 {
            let message = format!("group '{group}': no event types, or a max_in_flight of 0");
            return Err(Error::new(ErrorKind::Config, message));
        }
        if group.len() > MAX_GROUP_BYTES {
            let message = format!("group '{group}': a name longer than {MAX_GROUP_BYTES} bytes");
            return Err(Error::new(ErrorKind::Config, message));
        }
        event_types.sort_unstable();
        event_types.dedup();
        let names: Vec<&str> = event_types.iter().map(|known| known.name()).collect();
        let types = event_types.iter().flat_map(|known| [known.cloud_event_type(), known.name()]).collect();
        let partitions = shared.partitions_of(&shared.options.topics.topics(&event_types)).await?;
        let watch = Watch::new(&shared.connection)?;
        let reader = Reader::new(max_in_flight, shared.options.read_ahead);
        let member = Arc::new(Member::new(shared, group.into(), names.join("\n"), partitions));
        member.begin(start).await?;
        // Given up from here on, it leaves.
        let mut subscription = Self { member, heartbeat: None, types, reader, reading: None, watch };
        subscription.member.beat().await?;
        subscription.heartbeat = Some(tokio::spawn(Arc::clone(&subscription.member).live()));
        Ok(subscription)
    }

    fn check(&self) -> Result<()> {
        self.member.shared.check()?;
        if self.member.has_left() { Err(Error::closed("subscription")) } else { Ok(()) }
    }

    /// Goes on with the reading that is under way, or begins one. Answers whether there may be more.
    async fn read(&mut self) -> Result<bool> {
        if self.reading.is_none() {
            let asks = self.reader.asks();
            if asks.is_empty() {
                return Ok(false);
            }
            self.reading = Some(Box::pin(fetch(Arc::clone(&self.member), Arc::clone(&self.types), asks)));
        }
        let answers = match &mut self.reading {
            Some(reading) => reading.await,
            None => Vec::new(),
        };
        self.reading = None;
        self.reader.apply(answers)
    }

    /// Waits until something came, was given to this member, or may be delivered.
    async fn wait(&mut self, due: Option<Instant>) -> Result<()> {
        let poll = self.member.shared.options.poll.max(std::time::Duration::from_millis(1));
        let covered = self.watch.begin(&self.member, &self.reader.waits());
        let again = Instant::now() + if covered { BLOCK } else { poll };
        tokio::select! {
            biased;
            () = self.member.shared.closed.cancelled() => Ok(()),
            () = self.member.changed.notified() => Ok(()),
            ended = self.watch.wait() => ended,
            () = tokio::time::sleep_until(due.map_or(again, |due| due.min(again))) => Ok(()),
        }
    }

    /// Tells Redis what was acknowledged. What fails is told next time.
    async fn flush(&mut self) -> Result<()> {
        let done = self.reader.done();
        let member = &self.member;
        let told = join_all(done.iter().map(|(index, generation, ids)| settle(member, *index, *generation, ids))).await;
        let mut result = Ok(());
        for ((index, generation, ids), told) in done.iter().zip(told) {
            match told {
                Ok(_) => self.reader.settled(*index, *generation, ids),
                Err(error) => result = Err(error),
            }
        }
        result
    }

    async fn nack_one(&mut self, tag: &DeliveryTag, nack: &Nack) -> Result<()> {
        let Some(cursor) = self.reader.cursor(tag) else { return Ok(()) };
        let Some(Read { note: id, deliveries, .. }) = cursor.window.get(tag.offset) else { return Ok(()) };
        match nack {
            Nack::Retry(wait) => {
                let entry = (id.as_str(), *deliveries);
                let noted = pause(&self.member, tag.partition, tag.generation, entry, *wait).await;
                // Whatever Redis says, this member does not deliver it before its time.
                cursor.window.retry(tag.offset, Instant::now(), *wait);
                noted.map(drop)
            }
            Nack::DeadLetter(reason) => {
                aside(&self.member, tag.partition, tag.generation, id, *deliveries, reason).await?;
                cursor.window.end(tag.offset);
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Subscription for StreamsSubscription {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        if max == 0 {
            return Err(Error::invalid("max is 0, and at least one event is answered").during("bus.receive"));
        }
        loop {
            self.check().map_err(|error| error.during("bus.receive"))?;
            self.member.check().map_err(|error| error.during("bus.receive"))?;
            self.reader.follow(&self.member.held());
            let (deliveries, _) = self.reader.deliver(max);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            if self.read().await.map_err(|error| error.during("bus.receive"))? {
                continue;
            }
            let (deliveries, due) = self.reader.deliver(max);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            self.wait(due).await.map_err(|error| error.during("bus.receive"))?;
        }
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        self.check().map_err(|error| error.during("bus.ack"))?;
        for tag in tags {
            if let Some(cursor) = self.reader.cursor(tag) {
                let done = cursor.window.end(tag.offset).map(|read| read.note);
                cursor.done.extend(done);
            }
        }
        self.flush().await.map_err(|error| error.during("bus.ack"))
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        self.check().map_err(|error| error.during("bus.nack"))?;
        for (tag, nack) in tags {
            self.nack_one(tag, nack).await.map_err(|error| error.during("bus.nack"))?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        if self.member.has_left() {
            return Ok(());
        }
        let flushed = self.flush().await;
        self.reading = None;
        let left = leave(Arc::clone(&self.member), self.heartbeat.take()).await;
        flushed.and(left).map_err(|error| error.during("bus.close"))
    }
}

impl Drop for StreamsSubscription {
    fn drop(&mut self) {
        let heartbeat = self.heartbeat.take();
        if self.member.has_left() {
            return;
        }
        let member = Arc::clone(&self.member);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = leave(Arc::clone(&member), heartbeat).await {
                    tracing::warn!(%error, group = member.group, "a member of a group could not leave; its leases run out");
                }
            });
        }
    }
}

/// Leaves the group when the sign of life has ended: it could take a partition once more.
async fn leave(member: Arc<Member>, heartbeat: Option<JoinHandle<()>>) -> Result<()> {
    if let Some(heartbeat) = heartbeat {
        heartbeat.abort();
        // It was cancelled, and says so.
        let _ = heartbeat.await;
    }
    member.leave().await
}
