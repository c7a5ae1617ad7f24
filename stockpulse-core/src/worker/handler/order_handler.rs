//! What orders do about inventory's answers.

use std::sync::Arc;

use async_trait::async_trait;

use super::command;
use crate::engine::saga;
use crate::engine::stock::Decision;
use crate::error::Result;
use crate::model::{EventData, EventType};
use crate::port::Clock;
use crate::service::Orders;
use crate::system::SystemClock;
use crate::worker::{Handled, Handler, Incoming};

/// Confirms, adjusts, rejects or expires orders as stock is reserved, short, or no longer held, and lets them ship
/// once it is allocated.
#[derive(Clone, Debug)]
pub struct OrderHandler {
    orders: Orders,
    clock: Arc<dyn Clock>,
}

impl OrderHandler {
    /// A handler for an order service.
    #[must_use]
    pub fn new(orders: Orders) -> Self {
        Self { orders, clock: Arc::new(SystemClock) }
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

#[async_trait]
impl Handler for OrderHandler {
    fn group(&self) -> &str {
        "orders"
    }

    fn event_types(&self) -> Vec<EventType> {
        vec![
            EventType::StockReserved,
            EventType::StockAllocated,
            EventType::StockRejected,
            EventType::StockExpired,
            EventType::StockFilled,
        ]
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let commands = batch.iter().filter_map(|event| match &event.data {
            EventData::Stock(stock) => {
                saga::order_action(stock).map(|action| command(event, "orders", &self.clock, action))
            }
            _ => None,
        });
        let decisions = self.orders.execute_all(commands.collect()).await?;
        for decision in decisions {
            if let Decision::Refused(refusal) = decision {
                tracing::warn!(%refusal, "an order refused inventory's answer");
            }
        }
        Ok(vec![Handled::Done; batch.len()])
    }
}
