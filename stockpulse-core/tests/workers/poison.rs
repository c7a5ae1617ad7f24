//! Events that cannot be handled: tried again, isolated, put aside; the others go on.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Delivery, DeliveryTag, Nack, Publisher, Subscription};
use stockpulse_core::worker::Handled;
use stockpulse_core::{Error, ErrorKind, Result};

use super::scripted::{Bench, done, event};
use crate::support::settle;

/// A subscription that remembers what it is told.
#[derive(Debug, Default)]
struct Told {
    acks: Vec<u64>,
    nacks: Vec<(u64, Nack)>,
}

#[async_trait]
impl Subscription for Told {
    async fn receive(&mut self, _max: usize) -> Result<Vec<Delivery>> {
        std::future::pending().await
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        self.acks.extend(tags.iter().map(|tag| tag.offset));
        Ok(())
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        self.nacks.extend(tags.iter().map(|(tag, nack)| (tag.offset, nack.clone())));
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Deliveries of the first generation, numbered by their place, as of a bus that does not count them.
fn deliveries(envelopes: Vec<Envelope>) -> Vec<Delivery> {
    let tag = |offset| DeliveryTag { generation: 1, partition: 0, offset };
    let numbered = (0..).zip(envelopes);
    numbered.map(|(offset, envelope)| Delivery { tag: tag(offset), envelope, redeliveries: 0 }).collect()
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_at_once() {
    let bench = Bench::new();
    let unreadable = Envelope { data: b"{}".as_slice().into(), ..event(2) };
    let from_the_future = Envelope { type_name: "com.stockpulse.customer.created.v2".into(), ..event(3) };
    let strange = Envelope { type_name: "com.example.something.v1".into(), ..event(4) };
    let mut told = Told::default();
    let received = deliveries(vec![event(1), unreadable, from_the_future, strange, event(5)]);
    bench.processor.process(&mut told, received, &CancellationToken::new()).await.unwrap();
    assert_eq!((bench.handler.calls(), told.acks), (vec![vec![1, 5]], vec![0, 4]));
    assert_eq!(told.nacks.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [1, 2, 3]);
    for (_, nack) in told.nacks {
        assert!(matches!(nack, Nack::DeadLetter(reason) if !reason.is_empty()));
    }
}

#[tokio::test]
async fn on_the_bus_too_and_the_others_go_on() {
    let bench = Bench::new();
    bench.publish(1..=1).await;
    bench.bus.publish(&[Envelope { data: b"{}".as_slice().into(), ..event(2) }]).await.unwrap();
    bench.publish(3..=3).await;
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!((bench.handler.calls(), bench.lag(), bench.aside().len()), (vec![vec![1, 3]], 0, 1));
    assert_eq!(bench.aside()[0].0, 2);
}

#[tokio::test]
async fn an_event_that_fails_is_tried_three_times_and_then_put_aside() {
    let bench = Bench::new();
    bench.handler.will(|events| {
        let failed = |event: &u64| if *event == 2 { Handled::Failed("no luck".to_owned()) } else { Handled::Done };
        Ok(events.iter().map(failed).collect())
    });
    bench.publish(1..=4).await;
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!((bench.handler.times(2), bench.lag()), (1, 1), "the others are done with");
    bench.time.advance(Duration::from_secs(1));
    settle().await;
    assert_eq!((bench.handler.times(2), bench.aside()), (2, vec![]));
    bench.time.advance(Duration::from_secs(2));
    settle().await;
    assert_eq!(bench.handler.times(2), 3);
    assert_eq!((bench.aside(), bench.lag()), (vec![(2, "no luck".to_owned())], 0));
    for event in [1, 3, 4] {
        assert_eq!(bench.handler.times(event), 1);
    }
}

#[tokio::test]
async fn one_that_succeeds_in_time_is_done_with() {
    let bench = Bench::new();
    let tries = std::sync::atomic::AtomicU32::new(0);
    bench.handler.will(move |_| {
        let failed = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2;
        Ok(vec![if failed { Handled::Failed("not yet".to_owned()) } else { Handled::Done }])
    });
    bench.publish(1..=1).await;
    let (_running, _stop) = bench.start();
    for _ in 0..3 {
        settle().await;
        bench.time.advance(Duration::from_secs(60));
    }
    settle().await;
    assert_eq!((bench.handler.times(1), bench.lag(), bench.aside()), (3, 0, vec![]));
}

#[tokio::test]
async fn tries_are_counted_where_it_failed_and_not_by_how_often_it_was_delivered() {
    let bench = Bench::new();
    bench.handler.will(|_| Ok(vec![Handled::Failed("no luck".to_owned())]));
    let stop = CancellationToken::new();
    // A bus that counts nothing: three tries all the same.
    let mut told = Told::default();
    for _ in 0..3 {
        bench.processor.process(&mut told, deliveries(vec![event(1)]), &stop).await.unwrap();
    }
    let nacks: Vec<Nack> = told.nacks.into_iter().map(|(_, nack)| nack).collect();
    let retry = |seconds| Nack::Retry(Duration::from_secs(seconds));
    assert_eq!(nacks, [retry(1), retry(2), Nack::DeadLetter("no luck".to_owned())]);
    // One that counts crashes in which nothing failed: three tries all the same.
    let mut told = Told::default();
    let mut received = deliveries(vec![event(1)]);
    received[0].redeliveries = 7;
    bench.processor.process(&mut told, received, &stop).await.unwrap();
    assert_eq!(told.nacks, [(0, retry(1))]);
}

#[tokio::test]
async fn what_a_handler_rejects_is_put_aside_at_once() {
    let bench = Bench::new();
    bench.handler.will(|_| Ok(vec![Handled::Done, Handled::Rejected("nonsense".to_owned())]));
    bench.publish(1..=2).await;
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!((bench.aside(), bench.handler.times(2), bench.lag()), (vec![(2, "nonsense".to_owned())], 1, 0));
}

#[tokio::test]
async fn a_batch_that_fails_for_good_is_handed_over_one_by_one() {
    let bench = Bench::new();
    bench.handler.will(|events| {
        if events.contains(&3) { Err(Error::new(ErrorKind::Corrupt, "row 3 is broken")) } else { done(events) }
    });
    bench.publish(1..=4).await;
    let (_running, _stop) = bench.start();
    settle().await;
    assert_eq!(bench.handler.calls(), [vec![1, 2, 3, 4], vec![1], vec![2], vec![3], vec![4]]);
    for _ in 0..3 {
        bench.time.advance(Duration::from_secs(60));
        settle().await;
    }
    assert_eq!((bench.aside(), bench.lag()), (vec![(3, "row 3 is broken".to_owned())], 0));
    assert_eq!((bench.handler.times(3), bench.handler.times(4)), (4, 2));
}

#[tokio::test]
async fn so_is_one_at_which_the_handler_panics_or_answers_too_little() {
    for panics in [true, false] {
        let bench = Bench::new();
        bench.handler.will(move |events| match events.contains(&2) {
            true if panics => panic!("made to panic"),
            true => Ok(Vec::new()),
            false => done(events),
        });
        bench.publish(1..=3).await;
        let (running, _stop) = bench.start();
        for _ in 0..4 {
            settle().await;
            bench.time.advance(Duration::from_secs(60));
        }
        settle().await;
        assert!(!running.is_finished());
        assert_eq!((bench.lag(), bench.aside().len()), (0, 1));
        assert_eq!(bench.aside()[0].0, 2);
        assert!(bench.aside()[0].1.contains(if panics { "made to panic" } else { "0 of 1" }));
    }
}

#[tokio::test]
async fn while_it_looks_for_the_culprit_a_backend_may_go_down_too() {
    let bench = Bench::new();
    let down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let switch = std::sync::Arc::clone(&down);
    bench.handler.will(move |events| match events {
        [2] if down.load(std::sync::atomic::Ordering::SeqCst) => Err(Error::new(ErrorKind::Unavailable, "down")),
        [_] => done(events),
        _ => Err(Error::new(ErrorKind::Corrupt, "broken")),
    });
    bench.publish(1..=3).await;
    let (_running, _stop) = bench.start();
    for _ in 0..6 {
        settle().await;
        bench.time.advance(Duration::from_secs(60));
    }
    assert_eq!(bench.lag(), 3);
    switch.store(false, std::sync::atomic::Ordering::SeqCst);
    bench.time.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!((bench.lag(), bench.aside()), (0, vec![]));
}
