//! The conformance suite and the acceptance scenarios, on files that are really closed and opened.

#[cfg(test)]
mod json {
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use async_trait::async_trait;
    use stockpulse_core::conformance::scenarios::ShopBackend;
    use stockpulse_core::conformance::{BusBackend, Harness, InventoryBackend, OrderBackend};
    use stockpulse_core::memory::ManualClock;
    use stockpulse_core::model::Timestamp;
    use stockpulse_core::port::Clock;
    use stockpulse_core::{ErrorKind, Result, SystemClock};
    use stockpulse_json_store::{Durability, JsonInventoryStore, JsonOrderStore, StoreOptions};
    use tempfile::TempDir;

    /// A folder for each rule. There is no `another`: a second process is kept out.
    struct JsonHarness {
        folder: Mutex<Option<TempDir>>,
        durability: Durability,
        /// Of the services in the scenarios; the stores have the machine's.
        clock: ManualClock,
    }

    impl JsonHarness {
        fn new(durability: Durability) -> Self {
            Self { folder: Mutex::default(), durability, clock: ManualClock::new(SystemClock.now()) }
        }

        fn quick() -> Self {
            Self::new(Durability::Unsynced)
        }

        fn fresh(&self) {
            *self.folder.lock().unwrap() = Some(TempDir::new().unwrap());
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.lock().unwrap().as_ref().unwrap().path().join(name)
        }

        fn options(&self) -> StoreOptions {
            StoreOptions::default().with_durability(self.durability)
        }

        async fn inventory(&self) -> Result<InventoryBackend> {
            let store = patient(|| JsonInventoryStore::open(self.path("stock.json"), self.options())).await?;
            Ok(InventoryBackend { outbox: Arc::new(store.outbox()), store: Arc::new(store) })
        }

        async fn orders(&self) -> Result<OrderBackend> {
            let store = patient(|| JsonOrderStore::open(self.path("orders.json"), self.options())).await?;
            Ok(OrderBackend { outbox: Arc::new(store.outbox()), store: Arc::new(store) })
        }
    }

    /// A process that dies takes its commits with it; a task that outlives its dropped caller goes on for a while here,
    /// and holds the lock. The rule's deadline ends the wait.
    async fn patient<S>(open: impl Fn() -> Result<S>) -> Result<S> {
        loop {
            match open() {
                Err(error) if error.kind() == ErrorKind::Contention => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                answer => return answer,
            }
        }
    }

    #[async_trait]
    impl Harness<InventoryBackend> for JsonHarness {
        async fn open(&self) -> Result<InventoryBackend> {
            self.fresh();
            self.inventory().await
        }

        async fn reopen(&self, backend: InventoryBackend) -> Result<InventoryBackend> {
            drop(backend);
            self.inventory().await
        }
    }

    #[async_trait]
    impl Harness<OrderBackend> for JsonHarness {
        async fn open(&self) -> Result<OrderBackend> {
            self.fresh();
            self.orders().await
        }

        async fn reopen(&self, backend: OrderBackend) -> Result<OrderBackend> {
            drop(backend);
            self.orders().await
        }
    }

    #[async_trait]
    impl Harness<ShopBackend> for JsonHarness {
        async fn open(&self) -> Result<ShopBackend> {
            self.fresh();
            let clock = Arc::new(self.clock.clone());
            Ok(ShopBackend::on_memory_bus(self.inventory().await?, self.orders().await?, clock))
        }

        async fn reopen(&self, backend: ShopBackend) -> Result<ShopBackend> {
            let bus: BusBackend = backend.bus.clone();
            let clock = Arc::clone(&backend.clock);
            drop(backend);
            Ok(ShopBackend { inventory: self.inventory().await?, orders: self.orders().await?, bus, clock })
        }

        async fn pass(&self, time: Duration) {
            self.clock.advance(time);
        }

        fn now(&self) -> Timestamp {
            self.clock.now()
        }
    }

    mod inventory {
        stockpulse_core::inventory_store_conformance!(super::JsonHarness::quick());
    }
    mod orders {
        stockpulse_core::order_store_conformance!(super::JsonHarness::quick());
    }
    mod outbox {
        stockpulse_core::outbox_conformance!(super::JsonHarness::new(super::Durability::Synced));
    }
    mod scenarios {
        stockpulse_core::acceptance_scenarios!(super::JsonHarness::new(super::Durability::Synced));
    }
}
