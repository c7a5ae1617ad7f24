//! The bus, as a node sees it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use compact_str::CompactString;
use tokio::sync::{Mutex, Notify};

use super::super::bug::Bug;
use super::super::check;
use super::super::faults::Fault;
use super::super::node::Node;
use super::super::world::Place;
use crate::error::Result;
use crate::memory::MemoryBus;
use crate::model::Envelope;
use crate::port::{Delivery, DeliveryTag, Nack, Published, Publisher, SubscribeOptions, Subscriber, Subscription};

const PLACE: Place = Place::Elsewhere;

#[derive(Clone, Debug)]
pub(in crate::sim) struct NodeBus {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: MemoryBus,
}

impl NodeBus {
    fn publish_later(&self, envelope: Envelope) {
        let late = self.node.world().dice().between(Duration::from_millis(1), Duration::from_secs(3));
        let bus = self.inner.clone();
        drop(tokio::spawn(async move {
            tokio::time::sleep(late).await;
            bus.publish(&[envelope]).await
        }));
    }
}

#[async_trait]
impl Publisher for NodeBus {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        let world = self.node.world();
        let publish = async {
            let mut answers = self.inner.publish(batch).await?;
            for (envelope, answer) in batch.iter().zip(&mut answers) {
                let taken = *answer == Published::Acknowledged;
                let (name, id, taken) = (&envelope.type_name, envelope.id, if taken { "taken" } else { "not taken" });
                world.say(format_args!("{} publishes {name} {id}: {taken}", self.node.name()));
                if *answer == Published::Acknowledged && world.strikes(Fault::Duplicate) {
                    self.publish_later(envelope.clone());
                }
                if *answer == Published::Acknowledged && world.strikes(Fault::Unacknowledged) {
                    *answer = Published::Failed("the acknowledgement was lost".to_owned());
                }
            }
            Ok(answers)
        };
        self.node.call(PLACE, "bus.publish", publish).await
    }

    async fn close(&self) -> Result<()> {
        self.node.call(PLACE, "bus.close", self.inner.close()).await
    }
}

#[async_trait]
impl Subscriber for NodeBus {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        let open = self.inner.subscribe(options.clone());
        let subscription = self.node.call(PLACE, "bus.subscribe", open).await?;
        let seat = Arc::new(Seat { inner: Mutex::new(Some(subscription)), lost: Notify::new() });
        self.node.sit(&seat);
        Ok(Box::new(NodeSubscription {
            bus: self.clone(),
            group: options.group.clone(),
            options,
            seat,
            kept: Vec::new(),
        }))
    }
}

/// A membership that the bus can end without asking.
#[derive(Debug)]
pub(in crate::sim) struct Seat {
    inner: Mutex<Option<Box<dyn Subscription>>>,
    lost: Notify,
}

impl Seat {
    /// Ends the membership, as a broker does that has not heard of a member for too long. The member itself learns
    /// of it when it next asks for events, and joins again.
    pub(in crate::sim) fn lose(&self) {
        match self.inner.try_lock() {
            Ok(mut inner) => drop(inner.take()),
            // It waits for events at this moment, and lets go itself.
            Err(_) => self.lost.notify_one(),
        }
    }
}

#[derive(Debug)]
struct NodeSubscription {
    bus: NodeBus,
    group: CompactString,
    options: SubscribeOptions,
    seat: Arc<Seat>,
    /// Received, and not answered yet: a dropped `receive` loses nothing.
    kept: Vec<Delivery>,
}

impl NodeSubscription {
    /// Waits for events, under whichever membership there is.
    async fn wait(&mut self, max: usize) -> Result<Vec<Delivery>> {
        loop {
            self.bus.node.pass().await;
            let mut inner = self.seat.inner.lock().await;
            if inner.is_none() {
                *inner = Some(self.bus.inner.subscribe(self.options.clone()).await?);
            }
            let Some(subscription) = inner.as_mut() else { continue };
            let received = tokio::select! {
                biased;
                () = self.seat.lost.notified() => None,
                received = subscription.receive(max) => Some(received),
            };
            match received {
                None => drop(inner.take()),
                Some(received) => {
                    let received = received?;
                    check::events::delivered(self.bus.node.world(), &self.group, &received);
                    if self.bus.node.world().has(Bug::AckBeforeCommit) {
                        let tags: Vec<DeliveryTag> = received.iter().map(|delivery| delivery.tag).collect();
                        subscription.ack(&tags).await?;
                    }
                    return Ok(received);
                }
            }
        }
    }
}

#[async_trait]
impl Subscription for NodeSubscription {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        if self.kept.is_empty() {
            // An answer that is lost on its way is fetched again by every client; there is nothing to see.
            let _ = self.bus.node.begin(PLACE, "bus.receive").await?;
            self.kept = self.wait(max).await?;
        }
        self.bus.node.delay().await;
        Ok(std::mem::take(&mut self.kept))
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        let ack = async {
            match self.seat.inner.lock().await.as_mut() {
                Some(subscription) => subscription.ack(tags).await,
                None => Ok(()),
            }
        };
        self.bus.node.call(PLACE, "bus.ack", ack).await
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        let nack = async {
            match self.seat.inner.lock().await.as_mut() {
                Some(subscription) => subscription.nack(tags).await,
                None => Ok(()),
            }
        };
        self.bus.node.call(PLACE, "bus.nack", nack).await
    }

    async fn close(&mut self) -> Result<()> {
        let close = async {
            match self.seat.inner.lock().await.take() {
                Some(mut subscription) => subscription.close().await,
                None => Ok(()),
            }
        };
        self.bus.node.call(PLACE, "bus.close", close).await
    }
}
