//! Where products and customers are kept.

mod stored;
mod tables;
mod transaction;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::record::{CustomerCommand, ProductCommand, Put, PutOutcome};
use stockpulse_core::model::{Command, Customer, CustomerId, Product, Sku};
use stockpulse_core::port::{CatalogStore, CustomerStore, Page};

use self::stored::Stored;
use crate::database::{Access, Database};
use crate::store::SqlStore;

#[async_trait]
impl<D: Database> CatalogStore for SqlStore<D> {
    async fn execute(&self, engine: &Engine, batch: Vec<ProductCommand>) -> Result<Vec<PutOutcome>> {
        self.put("catalog.execute", engine, batch).await
    }

    async fn products(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>> {
        self.get("catalog.products", skus).await
    }

    async fn list_products(&self, after: Option<Sku>, limit: NonZeroUsize) -> Result<Page<Product, Sku>> {
        self.list("catalog.list_products", after, limit).await
    }
}

#[async_trait]
impl<D: Database> CustomerStore for SqlStore<D> {
    async fn execute(&self, engine: &Engine, batch: Vec<CustomerCommand>) -> Result<Vec<PutOutcome>> {
        self.put("customers.execute", engine, batch).await
    }

    async fn customers(&self, ids: &[CustomerId]) -> Result<Vec<Option<Customer>>> {
        self.get("customers.customers", ids).await
    }

    async fn list_customers(
        &self,
        after: Option<CustomerId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Customer, CustomerId>> {
        self.list("customers.list_customers", after, limit).await
    }
}

impl<D: Database> SqlStore<D> {
    async fn put<T: Stored>(
        &self,
        operation: &'static str,
        engine: &Engine,
        batch: Vec<Command<Put<T>>>,
    ) -> Result<Vec<PutOutcome>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (engine, batch) = (engine.clone(), Arc::new(batch));
        let outcomes = self.shared.transact(operation, Access::Write, move |session| {
            let (engine, batch) = (engine.clone(), Arc::clone(&batch));
            Box::pin(async move { transaction::decide(session, &engine, &batch).await })
        });
        let outcomes = outcomes.await?;
        self.shared.wake(T::TABLES.context);
        Ok(outcomes)
    }

    async fn get<T: Stored>(&self, operation: &'static str, keys: &[T::Key]) -> Result<Vec<Option<T>>> {
        let keys = keys.to_vec();
        let records = self.shared.transact(operation, Access::Read, move |session| {
            let keys = keys.clone();
            Box::pin(async move { transaction::get(session, &keys).await })
        });
        records.await
    }

    async fn list<T: Stored>(
        &self,
        operation: &'static str,
        after: Option<T::Key>,
        limit: NonZeroUsize,
    ) -> Result<Page<T, T::Key>> {
        let listed = self.shared.transact(operation, Access::Read, move |session| {
            let after = after.clone();
            Box::pin(async move { transaction::list(session, after.as_ref(), limit.get()).await })
        });
        listed.await
    }
}
