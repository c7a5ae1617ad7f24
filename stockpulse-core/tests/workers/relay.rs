//! Publishing an outbox: order, failures, quarantine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use stockpulse_core::ErrorKind;
use stockpulse_core::port::{Outbox, Published};

use super::publisher::{Desk, short};
use crate::support::{kind, settle, some};

#[tokio::test]
async fn events_of_a_key_go_in_order_and_one_at_a_time() {
    let desk = Desk::open();
    desk.orders(1..5, 3).await;
    assert_eq!(desk.relay("a").run_once().await.unwrap(), 12);
    for wave in desk.publisher.waves() {
        let keys: BTreeSet<_> = wave.iter().map(|envelope| envelope.partition_key.clone()).collect();
        assert_eq!(keys.len(), wave.len(), "two events of one key were under way at once");
    }
    assert_eq!(desk.publisher.waves().len(), 3, "keys do not wait for each other");
    for order in 1..5 {
        let sequences: Vec<u64> =
            desk.publisher.asked().into_iter().filter(|(key, _)| *key == order).map(|(_, sequence)| sequence).collect();
        assert_eq!(sequences, [1, 2, 3]);
    }
    assert_eq!((desk.pending().await, desk.outbox().settled()), (0, 12));
    assert_eq!(desk.relay("a").run_once().await.unwrap(), 0);
    assert_eq!(desk.publisher.waves()[0][0].source, "/test");
}

#[tokio::test]
async fn the_further_events_of_a_busy_key_go_with_the_next_batch() {
    let desk = Desk::open();
    desk.orders(1..2, 3).await;
    desk.orders(2..10, 1).await;
    let relay = desk.relay("a");
    assert_eq!(relay.run_once().await.unwrap(), 9);
    assert_eq!(desk.publisher.waves().len(), 1, "nothing waits while one key's events go one by one");
    desk.orders(10..18, 1).await;
    assert_eq!(relay.run_once().await.unwrap(), 9, "the busy key's second event among them");
    assert_eq!(relay.run_once().await.unwrap(), 1);
    let busy: Vec<u64> =
        desk.publisher.asked().into_iter().filter(|(key, _)| *key == 1).map(|(_, sequence)| sequence).collect();
    assert_eq!((busy, desk.pending().await), (vec![1, 2, 3], 0));
}

#[tokio::test]
async fn what_was_left_for_the_next_batch_does_not_wait_for_the_next_look() {
    let desk = Desk::open();
    desk.orders(1..2, 3).await;
    desk.orders(2..10, 1).await;
    let (relay, stop) = (desk.relay("a"), CancellationToken::new());
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { relay.run(stop).await }
    });
    settle().await;
    assert_eq!(desk.pending().await, 0, "and no time has passed");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_event_that_fails_holds_up_its_own_key_and_waits_longer_each_time() {
    let desk = Desk::open();
    desk.orders(1..4, 3).await;
    desk.publisher.answer(|envelope| match short(envelope) {
        (2, 1) => Published::Failed("not now".to_owned()),
        _ => Published::Acknowledged,
    });
    let relay = desk.relay("a");
    relay.run_once().await.unwrap();
    assert_eq!(desk.outbox().settled(), 6, "the others are through");
    assert_eq!(desk.publisher.asked().iter().filter(|(order, _)| *order == 2).count(), 1);
    for pause in [1, 2, 4] {
        desk.publisher.forget();
        desk.time.advance(Duration::from_secs(pause) - Duration::from_micros(1));
        assert_eq!(relay.run_once().await.unwrap(), 0, "it waits {pause} s");
        desk.time.advance(Duration::from_micros(1));
        relay.run_once().await.unwrap();
        assert_eq!(desk.publisher.asked(), [(2, 1)]);
    }
    desk.publisher.answer(|_| Published::Acknowledged);
    desk.publisher.forget();
    desk.time.advance(Duration::from_secs(8));
    relay.run_once().await.unwrap();
    assert_eq!(desk.publisher.asked(), [(2, 1), (2, 2), (2, 3)]);
    assert_eq!(desk.pending().await, 0);
}

