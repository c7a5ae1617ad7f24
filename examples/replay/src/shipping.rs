//! The shipping department: ships what was confirmed, and knows what is still under way.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use stockpulse_core::engine::order::{OrderAction, OrderCommand, OrderParts};
use stockpulse_core::engine::saga::command_for;
use stockpulse_core::engine::stock::{Decision, Filled};
use stockpulse_core::model::{
    EventData, EventId, Order, OrderChange, OrderDetail, OrderEvent, OrderId, OrderStatus, Reservation, ReservationId,
    StockEvent,
};
use stockpulse_core::port::Delivery;
use stockpulse_core::{ErrorKind, Result};
use tokio::time::{sleep, timeout};

use crate::backends::Backends;
use crate::error::ReplayError;
use crate::shop::Shop;

/// How long nothing may happen while something is awaited.
const STALLED: Duration = Duration::from_secs(120);

/// How often in a row the bus may fail to deliver, and the pause after each time: as long as nothing may happen.
const FAILURES: u32 = 1_200;
const PAUSE: Duration = Duration::from_millis(100);

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Every order that was placed got stock or was rejected.
    Decided,
    /// Everything that is to ship has shipped, too.
    Shipped,
}

/// What is under way. It outlives crashes of the services.
#[derive(Debug, Default)]
pub struct Shipping {
    /// Orders that were placed and of which it is not known whether there is stock for them.
    undecided: HashSet<OrderId>,
    /// Orders that were placed and have neither been rejected nor shipped.
    placed: HashSet<OrderId>,
    /// Units of earlier orders that came in and have not shipped.
    filled: HashMap<OrderId, i64>,
    /// Shipments that were counted, so that one that is told twice counts once.
    counted: HashSet<EventId>,
}

impl Shipping {
    /// An order was placed.
    pub fn expect_order(&mut self, order: OrderId) {
        self.undecided.insert(order);
        self.placed.insert(order);
    }

