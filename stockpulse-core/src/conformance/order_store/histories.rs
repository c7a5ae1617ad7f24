//! Random histories, compared with the engine.

use std::time::Duration;

use super::commands::{customer, euro, order};
use super::reference::Reference;
use crate::conformance::events::holds;
use crate::conformance::random::{Random, seeds};
use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::order::{OrderAction, OrderCommand, OrderParts, PaymentResult, Place, PurchaseLimit, StockAnswer};
use crate::model::{
    Command, CommandId, CustomerId, LocationId, OrderId, Policy, Quantity, ReservedLine, Sku, SkuQuantity, Timestamp,
};
use crate::port::OrderStore;

pub(super) async fn random_histories_agree_with_the_engine(
    harness: &dyn Harness<OrderBackend>,
) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut reference = Reference::default();
    for seed in seeds()? {
        let told = |violation: Violation| violation.during(format!("STOCKPULSE_SEED={seed}"));
        let before = reference.events().len();
        history(&mut reference, &*store, harness, seed, 60).await.map_err(told)?;
        reference.agrees(&*store).await.map_err(told)?;
        let new = reference.events().get(before..).unwrap_or_default();
        holds(&*outbox, new).await.map_err(told)?;
    }
    Ok(())
}

/// Lets store and reference decide a history of random batches, compares the answers, and tells the batches.
pub(super) async fn history(
    reference: &mut Reference,
    store: &dyn OrderStore,
    harness: &dyn Harness<OrderBackend>,
    seed: u64,
    batches: u32,
) -> Result<Vec<Vec<OrderCommand>>, Violation> {
    let mut maker = Maker::new(seed, harness.now())?;
    let mut all = Vec::new();
    for _ in 0..batches {
        let size = 1 + maker.random.below(8);
        let batch = (0..size).map(|_| maker.command(reference)).collect::<Vec<_>>();
        reference.both(store, &batch).await?;
        all.push(batch);
    }
    Ok(all)
}

/// Makes commands up.
struct Maker {
    random: Random,
    now: Timestamp,
    skus: Vec<Sku>,
    orders: Vec<OrderId>,
    customers: Vec<CustomerId>,
    made: Vec<OrderCommand>,
}

impl Maker {
    fn new(seed: u64, now: Timestamp) -> Result<Self, Violation> {
        Ok(Self {
            random: Random::new(seed),
            now,
            skus: vec![sku("mug")?, sku("MUG")?, sku("pot")?],
            orders: (0..24).map(|_| order()).collect(),
            customers: (0..2).map(|_| customer()).collect(),
            made: Vec::new(),
        })
    }

    fn command(&mut self, reference: &Reference) -> OrderCommand {
        self.now = self.now.plus(Duration::from_millis(u64::from(self.random.below(5_000))));
        if let Some(earlier) = self.random.pick(&self.made).cloned() {
            if self.random.once_in(10) {
                return OrderCommand { at: self.now, ..earlier };
            }
            if self.random.once_in(25) {
                return Command { action: self.action(reference), ..earlier };
            }
        }
        let command = Command::new(CommandId::new(fresh()), self.now, self.action(reference));
        self.made.push(command.clone());
        command
    }

    fn units(&mut self, most: u32) -> Quantity {
        (1 + self.random.below(most)).into()
    }

    fn action(&mut self, reference: &Reference) -> OrderAction {
        let order = self.random.pick(&self.orders).copied().unwrap_or_else(order);
        match self.random.below(20) {
            0..=3 => OrderAction::Place(self.place(order)),
            4..=9 => self.answer(reference, order),
            10 => OrderAction::BeginPayment { order, window: Duration::from_secs(u64::from(self.random.below(60))) },
            11 | 12 => {
                let result = if self.random.once_in(3) { PaymentResult::Failed } else { PaymentResult::Paid };
                OrderAction::RecordPayment { order, result }
            }
            13..=16 => OrderAction::Ship { order, parts: self.parts() },
            17 if self.random.once_in(2) => {
                OrderAction::Return { order, parts: self.parts(), location: LocationId::main() }
            }
            17 | 18 => OrderAction::Expire { order },
            _ => OrderAction::Cancel { order, reason: self.random.once_in(2).then(|| "changed".to_owned()) },
        }
    }

    fn place(&mut self, order: OrderId) -> Place {
        let mut place = Place::new(order);
        place.customer = self.random.pick(&self.customers).copied().filter(|_| !self.random.once_in(4));
        for sku in self.skus.clone() {
            if place.lines.is_empty() || self.random.once_in(2) {
                place = place.with_line(sku.clone(), self.units(4), euro(i64::from(self.random.below(5_000))));
            }
            if self.random.once_in(2) {
                place.limits.push(PurchaseLimit { sku, limit: self.units(12) });
            }
        }
        if self.random.once_in(2) {
            place = place.prepaid(Duration::from_secs(u64::from(1 + self.random.below(120))));
        }
        place.with_policy(if self.random.once_in(2) { Policy::Partial } else { Policy::Backorder })
    }

    /// What inventory may say about the order as it is, or about an attempt that is over.
    fn answer(&mut self, reference: &Reference, order: OrderId) -> OrderAction {
        let known = reference.order(order);
        let reservation = match known {
            Some(order) if !self.random.once_in(6) => order.reservation(),
            _ => order.reservation(1 + self.random.below(2)),
        };
        let answer = match self.random.below(10) {
            0..=5 => {
                let mut lines = Vec::new();
                let mut waiting = Vec::new();
                for line in known.iter().flat_map(|order| &order.lines) {
                    let granted = Quantity::from(self.random.below(5)).min(line.quantity);
                    let backordered = Quantity::from(self.random.below(2)).min(granted);
                    if !backordered.is_zero() {
                        waiting.push(SkuQuantity::new(line.sku.clone(), backordered));
                    }
                    let (sku, requested) = (line.sku.clone(), line.quantity);
                    lines.push(ReservedLine { sku, requested, granted, backordered });
                }
                StockAnswer::Reserved { lines, waiting }
            }
            6 => StockAnswer::Rejected,
            7 => StockAnswer::Expired,
            8 => StockAnswer::Allocated,
            _ => {
                let waiting = known.map(|order| order.waiting.clone()).unwrap_or_default();
                StockAnswer::Filled(waiting)
            }
        };
        OrderAction::RecordReservation { order, reservation, answer }
    }

    fn parts(&mut self) -> OrderParts {
        match self.random.pick(&self.skus).cloned() {
            Some(sku) if self.random.once_in(2) => OrderParts::Lines(vec![SkuQuantity::new(sku, self.units(2))]),
            _ => OrderParts::All,
        }
    }
}