#[tokio::test]
async fn an_event_that_is_refused_is_set_aside_and_published_when_requeued() {
    let desk = Desk::open();
    desk.orders(1..4, 2).await;
    desk.publisher.answer(|envelope| match short(envelope) {
        (2, 1) => Published::Refused("too large".to_owned()),
        _ => Published::Acknowledged,
    });
    let relay = desk.relay("a");
    relay.run_once().await.unwrap();
    desk.orders(4..6, 1).await;
    desk.time.advance(Duration::from_secs(3600));
    relay.run_once().await.unwrap();
    assert_eq!(desk.outbox().settled(), 6, "other keys flow, those that came later too");
    let aside = desk.outbox().quarantined(some(10)).await.unwrap();
    assert_eq!((aside.len(), aside[0].1.as_str()), (1, "too large"));
    assert_eq!(desk.publisher.asked().iter().filter(|(order, _)| *order == 2).count(), 1, "and is not tried again");

    desk.publisher.answer(|_| Published::Acknowledged);
    desk.publisher.forget();
    assert_eq!(desk.outbox().requeue(&[aside[0].0.id]).await.unwrap(), 1);
    relay.run_once().await.unwrap();
    assert_eq!(desk.publisher.asked(), [(2, 1), (2, 2)]);
    let stats = desk.outbox().stats().await.unwrap();
    assert_eq!((stats.pending, stats.quarantined), (0, 0));
}

#[tokio::test]
async fn while_the_bus_is_down_nothing_is_lost() {
    let desk = Desk::open();
    desk.orders(1..4, 3).await;
    desk.publisher.set_down(true);
    let relay = desk.relay("a");
    for _ in 0..5 {
        assert_eq!(kind(relay.run_once().await), Some(ErrorKind::Unavailable));
    }
    assert_eq!(desk.pending().await, 9);
    desk.publisher.set_down(false);
    assert_eq!(relay.run_once().await.unwrap(), 9, "and nothing waits longer than the bus was down");
    assert_eq!(desk.pending().await, 0);
}

#[tokio::test]
async fn a_publisher_that_answers_too_little_is_not_believed() {
    let desk = Desk::open();
    desk.orders(1..4, 1).await;
    desk.publisher.set_short(true);
    assert_eq!(kind(desk.relay("a").run_once().await), Some(ErrorKind::Corrupt));
    assert_eq!(desk.pending().await, 3);
}

#[tokio::test]
async fn it_wakes_when_something_is_written_and_after_a_failure_when_it_has_paused() {
    let desk = Desk::open();
    let stop = CancellationToken::new();
    let (relay, token) = (desk.relay("a"), stop.clone());
    let running = tokio::spawn(async move { relay.run(token).await });
    settle().await;
    desk.orders(1..3, 1).await;
    settle().await;
    assert_eq!((desk.pending().await, desk.outbox().settled()), (0, 2), "though no time has passed");

    desk.publisher.set_down(true);
    desk.orders(3..5, 1).await;
    settle().await;
    desk.publisher.set_down(false);
    desk.orders(5..6, 1).await;
    settle().await;
    assert_eq!(desk.pending().await, 3, "it pauses, whatever is written");
    desk.time.advance(Duration::from_secs(1));
    settle().await;
    assert_eq!(desk.pending().await, 0);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_backlog_larger_than_a_batch_flows_without_waiting() {
    let desk = Desk::open();
    desk.orders(1..50, 3).await;
    let options = stockpulse_core::worker::RelayOptions {
        batch: some(10),
        ..stockpulse_core::worker::RelayOptions::new("/test", "a")
    };
    let outbox = Arc::new(desk.outbox());
    let relay = stockpulse_core::worker::OutboxRelay::new(outbox, Arc::clone(&desk.publisher) as _, options)
        .with_clock(Arc::clone(&desk.clock));
    let stop = CancellationToken::new();
    let token = stop.clone();
    let running = tokio::spawn(async move { relay.run(token).await });
    settle().await;
    assert_eq!(desk.pending().await, 0);
    assert!(desk.publisher.waves().iter().all(|wave| wave.len() <= 10));
    stop.cancel();
    running.await.unwrap().unwrap();
}
