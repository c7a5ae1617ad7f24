//! The rows that order commands work on, and what they changed.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::command::{OrderAction, OrderCommand};
use super::outcome::OrderOutcome;
use crate::engine::decided::Decided;
use crate::engine::stock::RowChange;
use crate::model::{CommandId, CustomerId, Event, HistoryEntry, Order, OrderId, Quantity, Sku};

type Map<K, V> = HashMap<K, V, RandomState>;

/// Which customer's purchases of which SKU.
pub type PurchaseKey = (CustomerId, Sku);

/// What a store has to load before a batch of order commands: each list sorted and without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderLoadPlan {
    /// Commands whose outcome may be stored.
    pub commands: Vec<CommandId>,
    /// Orders, under lock.
    pub orders: Vec<OrderId>,
    /// Purchases, under lock, after [`OrderLoadPlan::add_purchases_of`] each loaded order.
    pub purchases: Vec<PurchaseKey>,
}

impl OrderLoadPlan {
    /// What a batch needs.
    #[must_use]
    pub fn of(batch: &[OrderCommand]) -> Self {
        let mut plan = Self::default();
        for command in batch {
            plan.commands.push(command.id);
            plan.orders.push(command.action.order());
            if let OrderAction::Place(place) = &command.action {
                let limited = place.limits.iter().map(|limit| limit.sku.clone());
                plan.purchases
                    .extend(place.customer.into_iter().flat_map(|id| limited.clone().map(move |sku| (id, sku))));
            }
        }
        plan.commands.sort_unstable();
        plan.commands.dedup();
        plan.orders.sort_unstable();
        plan.orders.dedup();
        plan.sort_purchases();
        plan
    }

    /// Adds the purchases that a loaded order counts in.
    pub fn add_purchases_of(&mut self, order: &Order) {
        if let Some(customer) = order.customer {
            let counted = order.lines.iter().filter(|line| !line.counted.is_zero());
            self.purchases.extend(counted.map(|line| (customer, line.sku.clone())));
            self.sort_purchases();
        }
    }

    fn sort_purchases(&mut self) {
        self.purchases.sort_unstable();
        self.purchases.dedup();
    }
}

/// The rows that a batch of order commands needs: loaded by a store under lock, changed by the engine, saved by
/// the store.
#[derive(Debug, Default)]
pub struct OrderWorkingSet {
    orders: Map<OrderId, (Order, Option<RowChange>)>,
    purchases: Map<PurchaseKey, Quantity>,
    outcomes: Map<CommandId, Decided<OrderOutcome>>,
    dirty_orders: Vec<OrderId>,
    dirty_purchases: Vec<PurchaseKey>,
    new_outcomes: Vec<CommandId>,
    history: Vec<HistoryEntry>,
    events: Vec<Event>,
}

impl OrderWorkingSet {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads an order.
    pub fn insert_order(&mut self, order: Order) {
        self.orders.insert(order.id, (order, None));
    }

    /// Loads how many units of a limited SKU a customer has on order.
    pub fn insert_purchases(&mut self, key: PurchaseKey, units: Quantity) {
        self.purchases.insert(key, units);
    }

    /// Loads the stored outcome of a command.
    pub fn insert_outcome(&mut self, command: CommandId, decided: Decided<OrderOutcome>) {
        self.outcomes.insert(command, decided);
    }

    /// An order.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id).map(|(order, _)| order)
    }

    /// All orders, in no order.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().map(|(order, _)| order)
    }

    /// Units of a limited SKU that a customer has on order, if they are counted.
    #[must_use]
    pub fn purchases(&self, key: &PurchaseKey) -> Option<Quantity> {
        self.purchases.get(key).copied()
    }

    /// All purchases that are counted, in no order.
    pub fn all_purchases(&self) -> impl Iterator<Item = (&PurchaseKey, Quantity)> {
        self.purchases.iter().map(|(key, units)| (key, *units))
    }

    /// The stored outcome of a command.
    #[must_use]
    pub fn outcome(&self, command: CommandId) -> Option<&Decided<OrderOutcome>> {
        self.outcomes.get(&command)
    }

    /// All stored outcomes, in no order.
    pub fn outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<OrderOutcome>)> {
        self.outcomes.iter().map(|(id, decided)| (*id, decided))
    }

    /// The orders that changed, as they are now, and whether they are new.
    pub fn changed_orders(&self) -> impl Iterator<Item = (&Order, RowChange)> {
        self.dirty_orders.iter().filter_map(|id| {
            let (order, change) = self.orders.get(id)?;
            Some((order, (*change)?))
        })
    }

    /// The purchases that changed, as they are now. A key may occur more than once.
    pub fn changed_purchases(&self) -> impl Iterator<Item = (&PurchaseKey, Quantity)> {
        self.dirty_purchases.iter().filter_map(|key| Some((key, self.purchases(key)?)))
    }

    /// The commands that were decided, with their outcomes, in order.
    pub fn new_outcomes(&self) -> impl Iterator<Item = (CommandId, &Decided<OrderOutcome>)> {
        self.new_outcomes.iter().filter_map(|id| Some((*id, self.outcomes.get(id)?)))
    }

    /// The new entries of the orders' histories, in order.
    #[must_use]
    pub fn history(&self) -> &[HistoryEntry] {
        &self.history
    }

    /// The events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Takes the new entries of the orders' histories.
    pub fn take_history(&mut self) -> Vec<HistoryEntry> {
        std::mem::take(&mut self.history)
    }

    /// Takes the new events.
    pub fn drain_events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// Forgets what changed: it was saved. The rows stay.
    pub fn clear_changes(&mut self) {
        for id in self.dirty_orders.drain(..) {
            if let Some((_, change)) = self.orders.get_mut(&id) {
                *change = None;
            }
        }
        self.dirty_purchases.clear();
        self.new_outcomes.clear();
        self.history.clear();
        self.events.clear();
    }

    pub(super) fn put_order(&mut self, order: Order) {
        let id = order.id;
        let before = self.orders.get(&id).map(|(_, change)| *change);
        let change = match before {
            None => RowChange::Created,
            Some(None) => RowChange::Updated,
            Some(Some(change)) => change,
        };
        if !matches!(before, Some(Some(_))) {
            self.dirty_orders.push(id);
        }
        self.orders.insert(id, (order, Some(change)));
    }

    pub(super) fn put_purchases(&mut self, key: PurchaseKey, units: Quantity) {
        self.dirty_purchases.push(key.clone());
        self.purchases.insert(key, units);
    }

    pub(super) fn put_outcome(&mut self, command: CommandId, decided: Decided<OrderOutcome>) {
        self.new_outcomes.push(command);
        self.outcomes.insert(command, decided);
    }

    pub(super) fn push_history(&mut self, entry: HistoryEntry) {
        self.history.push(entry);
    }

    pub(super) fn push_event(&mut self, event: Event) {
        self.events.push(event);
    }
}
