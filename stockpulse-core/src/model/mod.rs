//! The words of the domain: plain values without behaviour that decides anything.

mod code;
mod command;
mod customer;
mod envelope;
mod event;
mod event_type;
mod id;
mod money;
mod notification;
mod order;
mod product;
mod quantity;
mod reservation;
mod sku;
mod stock;
mod time;
mod topic;

pub use command::{Actor, Cause, Command, TraceContext};
pub use customer::Customer;
pub use envelope::Envelope;
pub use event::{
    Availability, CustomerEvent, Event, EventData, EventKey, NotificationEvent, OrderDetail, OrderEvent, ProductEvent,
    ReservationEvent, ReservedLine, Shortage, SkuQuantity, StockAdjusted, StockEvent, StockQuantity, StockRequest,
};
pub use event_type::{Aggregate, EventType};
pub use id::{CommandId, CustomerId, EventId, NotificationId, OrderId, ReservationId, derive};
pub use money::{Currency, Money};
pub use notification::{Notification, NotificationKind, NotificationRecord, NotificationStatus};
pub use order::{
    HistoryEntry, Order, OrderChange, OrderLine, OrderStatus, PaymentStatus, PaymentTerms, Policy, Sourcing, Strategy,
};
pub use product::{Component, Kit, Product};
pub use quantity::{Quantity, Scale};
pub use reservation::{Reservation, ReservationLine, ReservationState};
pub use sku::{LocationId, Sku, StockKey};
pub use stock::{Backorder, Counters, Movement, MovementKind, StockLevel};
pub use time::{Timestamp, micros};
pub use topic::TopicMap;
