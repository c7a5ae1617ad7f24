//! Catalogs and stores of customers that are broken.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{CatalogBackend, CustomerBackend, catalog_store, customer_store};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::record::{CustomerCommand, Expected, ProductCommand, PutOutcome};
use stockpulse_core::model::{Customer, CustomerId, Product, Sku};
use stockpulse_core::port::{CatalogStore, CustomerStore, Outbox, Page};

use super::broken::{Broken, Fault, by_offset, every_rule_notices};
use crate::harness;

const ALL: NonZeroUsize = NonZeroUsize::MAX;

fn is_refused(outcome: &PutOutcome) -> bool {
    !matches!(outcome, PutOutcome::Stored(_))
}

/// What is wrong with a page of records.
fn page<T, C>(fault: Fault, mut page: Page<T, C>, limit: NonZeroUsize, cursor: impl Fn(&T) -> C) -> Page<T, C> {
    match fault {
        Fault::ListsOneLess if page.next.is_some() => drop(page.items.pop()),
        Fault::FullPageSaysMore if page.items.len() == limit.get() => page.next = page.items.last().map(cursor),
        _ => {}
    }
    page
}

#[async_trait]
impl CatalogStore for Broken<dyn CatalogStore> {
    async fn execute(&self, engine: &Engine, mut batch: Vec<ProductCommand>) -> Result<Vec<PutOutcome>> {
        for command in &mut batch {
            match self.fault {
                Fault::LastWriterWins => command.action.expected = Expected::Any,
                Fault::StoresTheSame => command.action.record.name += &format!(" {}", command.at),
                _ => {}
            }
        }
        self.batch(batch, is_refused, |batch| self.inner.execute(engine, batch)).await
    }

    async fn products(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>> {
        let mut found = self.inner.products(skus).await?;
        match self.fault {
            Fault::LeavesOutTheUnknown => found.retain(Option::is_some),
            Fault::SmallNumbers => found.iter_mut().flatten().for_each(|product| product.price.minor %= 1 << 31),
            Fault::IgnoresCase => {
                let all = self.inner.list_products(None, ALL).await?.items;
                let lower = |sku: &Sku| sku.as_str().to_lowercase();
                let find = |sku| all.iter().find(|product| lower(&product.sku) == lower(sku)).cloned();
                found = skus.iter().map(find).collect();
            }
            _ => {}
        }
        Ok(found)
    }

    async fn list_products(&self, after: Option<Sku>, limit: NonZeroUsize) -> Result<Page<Product, Sku>> {
        if self.is(Fault::PagesByOffset) {
            let all = self.inner.list_products(None, ALL).await?.items;
            let after = after.map(|sku| sku.to_string());
            return Ok(by_offset(&self.memory, all, after, limit.get(), |product| product.sku.clone(), Sku::to_string));
        }
        let listed = self.inner.list_products(after, limit).await?;
        let mut listed = page(self.fault, listed, limit, |product| product.sku.clone());
        if self.is(Fault::SortsIgnoringCase) {
            listed.items.sort_by_key(|product| product.sku.as_str().to_lowercase());
        }
        Ok(listed)
    }
}

#[async_trait]
impl CustomerStore for Broken<dyn CustomerStore> {
    async fn execute(&self, engine: &Engine, mut batch: Vec<CustomerCommand>) -> Result<Vec<PutOutcome>> {
        for command in &mut batch {
            match self.fault {
                Fault::LastWriterWins => command.action.expected = Expected::Any,
                Fault::StoresTheSame => command.action.record.name += &format!(" {}", command.at),
                _ => {}
            }
        }
        self.batch(batch, is_refused, |batch| self.inner.execute(engine, batch)).await
    }

    async fn customers(&self, ids: &[CustomerId]) -> Result<Vec<Option<Customer>>> {
        let mut found = self.inner.customers(ids).await?;
        match self.fault {
            Fault::LeavesOutTheUnknown => found.retain(Option::is_some),
            Fault::LosesText => found.iter_mut().flatten().for_each(|customer| customer.email = None),
            _ => {}
        }
        Ok(found)
    }

    async fn list_customers(
        &self,
        after: Option<CustomerId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Customer, CustomerId>> {
        if self.is(Fault::PagesByOffset) {
            let all = self.inner.list_customers(None, ALL).await?.items;
            let after = after.map(|id| id.to_string());
            return Ok(by_offset(&self.memory, all, after, limit.get(), |customer| customer.id, CustomerId::to_string));
        }
        let listed = self.inner.list_customers(after, limit).await?;
        Ok(page(self.fault, listed, limit, |customer| customer.id))
    }
}

fn broken_catalog(backend: CatalogBackend, fault: Fault) -> CatalogBackend {
    let outbox: Arc<dyn Outbox> = Broken::new(backend.outbox, fault);
    CatalogBackend { store: Broken::new(backend.store, fault), outbox }
}

fn broken_customers(backend: CustomerBackend, fault: Fault) -> CustomerBackend {
    let outbox: Arc<dyn Outbox> = Broken::new(backend.outbox, fault);
    CustomerBackend { store: Broken::new(backend.store, fault), outbox }
}

/// What both have in common.
const SHARED: [(Fault, &[&str]); 18] = [
    (Fault::OutcomesReversed, &["answers_are_aligned"]),
    (Fault::LeavesOutTheUnknown, &["answers_are_aligned"]),
    (Fault::EmptyBatchFails, &["an_empty_batch_changes_nothing"]),
    (Fault::BatchReversed, &["a_batch_is_decided_in_order", "random_histories_agree_with_the_engine"]),
    (Fault::EndOfLargeBatchLost, &["a_large_batch_is_stored"]),
    (Fault::ForgetsCommands, &["a_known_command_gets_its_first_answer", "everything_survives_a_restart"]),
    (Fault::ForgetsRefusals, &["a_known_command_gets_its_first_answer"]),
    (Fault::MissesDuplicatesInBatch, &["a_command_twice_in_a_batch_is_decided_once"]),
    (Fault::IgnoresContents, &["another_command_of_a_known_id_is_a_conflict"]),
    (Fault::StoresTheSame, &["what_is_the_same_is_not_stored_again"]),
    (Fault::ListsOneLess, &["records_are_paged", "pages_skip_nothing_while_others_write"]),
    (Fault::FullPageSaysMore, &["records_are_paged"]),
    (Fault::PagesByOffset, &["pages_skip_nothing_while_others_write"]),
    (Fault::LosesTheFirst, &["events_are_written_with_the_decision"]),
    (Fault::LastWriterWins, &["one_of_many_changes_a_version"]),
    (Fault::FailsWhenBusy, &["one_of_many_changes_a_version"]),
    (Fault::TwoTransactions, &["a_dropped_call_splits_nothing"]),
    (Fault::ForgetsOnRestart, &["everything_survives_a_restart"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_catalogs_notices_a_mutant() {
    let mut mutants = SHARED.to_vec();
    mutants.push((Fault::SmallNumbers, &["every_product_field_is_kept"]));
    mutants.push((Fault::IgnoresCase, &["skus_are_bytes"]));
    mutants.push((Fault::SortsIgnoringCase, &["skus_are_bytes"]));
    every_rule_notices(catalog_store::RULES, &mutants, harness::catalog, broken_catalog).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_customer_stores_notices_a_mutant() {
    let mut mutants = SHARED.to_vec();
    mutants.push((Fault::LosesText, &["every_customer_field_is_kept"]));
    every_rule_notices(customer_store::RULES, &mutants, harness::customers, broken_customers).await;
}
