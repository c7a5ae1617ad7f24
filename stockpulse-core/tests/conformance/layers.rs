//! Every rule again, through an `Arc` more and through every layer.

use std::fmt::Debug;
use std::sync::Arc;

use stockpulse_core::conformance::{
    CatalogBackend, CustomerBackend, Harness, InventoryBackend, Mapped, NotificationBackend, OrderBackend, Rule,
    catalog_store, customer_store, inventory_store, notification_log, order_store, outbox, run,
};
use stockpulse_core::layer::{Layer, Layered, ObserveLayer, RetryLayer, TimeoutLayer};
use stockpulse_core::port::Outbox;

use super::harness;

async fn all_hold<B, H>(rules: &[Rule<B>], harness: H)
where
    B: Clone + Debug + Send + Sync + 'static,
    H: Harness<B>,
{
    let report = run(rules, &harness).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), rules.len());
}

/// Every store and outbox behind `Layered` and two `Arc`s.
async fn all_hold_through(layer: impl Layer + Clone) {
    let boxed = |outbox: Arc<dyn Outbox>| -> Arc<dyn Outbox> { Arc::new(Layered::new(outbox, layer.clone())) };
    let inventory = |backend: InventoryBackend| InventoryBackend {
        store: Arc::new(Layered::new(Arc::new(backend.store), layer.clone())),
        outbox: boxed(backend.outbox),
    };
    all_hold(inventory_store::RULES, Mapped::new(harness::inventory(), inventory)).await;
    all_hold(outbox::RULES, Mapped::new(harness::inventory(), inventory)).await;
    let orders = |backend: OrderBackend| OrderBackend {
        store: Arc::new(Layered::new(Arc::new(backend.store), layer.clone())),
        outbox: boxed(backend.outbox),
    };
    all_hold(order_store::RULES, Mapped::new(harness::orders(), orders)).await;
    let catalog = |backend: CatalogBackend| CatalogBackend {
        store: Arc::new(Layered::new(Arc::new(backend.store), layer.clone())),
        outbox: boxed(backend.outbox),
    };
    all_hold(catalog_store::RULES, Mapped::new(harness::catalog(), catalog)).await;
    let customers = |backend: CustomerBackend| CustomerBackend {
        store: Arc::new(Layered::new(Arc::new(backend.store), layer.clone())),
        outbox: boxed(backend.outbox),
    };
    all_hold(customer_store::RULES, Mapped::new(harness::customers(), customers)).await;
    let notifications = |backend: NotificationBackend| NotificationBackend {
        log: Arc::new(Layered::new(Arc::new(backend.log), layer.clone())),
        outbox: boxed(backend.outbox),
    };
    all_hold(notification_log::RULES, Mapped::new(harness::notifications(), notifications)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_through_retries() {
    all_hold_through(RetryLayer::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_through_a_timeout() {
    all_hold_through(TimeoutLayer::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_while_it_is_observed() {
    all_hold_through(ObserveLayer::default()).await;
}
