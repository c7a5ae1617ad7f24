//! The whole flow in one process and one file: services, a durable bus, workers under a supervisor, and an orderly end.
//!
//! `order.placed` → inventory reserves → `stock.reserved` or `stock.rejected` → the order confirms or rejects →
//! inventory allocates, and ships what the order ships.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::order::{OrderParts, Place};
use stockpulse_core::model::{Currency, Money, Order, OrderId, OrderStatus, Sku};
use stockpulse_core::port::{Outbox, Publisher, Subscriber};
use stockpulse_core::service::{Inventory, Orders};
use stockpulse_core::worker::{
    Handler, InventoryHandler, OrderHandler, OutboxRelay, Processor, RelayOptions, Stage, Supervisor,
};
use stockpulse_howto::{check, within};
use stockpulse_sql::{BusOptions, SqliteStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Where things are kept: a file, which an application would keep. Another backend is another three lines.
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("shop.db")).await?;
    let bus = Arc::new(store.bus(BusOptions::default()));

    // The services an application calls.
    let inventory = Inventory::builder(Arc::new(store.clone())).start();
    let orders = Orders::builder(Arc::new(store.clone())).start();

    // The workers beside them: each outbox is published, and each service hears of the other's events.
    let mut supervisor = Supervisor::default().with_inventory(inventory.clone()).with_orders(orders.clone());
    let outboxes: [(&str, Arc<dyn Outbox>); 2] =
        [("inventory", Arc::new(store.inventory_outbox())), ("orders", Arc::new(store.orders_outbox()))];
    for (name, outbox) in outboxes {
        let publisher: Arc<dyn Publisher> = bus.clone();
        let options = RelayOptions::new(format!("/shop/{name}"), format!("{name}-relay-1"));
        let relay = OutboxRelay::new(outbox, publisher, options);
        supervisor.spawn(Stage::Relay, format!("{name} relay"), move |stop| {
            let relay = relay.clone();
            async move { relay.run(stop).await }
        });
    }
    let handlers: [Arc<dyn Handler>; 2] =
        [Arc::new(InventoryHandler::new(inventory.clone())), Arc::new(OrderHandler::new(orders.clone()))];
    for handler in handlers {
        let subscriber: Arc<dyn Subscriber> = bus.clone();
        let processor = Processor::new(subscriber, Arc::clone(&handler));
        supervisor.spawn(Stage::Intake, format!("{} processor", handler.group()), move |stop| {
            let processor = processor.clone();
            async move { processor.run(stop).await }
        });
    }

    // A shop day: ten mugs, two orders of six.
    let mug = Sku::new("MUG-RED")?;
    inventory.receive(mug.clone(), 10).await?;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = orders.new_order_id();
        orders.place(Place::new(id).with_line(mug.clone(), 6, Money::new(1299, Currency::EUR))).await?;
        decided(&orders, id).await?;
        ids.push(id);
    }
    for (name, id) in ["first", "second"].iter().zip(&ids) {
        println!("{name} order: {:?}", decided(&orders, *id).await?.status);
    }

    // A confirmed order ships. Inventory hears of it over the bus, so wait for the goods to leave the books.
    orders.ship(ids[0], OrderParts::All).await?;
    within("the shipment", async {
        while inventory.levels(&[mug.clone().into()]).await?.iter().flatten().any(|level| level.on_hand != 4.into()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, stockpulse_core::Error>(())
    })
    .await?;
    println!("left on hand: 4");
    for entry in orders.history(ids[0]).await? {
        println!("  {}. {:?}", entry.version, entry.change);
    }

    // Intake stops, the services drain, the outboxes are emptied; all within a deadline.
    let report = supervisor.shutdown(Duration::from_secs(10)).await;
    let waiting = store.inventory_outbox().stats().await?.pending + store.orders_outbox().stats().await?.pending;
    println!("clean shutdown: {}, events left behind: {waiting}", report.is_clean());
    let order = orders.order(ids[0]).await?.ok_or("no order")?;
    check("the first order has shipped", order.status == OrderStatus::Shipped)?;
    check("nothing was left behind", report.is_clean() && waiting == 0)
}

/// The order, once inventory has answered.
async fn decided(orders: &Orders, id: OrderId) -> Result<Order, Box<dyn Error>> {
    within("a decision", async {
        loop {
            if let Some(order) = orders.order(id).await?.filter(|order| order.status != OrderStatus::Placed) {
                return Ok::<_, stockpulse_core::Error>(order);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}
