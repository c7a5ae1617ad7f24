//! Every rule again, through a stack of all layers.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::conformance::{BusBackend, Mapped, bus, cache, gate, run};
use stockpulse_core::layer::{CoalescedCache, CoalescedGate, Layered, ObserveLayer, RetryLayer, TimeoutLayer};
use stockpulse_core::port::{AdmissionGate, Cache};

use super::harness::{buses, caches, gates};
use crate::support::server_or_skip;

/// A port that is observed, ends in time, and is tried again.
macro_rules! stacked {
    ($port:expr) => {{
        let observed = Layered::new($port, ObserveLayer::default());
        let timed = Layered::new(observed, TimeoutLayer::after(Duration::from_secs(30)));
        Arc::new(Layered::new(timed, RetryLayer::default()))
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_a_cache_holds_through_the_layers() {
    if server_or_skip("every_rule_of_a_cache_holds_through_the_layers").is_none() {
        return;
    }
    let layered = |cache: Arc<dyn Cache>| -> Arc<dyn Cache> { Arc::new(CoalescedCache::new(stacked!(cache))) };
    let report = run(cache::RULES, &Mapped::new(caches(), layered)).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), cache::RULES.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_a_gate_holds_through_the_layers() {
    if server_or_skip("every_rule_of_a_gate_holds_through_the_layers").is_none() {
        return;
    }
    let layered =
        |gate: Arc<dyn AdmissionGate>| -> Arc<dyn AdmissionGate> { Arc::new(CoalescedGate::new(stacked!(gate))) };
    let report = run(gate::RULES, &Mapped::new(gates(), layered)).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), gate::RULES.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_a_bus_holds_through_the_layers() {
    if server_or_skip("every_rule_of_a_bus_holds_through_the_layers").is_none() {
        return;
    }
    let layered = |backend: BusBackend| BusBackend {
        publisher: stacked!(backend.publisher),
        subscriber: stacked!(backend.subscriber),
    };
    let report = run(bus::RULES, &Mapped::new(buses(), layered)).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), bus::RULES.len());
}
