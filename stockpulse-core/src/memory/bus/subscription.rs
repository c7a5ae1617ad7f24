//! A member of a consumer group.

use std::sync::Arc;

use async_trait::async_trait;
use compact_str::CompactString;

use super::connection::Connection;
use super::cursor::MemberId;
use crate::error::{Error, Result};
use crate::port::{Delivery, DeliveryTag, Nack, Subscription};

/// A member of a consumer group on a [`MemoryBus`](super::MemoryBus). Dropping it is a crash: it leaves the group,
/// and what it did not acknowledge is delivered again.
#[derive(Debug)]
pub(super) struct MemorySubscription {
    connection: Arc<Connection>,
    group: CompactString,
    member: MemberId,
    left: bool,
}

impl MemorySubscription {
    /// A member that has joined.
    pub(super) fn new(connection: Arc<Connection>, group: CompactString, member: MemberId) -> Self {
        Self { connection, group, member, left: false }
    }

    fn check(&self) -> Result<()> {
        if self.left { Err(Error::closed("subscription")) } else { Ok(()) }
    }

    fn leave(&mut self) {
        if !self.left {
            self.left = true;
            self.connection.leave(&self.group, self.member);
        }
    }
}

impl Drop for MemorySubscription {
    fn drop(&mut self) {
        self.leave();
    }
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        self.check().map_err(|error| error.during("bus.receive"))?;
        if max == 0 {
            return Err(Error::invalid("max is 0, and at least one event is answered").during("bus.receive"));
        }
        loop {
            // Made before the look, so that what is appended after it wakes this.
            let changed = self.connection.changed();
            let (received, clock, now) = self.connection.fetch(&self.group, self.member, max)?;
            if !received.deliveries.is_empty() {
                return Ok(received.deliveries);
            }
            match received.wake_at {
                None => changed.await,
                Some(at) => tokio::select! {
                    biased;
                    () = changed => {}
                    () = clock.sleep(at.since(now)) => {}
                },
            }
        }
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        self.check().map_err(|error| error.during("bus.ack"))?;
        self.connection.ack(&self.group, self.member, tags)
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        self.check().map_err(|error| error.during("bus.nack"))?;
        self.connection.nack(&self.group, self.member, tags)
    }

    async fn close(&mut self) -> Result<()> {
        self.leave();
        Ok(())
    }
}
