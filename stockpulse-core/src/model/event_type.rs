//! Event types and the JSON that each carries.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::event::{CustomerEvent, EventData, NotificationEvent, ProductEvent, StockEvent};
use super::order::OrderChange;
use crate::error::{Error, Result};

/// What kind of thing an event is about; by default each has a topic of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aggregate {
    /// Orders.
    Order,
    /// Reservations: claims of orders on stock.
    Reservation,
    /// Stock levels.
    Stock,
    /// Products.
    Product,
    /// Customers.
    Customer,
    /// Notifications.
    Notification,
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident $name:literal $aggregate:ident),+ $(,)?) => {
        /// The type of an event, version 1. Its CloudEvents type is `com.stockpulse.<name>.v1`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventType {
            $($(#[$doc])* $variant,)+
        }

        impl EventType {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The short name, such as `order.placed`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The CloudEvents type, such as `com.stockpulse.order.placed.v1`.
            #[must_use]
            pub const fn cloud_event_type(self) -> &'static str {
                match self { $(Self::$variant => concat!("com.stockpulse.", $name, ".v1"),)+ }
            }

            /// What it is about.
            #[must_use]
            pub const fn aggregate(self) -> Aggregate {
                match self { $(Self::$variant => Aggregate::$aggregate,)+ }
            }
        }
    };
}

event_types! {
    /// An order was accepted and wants stock.
    OrderPlaced "order.placed" Order,
    /// Stock is reserved for all of an order.
    OrderConfirmed "order.confirmed" Order,
    /// Stock is reserved for part of an order.
    OrderAdjusted "order.adjusted" Order,
    /// An order was refused for want of stock.
    OrderRejected "order.rejected" Order,
    /// An order was cancelled.
    OrderCancelled "order.cancelled" Order,
    /// An order was not paid in time.
    OrderExpired "order.expired" Order,
    /// Goods of an order left.
    OrderShipped "order.shipped" Order,
    /// Goods of an order came back.
    OrderReturned "order.returned" Order,
    /// Something else about an order changed, its payment for example.
    OrderUpdated "order.updated" Order,
    /// Stock was claimed.
    StockReserved "stock.reserved" Reservation,
    /// Stock could not be claimed.
    StockRejected "stock.rejected" Reservation,
    /// A hold that could have run out became a claim for good.
    StockAllocated "stock.allocated" Reservation,
    /// Claims were given back.
    StockReleased "stock.released" Reservation,
    /// A hold ran out.
    StockExpired "stock.expired" Reservation,
    /// Claimed units left.
    StockFulfilled "stock.fulfilled" Reservation,
    /// Units that waited are there.
    StockFilled "stock.filled" Reservation,
    /// On-hand changed other than by an order.
    StockAdjusted "stock.adjusted" Stock,
    /// A level as it is now.
    StockUpdated "stock.updated" Stock,
    /// Available fell to the threshold.
    StockLow "stock.low" Stock,
    /// Nothing is available any more.
    StockOut "stock.out" Stock,
    /// Something is available again.
    StockBack "stock.back" Stock,
    /// A product was created.
    ProductCreated "product.created" Product,
    /// A product changed.
    ProductUpdated "product.updated" Product,
    /// A customer was created.
    CustomerCreated "customer.created" Customer,
    /// A customer changed.
    CustomerUpdated "customer.updated" Customer,
    /// A notification was sent.
    NotificationSent "notification.sent" Notification,
    /// A notification was refused for good.
    NotificationFailed "notification.failed" Notification,
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventType {
    type Err = Error;

    /// Reads the short name or the CloudEvents type.
    ///
    /// # Errors
    /// `InvalidInput` for anything else, another major version included.
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.cloud_event_type() == text || known.name() == text)
            .ok_or_else(|| Error::invalid(format!("unknown event type '{text}'")))
    }
}

