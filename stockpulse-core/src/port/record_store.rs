//! Where products and customers are kept.

use std::fmt::Debug;
use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::page::Page;
use crate::engine::Engine;
use crate::engine::record::{CustomerCommand, ProductCommand, PutOutcome};
use crate::error::Result;
use crate::model::{Customer, CustomerId, Product, Sku};

/// Where products are kept.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CatalogStore: Debug + Send + Sync + 'static {
    /// Decides and stores a batch with its events, in one transaction. A command whose id is known gets its stored
    /// outcome and changes nothing. The answers are aligned with the batch.
    ///
    /// # Errors
    /// Infrastructure only.
    ///
    /// # Cancel safety
    /// A dropped future splits nothing.
    async fn execute(&self, engine: &Engine, batch: Vec<ProductCommand>) -> Result<Vec<PutOutcome>>;

    /// Reads products, aligned with `skus`.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn products(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>>;

    /// Products in order of SKU, by its bytes. The cursor need not exist.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn list_products(&self, after: Option<Sku>, limit: NonZeroUsize) -> Result<Page<Product, Sku>>;
}

/// Where customers are kept.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CustomerStore: Debug + Send + Sync + 'static {
    /// Decides and stores a batch with its events, in one transaction. A command whose id is known gets its stored
    /// outcome and changes nothing. The answers are aligned with the batch.
    ///
    /// # Errors
    /// Infrastructure only.
    ///
    /// # Cancel safety
    /// A dropped future splits nothing.
    async fn execute(&self, engine: &Engine, batch: Vec<CustomerCommand>) -> Result<Vec<PutOutcome>>;

    /// Reads customers, aligned with `ids`.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn customers(&self, ids: &[CustomerId]) -> Result<Vec<Option<Customer>>>;

    /// Customers in order of id. The cursor need not exist.
    ///
    /// # Errors
    /// Infrastructure only.
    async fn list_customers(
        &self,
        after: Option<CustomerId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Customer, CustomerId>>;
}
