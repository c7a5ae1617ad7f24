//! The choreography between orders, inventory and notifications: which event makes which command.
//!
//! `order.placed` → inventory reserves → `stock.reserved` or `stock.rejected` → the order confirms, adjusts or
//! rejects → inventory allocates, and says so (`stock.allocated`) if it was a hold that could have run out → the
//! order ships, and inventory with it. Every step is a pure function of the event, and the command's id is derived
//! from the event's: delivered again, it is the same command. Both sides rely on the events of one order coming in
//! their order.

use super::order::{OrderAction, StockAnswer};
use super::stock::{Existing, Hold, LevelSettings, Parts, Reserve, ReserveLine, StockAction};
use crate::model::{
    CommandId, EventId, NotificationKind, OrderChange, OrderDetail, OrderEvent, ProductEvent, SkuQuantity, StockEvent,
    StockKey, StockQuantity, StockRequest, derive,
};

/// The id of the command that an event makes at a service: the same event makes the same command.
#[must_use]
pub fn command_for(event: EventId, service: &str) -> CommandId {
    CommandId::new(derive(event.as_uuid(), service, 0))
}

/// What an order's event asks of inventory, if anything.
#[must_use]
pub fn stock_action(event: &OrderEvent) -> Option<StockAction> {
    let reservation = event.reservation;
    match (&event.detail, event.change) {
        (OrderDetail::Wanted { request, .. }, _) => Some(StockAction::Reserve(reserve(event, request))),
        (OrderDetail::HoldUntil(until), _) => Some(StockAction::Extend { reservation, hold: Hold::Until(*until) }),
        (OrderDetail::Shipped(lines), _) => {
            Some(StockAction::Fulfil { reservation, parts: Parts::Skus(lines.clone()) })
        }
        (OrderDetail::Returned { stock, .. }, _) => {
            Some(StockAction::Return { lines: stock.iter().cloned().collect(), order: Some(event.order) })
        }
        (_, OrderChange::Confirmed | OrderChange::Adjusted | OrderChange::Paid)
            if event.payment.is_settled() && !event.status.is_terminal() =>
        {
            Some(StockAction::Allocate { reservation })
        }
        (_, OrderChange::Cancelled | OrderChange::Expired) => {
            Some(StockAction::Release { reservation, parts: Parts::All, tombstone: true })
        }
        _ => None,
    }
}

fn reserve(event: &OrderEvent, request: &StockRequest) -> Reserve {
    let line = |line: &SkuQuantity| ReserveLine { sku: line.sku.clone(), quantity: line.quantity, location: None };
    Reserve {
        reservation: request.reservation,
        order: Some(event.order),
        customer: event.customer,
        lines: request.lines.iter().map(line).collect(),
        policy: request.policy,
        sourcing: request.sourcing.clone(),
        hold: request.hold_until.map_or(Hold::Forever, Hold::Until),
        existing: Existing::Refuse,
        kits: request.kits.clone(),
    }
}

/// What a product's event asks of inventory: that its level at `main` is kept as the product says, tracked or not,
/// and from where on it is low. A kit has no stock of its own; other locations are configured by whoever opens them.
#[must_use]
pub fn product_action(event: &ProductEvent) -> Option<StockAction> {
    let (ProductEvent::Created(product) | ProductEvent::Updated(product)) = event;
    let settings = LevelSettings {
        tracked: Some(product.tracked),
        low_stock_at: Some(product.low_stock_at),
        ..LevelSettings::default()
    };
    let key = StockKey::main(product.sku.clone());
    product.components.is_empty().then_some(StockAction::Configure { key, settings })
}

/// What inventory's event says to an order, if it is about one.
#[must_use]
pub fn order_action(event: &StockEvent) -> Option<OrderAction> {
    let (order, reservation, answer) = match event {
        StockEvent::Reserved(event) => {
            let (lines, waiting) = (event.lines.to_vec(), event.waiting.clone());
            (event.order, event.reservation, StockAnswer::Reserved { lines, waiting })
        }
        StockEvent::Allocated(event) => (event.order, event.reservation, StockAnswer::Allocated),
        StockEvent::Rejected(event) => (event.order, event.reservation, StockAnswer::Rejected),
        StockEvent::Expired(event) => (event.order, event.reservation, StockAnswer::Expired),
        StockEvent::Filled(event) => {
            let units = |line: &StockQuantity| SkuQuantity::new(line.key.sku.clone(), line.quantity);
            (event.order, event.reservation, StockAnswer::Filled(event.lines.iter().map(units).collect()))
        }
        _ => return None,
    };
    Some(OrderAction::RecordReservation { order: order?, reservation, answer })
}

/// What the customer is told about an order's event, if anything.
#[must_use]
pub const fn notification(event: &OrderEvent) -> Option<NotificationKind> {
    match event.change {
        OrderChange::Confirmed => Some(NotificationKind::OrderConfirmed),
        OrderChange::Adjusted => Some(NotificationKind::OrderAdjusted),
        OrderChange::Rejected => Some(NotificationKind::OrderRejected),
        OrderChange::Cancelled => Some(NotificationKind::OrderCancelled),
        OrderChange::Expired => Some(NotificationKind::OrderExpired),
        OrderChange::Shipped | OrderChange::ShippedPartly => Some(NotificationKind::OrderShipped),
        OrderChange::Returned => Some(NotificationKind::OrderReturned),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
