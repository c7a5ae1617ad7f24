//! What the suite itself does: skipping, giving up, catching panics, reporting.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{CatalogBackend, Harness, catalog_store, run, test};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::record::{ProductCommand, PutOutcome};
use stockpulse_core::memory::MemoryOutbox;
use stockpulse_core::model::{Product, Sku};
use stockpulse_core::port::{CatalogStore, Page};

use super::harness;

/// What a backend does instead of working.
#[derive(Clone, Copy, Debug)]
enum Instead {
    Hang,
    Panic,
}

#[derive(Debug)]
struct Useless(Instead);

#[async_trait]
impl CatalogStore for Useless {
    async fn execute(&self, _: &Engine, _: Vec<ProductCommand>) -> Result<Vec<PutOutcome>> {
        match self.0 {
            Instead::Hang => std::future::pending().await,
            Instead::Panic => panic!("out of shelves"),
        }
    }

    async fn products(&self, _: &[Sku]) -> Result<Vec<Option<Product>>> {
        std::future::pending().await
    }

    async fn list_products(&self, _: Option<Sku>, _: std::num::NonZeroUsize) -> Result<Page<Product, Sku>> {
        std::future::pending().await
    }
}

struct UselessHarness(Instead);

#[async_trait]
impl Harness<CatalogBackend> for UselessHarness {
    async fn open(&self) -> Result<CatalogBackend> {
        let outbox = MemoryOutbox::new(Arc::new(stockpulse_core::SystemClock));
        Ok(CatalogBackend { store: Arc::new(Useless(self.0)), outbox: Arc::new(outbox) })
    }

    async fn reopen(&self, backend: CatalogBackend) -> Result<CatalogBackend> {
        Ok(backend)
    }

    fn deadline(&self) -> Duration {
        Duration::from_millis(20)
    }
}

#[tokio::test]
async fn a_rule_that_hangs_is_broken_and_the_next_one_is_tried() {
    let report = run(catalog_store::RULES, &UselessHarness(Instead::Hang)).await;
    assert_eq!(report.broken.len(), catalog_store::RULES.len(), "held: {:?}", report.held);
    assert!(report.broken.iter().all(|(_, violation)| violation.to_string() == "not at an end after 20ms"));
    assert_eq!(report.names().first(), Some(&"answers_are_aligned"));
}

#[tokio::test]
async fn a_panic_is_a_violation_with_its_message() {
    let report = run(&catalog_store::RULES[..1], &UselessHarness(Instead::Panic)).await;
    assert_eq!(report.broken[0].1.to_string(), "a panic: out of shelves");
}

/// A harness whose server is not there.
struct Absent;

#[async_trait]
impl Harness<CatalogBackend> for Absent {
    async fn open(&self) -> Result<CatalogBackend> {
        panic!("opened, though it cannot run here")
    }

    async fn reopen(&self, _: CatalogBackend) -> Result<CatalogBackend> {
        panic!("reopened, though it cannot run here")
    }

    fn skip(&self) -> Option<String> {
        Some("no such server".to_owned())
    }
}

#[test]
fn what_cannot_run_is_skipped_unless_everything_is_required() {
    let tested = test(catalog_store::RULES, "answers_are_aligned", async { Absent });
    match std::env::var("STOCKPULSE_REQUIRE") {
        Ok(required) if required == "all" => assert_eq!(tested.unwrap_err().to_string(), "skipped: no such server"),
        _ => assert!(tested.is_ok()),
    }
}

#[tokio::test]
async fn a_report_says_that_everything_was_skipped() {
    let report = run(catalog_store::RULES, &Absent).await;
    assert_eq!(report.skipped.as_deref(), Some("no such server"));
    assert!(report.held.is_empty() && report.broken.is_empty());
}

#[test]
fn a_name_that_is_no_rule_is_no_success() {
    assert!(test(catalog_store::RULES, "no_such_rule", async { harness::catalog() }).is_err());
}

#[test]
fn a_rule_shows_its_name_and_what_it_means() {
    let shown = format!("{:?}", catalog_store::RULES[0]);
    assert!(shown.contains("answers_are_aligned") && shown.contains("aligned with the batch"), "{shown}");
}
