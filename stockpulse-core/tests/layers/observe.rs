//! Metrics and spans are really recorded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use stockpulse_core::ErrorKind;
use stockpulse_core::engine::Engine;
use stockpulse_core::layer::{Layered, ObserveLayer, RetryLayer, metrics as names};
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::{Envelope, EventType};
use stockpulse_core::port::{InventoryStore, OrderStore, Publisher, SubscribeOptions, Subscriber};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::faulty::{Fault, Faulty};
use super::ports::{ORDER, Ports, hold, ten_cups};
use crate::support::{clock, key};

/// Runs a test with its own recorder, on one thread.
fn recorded<F: Future>(test: impl FnOnce(Meter) -> F) -> F::Output {
    let recorder = DebuggingRecorder::new();
    let meter = Meter(recorder.snapshotter());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(test(meter)))
}

struct Meter(Snapshotter);

impl Meter {
    /// What was recorded since the last look, by name and labels. Histograms are their values.
    fn look(&self) -> BTreeMap<String, Vec<f64>> {
        let metric = |key: &metrics::Key| {
            let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
            format!("{} {}", key.name(), labels.join(" "))
        };
        let snapshot = self.0.snapshot().into_vec();
        let values = snapshot.into_iter().map(|(key, _, _, value)| {
            let value = match value {
                DebugValue::Counter(count) => vec![f64::from(u32::try_from(count).unwrap())],
                DebugValue::Gauge(value) => vec![value.into_inner()],
                DebugValue::Histogram(values) => values.into_iter().map(Into::into).collect(),
            };
            (metric(key.key()), value)
        });
        values.collect()
    }
}

fn observed<P>(port: P) -> (Layered<Layered<P, Faulty>, ObserveLayer>, Faulty, ManualClock) {
    let (time, clock) = clock();
    let faulty = Faulty::default();
    let layer = ObserveLayer::default().with_clock(clock);
    (Layered::new(Layered::new(port, faulty.clone()), layer), faulty, time)
}

#[test]
fn calls_are_counted_by_outcome_with_their_sizes() {
    recorded(async |meter| {
        let (store, faulty, _) = observed(Ports::new().inventory);
        let engine = Engine::new();
        store.execute(&engine, vec![ten_cups(), hold()]).await.unwrap();
        store.execute(&engine, vec![ten_cups()]).await.unwrap();
        faulty.fails(1, ErrorKind::Unavailable);
        store.levels(&["A", "B", "C"].map(key)).await.unwrap_err();
        let seen = meter.look();
        let value = |metric: &str| seen.get(metric).cloned();
        assert_eq!(value("stockpulse_calls_total inventory.execute ok"), Some(vec![2.0]));
        assert_eq!(value("stockpulse_calls_total inventory.levels unavailable"), Some(vec![1.0]));
        assert_eq!(value("stockpulse_batch_size inventory.execute"), Some(vec![2.0, 1.0]));
        assert_eq!(value("stockpulse_batch_size inventory.levels"), Some(vec![3.0]));
        assert_eq!(value("stockpulse_calls_in_flight inventory.execute"), Some(vec![0.0]));
    });
}

#[test]
fn a_call_in_flight_is_counted_while_it_lasts_and_timed_by_the_clock() {
    recorded(async |meter| {
        let (store, faulty, time) = observed(Ports::new().orders);
        faulty.will([Fault::Hang]);
        let mut call = store.orders(&[ORDER]);
        assert!((&mut call).now_or_never().is_none());
        time.advance(Duration::from_millis(1_500));
        let mut reading = meter.look();
        assert_eq!(reading.remove("stockpulse_calls_in_flight orders.orders"), Some(vec![1.0]));
        assert_eq!(reading.get("stockpulse_calls_total orders.orders cancelled"), None);
        drop(call);
        let seen = meter.look();
        // The recorder's look sets a gauge back to 0, so this is the difference: down by the one that was dropped.
        assert_eq!(seen.get("stockpulse_calls_in_flight orders.orders"), Some(&vec![-1.0]));
        assert_eq!(seen.get("stockpulse_calls_total orders.orders cancelled"), Some(&vec![1.0]));
        assert_eq!(seen.get("stockpulse_call_duration_seconds orders.orders"), Some(&vec![1.5]));
    });
}

