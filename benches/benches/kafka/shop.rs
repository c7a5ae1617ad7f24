//! A shop on Postgres and Kafka: order service, inventory, their relays and processors.

use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::model::{EventData, EventType, Sku, StockEvent};
use stockpulse_core::port::{InventoryStore, Outbox, Publisher};
use stockpulse_core::service::{Inventory, Orders};
use stockpulse_core::worker::{
    Handled, Handler, Incoming, InventoryHandler, OrderHandler, OutboxRelay, Processor, RelayOptions, Stage, Supervisor,
};
use stockpulse_core::{Result, SystemClock};
use stockpulse_kafka::{KafkaBus, KafkaOptions};
use stockpulse_sql::{Context, PgOptions, PgStore};

use crate::events::order;
use crate::place::Schema;
use crate::waiting::Waiting;

/// A shop that runs.
#[derive(Debug)]
pub(crate) struct Shop {
    orders: Orders,
    sku: Sku,
    waiting: Waiting,
    bus: KafkaBus,
    workers: Supervisor,
}

impl Shop {
    /// Opens a shop with enough of the one SKU.
    pub(crate) async fn open(options: &KafkaOptions, schema: &Schema) -> Self {
        let postgres = PgOptions::new(&schema.url).expect("a URL").with_schema(&schema.name);
        let store = PgStore::connect(postgres.with_contexts([Context::Orders, Context::Inventory])).await;
        let store = store.expect("postgres answers");
        let mut workload = Workload::new(Skus::Hot, 0);
        store.execute(&Engine::new(), vec![workload.receive()]).await.expect("goods come in");
        let bus = KafkaBus::new(options.clone()).expect("options that are right");
        let mut workers = Supervisor::new(Arc::new(SystemClock));
        let outboxes: [(&str, Arc<dyn Outbox>); 2] =
            [("orders", Arc::new(store.orders_outbox())), ("inventory", Arc::new(store.inventory_outbox()))];
        for (name, outbox) in outboxes {
            let publisher: Arc<dyn Publisher> = Arc::new(bus.clone());
            let relay = OutboxRelay::new(outbox, publisher, RelayOptions::new(format!("/bench/{name}"), "relay"));
            workers.spawn(Stage::Relay, format!("{name} relay"), move |stop| {
                let relay = relay.clone();
                async move { relay.run(stop).await }
            });
        }
        let inventory = Inventory::builder(Arc::new(store.clone())).start();
        let orders = Orders::builder(Arc::new(store)).start();
        let waiting = Waiting::default();
        let told = Told { handler: OrderHandler::new(orders.clone()), waiting: waiting.clone() };
        let handlers: [Arc<dyn Handler>; 2] = [Arc::new(InventoryHandler::new(inventory)), Arc::new(told)];
        for handler in handlers {
            let name = handler.group().to_owned();
            let processor = Processor::new(Arc::new(bus.clone()), handler);
            workers.spawn(Stage::Intake, name, move |stop| {
                let processor = processor.clone();
                async move { processor.run(stop).await }
            });
        }
        let sku = workload.sku();
        Self { orders, sku, waiting, bus, workers }
    }

    /// Places an order, and waits until it is accepted.
    pub(crate) async fn accept(&self) {
        let placed = self.orders.place(order(&self.sku)).await.expect("postgres answers");
        assert!(placed.is_accepted());
    }

    /// Places an order, and waits until its confirmation was consumed.
    pub(crate) async fn confirm(&self) {
        let request = order(&self.sku);
        let confirmed = self.waiting.wait_for(request.order.as_uuid());
        let placed = self.orders.place(request).await.expect("postgres answers");
        assert!(placed.is_accepted());
        confirmed.await.expect("the shop goes on");
    }

    /// Ends everything, what waits included.
    pub(crate) async fn close(self) {
        let ended = self.workers.shutdown(std::time::Duration::from_secs(30)).await;
        assert!(ended.is_clean(), "{ended:?}");
        self.bus.close().await.expect("nothing is left");
    }
}

/// The order service's handler, and who waits for it.
#[derive(Debug)]
struct Told {
    handler: OrderHandler,
    waiting: Waiting,
}

#[async_trait]
impl Handler for Told {
    fn group(&self) -> &str {
        self.handler.group()
    }

    fn event_types(&self) -> Vec<EventType> {
        self.handler.event_types()
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let handled = self.handler.handle(batch).await?;
        for event in batch {
            if let EventData::Stock(StockEvent::Reserved(reserved)) = &event.data {
                self.waiting.confirmed(reserved.order.expect("it is for an order").as_uuid());
            }
        }
        Ok(handled)
    }
}
