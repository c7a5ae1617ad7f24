//! What the rules of catalogs and of stores of customers share: both keep records that are put as a whole.

pub(super) mod crashes;
pub(super) mod fields;
pub(super) mod histories;
pub(super) mod puts;
pub(super) mod reads;
mod reference;

use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::backend::{CatalogBackend, CustomerBackend};
use super::support::{fresh, sku};
use crate::engine::Engine;
use crate::engine::record::{Expected, Put, PutOutcome, Record};
use crate::error::Result;
use crate::model::{Command, CommandId, Currency, Customer, CustomerId, Money, Product, Sku, Timestamp};
use crate::port::{Outbox, Page};

/// A store of records.
#[async_trait]
pub(super) trait Records: Clone + Send + Sync + 'static {
    /// What it keeps.
    type Record: Record;

    /// The record of this number, with something in it that `text` changes. Below 256, keys are in the numbers' order.
    fn record(number: u32, text: &str) -> Result<Self::Record>;

    fn outbox(&self) -> &dyn Outbox;

    async fn put(&self, batch: Vec<Command<Put<Self::Record>>>) -> Result<Vec<PutOutcome>>;

    async fn get(&self, keys: &[<Self::Record as Record>::Key]) -> Result<Vec<Option<Self::Record>>>;

    async fn list(
        &self,
        after: Option<<Self::Record as Record>::Key>,
        limit: NonZeroUsize,
    ) -> Result<Page<Self::Record, <Self::Record as Record>::Key>>;
}

#[async_trait]
impl Records for CatalogBackend {
    type Record = Product;

    fn record(number: u32, text: &str) -> Result<Product> {
        let price = Money::new(i64::from(number), Currency::EUR);
        Ok(Product::new(sku(format!("SKU-{number:06}"))?, format!("Cup {text}"), price))
    }

    fn outbox(&self) -> &dyn Outbox {
        &*self.outbox
    }

    async fn put(&self, batch: Vec<Command<Put<Product>>>) -> Result<Vec<PutOutcome>> {
        self.store.execute(&Engine::new(), batch).await
    }

    async fn get(&self, keys: &[Sku]) -> Result<Vec<Option<Product>>> {
        self.store.products(keys).await
    }

    async fn list(&self, after: Option<Sku>, limit: NonZeroUsize) -> Result<Page<Product, Sku>> {
        self.store.list_products(after, limit).await
    }
}

#[async_trait]
impl Records for CustomerBackend {
    type Record = Customer;

    fn record(number: u32, text: &str) -> Result<Customer> {
        // High bytes too, which a signed comparison would put first.
        let id = (u128::from(number) << 120) | (u128::from(number) << 32) | (7 << 76) | (2 << 62);
        Ok(Customer::new(CustomerId::from_u128(id), format!("Ann {text}")))
    }

    fn outbox(&self) -> &dyn Outbox {
        &*self.outbox
    }

    async fn put(&self, batch: Vec<Command<Put<Customer>>>) -> Result<Vec<PutOutcome>> {
        self.store.execute(&Engine::new(), batch).await
    }

    async fn get(&self, keys: &[CustomerId]) -> Result<Vec<Option<Customer>>> {
        self.store.customers(keys).await
    }

    async fn list(&self, after: Option<CustomerId>, limit: NonZeroUsize) -> Result<Page<Customer, CustomerId>> {
        self.store.list_customers(after, limit).await
    }
}

/// A command to put a record, with an id of its own.
fn put<T>(record: T, expected: Expected, at: Timestamp) -> Command<Put<T>> {
    Command::new(CommandId::new(fresh()), at, Put { record, expected })
}
