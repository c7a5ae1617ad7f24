//! Who reads what how often, and what never goes back.

mod near;
mod shared;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::*;
use crate::engine::Engine;
use crate::engine::order::{OrderCommand, OrderOutcome};
use crate::error::{Error, ErrorKind};
use crate::model::{
    CommandId, CustomerId, Envelope, Event, EventData, HistoryEntry, Order, OrderChange, OrderDetail, OrderEvent,
    OrderId, OrderStatus, PaymentStatus, Timestamp,
};
use crate::port::{OrderQuery, OrderStore, Page};
use crate::worker::Incoming;

fn order(id: u128, version: u64) -> Order {
    let terms = crate::model::PaymentTerms::OnDelivery;
    Order {
        id: OrderId::from_u128(id),
        customer: Some(CustomerId::from_u128(1)),
        lines: Vec::new(),
        kits: Vec::new(),
        waiting: Vec::new(),
        policy: crate::model::Policy::default(),
        sourcing: crate::model::Sourcing::default(),
        terms,
        status: OrderStatus::Placed,
        payment: PaymentStatus::NotRequired,
        pay_by: None,
        held_until: None,
        attempt: 1,
        placed_at: Timestamp::from_secs(1),
        version,
    }
}

/// An order that came to be of this version.
fn changed(order: &Order) -> Incoming {
    let (change, detail) = (OrderChange::Confirmed, OrderDetail::None);
    let Order { id, customer, status, payment, .. } = *order;
    let data = OrderEvent { order: id, customer, change, status, payment, reservation: order.reservation(), detail };
    incoming(order.version, EventData::Order(Box::new(data)))
}

fn incoming(sequence: u64, data: EventData) -> Incoming {
    let (command, at) = (CommandId::from_u128(u128::from(sequence)), Timestamp::from_secs(1));
    let event = Event { command, index: 0, sequence, at, trace: None, data };
    Incoming { envelope: Envelope::seal(&event, "/test").unwrap(), data: event.data }
}

/// A store of orders whose readings wait until they may go on, and then answer what there was when they began.
#[derive(Debug)]
struct Slow {
    orders: Mutex<Vec<Order>>,
    readings: AtomicUsize,
    go_on: Semaphore,
    fails: bool,
}

impl Slow {
    fn with(orders: impl IntoIterator<Item = Order>) -> Arc<Self> {
        let orders = Mutex::new(orders.into_iter().collect());
        Arc::new(Self { orders, readings: AtomicUsize::new(0), go_on: Semaphore::new(0), fails: false })
    }

    fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }

    fn set(&self, order: Order) {
        *self.orders.lock().unwrap() = vec![order];
    }

    /// Waits until so many readings have begun.
    async fn began(&self, readings: usize) {
        while self.readings() < readings {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl OrderStore for Slow {
    async fn execute(&self, _: &Engine, _: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        Err(Error::new(ErrorKind::Unsupported, "it only reads"))
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        let there = self.orders.lock().unwrap().clone();
        self.readings.fetch_add(1, Ordering::SeqCst);
        self.go_on.acquire().await.unwrap().forget();
        if self.fails {
            return Err(Error::new(ErrorKind::Unavailable, "the store is down"));
        }
        Ok(ids.iter().map(|id| there.iter().find(|order| order.id == *id).cloned()).collect())
    }

    async fn overdue(&self, _: Timestamp, _: std::num::NonZeroUsize) -> Result<Vec<OrderId>> {
        Ok(Vec::new())
    }

    async fn history(&self, _: OrderId) -> Result<Vec<HistoryEntry>> {
        Ok(Vec::new())
    }

    async fn list_orders(&self, _: &OrderQuery, _: std::num::NonZeroUsize) -> Result<Page<Order, OrderId>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

/// The versions that are found.
async fn versions(reads: &Reads<Order>, ids: &[u128]) -> Vec<Option<u64>> {
    let ids: Vec<OrderId> = ids.iter().copied().map(OrderId::from_u128).collect();
    let orders = reads.many(&ids).await.unwrap();
    orders.iter().map(|order| order.as_ref().map(|order| order.version)).collect()
}
