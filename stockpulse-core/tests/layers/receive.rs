//! Receiving, inside layers.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use stockpulse_core::ErrorKind;
use stockpulse_core::engine::Engine;
use stockpulse_core::layer::{Layer, Layered, ObserveLayer, RetryLayer, TimeoutLayer};
use stockpulse_core::memory::MemoryBus;
use stockpulse_core::model::{Envelope, EventType};
use stockpulse_core::port::{InventoryStore, Outbox, Publisher, SubscribeOptions, Subscriber, Subscription};

use super::faulty::Faulty;
use super::ports::{Ports, hold, ten_cups};
use crate::support::clock;

const LIMIT: Duration = Duration::from_secs(2);

async fn events() -> Vec<Envelope> {
    let store = Ports::new().inventory;
    store.execute(&Engine::new(), vec![ten_cups(), hold()]).await.unwrap();
    store.outbox().pending().iter().map(|event| Envelope::seal(event, "/test").unwrap()).collect()
}

async fn subscribe(bus: impl Subscriber) -> Box<dyn Subscription> {
    bus.subscribe(SubscribeOptions::new("test", EventType::ALL.iter().copied())).await.unwrap()
}

/// Drops a receive that waits, then publishes, then receives: nothing is lost and nothing comes twice.
async fn survives_a_drop(bus: MemoryBus, layer: impl Layer) {
    let mut subscription = subscribe(Layered::new(bus.clone(), layer)).await;
    assert!(subscription.receive(1).now_or_never().is_none());
    let events = events().await;
    bus.publish(&events).await.unwrap();
    let mut received = Vec::new();
    while let Some(deliveries) = subscription.receive(1).now_or_never() {
        for delivery in deliveries.unwrap() {
            assert_eq!(delivery.redeliveries, 0);
            subscription.ack(&[delivery.tag]).await.unwrap();
            received.push(delivery.envelope.id);
        }
    }
    received.sort();
    let mut published: Vec<_> = events.iter().map(|envelope| envelope.id).collect();
    published.sort();
    assert_eq!(received, published);
}

#[tokio::test]
async fn a_dropped_receive_loses_nothing_inside_any_layer() {
    let (_, clock) = clock();
    let bus = || MemoryBus::new().with_clock(Arc::clone(&clock));
    survives_a_drop(bus(), RetryLayer::default().with_clock(Arc::clone(&clock))).await;
    survives_a_drop(bus(), TimeoutLayer::after(LIMIT).with_clock(Arc::clone(&clock))).await;
    survives_a_drop(bus(), ObserveLayer::default().with_clock(Arc::clone(&clock))).await;
}

#[tokio::test]
async fn waiting_is_never_timed_out_and_acknowledging_is() {
    let (time, clock) = clock();
    let bus = MemoryBus::new().with_clock(Arc::clone(&clock));
    let faulty = Faulty::default();
    let layer = TimeoutLayer::after(LIMIT).with_clock(clock);
    let mut subscription = subscribe(Layered::new(Layered::new(bus.clone(), faulty.clone()), layer.clone())).await;
    let mut wait = subscription.receive(10);
    assert!((&mut wait).now_or_never().is_none());
    time.advance(LIMIT * 1_000);
    assert!((&mut wait).now_or_never().is_none());
    bus.publish(&events().await).await.unwrap();
    assert!(!wait.now_or_never().unwrap().unwrap().is_empty());
    faulty.will([super::faulty::Fault::Hang]);
    let mut ack = subscription.ack(&[]);
    assert!((&mut ack).now_or_never().is_none());
    time.advance(LIMIT);
    let error = ack.now_or_never().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, "bus.ack"));

    let outbox = Layered::new(Ports::new().inventory.outbox(), layer);
    let mut appended = outbox.appended();
    assert!((&mut appended).now_or_never().is_none());
    time.advance(LIMIT * 1_000);
    assert!((&mut appended).now_or_never().is_none());
}

/// The retry pauses between two tries when the call is dropped; the next receive has everything.
#[tokio::test]
async fn a_receive_dropped_in_the_pause_of_a_retry_loses_nothing() {
    let (_, clock) = clock();
    let bus = MemoryBus::new().with_clock(Arc::clone(&clock));
    let faulty = Faulty::default();
    let retry = RetryLayer::default().with_clock(clock);
    let mut subscription = subscribe(Layered::new(Layered::new(bus.clone(), faulty.clone()), retry)).await;
    let events = events().await;
    bus.publish(&events).await.unwrap();
    faulty.fails(1, ErrorKind::Unavailable);
    assert!(subscription.receive(100).now_or_never().is_none());
    assert_eq!(subscription.receive(100).await.unwrap().len(), events.len());
}