    /// Units that orders waited for came in: all of them that are there have to ship, as far as they have not.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn expect_filled(&mut self, backends: &Backends, filled: &[Filled]) -> Result<()> {
        let mut claims: Vec<(ReservationId, OrderId)> =
            filled.iter().filter_map(|claim| Some((claim.reservation, claim.order?))).collect();
        claims.sort_unstable();
        claims.dedup();
        let ids: Vec<ReservationId> = claims.iter().map(|(reservation, _)| *reservation).collect();
        let reservations = backends.inventory.reservations(&ids).await?;
        for ((_, order), reservation) in claims.into_iter().zip(reservations) {
            let units = reservation.map_or(0, |reservation| there(&reservation));
            if units > 0 {
                self.filled.insert(order, units);
            }
        }
        Ok(())
    }

    /// Orders that an earlier process placed: what of them has not ended is under way.
    ///
    /// # Errors
    /// What the stores report.
    pub async fn expect_unsettled(&mut self, backends: &Backends, orders: &[OrderId]) -> Result<()> {
        for chunk in orders.chunks(1_000) {
            // First the orders: what happens to them meanwhile is still to be told here.
            let known = backends.orders.orders(chunk).await?;
            let known: Vec<Order> =
                known.into_iter().flatten().filter(|order| order.status != OrderStatus::Rejected).collect();
            let ids: Vec<ReservationId> = known.iter().map(Order::reservation).collect();
            let reservations = backends.inventory.reservations(&ids).await?;
            for (order, reservation) in known.iter().zip(reservations) {
                // An order that was not told yet will be, and that is told here.
                if order.status == OrderStatus::Placed {
                    self.expect_order(order.id);
                }
                let units = reservation.map_or(0, |reservation| there(&reservation));
                if units > 0 {
                    self.placed.insert(order.id);
                    self.filled.insert(order.id, units);
                }
            }
        }
        Ok(())
    }

    /// Ships what is confirmed until nothing that is waited for is under way.
    ///
    /// # Errors
    /// What services and bus report, and when nothing happens any more.
    pub async fn settle(&mut self, shop: &mut Shop, until: Until) -> std::result::Result<(), ReplayError> {
        let mut failures = 0;
        while self.is_waiting(until) {
            let received = timeout(STALLED, shop.events.receive(1_024)).await;
            let Ok(received) = received else {
                let (placed, filled) = (self.placed.len(), self.filled.len());
                return Err(ReplayError::drive(format!(
                    "nothing happened for {STALLED:?} while {placed} orders and {filled} backorders were under way"
                )));
            };
            let deliveries = match received {
                Ok(deliveries) => deliveries,
                // A broker that was lost may come back.
                Err(error) if error.kind() != ErrorKind::Closed && failures < FAILURES => {
                    failures += 1;
                    sleep(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(ReplayError::drive(error)),
            };
            failures = 0;
            self.handle(shop, &deliveries).await?;
            let tags: Vec<_> = deliveries.iter().map(|delivery| delivery.tag).collect();
            shop.events.ack(&tags).await.map_err(ReplayError::drive)?;
        }
        Ok(())
    }

    fn is_waiting(&self, until: Until) -> bool {
        let shipping = until == Until::Shipped && !(self.placed.is_empty() && self.filled.is_empty());
        shipping || !self.undecided.is_empty()
    }

    fn decided(&mut self, order: Option<OrderId>) {
        if let Some(order) = order {
            self.undecided.remove(&order);
        }
    }

    async fn handle(&mut self, shop: &Shop, deliveries: &[Delivery]) -> std::result::Result<(), ReplayError> {
        let mut shipments = Vec::new();
        for delivery in deliveries {
            match delivery.envelope.open().map_err(ReplayError::drive)? {
                EventData::Order(event) => self.hear(&event, delivery.envelope.id, &mut shipments),
                EventData::Stock(StockEvent::Reserved(event)) => self.decided(event.order),
                EventData::Stock(StockEvent::Rejected(event)) => self.decided(event.order),
                EventData::Stock(StockEvent::Fulfilled(event)) => {
                    if let (Some(order), true) = (event.order, self.counted.insert(delivery.envelope.id)) {
                        self.placed.remove(&order);
                        self.shipped(order, event.lines.iter().map(|line| line.quantity.get()).sum());
                    }
                }
                _ => {}
            }
        }
        let ship = |(event, order): &(EventId, OrderId)| -> OrderCommand {
            let action = OrderAction::Ship { order: *order, parts: OrderParts::All };
            let mut command = shop.orders.command(action);
            command.id = command_for(*event, "shipping");
            command
        };
        let decisions = shop.orders.execute_all(shipments.iter().map(ship).collect()).await;
        for ((_, order), decision) in shipments.iter().zip(decisions.map_err(ReplayError::drive)?) {
            // With nothing there to ship, nobody will tell of a shipment.
            if matches!(decision, Decision::Accepted(state) if !state.changed) {
                self.placed.remove(order);
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: &OrderEvent, id: EventId, shipments: &mut Vec<(EventId, OrderId)>) {
        if matches!(event.change, OrderChange::Confirmed | OrderChange::Adjusted | OrderChange::Rejected) {
            // An earlier process may have heard of the decision, and this one not.
            self.undecided.remove(&event.order);
        }
        match event.change {
            OrderChange::Confirmed | OrderChange::Adjusted => shipments.push((id, event.order)),
            OrderChange::Filled if self.is_complete(event) => shipments.push((id, event.order)),
            OrderChange::Rejected => {
                self.placed.remove(&event.order);
            }
            _ => {}
        }
    }

    /// Whether everything that a return brought for an order has reached it: it ships once, however its lines came.
    fn is_complete(&self, event: &OrderEvent) -> bool {
        let OrderDetail::Lines(lines) = &event.detail else { return false };
        let there: i64 = lines.iter().map(|line| line.shippable().get()).sum();
        self.filled.get(&event.order).is_some_and(|expected| there >= *expected)
    }

    fn shipped(&mut self, order: OrderId, units: i64) {
        if let Some(waiting) = self.filled.get_mut(&order) {
            *waiting -= units;
            if *waiting <= 0 {
                self.filled.remove(&order);
            }
        }
    }
}

/// Units of a reservation that are there and have not left.
fn there(reservation: &Reservation) -> i64 {
    reservation.lines.iter().map(|line| line.open().saturating_sub(line.backordered).get()).sum()
}
