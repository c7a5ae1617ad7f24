//! What inventory does about orders.

use std::sync::Arc;

use async_trait::async_trait;

use super::command;
use crate::engine::saga;
use crate::engine::stock::StockOutcome;
use crate::error::Result;
use crate::model::{EventData, EventType};
use crate::port::Clock;
use crate::service::Inventory;
use crate::system::SystemClock;
use crate::worker::{Handled, Handler, Incoming};

/// Reserves, allocates, fulfils and releases stock as orders are placed, confirmed, shipped and cancelled.
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
        ]
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let commands = batch.iter().filter_map(|event| match &event.data {
            EventData::Order(order) => {
                saga::stock_action(order).map(|action| command(event, "inventory", &self.clock, action))
            }
            _ => None,
        });
        let outcomes = self.inventory.execute_all(commands.collect()).await?;
        for outcome in outcomes {
            if let StockOutcome::Refused(refusal) = outcome {
                tracing::debug!(%refusal, "inventory refused what an order asked for");
            }
        }
        Ok(vec![Handled::Done; batch.len()])
    }
}
