//! Short words for commands.

use std::time::Duration;

use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::Engine;
use crate::engine::order::{OrderAction, OrderCommand, OrderOutcome, PaymentResult, Place, StockAnswer};
use crate::error::Result;
use crate::model::{Command, CommandId, Currency, CustomerId, Money, OrderId, Quantity, ReservedLine, Sku, Timestamp};
use crate::port::OrderStore;

/// Makes commands with fresh ids, each a millisecond after the one before.
#[derive(Debug)]
pub(super) struct Desk {
    at: Timestamp,
}

impl Desk {
    pub(super) fn new(harness: &dyn Harness<OrderBackend>) -> Self {
        Self { at: harness.now() }
    }

    pub(super) fn command(&mut self, action: OrderAction) -> OrderCommand {
        self.at = self.at.plus(Duration::from_millis(1));
        Command::new(CommandId::new(fresh()), self.at, action)
    }

    pub(super) fn place(&mut self, place: Place) -> OrderCommand {
        self.command(OrderAction::Place(place))
    }

    /// Inventory has everything of this order of one SKU.
    pub(super) fn reserved(&mut self, order: OrderId, sku: &Sku, units: u32) -> OrderCommand {
        let quantity = Quantity::from(units);
        let line =
            ReservedLine { sku: sku.clone(), requested: quantity, granted: quantity, backordered: Quantity::ZERO };
        let answer = StockAnswer::Reserved { lines: vec![line], waiting: Vec::new() };
        self.command(OrderAction::RecordReservation { order, reservation: order.reservation(1), answer })
    }

    pub(super) fn paid(&mut self, order: OrderId) -> OrderCommand {
        self.command(OrderAction::RecordPayment { order, result: PaymentResult::Paid })
    }

    pub(super) fn cancel(&mut self, order: OrderId) -> OrderCommand {
        self.command(OrderAction::Cancel { order, reason: Some("changed \u{1f4ad}, it's \"off\"".to_owned()) })
    }
}

pub(super) fn order() -> OrderId {
    OrderId::new(fresh())
}

pub(super) fn customer() -> CustomerId {
    CustomerId::new(fresh())
}

pub(super) fn euro(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

/// An order of one mug.
pub(super) fn mug(order: OrderId) -> Result<Place> {
    Ok(Place::new(order).with_line(sku("MUG")?, 1, euro(950)))
}

/// Executes with an engine of no peculiarities.
pub(super) async fn execute(
    store: &dyn OrderStore,
    batch: impl IntoIterator<Item = OrderCommand>,
) -> Result<Vec<OrderOutcome>> {
    store.execute(&Engine::new(), batch.into_iter().collect()).await
}

/// Whether it is no refusal.
pub(super) const fn accepted(outcome: &OrderOutcome) -> bool {
    matches!(outcome, OrderOutcome::Accepted(_))
}

/// Fails for the first refusal.
pub(super) fn all_accepted(outcomes: &[OrderOutcome]) -> Result<(), Violation> {
    match outcomes.iter().find(|outcome| !accepted(outcome)) {
        None => Ok(()),
        Some(outcome) => Err(Violation::new(format!("refused: {outcome:?}"))),
    }
}
