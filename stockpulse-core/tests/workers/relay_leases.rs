//! Several relays, crashes and shutdown.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use stockpulse_core::memory::{ManualClock, MemoryBus, MemoryOutbox};
use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Outbox, Published, Publisher};
use stockpulse_core::{ErrorKind, Result};

use super::publisher::{Desk, Recorder};
use crate::support::{kind, settle, some};

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn after_a_crash_between_publishing_and_settling_the_event_repeats() {
    let desk = Desk::open();
    desk.orders(1..3, 2).await;
    desk.publisher.set_open(false);
    let relay = desk.relay("a");
    let crashed = tokio::spawn(async move { relay.run_once().await });
    settle().await;
    crashed.abort();
    settle().await;
    let published = desk.publisher.waves().concat();
    assert_eq!(published.len(), 2);
    assert_eq!(desk.pending().await, 4);
    desk.publisher.set_open(true);
    desk.publisher.forget();
    // The same worker, started again, has its lease still.
    assert_eq!(desk.relay("a").run_once().await.unwrap(), 4);
    let again = desk.publisher.waves().concat();
    assert_eq!(again[..2], published, "the same events, with the same ids");
    assert_eq!(desk.pending().await, 0);
}

#[tokio::test]
async fn while_one_has_the_lease_the_other_publishes_nothing() {
    let desk = Desk::open();
    desk.orders(1..6, 1).await;
    desk.publisher.set_open(false);
    let relay = desk.relay("a");
    let first = tokio::spawn(async move { relay.run_once().await });
    settle().await;
    assert_eq!(desk.relay("b").run_once().await.unwrap(), 0);
    desk.publisher.set_open(true);
    assert_eq!(first.await.unwrap().unwrap(), 5);
    assert_eq!(desk.publisher.asked().len(), 5, "each once");
}

#[tokio::test]
async fn who_has_lost_the_lease_settles_nothing() {
    let desk = Desk::open();
    desk.orders(1..6, 1).await;
    desk.publisher.set_open(false);
    let relay = desk.relay("a");
    let late = tokio::spawn(async move { relay.run_once().await });
    settle().await;
    desk.time.advance(LEASE);
    let refusing = Recorder::new();
    refusing.answer(|_| Published::Failed("not now".to_owned()));
    desk.relay_to("b", refusing).run_once().await.unwrap();
    desk.publisher.set_open(true);
    assert_eq!(kind(late.await.unwrap()), Some(ErrorKind::Contention));
    assert_eq!((desk.pending().await, desk.outbox().settled()), (5, 0), "b has not published them");
    assert_eq!(desk.relay("a").run_once().await.unwrap(), 0, "and it is b's turn");
    desk.time.advance(Duration::from_secs(1));
    assert_eq!(desk.relay("b").run_once().await.unwrap(), 5);
}

/// A publisher that takes ten seconds for each call, and tries to take the lease away.
#[derive(Debug)]
struct Slow {
    time: ManualClock,
    outbox: MemoryOutbox,
    inner: Arc<Recorder>,
}

#[async_trait]
impl Publisher for Slow {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.time.advance(Duration::from_secs(10));
        let claim = self.outbox.claim("rival", Duration::from_secs(1), some(1)).await?;
        assert!(claim.rows.is_empty(), "the lease ran out under a relay at work");
        self.outbox.surrender(&claim.lease).await?;
        self.inner.publish(batch).await
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_batch_that_takes_long_renews_its_lease() {
    let desk = Desk::open();
    desk.orders(1..2, 3).await;
    desk.orders(7..8, 3).await;
    let slow = Slow { time: desk.time.clone(), outbox: desk.outbox(), inner: Arc::clone(&desk.publisher) };
    let relay = desk.relay_to("a", Arc::new(slow));
    let stop = CancellationToken::new();
    let token = stop.clone();
    let running = tokio::spawn(async move { relay.run(token).await });
    settle().await;
    assert_eq!(desk.pending().await, 0, "and goes on at once");
    assert_eq!(desk.publisher.asked(), [(1, 1), (7, 1), (1, 2), (7, 2), (1, 3), (7, 3)]);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn told_to_stop_it_publishes_the_rest_and_another_takes_over_at_once() {
    let desk = Desk::open();
    let bus = MemoryBus::new();
    let stop = CancellationToken::new();
    let relay = desk.relay_to("a", Arc::new(bus.clone()));
    let token = stop.clone();
    let running = tokio::spawn(async move { relay.run(token).await });
    settle().await;
    desk.orders(1..4, 3).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!((desk.pending().await, bus.published()), (0, 9));
    desk.orders(4..5, 1).await;
    assert_eq!(desk.relay("b").run_once().await.unwrap(), 1, "no lease is in the way");
}

#[tokio::test]
async fn it_gives_its_lease_back_even_if_it_cannot_publish_the_rest() {
    let desk = Desk::open();
    let stop = CancellationToken::new();
    let (relay, token) = (desk.relay("a"), stop.clone());
    let running = tokio::spawn(async move { relay.run(token).await });
    settle().await;
    desk.publisher.set_down(true);
    desk.orders(1..4, 1).await;
    stop.cancel();
    assert_eq!(kind(running.await.unwrap()), Some(ErrorKind::Unavailable));
    assert_eq!(desk.relay_to("b", Recorder::new()).run_once().await.unwrap(), 3);
}