impl EventData {
    /// The event's type.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Stock(event) => match event {
                StockEvent::Reserved(_) => EventType::StockReserved,
                StockEvent::Rejected(_) => EventType::StockRejected,
                StockEvent::Allocated(_) => EventType::StockAllocated,
                StockEvent::Released(_) => EventType::StockReleased,
                StockEvent::Expired(_) => EventType::StockExpired,
                StockEvent::Fulfilled(_) => EventType::StockFulfilled,
                StockEvent::Filled(_) => EventType::StockFilled,
                StockEvent::Adjusted(_) => EventType::StockAdjusted,
                StockEvent::Updated(_) => EventType::StockUpdated,
                StockEvent::Low(_) => EventType::StockLow,
                StockEvent::Out(_) => EventType::StockOut,
                StockEvent::Back(_) => EventType::StockBack,
            },
            Self::Order(event) => order_event_type(event.change),
            Self::Product(ProductEvent::Created(_)) => EventType::ProductCreated,
            Self::Product(ProductEvent::Updated(_)) => EventType::ProductUpdated,
            Self::Customer(CustomerEvent::Created(_)) => EventType::CustomerCreated,
            Self::Customer(CustomerEvent::Updated(_)) => EventType::CustomerUpdated,
            Self::Notification(NotificationEvent::Sent(_)) => EventType::NotificationSent,
            Self::Notification(NotificationEvent::Failed(..)) => EventType::NotificationFailed,
        }
    }

    /// The JSON document that the event carries.
    ///
    /// # Errors
    /// `Unexpected` if it cannot be written, which no value of this crate causes.
    pub fn to_json(&self) -> Result<Bytes> {
        match self {
            Self::Stock(event) => match event {
                StockEvent::Reserved(event) => write(event),
                StockEvent::Rejected(event) => write(event),
                StockEvent::Allocated(event)
                | StockEvent::Released(event)
                | StockEvent::Expired(event)
                | StockEvent::Fulfilled(event)
                | StockEvent::Filled(event) => write(event),
                StockEvent::Adjusted(event) => write(event),
                StockEvent::Updated(level) => write(level),
                StockEvent::Low(event) | StockEvent::Out(event) | StockEvent::Back(event) => write(event),
            },
            Self::Order(event) => write(event),
            Self::Product(ProductEvent::Created(product) | ProductEvent::Updated(product)) => write(product),
            Self::Customer(CustomerEvent::Created(customer) | CustomerEvent::Updated(customer)) => write(customer),
            Self::Notification(NotificationEvent::Sent(notification)) => write(notification),
            Self::Notification(NotificationEvent::Failed(notification, reason)) => write(&(notification, reason)),
        }
    }

    /// Reads the JSON document of an event of a type.
    ///
    /// # Errors
    /// `Corrupt` when the document does not fit the type.
    pub fn from_json(event_type: EventType, json: &[u8]) -> Result<Self> {
        let read_error =
            |error: serde_json::Error| Error::corrupt(format!("{event_type}: unreadable document")).with_source(error);
        fn read<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
            serde_json::from_slice(json)
        }
        let data = match event_type {
            EventType::StockReserved => read(json).map(StockEvent::Reserved).map(Self::Stock),
            EventType::StockRejected => read(json).map(StockEvent::Rejected).map(Self::Stock),
            EventType::StockAllocated => read(json).map(StockEvent::Allocated).map(Self::Stock),
            EventType::StockReleased => read(json).map(StockEvent::Released).map(Self::Stock),
            EventType::StockExpired => read(json).map(StockEvent::Expired).map(Self::Stock),
            EventType::StockFulfilled => read(json).map(StockEvent::Fulfilled).map(Self::Stock),
            EventType::StockFilled => read(json).map(StockEvent::Filled).map(Self::Stock),
            EventType::StockAdjusted => read(json).map(StockEvent::Adjusted).map(Self::Stock),
            EventType::StockUpdated => read(json).map(StockEvent::Updated).map(Self::Stock),
            EventType::StockLow => read(json).map(StockEvent::Low).map(Self::Stock),
            EventType::StockOut => read(json).map(StockEvent::Out).map(Self::Stock),
            EventType::StockBack => read(json).map(StockEvent::Back).map(Self::Stock),
            EventType::ProductCreated => read(json).map(ProductEvent::Created).map(Self::Product),
            EventType::ProductUpdated => read(json).map(ProductEvent::Updated).map(Self::Product),
            EventType::CustomerCreated => read(json).map(CustomerEvent::Created).map(Self::Customer),
            EventType::CustomerUpdated => read(json).map(CustomerEvent::Updated).map(Self::Customer),
            EventType::NotificationSent => read(json).map(NotificationEvent::Sent).map(Self::Notification),
            EventType::NotificationFailed => read(json)
                .map(|(notification, reason)| NotificationEvent::Failed(notification, reason))
                .map(Self::Notification),
            _ => read(json).map(Self::Order),
        }
        .map_err(read_error)?;
        if data.event_type() == event_type {
            Ok(data)
        } else {
            Err(Error::corrupt(format!("{event_type}: the document is of type {}", data.event_type())))
        }
    }
}

fn write<T: Serialize>(value: &T) -> Result<Bytes> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Error::new(crate::error::ErrorKind::Unexpected, "event cannot be written").with_source(error))
}

const fn order_event_type(change: OrderChange) -> EventType {
    match change {
        OrderChange::Placed => EventType::OrderPlaced,
        OrderChange::Confirmed => EventType::OrderConfirmed,
        OrderChange::Adjusted => EventType::OrderAdjusted,
        OrderChange::Rejected => EventType::OrderRejected,
        OrderChange::Cancelled => EventType::OrderCancelled,
        OrderChange::Expired => EventType::OrderExpired,
        OrderChange::Shipped | OrderChange::ShippedPartly => EventType::OrderShipped,
        OrderChange::Returned => EventType::OrderReturned,
        OrderChange::PaymentStarted
        | OrderChange::Paid
        | OrderChange::PaymentFailed
        | OrderChange::PaidLate
        | OrderChange::PaidAgain
        | OrderChange::HoldLost
        | OrderChange::Filled
        | OrderChange::Allocated => EventType::OrderUpdated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_either_name_and_another_major_version_is_not() {
        for known in EventType::ALL {
            assert_eq!(known.name().parse::<EventType>().unwrap(), *known);
            assert_eq!(known.cloud_event_type().parse::<EventType>().unwrap(), *known);
        }
        assert!("com.stockpulse.order.placed.v2".parse::<EventType>().is_err());
    }
}
