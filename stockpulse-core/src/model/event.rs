//! Events: what other services are told.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::command::TraceContext;
use super::customer::Customer;
use super::id::{CommandId, CustomerId, EventId, OrderId, ReservationId, derive};
use super::notification::Notification;
use super::order::{OrderChange, OrderLine, OrderStatus, PaymentStatus, PaymentTerms, Policy, Sourcing};
use super::product::{Kit, Product};
use super::quantity::Quantity;
use super::sku::{Sku, StockKey};
use super::stock::{MovementKind, StockLevel};
use super::time::Timestamp;

/// Units of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SkuQuantity {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
}

impl SkuQuantity {
    /// Units of a SKU.
    #[must_use]
    pub const fn new(sku: Sku, quantity: Quantity) -> Self {
        Self { sku, quantity }
    }
}

/// Units at a stock level.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StockQuantity {
    /// Which level.
    pub key: StockKey,
    /// How many.
    pub quantity: Quantity,
}

impl StockQuantity {
    /// Units at a stock level.
    #[must_use]
    pub const fn new(key: StockKey, quantity: Quantity) -> Self {
        Self { key, quantity }
    }
}

/// What a reservation got for one SKU that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReservedLine {
    /// The SKU as it was asked for: a kit's own, not its components'.
    pub sku: Sku,
    /// Units asked for.
    pub requested: Quantity,
    /// Units granted, backordered ones included.
    pub granted: Quantity,
    /// Of those, units that wait for stock to come in.
    pub backordered: Quantity,
}

/// A SKU of which there was not enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// What.
    pub sku: Sku,
    /// Units asked for.
    pub requested: Quantity,
    /// Units that could have been had.
    pub sellable: Quantity,
}

/// Something that happened to a reservation as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationEvent<L> {
    /// The reservation.
    pub reservation: ReservationId,
    /// The order it is for, if any.
    pub order: Option<OrderId>,
    /// What happened, by line.
    pub lines: SmallVec<[L; 1]>,
    /// Of what was reserved, units that wait for stock to come in, by the SKU that is missing: of a kit, its
    /// component.
    pub waiting: Vec<SkuQuantity>,
    /// When the hold ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// What happened to stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StockEvent {
    /// `stock.reserved`: stock is claimed.
    Reserved(ReservationEvent<ReservedLine>),
    /// `stock.rejected`: stock could not be claimed; the lines name what was short.
    Rejected(ReservationEvent<Shortage>),
    /// `stock.allocated`: a hold that could have run out became a claim for good.
    Allocated(ReservationEvent<StockQuantity>),
    /// `stock.released`: claims were given back.
    Released(ReservationEvent<StockQuantity>),
    /// `stock.expired`: the hold ran out, and its claims were given back.
    Expired(ReservationEvent<StockQuantity>),
    /// `stock.fulfilled`: claimed units left.
    Fulfilled(ReservationEvent<StockQuantity>),
    /// `stock.filled`: units that waited are now there.
    Filled(ReservationEvent<StockQuantity>),
    /// `stock.adjusted`: on-hand changed other than by an order.
    Adjusted(StockAdjusted),
    /// `stock.updated`: a level as it is now. One per level and committed batch, not one per command.
    Updated(StockLevel),
    /// `stock.low`: available fell to the threshold or below.
    Low(Availability),
    /// `stock.out`: nothing is available any more.
    Out(Availability),
    /// `stock.back`: something is available again.
    Back(Availability),
}

/// On-hand changed other than by an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockAdjusted {
    /// Which level.
    pub key: StockKey,
    /// What kind of command changed it.
    pub kind: MovementKind,
    /// By how much.
    pub change: i64,
    /// What lies there now.
    pub on_hand: Quantity,
    /// The level's version after it.
    pub version: u64,
}

/// How much of a level is available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Which level.
    pub key: StockKey,
    /// `on_hand - reserved - safety_stock`.
    pub available: i64,
    /// The level's version.
    pub version: u64,
}

/// A line of an order as it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRequest {
    /// The reservation to make.
    pub reservation: ReservationId,
    /// What to reserve.
    pub lines: Vec<SkuQuantity>,
    /// The kits among them.
    pub kits: Vec<Kit>,
    /// What to do when there is not enough.
    pub policy: Policy,
    /// Which locations serve it.
    pub sourcing: Sourcing,
    /// Until when stock is to be held.
    pub hold_until: Option<Timestamp>,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// The order.
    pub order: OrderId,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// What happened.
    pub change: OrderChange,
    /// Where the order stands after it.
    pub status: OrderStatus,
    /// Where its payment stands after it.
    pub payment: PaymentStatus,
    /// The reservation of its current attempt at stock.
    pub reservation: ReservationId,
    /// What it means for the lines.
    pub detail: OrderDetail,
}

