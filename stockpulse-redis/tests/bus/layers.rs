//! Every rule again, through a stack of all layers.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::conformance::{BusBackend, Mapped, bus, run};
use stockpulse_core::layer::{Layered, ObserveLayer, RetryLayer, TimeoutLayer};

use super::harness::redis;
use super::support::{found_or_skip, server};

/// A port that is observed, ends in time, and is tried again.
macro_rules! stacked {
    ($port:expr) => {{
        let observed = Layered::new($port, ObserveLayer::default());
        let timed = Layered::new(observed, TimeoutLayer::after(Duration::from_secs(30)));
        Arc::new(Layered::new(timed, RetryLayer::default()))
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_through_the_layers() {
    if found_or_skip("every_rule_holds_through_the_layers", server()).is_none() {
        return;
    }
    let layered = |backend: BusBackend| BusBackend {
        publisher: stacked!(backend.publisher),
        subscriber: stacked!(backend.subscriber),
    };
    let report = run(bus::RULES, &Mapped::new(redis(), layered)).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), bus::RULES.len());
}
