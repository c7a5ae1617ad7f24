//! Catalog and customers, which a running shop mostly reads.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::node::Node;
use super::super::world::Place;
use crate::engine::Engine;
use crate::engine::record::{CustomerCommand, ProductCommand, PutOutcome};
use crate::error::Result;
use crate::model::{Customer, CustomerId, Product, Sku};
use crate::port::{CatalogStore, CustomerStore, Page};

const PLACE: Place = Place::Orders;

#[derive(Debug)]
pub(in crate::sim) struct NodeCatalogStore {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: Arc<dyn CatalogStore>,
}

#[async_trait]
impl CatalogStore for NodeCatalogStore {
    async fn execute(&self, engine: &Engine, batch: Vec<ProductCommand>) -> Result<Vec<PutOutcome>> {
        let (inner, engine) = (Arc::clone(&self.inner), engine.clone());
        let commit = move || -> futures::future::BoxFuture<'static, _> {
            let (inner, engine, batch) = (Arc::clone(&inner), engine.clone(), batch.clone());
            Box::pin(async move { inner.execute(&engine, batch).await })
        };
        self.node.commit(PLACE, "catalog.execute", commit).await
    }

    async fn products(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>> {
        self.node.call(PLACE, "catalog.products", self.inner.products(skus)).await
    }

    async fn list_products(&self, after: Option<Sku>, limit: NonZeroUsize) -> Result<Page<Product, Sku>> {
        self.node.call(PLACE, "catalog.list_products", self.inner.list_products(after, limit)).await
    }
}

#[derive(Debug)]
pub(in crate::sim) struct NodeCustomerStore {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) inner: Arc<dyn CustomerStore>,
}

#[async_trait]
impl CustomerStore for NodeCustomerStore {
    async fn execute(&self, engine: &Engine, batch: Vec<CustomerCommand>) -> Result<Vec<PutOutcome>> {
        let (inner, engine) = (Arc::clone(&self.inner), engine.clone());
        let commit = move || -> futures::future::BoxFuture<'static, _> {
            let (inner, engine, batch) = (Arc::clone(&inner), engine.clone(), batch.clone());
            Box::pin(async move { inner.execute(&engine, batch).await })
        };
        self.node.commit(PLACE, "customers.execute", commit).await
    }

    async fn customers(&self, ids: &[CustomerId]) -> Result<Vec<Option<Customer>>> {
        self.node.call(PLACE, "customers.customers", self.inner.customers(ids)).await
    }

    async fn list_customers(
        &self,
        after: Option<CustomerId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Customer, CustomerId>> {
        self.node.call(PLACE, "customers.list_customers", self.inner.list_customers(after, limit)).await
    }
}
