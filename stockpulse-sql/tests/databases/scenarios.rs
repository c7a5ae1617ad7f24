//! The acceptance scenarios on real databases: stock and orders in one place, and a bus in memory between them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::conformance::scenarios::ShopBackend;
use stockpulse_core::conformance::{Harness, InventoryBackend, OrderBackend};
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::Clock;
use stockpulse_core::{Result, SystemClock};
use stockpulse_sql::Context;

use crate::support::{Kind, Place, Ports};

/// Opens shops on one kind of database.
struct Shops {
    kind: Kind,
    place: Mutex<Option<Arc<Place>>>,
    /// Of services and workers; the database has its own.
    clock: ManualClock,
}

impl Shops {
    fn on(kind: Kind) -> Self {
        Self { kind, place: Mutex::default(), clock: ManualClock::new(SystemClock.now()) }
    }
}

fn stores(ports: Ports) -> (InventoryBackend, OrderBackend) {
    let orders = OrderBackend { outbox: ports.outbox(Context::Orders), store: Arc::clone(&ports.orders) };
    (InventoryBackend { outbox: ports.outbox(Context::Inventory), store: ports.inventory }, orders)
}

#[async_trait]
impl Harness<ShopBackend> for Shops {
    async fn open(&self) -> Result<ShopBackend> {
        let place = Arc::new(Place::new(self.kind).await?);
        *self.place.lock().unwrap() = Some(Arc::clone(&place));
        let (inventory, orders) = stores(place.connect(&[Context::Inventory, Context::Orders]).await?);
        Ok(ShopBackend::on_memory_bus(inventory, orders, Arc::new(self.clock.clone())))
    }

    async fn reopen(&self, backend: ShopBackend) -> Result<ShopBackend> {
        let (bus, clock) = (backend.bus.clone(), Arc::clone(&backend.clock));
        drop(backend);
        let place = self.place.lock().unwrap().clone();
        let place = place.expect("a rule opens before it reopens");
        let (inventory, orders) = stores(place.connect(&[]).await?);
        Ok(ShopBackend { inventory, orders, bus, clock })
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn skip(&self) -> Option<String> {
        self.kind.missing()
    }
}

mod postgres {
    stockpulse_core::acceptance_scenarios!(super::Shops::on(super::Kind::Postgres));
}

mod mysql {
    stockpulse_core::acceptance_scenarios!(super::Shops::on(super::Kind::MySql));
}

mod sqlite {
    stockpulse_core::acceptance_scenarios!(super::Shops::on(super::Kind::Sqlite));
}