/// What an order's event says about its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderDetail {
    /// Nothing.
    None,
    /// Stock is wanted: the order was placed, or its hold was lost.
    Wanted {
        /// What to reserve.
        request: StockRequest,
        /// The lines with their prices.
        lines: Vec<OrderLine>,
        /// When it has to be paid.
        terms: PaymentTerms,
    },
    /// All lines as they stand: the order was confirmed, adjusted or filled.
    Lines(Vec<OrderLine>),
    /// Units that shipped.
    Shipped(Vec<SkuQuantity>),
    /// Units that came back.
    Returned {
        /// What, as it was ordered.
        lines: Vec<SkuQuantity>,
        /// What is put where: of a kit, its components.
        stock: Vec<StockQuantity>,
    },
    /// The hold is wanted until then: the customer began to pay.
    HoldUntil(Timestamp),
}

/// What happened to a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProductEvent {
    /// `product.created`.
    Created(Box<Product>),
    /// `product.updated`.
    Updated(Box<Product>),
}

/// What happened to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CustomerEvent {
    /// `customer.created`.
    Created(Customer),
    /// `customer.updated`.
    Updated(Customer),
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NotificationEvent {
    /// `notification.sent`.
    Sent(Notification),
    /// `notification.failed`, with the reason.
    Failed(Notification, String),
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventData {
    /// About stock.
    Stock(StockEvent),
    /// About an order. Boxed, since it is large and most events are about stock.
    Order(Box<OrderEvent>),
    /// About a product.
    Product(ProductEvent),
    /// About a customer.
    Customer(CustomerEvent),
    /// About a notification.
    Notification(NotificationEvent),
}

/// An event as it is written to the outbox, in the transaction that caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The command that caused it.
    pub command: CommandId,
    /// Which of the command's events it is.
    pub index: u32,
    /// The version of what it is about, for ordering.
    pub sequence: u64,
    /// When it happened: the command's time.
    pub at: Timestamp,
    /// The trace the command belonged to.
    pub trace: Option<TraceContext>,
    /// What happened.
    pub data: EventData,
}

/// What an event is about, and so its partition key: events with one key keep their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKey {
    /// An order and its reservations.
    Order(OrderId),
    /// A reservation that belongs to no order.
    Reservation(ReservationId),
    /// A SKU.
    Sku(Sku),
    /// A customer.
    Customer(CustomerId),
}

impl std::fmt::Display for EventKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Order(id) => id.fmt(f),
            Self::Reservation(id) => id.fmt(f),
            Self::Sku(sku) => sku.fmt(f),
            Self::Customer(id) => id.fmt(f),
        }
    }
}

impl Event {
    /// The event's identity, derived from the command and its index: decided again, it is the same event.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId::new(derive(self.command.as_uuid(), "event", u64::from(self.index)))
    }

    /// What the event is about.
    #[must_use]
    pub fn key(&self) -> EventKey {
        fn claim<L>(event: &ReservationEvent<L>) -> EventKey {
            event.order.map_or(EventKey::Reservation(event.reservation), EventKey::Order)
        }
        match &self.data {
            EventData::Stock(event) => match event {
                StockEvent::Reserved(event) => claim(event),
                StockEvent::Rejected(event) => claim(event),
                StockEvent::Allocated(event)
                | StockEvent::Released(event)
                | StockEvent::Expired(event)
                | StockEvent::Fulfilled(event)
                | StockEvent::Filled(event) => claim(event),
                StockEvent::Adjusted(event) => EventKey::Sku(event.key.sku.clone()),
                StockEvent::Updated(level) => EventKey::Sku(level.key.sku.clone()),
                StockEvent::Low(event) | StockEvent::Out(event) | StockEvent::Back(event) => {
                    EventKey::Sku(event.key.sku.clone())
                }
            },
            EventData::Order(event) => EventKey::Order(event.order),
            EventData::Product(ProductEvent::Created(product) | ProductEvent::Updated(product)) => {
                EventKey::Sku(product.sku.clone())
            }
            EventData::Customer(CustomerEvent::Created(customer) | CustomerEvent::Updated(customer)) => {
                EventKey::Customer(customer.id)
            }
            EventData::Notification(
                NotificationEvent::Sent(notification) | NotificationEvent::Failed(notification, _),
            ) => EventKey::Order(notification.order),
        }
    }
}
