//! Every port on memory backends, and what is asked of them.

use std::sync::Arc;

use stockpulse_core::engine::order::{OrderAction, OrderCommand, Place};
use stockpulse_core::engine::record::{CustomerCommand, Expected, ProductCommand, Put};
use stockpulse_core::engine::stock::{Reserve, StockAction, StockCommand};
use stockpulse_core::memory::{
    MemoryBus, MemoryCache, MemoryCatalogStore, MemoryCustomerStore, MemoryGate, MemoryInventoryStore,
    MemoryNotificationLog, MemoryOrderStore, RecordingNotifier,
};
use stockpulse_core::model::{
    Command, CommandId, Customer, CustomerId, EventId, Notification, NotificationKind, OrderId, Product, Quantity,
    ReservationId, StockQuantity,
};
use stockpulse_core::port::CacheKey;

use crate::support::{euro, key, sku, start};

pub(crate) const ANN: CustomerId = CustomerId::from_u128(1);
pub(crate) const ORDER: OrderId = OrderId::from_u128(7);
pub(crate) const CART: ReservationId = ReservationId::from_u128(8);

#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) inventory: MemoryInventoryStore,
    pub(crate) orders: MemoryOrderStore,
    pub(crate) catalog: MemoryCatalogStore,
    pub(crate) customers: MemoryCustomerStore,
    pub(crate) log: MemoryNotificationLog,
    pub(crate) notifier: RecordingNotifier,
    pub(crate) bus: MemoryBus,
    pub(crate) cache: MemoryCache,
    pub(crate) gate: MemoryGate,
}

impl Ports {
    pub(crate) fn new() -> Self {
        let (_, clock) = crate::support::clock();
        let customers = MemoryCustomerStore::new(Arc::clone(&clock));
        Self {
            inventory: MemoryInventoryStore::new(Arc::clone(&clock)),
            orders: MemoryOrderStore::new(Arc::clone(&clock)),
            catalog: MemoryCatalogStore::new(Arc::clone(&clock)),
            log: MemoryNotificationLog::new(customers.outbox()),
            customers,
            notifier: RecordingNotifier::new(),
            bus: MemoryBus::new().with_clock(Arc::clone(&clock)),
            cache: MemoryCache::new(Arc::clone(&clock)),
            gate: MemoryGate::new(clock),
        }
    }
}

fn command<A>(id: u128, action: A) -> Command<A> {
    Command::new(CommandId::from_u128(id), start(), action)
}

/// Done twice, ten more units would lie there.
pub(crate) fn ten_cups() -> StockCommand {
    let lines = [StockQuantity::new(key("CUP"), Quantity::from(10))].into_iter().collect();
    command(1, StockAction::Receive { lines })
}

pub(crate) fn hold() -> StockCommand {
    command(2, StockAction::Reserve(Reserve::new(CART).with_line(sku("CUP"), 4)))
}

pub(crate) fn order() -> OrderCommand {
    command(3, OrderAction::Place(Place::new(ORDER).with_customer(ANN).with_line(sku("CUP"), 1, euro(1))))
}

pub(crate) fn product() -> ProductCommand {
    command(4, Put { record: Product::new(sku("CUP"), "A cup", euro(1)), expected: Expected::New })
}

pub(crate) fn ann() -> CustomerCommand {
    command(5, Put { record: Customer::new(ANN, "Ann"), expected: Expected::New })
}

pub(crate) fn notification() -> Notification {
    Notification::new(EventId::from_u128(6), NotificationKind::OrderConfirmed, ORDER, ANN, start())
}

pub(crate) fn cached() -> CacheKey {
    CacheKey::new("stock", "CUP")
}
