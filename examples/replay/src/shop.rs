//! The shop's services and workers, from one start to the next crash.

use std::sync::Arc;

use stockpulse_core::engine::{Engine, Limits};
use stockpulse_core::port::{Publisher, SubscribeOptions, Subscription};
use stockpulse_core::service::{Inventory, Orders};
use stockpulse_core::worker::{
    CacheHandler, InventoryHandler, OrderHandler, OutboxRelay, Processor, RelayOptions, Stage, Supervisor,
};
use stockpulse_core::{Result, model::EventType};

use crate::backends::Backends;
use crate::front::Front;

/// Services and workers on the current runtime. Dropping it together with the runtime is a crash.
#[derive(Debug)]
pub struct Shop {
    /// Stock.
    pub inventory: Inventory,
    /// Orders.
    pub orders: Orders,
    /// What the shipping department hears of.
    pub events: Box<dyn Subscription>,
    /// Keeps the workers running.
    pub supervisor: Supervisor,
}

impl Shop {
    /// Opens the shop on what the backends hold.
    ///
    /// # Errors
    /// When the bus cannot be subscribed to.
    pub async fn open(backends: &Backends) -> Result<Self> {
        let engine = Engine::new().with_limits(Limits::default().with_max_lines(usize::MAX));
        let Front { cache, gate } = &backends.front;
        let mut inventory = Inventory::builder(Arc::clone(&backends.inventory)).with_engine(engine.clone());
        let mut fresh = CacheHandler::new("cache");
        if let Some(cache) = cache {
            inventory = inventory.with_cache(Arc::clone(cache));
            fresh = fresh.with_cache(Arc::clone(cache));
        }
        if let Some(gate) = gate {
            inventory = inventory.with_gate(Arc::clone(gate));
            fresh = fresh.with_gate(Arc::clone(gate));
        }
        let inventory = inventory.start();
        let orders = Orders::builder(Arc::clone(&backends.orders)).with_engine(engine).start();
        let mut supervisor = Supervisor::default().with_inventory(inventory.clone()).with_orders(orders.clone());

        let subscriber = &backends.subscriber;
        let stock = Processor::new(subscriber.clone(), Arc::new(InventoryHandler::new(inventory.clone())));
        let answers = Processor::new(subscriber.clone(), Arc::new(OrderHandler::new(orders.clone())));
        let fresh = backends.front.is_there().then(|| Processor::new(subscriber.clone(), Arc::new(fresh)));
        let processors = [("inventory", Some(stock)), ("orders", Some(answers)), ("cache", fresh)];
        for (name, processor) in processors {
            let Some(processor) = processor else { continue };
            supervisor.spawn(Stage::Intake, name, move |stop| {
                let processor = processor.clone();
                async move { processor.run(stop).await }
            });
        }
        for (name, outbox) in [("inventory", &backends.inventory_outbox), ("orders", &backends.order_outbox)] {
            let options = RelayOptions::new(format!("/stockpulse/{name}"), format!("replay-{name}"));
            let publisher: Arc<dyn Publisher> = backends.publisher.clone();
            let relay = OutboxRelay::new(Arc::clone(outbox), publisher, options);
            supervisor.spawn(Stage::Relay, format!("{name}-relay"), move |stop| {
                let relay = relay.clone();
                async move { relay.run(stop).await }
            });
        }
        let types = [
            EventType::OrderConfirmed,
            EventType::OrderAdjusted,
            EventType::OrderRejected,
            EventType::OrderUpdated,
            EventType::StockReserved,
            EventType::StockRejected,
            EventType::StockFulfilled,
        ];
        let events = subscriber.subscribe(SubscribeOptions::new("shipping", types)).await?;
        Ok(Self { inventory, orders, events, supervisor })
    }
}
