//! Traffic over a bus, while something happens to its servers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use stockpulse_core::model::{Envelope, EventId};
use stockpulse_core::port::{Published, Publisher, SubscribeOptions, Subscriber};
use stockpulse_redis::RedisStreamsBus;
use tokio::task::JoinHandle;

use super::support::{TYPE, event, tags};
use crate::support::node::until;

/// The sequences of events, by key.
type Sequences = BTreeMap<String, Vec<u64>>;

/// How many events more have to arrive before something happens again.
const STEP: usize = 200;
/// How long nothing comes before what is missing is lost. Longer than a lease and a failover together.
const SILENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
struct Progress {
    received: AtomicUsize,
    /// How many events will have been published in all, once that is known.
    published: AtomicUsize,
    ended: AtomicBool,
}

/// Publishes events of some keys, each until it was acknowledged, and receives them.
pub(crate) struct Load {
    progress: Arc<Progress>,
    publishing: JoinHandle<Sequences>,
    receiving: JoinHandle<Sequences>,
}

impl Load {
    /// Begins with a bus for each side.
    pub(crate) fn begin([publisher, subscriber]: [RedisStreamsBus; 2]) -> Self {
        let progress = Arc::new(Progress::default());
        let publishing = tokio::spawn(publish(publisher, Arc::clone(&progress)));
        let receiving = tokio::spawn(receive(subscriber, Arc::clone(&progress)));
        Self { progress, publishing, receiving }
    }

    /// Waits until events have gone all the way again.
    pub(crate) async fn flows(&self) {
        let received = || self.progress.received.load(Ordering::Acquire);
        let enough = received() + STEP;
        until("events go all the way", || async { (received() >= enough).then_some(()) }).await;
    }

    /// Publishes no more, and asserts that everything that was acknowledged came, and each key in its order.
    pub(crate) async fn end(self) {
        self.progress.ended.store(true, Ordering::Release);
        let (sent, found) = (self.publishing.await.unwrap(), self.receiving.await.unwrap());
        for (key, sent) in sent {
            assert_eq!(found.get(&key), Some(&sent), "{key}");
        }
    }
}

async fn publish(bus: RedisStreamsBus, progress: Arc<Progress>) -> Sequences {
    let mut sent = Sequences::new();
    let mut number = 0;
    while !progress.ended.load(Ordering::Acquire) {
        let batch: Vec<Envelope> = (0..20).map(|index| event(&format!("key-{}", index % 7), number + index)).collect();
        number += 20;
        let mut left = &batch[..];
        while !left.is_empty() {
            // All behind one that failed go again, so that each key keeps its order.
            let taken = match bus.publish(left).await {
                Ok(answers) => answers.iter().take_while(|answer| **answer == Published::Acknowledged).count(),
                Err(_) => 0,
            };
            left = &left[taken..];
            if !left.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        for envelope in batch {
            sent.entry(envelope.partition_key.to_string()).or_default().push(envelope.sequence);
        }
    }
    progress.published.store(sent.values().map(Vec::len).sum(), Ordering::Release);
    sent
}

/// Answers what came, in the order in which it came for the first time.
async fn receive(bus: RedisStreamsBus, progress: Arc<Progress>) -> Sequences {
    let options = || SubscribeOptions::new("group", [TYPE]);
    let mut member = until("a member has joined", || async { bus.subscribe(options()).await.ok() }).await;
    let (mut found, mut seen): (Sequences, BTreeSet<EventId>) = Default::default();
    let mut silent = tokio::time::Instant::now();
    while silent.elapsed() < SILENCE && progress.published.load(Ordering::Acquire) != seen.len().max(1) {
        match tokio::time::timeout(Duration::from_millis(200), member.receive(100)).await {
            Ok(Ok(deliveries)) => {
                silent = tokio::time::Instant::now();
                let _ = member.ack(&tags(&deliveries)).await;
                for delivery in deliveries.into_iter().filter(|delivery| seen.insert(delivery.envelope.id)) {
                    let envelope = delivery.envelope;
                    found.entry(envelope.partition_key.to_string()).or_default().push(envelope.sequence);
                }
                progress.received.store(seen.len(), Ordering::Release);
            }
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(_) => {}
        }
    }
    found
}
