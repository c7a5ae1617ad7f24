//! What an operator sees.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use stockpulse_core::port::Nack;
use stockpulse_kafka::metrics::{DEAD_LETTERS, IN_FLIGHT, LAG, REBALANCES, RETRIES, describe};

use crate::support::{Place, broker_or_skip, event, fresh, options, receive};

/// The group's metrics as they are now, by name: the sum over topics and partitions.
fn look(snapshotter: &Snapshotter, totals: &mut BTreeMap<String, f64>) {
    let mut gauges: BTreeMap<String, f64> = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        assert!(key.labels().all(|label| ["group", "topic", "partition"].contains(&label.key())), "{key}");
        if !key.labels().any(|label| label.value() == "watched") {
            continue;
        }
        match value {
            // A snapshot takes what was counted with it.
            DebugValue::Counter(count) => {
                *totals.entry(key.name().to_owned()).or_default() += f64::from(u32::try_from(count).unwrap());
            }
            DebugValue::Gauge(value) => *gauges.entry(key.name().to_owned()).or_default() += value.into_inner(),
            DebugValue::Histogram(_) => {}
        }
    }
    totals.extend(gauges);
}

#[tokio::test(flavor = "multi_thread")]
async fn lag_flight_retries_and_dead_letters_are_seen() {
    let Some(broker) = broker_or_skip("lag_flight_retries_and_dead_letters_are_seen") else { return };
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    describe();
    let mut options = options(&broker, &fresh("test"));
    options.statistics_interval = Duration::from_millis(100);
    let place = Place::with(options, 1).await;
    let sent: Vec<_> = (0..5).map(|number| event("key", number)).collect();
    place.publish(&sent).await;
    let mut subscription = place.join("watched").await;
    let mut found = Vec::new();
    while found.len() < 5 {
        found.extend(receive(subscription.as_mut()).await);
    }
    subscription.ack(&[found[0].tag]).await.unwrap();
    let retry = (found[2].tag, Nack::Retry(Duration::from_secs(60)));
    subscription.nack(&[(found[1].tag, Nack::DeadLetter("no".to_owned())), retry]).await.unwrap();
    // Two are done, two in flight, and one waits.
    let expected = [(DEAD_LETTERS, 1.0), (IN_FLIGHT, 2.0), (LAG, 3.0), (REBALANCES, 1.0), (RETRIES, 1.0)];
    let expected: BTreeMap<String, f64> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut seen = BTreeMap::new();
    for _ in 0..200 {
        look(&snapshotter, &mut seen);
        if seen == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(seen, expected);
}
