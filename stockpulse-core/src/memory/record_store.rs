//! The reference stores of products and customers.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::inventory_store::from;
use super::outbox::MemoryOutbox;
use crate::engine::Engine;
use crate::engine::record::{CustomerCommand, ProductCommand, Put, PutOutcome, Record, RecordWorkingSet};
use crate::error::Result;
use crate::model::{Command, Customer, CustomerId, Product, Sku};
use crate::port::{CatalogStore, Clock, CustomerStore, Page};
use crate::system::SystemClock;

/// Products in memory. Clones share them.
pub type MemoryCatalogStore = MemoryRecordStore<Product>;
/// Customers in memory. Clones share them.
pub type MemoryCustomerStore = MemoryRecordStore<Customer>;

/// Records in memory. Clones share them.
#[derive(Debug)]
pub struct MemoryRecordStore<T: Record> {
    state: Arc<Mutex<State<T>>>,
    outbox: MemoryOutbox,
}

#[derive(Debug)]
struct State<T: Record> {
    set: RecordWorkingSet<T>,
    keys: BTreeSet<T::Key>,
}

impl<T: Record> Clone for MemoryRecordStore<T> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), outbox: self.outbox.clone() }
    }
}

impl<T: Record> Default for MemoryRecordStore<T> {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl<T: Record> MemoryRecordStore<T> {
    /// An empty store whose outbox leases end by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { set: RecordWorkingSet::default(), keys: BTreeSet::new() };
        Self { state: Arc::new(Mutex::new(state)), outbox: MemoryOutbox::new(clock) }
    }

    /// Its outbox.
    #[must_use]
    pub fn outbox(&self) -> MemoryOutbox {
        self.outbox.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, engine: &Engine, batch: &[Command<Put<T>>]) -> Vec<PutOutcome> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let outcomes = engine.execute_puts(&mut state.set, batch);
        state.keys.extend(state.set.changed().map(Record::key));
        self.outbox.append(state.set.drain_events());
        state.set.clear_changes();
        outcomes
    }

    fn get(&self, keys: &[T::Key]) -> Vec<Option<T>> {
        let state = self.lock();
        keys.iter().map(|key| state.set.get(key).cloned()).collect()
    }

    fn list(&self, after: Option<T::Key>, limit: NonZeroUsize) -> Page<T, T::Key> {
        let state = self.lock();
        let records = from(&state.keys, after).filter_map(|key| state.set.get(key).cloned());
        Page::collect(records, limit.get(), Record::key)
    }
}

#[async_trait]
impl CatalogStore for MemoryCatalogStore {
    async fn execute(&self, engine: &Engine, batch: Vec<ProductCommand>) -> Result<Vec<PutOutcome>> {
        Ok(self.put(engine, &batch))
    }

    async fn products(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>> {
        Ok(self.get(skus))
    }

    async fn list_products(&self, after: Option<Sku>, limit: NonZeroUsize) -> Result<Page<Product, Sku>> {
        Ok(self.list(after, limit))
    }
}

#[async_trait]
impl CustomerStore for MemoryCustomerStore {
    async fn execute(&self, engine: &Engine, batch: Vec<CustomerCommand>) -> Result<Vec<PutOutcome>> {
        Ok(self.put(engine, &batch))
    }

    async fn customers(&self, ids: &[CustomerId]) -> Result<Vec<Option<Customer>>> {
        Ok(self.get(ids))
    }

    async fn list_customers(
        &self,
        after: Option<CustomerId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Customer, CustomerId>> {
        Ok(self.list(after, limit))
    }
}
