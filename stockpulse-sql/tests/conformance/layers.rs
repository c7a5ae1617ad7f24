//! Every rule again, through a stack of all layers.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::conformance::{
    CatalogBackend, CustomerBackend, Harness, InventoryBackend, Mapped, NotificationBackend, OrderBackend, Rule,
    catalog_store, customer_store, inventory_store, notification_log, order_store, outbox, run,
};
use stockpulse_core::layer::{Layered, ObserveLayer, RetryLayer, TimeoutLayer};
use stockpulse_core::port::Outbox;

use super::harness::{Database, mysql, postgres, sqlite};
use crate::support::Kind;

/// A port that is observed, ends in time, and is tried again.
macro_rules! stacked {
    ($port:expr) => {{
        let observed = Layered::new($port, ObserveLayer::default());
        let timed = Layered::new(observed, TimeoutLayer::after(Duration::from_secs(30)));
        Arc::new(Layered::new(timed, RetryLayer::default()))
    }};
}

async fn all_hold<B, H>(rules: &[Rule<B>], harness: H)
where
    B: Clone + Debug + Send + Sync + 'static,
    H: Harness<B>,
{
    let report = run(rules, &harness).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), rules.len());
}

fn outbox_of(outbox: Arc<dyn Outbox>) -> Arc<dyn Outbox> {
    stacked!(outbox)
}

fn inventory(backend: InventoryBackend) -> InventoryBackend {
    InventoryBackend { store: stacked!(backend.store), outbox: outbox_of(backend.outbox) }
}

async fn all_hold_on(kind: Kind, database: fn() -> Database) {
    if kind.skips() {
        return;
    }
    all_hold(inventory_store::RULES, Mapped::new(database(), inventory)).await;
    all_hold(outbox::RULES, Mapped::new(database(), inventory)).await;
    let orders =
        |backend: OrderBackend| OrderBackend { store: stacked!(backend.store), outbox: outbox_of(backend.outbox) };
    all_hold(order_store::RULES, Mapped::new(database(), orders)).await;
    let catalog =
        |backend: CatalogBackend| CatalogBackend { store: stacked!(backend.store), outbox: outbox_of(backend.outbox) };
    all_hold(catalog_store::RULES, Mapped::new(database(), catalog)).await;
    let customers = |backend: CustomerBackend| CustomerBackend {
        store: stacked!(backend.store),
        outbox: outbox_of(backend.outbox),
    };
    all_hold(customer_store::RULES, Mapped::new(database(), customers)).await;
    let notifications = |backend: NotificationBackend| NotificationBackend {
        log: stacked!(backend.log),
        outbox: outbox_of(backend.outbox),
    };
    all_hold(notification_log::RULES, Mapped::new(database(), notifications)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_through_the_layers_on_postgres() {
    all_hold_on(Kind::Postgres, postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_through_the_layers_on_mysql() {
    all_hold_on(Kind::MySql, mysql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_through_the_layers_on_sqlite() {
    all_hold_on(Kind::Sqlite, sqlite).await;
}
