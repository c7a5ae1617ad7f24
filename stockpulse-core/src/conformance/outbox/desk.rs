//! Filling an outbox with events of chosen keys, and emptying it.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance::support::{fresh, limit, sku};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::engine::stock::{Reserve, StockAction, StockCommand};
use crate::error::Result;
use crate::model::{Command, CommandId, EventId, EventKey, OrderId, ReservationId, Timestamp};
use crate::port::{Claim, Outbox, OutboxRow, outbox_shard};

/// Longer than any test takes.
pub(super) const LONG: Duration = Duration::from_secs(3_600);
/// As long as a test can wait for its end.
pub(super) const SHORT: Duration = Duration::from_millis(300);

/// A store with its outbox.
pub(super) struct Desk<'a> {
    pub(super) backend: InventoryBackend,
    harness: &'a dyn Harness<InventoryBackend>,
}

impl<'a> Desk<'a> {
    pub(super) async fn open(harness: &'a dyn Harness<InventoryBackend>) -> Result<Self> {
        Ok(Self { backend: harness.open().await?, harness })
    }

    /// The process dies and comes back.
    pub(super) async fn reopen(self) -> Result<Self> {
        Ok(Self { backend: self.harness.reopen(self.backend).await?, harness: self.harness })
    }

    pub(super) fn outbox(&self) -> &dyn Outbox {
        &*self.backend.outbox
    }

    pub(super) fn now(&self) -> Timestamp {
        self.harness.now()
    }

    /// Another process's outbox, if there is such a thing.
    pub(super) async fn another(&self) -> Result<Arc<dyn Outbox>> {
        let another = self.harness.another().await?;
        Ok(another.map_or_else(|| Arc::clone(&self.backend.outbox), |backend| backend.outbox))
    }

    /// Writes one event for each of these orders, in one batch, and answers the events' ids.
    pub(super) async fn write(&self, orders: &[OrderId]) -> Result<Vec<EventId>, Violation> {
        let mut batch = Vec::with_capacity(orders.len());
        for order in orders {
            batch.push(refused(*order, self.harness.now())?);
        }
        let ids = batch.iter().map(event_of).collect();
        self.backend.store.execute(&Engine::new(), batch).await?;
        Ok(ids)
    }

    /// Claims for a worker; a lease that lasts.
    pub(super) async fn claim(&self, worker: &str) -> Result<Claim> {
        self.outbox().claim(worker, LONG, limit(1_000)).await
    }
}

/// A request that is refused, for an unknown SKU: one event, for the order.
pub(super) fn refused(order: OrderId, at: Timestamp) -> Result<StockCommand> {
    let request = Reserve::new(ReservationId::new(fresh())).with_order(order).with_line(sku("UNKNOWN")?, 1);
    Ok(Command::new(CommandId::new(fresh()), at, StockAction::Reserve(request)))
}

/// The id of a command's first event.
pub(super) fn event_of(command: &StockCommand) -> EventId {
    EventId::new(crate::model::derive(command.id.as_uuid(), "event", 0))
}

/// Orders that nobody else knows.
pub(super) fn orders<const N: usize>() -> [OrderId; N] {
    std::array::from_fn(|_| OrderId::new(fresh()))
}

/// The events' ids, sorted: rows of several keys come in no order that a rule may rely on.
pub(super) fn sorted(mut ids: Vec<EventId>) -> Vec<EventId> {
    ids.sort_unstable();
    ids
}

pub(super) fn events(rows: &[OutboxRow]) -> Vec<EventId> {
    rows.iter().map(|row| row.event.id()).collect()
}

/// The events of one order among the rows, in the rows' order.
pub(super) fn of(rows: &[OutboxRow], order: OrderId) -> Vec<EventId> {
    rows.iter().filter(|row| row.event.key() == EventKey::Order(order)).map(|row| row.event.id()).collect()
}

pub(super) fn ids(rows: &[OutboxRow]) -> Vec<u64> {
    rows.iter().map(|row| row.id).collect()
}

/// The row of an event.
pub(super) fn row(rows: &[OutboxRow], event: EventId) -> Result<OutboxRow, Violation> {
    let found = rows.iter().find(|row| row.event.id() == event);
    found.cloned().ok_or_else(|| Violation::new(format!("event {event} was not handed out")))
}

/// The claim holds a lease on the shard of each of its rows.
pub(super) fn is_covered(claim: &Claim) -> Result<(), Violation> {
    let shards: Vec<u16> = claim.lease.shards.iter().map(|(shard, _)| *shard).collect();
    let strange = claim.rows.iter().find(|row| !shards.contains(&outbox_shard(&row.event)));
    match strange {
        None => Ok(()),
        Some(row) => Err(Violation::new(format!("row {} is of a shard that the lease does not name", row.id))),
    }
}
