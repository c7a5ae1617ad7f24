//! Consuming: acknowledge after handling, wait out what is nobody's fault, stop, start again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use stockpulse_core::port::Publisher;
use stockpulse_core::worker::Processor;
use stockpulse_core::{Error, ErrorKind};

use super::scripted::{Bench, done};
use crate::support::{kind, settle};

#[tokio::test]
async fn an_event_is_acknowledged_when_it_was_handled_and_not_before() {
    let bench = Bench::new();
    bench.handler.set_open(false);
    bench.publish(1..=3).await;
    let (running, stop) = bench.start();
    settle().await;
    assert_eq!((bench.handler.calls(), bench.lag()), (vec![vec![1, 2, 3]], 3));
    bench.handler.set_open(true);
    settle().await;
    assert_eq!(bench.lag(), 0);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_crash_interrupts_comes_again() {
    let bench = Bench::new();
    bench.handler.set_open(false);
    bench.publish(1..=3).await;
    let (running, _stop) = bench.start();
    settle().await;
    running.abort();
    settle().await;
    bench.handler.set_open(true);
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!((bench.handler.calls(), bench.lag()), (vec![vec![1, 2, 3]; 2], 0));
}

#[tokio::test]
async fn what_is_nobodys_fault_is_waited_out_and_loses_nothing() {
    for kind in
        [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Indeterminate, ErrorKind::Closed, ErrorKind::Config]
    {
        let bench = Bench::new();
        bench.handler.will(move |_| Err(Error::new(kind, "down")));
        bench.publish(1..=2).await;
        let (_running, _stop) = bench.start();
        settle().await;
        for (calls, pause) in (1..).zip([1, 2, 4, 8, 16, 32, 60, 60]) {
            assert_eq!(bench.handler.calls().len(), calls, "{kind:?}: it waits {pause} s");
            bench.time.advance(Duration::from_secs(pause) - Duration::from_micros(1));
            settle().await;
            assert_eq!(bench.handler.calls().len(), calls, "{kind:?}: it waits {pause} s");
            bench.time.advance(Duration::from_micros(1));
            settle().await;
        }
        assert!(bench.handler.calls().iter().all(|call| *call == [1, 2]));
        bench.handler.will(done);
        bench.time.advance(Duration::from_secs(60));
        settle().await;
        assert_eq!((bench.lag(), bench.aside()), (0, vec![]), "{kind:?}");
    }
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_is_under_way_and_leaves_the_group() {
    let bench = Bench::new();
    bench.handler.set_open(false);
    bench.publish(1..=3).await;
    let (running, stop) = bench.start();
    settle().await;
    stop.cancel();
    bench.publish(4..=4).await;
    settle().await;
    assert!(!running.is_finished());
    bench.handler.set_open(true);
    running.await.unwrap().unwrap();
    assert_eq!((bench.handler.calls(), bench.lag()), (vec![vec![1, 2, 3]], 1), "the first three are done with");
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!((bench.handler.calls().len(), bench.lag()), (2, 0), "and the next member has the rest");
}

#[tokio::test]
async fn told_to_stop_while_a_backend_is_down_it_acknowledges_nothing() {
    let bench = Bench::new();
    bench.handler.will(|_| Err(Error::new(ErrorKind::Unavailable, "down")));
    bench.publish(1..=3).await;
    let (running, stop) = bench.start();
    settle().await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(bench.lag(), 3);
    bench.handler.will(done);
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!((bench.lag(), bench.aside()), (0, vec![]));
}

#[tokio::test]
async fn told_to_stop_while_it_waits_for_events_it_stops() {
    let bench = Bench::new();
    let (running, stop) = bench.start();
    settle().await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(bench.handler.calls().is_empty());
}

#[tokio::test]
async fn an_acknowledgement_that_fails_is_tried_until_it_works() {
    let bench = Bench::new();
    bench.handler.set_open(false);
    bench.publish(1..=3).await;
    let (_running, _stop) = bench.start();
    settle().await;
    bench.bus.set_available(false);
    bench.handler.set_open(true);
    for _ in 0..5 {
        settle().await;
        bench.time.advance(Duration::from_secs(60));
    }
    bench.bus.set_available(true);
    bench.time.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!((bench.lag(), bench.handler.calls().len()), (0, 1), "and nothing is handled twice for it");
    bench.publish(4..=4).await;
    settle().await;
    assert_eq!((bench.lag(), bench.handler.calls().len()), (0, 2));
}

#[tokio::test]
async fn a_bus_that_cannot_be_reached_is_waited_for() {
    let bench = Bench::new();
    let (_running, _stop) = bench.start();
    settle().await;
    bench.bus.set_available(false);
    for _ in 0..5 {
        settle().await;
        bench.time.advance(Duration::from_secs(60));
    }
    bench.bus.set_available(true);
    bench.publish(1..=3).await;
    bench.time.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!((bench.lag(), bench.handler.calls()), (0, vec![vec![1, 2, 3]]));
}

#[tokio::test]
async fn a_closed_bus_ends_it() {
    let bench = Bench::new();
    let connection = Arc::new(bench.bus.clone());
    let processor = Processor::new(Arc::clone(&connection) as _, Arc::clone(&bench.handler) as _);
    let same = processor.clone();
    let running = tokio::spawn(async move { same.run(CancellationToken::new()).await });
    settle().await;
    Publisher::close(connection.as_ref()).await.unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(kind(processor.run(CancellationToken::new()).await), Some(ErrorKind::Closed), "it cannot join again");
}
