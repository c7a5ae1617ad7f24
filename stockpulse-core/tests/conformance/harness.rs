//! Harnesses of the memory backends.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{
    CatalogBackend, CustomerBackend, Harness, InventoryBackend, NotificationBackend, OrderBackend,
};
use stockpulse_core::memory::{
    ManualClock, MemoryCatalogStore, MemoryCustomerStore, MemoryInventoryStore, MemoryNotificationLog,
    MemoryOrderStore, MemoryOutbox,
};
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::Clock;

/// Opens memory backends, whose time passes when it is told to.
#[derive(Debug)]
pub(crate) struct Memory<B> {
    clock: ManualClock,
    make: fn(Arc<dyn Clock>) -> B,
    /// What was opened last; as durable as memory gets.
    opened: Mutex<Option<B>>,
}

impl<B: Clone> Memory<B> {
    pub(crate) fn new(make: fn(Arc<dyn Clock>) -> B) -> Self {
        Self { clock: ManualClock::new(Timestamp::from_secs(1_700_000_000)), make, opened: Mutex::new(None) }
    }
}

#[async_trait]
impl<B: Clone + Debug + Send + Sync + 'static> Harness<B> for Memory<B> {
    async fn open(&self) -> Result<B> {
        let backend = (self.make)(Arc::new(self.clock.clone()));
        *self.opened.lock().unwrap() = Some(backend.clone());
        Ok(backend)
    }

    async fn reopen(&self, backend: B) -> Result<B> {
        drop(backend);
        Ok(self.opened.lock().unwrap().clone().unwrap())
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::task::yield_now().await;
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn inventory() -> Memory<InventoryBackend> {
    Memory::new(|clock| {
        let store = MemoryInventoryStore::new(clock);
        InventoryBackend { outbox: Arc::new(store.outbox()), store: Arc::new(store) }
    })
}

pub(crate) fn orders() -> Memory<OrderBackend> {
    Memory::new(|clock| {
        let store = MemoryOrderStore::new(clock);
        OrderBackend { outbox: Arc::new(store.outbox()), store: Arc::new(store) }
    })
}

pub(crate) fn catalog() -> Memory<CatalogBackend> {
    Memory::new(|clock| {
        let store = MemoryCatalogStore::new(clock);
        CatalogBackend { outbox: Arc::new(store.outbox()), store: Arc::new(store) }
    })
}

pub(crate) fn customers() -> Memory<CustomerBackend> {
    Memory::new(|clock| {
        let store = MemoryCustomerStore::new(clock);
        CustomerBackend { outbox: Arc::new(store.outbox()), store: Arc::new(store) }
    })
}

pub(crate) fn notifications() -> Memory<NotificationBackend> {
    Memory::new(|clock| {
        let outbox = MemoryOutbox::new(clock);
        NotificationBackend { log: Arc::new(MemoryNotificationLog::new(outbox.clone())), outbox: Arc::new(outbox) }
    })
}
