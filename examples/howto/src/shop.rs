//! A whole shop in one process, as `order_flow` puts it together step by step.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::memory::{MemoryBus, MemoryInventoryStore, MemoryOrderStore};
use stockpulse_core::model::{Order, OrderId};
use stockpulse_core::port::{Clock, Outbox};
use stockpulse_core::service::{Inventory, Orders};
use stockpulse_core::worker::{
    Handler, InventoryHandler, OrderHandler, OutboxRelay, Processor, RelayOptions, Stage, Supervisor,
};

use crate::check::within;

/// Services and workers on memory backends.
#[derive(Debug)]
pub struct Shop {
    /// Stock.
    pub inventory: Inventory,
    /// Orders.
    pub orders: Orders,
    bus: Arc<MemoryBus>,
    supervisor: Supervisor,
}

impl Shop {
    /// Opens a shop whose services go by this clock.
    #[must_use]
    pub fn open(clock: Arc<dyn Clock>) -> Self {
        let (stock, placed) = (MemoryInventoryStore::default(), MemoryOrderStore::default());
        let inventory = Inventory::builder(Arc::new(stock.clone())).with_clock(Arc::clone(&clock)).start();
        let orders = Orders::builder(Arc::new(placed.clone())).with_clock(Arc::clone(&clock)).start();
        let supervisor = Supervisor::default().with_inventory(inventory.clone()).with_orders(orders.clone());
        let mut shop = Self { inventory, orders, bus: Arc::new(MemoryBus::new()), supervisor };
        shop.relay("inventory", Arc::new(stock.outbox()));
        shop.relay("orders", Arc::new(placed.outbox()));
        shop.handle(InventoryHandler::new(shop.inventory.clone()).with_clock(Arc::clone(&clock)));
        shop.handle(OrderHandler::new(shop.orders.clone()).with_clock(clock));
        shop
    }

    /// Hands events to one more handler.
    pub fn handle(&mut self, handler: impl Handler) {
        let name = handler.group().to_owned();
        let processor = Processor::new(self.bus.clone(), Arc::new(handler));
        self.supervisor.spawn(Stage::Intake, name, move |stop| {
            let processor = processor.clone();
            async move { processor.run(stop).await }
        });
    }

    fn relay(&mut self, name: &str, outbox: Arc<dyn Outbox>) {
        let options = RelayOptions::new(format!("/stockpulse/{name}"), format!("{name}-relay"));
        let relay = OutboxRelay::new(outbox, self.bus.clone(), options);
        self.supervisor.spawn(Stage::Relay, format!("{name}-relay"), move |stop| {
            let relay = relay.clone();
            async move { relay.run(stop).await }
        });
    }

    /// Waits until an order is as described, and answers it.
    ///
    /// # Errors
    /// When it is not for a long time, and what the store reports.
    pub async fn order_when(&self, id: OrderId, ready: impl Fn(&Order) -> bool) -> Result<Order, Box<dyn Error>> {
        let order = async {
            loop {
                if let Some(order) = self.orders.order(id).await?.filter(&ready) {
                    return Ok::<_, stockpulse_core::Error>(order);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("an order", order).await
    }

    /// Ends workers and services in order.
    ///
    /// # Errors
    /// Which workers did not end in time.
    pub async fn close(self) -> Result<(), Box<dyn Error>> {
        let report = self.supervisor.shutdown(Duration::from_secs(10)).await;
        if report.is_clean() { Ok(()) } else { Err(format!("did not end: {:?}", report.aborted).into()) }
    }
}
