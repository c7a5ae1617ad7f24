//! What inventory does about orders.

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
        let commands: Vec<StockCommand> = commands.collect();
        let asked: Vec<bool> =
            commands.iter().map(|command| matches!(command.action, StockAction::Reserve(_))).collect();
        let outcomes = self.inventory.execute_all(commands).await?;
        for (reserve, outcome) in asked.into_iter().zip(outcomes) {
            let StockOutcome::Refused(refusal) = outcome else { continue };
            if reserve {
                tracing::debug!(%refusal, "an order gets no stock");
            } else {
                // The order believes that this happened.
                tracing::warn!(%refusal, "inventory refused what an order asked for");
            }
        }
        Ok(vec![Handled::Done; batch.len()])
    }
}