#[test]
fn deliveries_are_counted_and_waiting_is_not_timed() {
    recorded(async |meter| {
        let ports = Ports::new();
        let store = ports.inventory.clone();
        store.execute(&Engine::new(), vec![ten_cups(), hold()]).await.unwrap();
        let envelopes: Vec<Envelope> =
            store.outbox().pending().iter().map(|event| Envelope::seal(event, "/test").unwrap()).collect();
        let (bus, _, time) = observed(ports.bus.clone());
        let options = SubscribeOptions::new("test", EventType::ALL.iter().copied());
        let mut subscription = bus.subscribe(options).await.unwrap();
        assert!(subscription.receive(100).now_or_never().is_none());
        time.advance(Duration::from_secs(1_000));
        bus.publish(&envelopes).await.unwrap();
        let received = subscription.receive(100).await.unwrap();
        assert_eq!(received.len(), envelopes.len());
        let seen = meter.look();
        let events = f64::from(u32::try_from(envelopes.len()).unwrap());
        assert_eq!(seen.get("stockpulse_deliveries_total bus.receive"), Some(&vec![events]));
        assert_eq!(seen.get("stockpulse_calls_total bus.receive ok"), Some(&vec![1.0]));
        assert_eq!(seen.get("stockpulse_calls_total bus.receive cancelled"), Some(&vec![1.0]));
        assert_eq!(seen.get("stockpulse_calls_in_flight bus.receive"), Some(&vec![0.0]));
        assert_eq!(seen.get("stockpulse_call_duration_seconds bus.receive"), None);
        assert_eq!(seen.get("stockpulse_batch_size bus.publish"), Some(&vec![events]));
    });
}

/// Outside a retry, observing sees one call; inside, every try.
#[test]
fn it_counts_calls_outside_a_retry_and_tries_inside() {
    recorded(async |meter| {
        let faulty = Faulty::default();
        let (_, clock) = clock();
        let store = Layered::new(Ports::new().catalog, faulty.clone());
        let retry = RetryLayer::default().with_clock(Arc::new(super::faulty::Leaps::new()));
        let observe = ObserveLayer::default().with_clock(clock);
        let store = Layered::new(Layered::new(store, observe.clone()), retry);
        let store = Layered::new(store, observe);
        faulty.fails(2, ErrorKind::Contention);
        stockpulse_core::port::CatalogStore::products(&store, &[]).await.unwrap();
        let seen = meter.look();
        assert_eq!(seen.get("stockpulse_calls_total catalog.products contention"), Some(&vec![2.0]));
        assert_eq!(seen.get("stockpulse_calls_total catalog.products ok"), Some(&vec![2.0]));
    });
}

#[test]
fn every_metric_is_described_with_its_unit() {
    recorded(async |meter| {
        names::describe();
        let (store, _, _) = observed(Ports::new().inventory);
        store.execute(&Engine::new(), vec![ten_cups()]).await.unwrap();
        let described: BTreeMap<String, Option<String>> = meter
            .0
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, unit, text, _)| {
                assert!(text.is_some_and(|text| !text.is_empty()));
                (key.key().name().to_owned(), unit.map(|unit| unit.as_str().to_owned()))
            })
            .collect();
        assert_eq!(described.get(names::CALL_DURATION), Some(&Some("seconds".to_owned())));
        assert!(
            [names::CALLS, names::CALLS_IN_FLIGHT, names::BATCH_SIZE].iter().all(|name| described[*name].is_some())
        );
    });
}

/// Keeps the fields of every span.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, String>>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut text = attributes.metadata().name().to_owned();
        attributes.record(&mut Fields(&mut text));
        self.0.lock().unwrap().insert(id.into_u64(), text);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        values.record(&mut Fields(spans.get_mut(&id.into_u64()).unwrap()));
    }
}

#[tokio::test]
async fn each_call_is_a_span_with_its_outcome() {
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let (store, faulty, _) = observed(Ports::new().inventory);
    // A test on another thread, which has no subscriber, may have been the first to open a span, and `tracing` would
    // remember that nobody wants any.
    store.levels(&[]).await.unwrap();
    tracing::callsite::rebuild_interest_cache();
    spans.0.lock().unwrap().clear();
    store.execute(&Engine::new(), vec![ten_cups(), hold()]).await.unwrap();
    faulty.fails(1, ErrorKind::Corrupt);
    store.list_levels(None, crate::support::some(1)).await.unwrap_err();
    faulty.will([Fault::Hang]);
    assert!(store.levels(&[]).now_or_never().is_none());
    let mut seen: Vec<String> = spans.0.lock().unwrap().values().cloned().collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            r#"stockpulse.call operation="inventory.execute" items=2 outcome="ok""#,
            r#"stockpulse.call operation="inventory.levels" items=0 outcome="cancelled""#,
            r#"stockpulse.call operation="inventory.list_levels" outcome="corrupt""#,
        ]
    );
    assert_eq!(ObserveLayer::SPAN, "stockpulse.call");
}
