//! What inventory does about orders and products.

use std::sync::Arc;

use async_trait::async_trait;

use super::command;
use crate::engine::saga;
use crate::engine::stock::{StockAction, StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::{EventData, EventType};
use crate::port::Clock;
use crate::service::Inventory;
use crate::system::SystemClock;
use crate::worker::{Handled, Handler, Incoming};

/// Reserves, allocates, fulfils and releases stock as orders are placed, confirmed, shipped and cancelled, and keeps
/// levels tracked or not as the catalog says.
#[derive(Clone, Debug)]
pub struct InventoryHandler {
    inventory: Inventory,
    clock: Arc<dyn Clock>,
}

impl InventoryHandler {
    /// A handler for an inventory service.
    #[must_use]
    pub fn new(inventory: Inventory) -> Self {
        Self { inventory, clock: Arc::new(SystemClock) }
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

#[async_trait]
impl Handler for InventoryHandler {
    fn group(&self) -> &str {
        "inventory"
    }

    fn event_types(&self) -> Vec<EventType> {
        vec![
            EventType::OrderPlaced,
            EventType::OrderConfirmed,
            EventType::OrderAdjusted,
            EventType::OrderCancelled,
            EventType::OrderExpired,
            EventType::OrderShipped,
            EventType::OrderReturned,
            EventType::OrderUpdated,
            EventType::ProductCreated,
            EventType::ProductUpdated,
        ]
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let commands = batch.iter().filter_map(|event| match &event.data {
            EventData::Order(order) => {
                saga::stock_action(order).map(|action| command(event, "inventory", &self.clock, action))
            }
            EventData::Product(product) => {
                saga::product_action(product).map(|action| command(event, "inventory", &self.clock, action))
            }
            _ => None,
        });
        let commands: Vec<StockCommand> = commands.collect();
        let asked: Vec<bool> =
            commands.iter().map(|command| matches!(command.action, StockAction::Reserve(_))).collect();
        let outcomes = self.inventory.execute_all(commands).await?;
        for (reserve, outcome) in asked.into_iter().zip(outcomes) {
            let StockOutcome::Refused(refusal) = outcome else { continue };
            if reserve {
                tracing::debug!(%refusal, "an order gets no stock");
            } else {
                // The order, or the catalog, believes that this happened.
                tracing::warn!(%refusal, "inventory refused what an event asked for");
            }
        }
        Ok(vec![Handled::Done; batch.len()])
    }
}

#[cfg(feature = "memory")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::record::Record;
    use crate::engine::stock::Reserve;
    use crate::memory::MemoryInventoryStore;
    use crate::model::{CommandId, Currency, Envelope, Event, Money, Product, ReservationId, Sku, StockKey, Timestamp};

    fn event(id: u128, product: &Product, version: u64) -> Incoming {
        let mut product = product.clone();
        product.stamp(version, Timestamp::from_secs(1));
        let (command, at) = (CommandId::from_u128(id), Timestamp::from_secs(1));
        let event = Event { command, index: 0, sequence: version, at, trace: None, data: product.event() };
        Incoming { envelope: Envelope::seal(&event, "/catalog").unwrap(), data: event.data }
    }

    #[tokio::test]
    async fn levels_at_main_are_kept_as_the_catalog_says() {
        let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
        let handler = InventoryHandler::new(inventory.clone());
        let advice = Sku::new("ADVICE").unwrap();
        let mut product = Product::new(advice.clone(), "Advice", Money::new(100, Currency::EUR));
        product.tracked = false;
        let created = event(1, &product, 1);
        handler.handle(std::slice::from_ref(&created)).await.unwrap();
        let request = Reserve::new(ReservationId::from_u128(1)).with_line(advice.clone(), 1_000);
        assert!(inventory.reserve(request).await.unwrap().is_accepted());

        product.low_stock_at = Some(5.into());
        handler.handle(&[event(2, &product, 2), created]).await.unwrap();
        let level = inventory.levels(&[StockKey::main(advice)]).await.unwrap().remove(0).unwrap();
        assert_eq!((level.tracked, level.low_stock_at, level.version), (false, Some(5.into()), 3));
    }
}
