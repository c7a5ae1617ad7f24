//! A desk that takes commands: a small store that keeps the store's promises, and checks after each command what
//! holds of all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::order::{
    OrderAction, OrderCommand, OrderLoadPlan, OrderOutcome, OrderParts, OrderRefusal, OrderState, OrderWorkingSet,
    PaymentResult, Place, PurchaseKey, StockAnswer,
};
use crate::engine::{Decided, Engine};
use crate::model::{
    Actor, Cause, Command, CommandId, Component, Currency, CustomerId, Event, EventData, EventId, HistoryEntry, Kit,
    LocationId, Money, Order, OrderEvent, OrderId, Quantity, ReservedLine, Sku, SkuQuantity, Timestamp,
};

pub(super) const ORDER: OrderId = OrderId::from_u128(7);
pub(super) const CUSTOMER: CustomerId = CustomerId::from_u128(70);
pub(super) const HALF_HOUR: Duration = Duration::from_secs(1800);

#[derive(Debug)]
pub(super) struct Desk {
    engine: Engine,
    pub(super) now: Timestamp,
    pub(super) history: Vec<HistoryEntry>,
    pub(super) events: Vec<OrderEvent>,
    rows: Rows,
    outcomes: BTreeMap<CommandId, Decided<OrderOutcome>>,
    commands: u128,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Rows {
    orders: BTreeMap<OrderId, Order>,
    purchases: BTreeMap<PurchaseKey, Quantity>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            engine: Engine::new(),
            now: Timestamp::from_secs(1_000),
            history: Vec::new(),
            events: Vec::new(),
            rows: Rows::default(),
            outcomes: BTreeMap::new(),
            commands: 0,
        }
    }

    pub(super) fn with_engine(engine: Engine) -> Self {
        Self { engine, ..Self::new() }
    }

    /// A desk at which an order was placed.
    pub(super) fn placed(place: Place) -> Self {
        let mut desk = Self::new();
        desk.accepted(OrderAction::Place(place));
        desk
    }

    /// A desk at which an order was placed, and stock for all of it reserved.
    pub(super) fn confirmed(place: Place) -> Self {
        let mut desk = Self::placed(place);
        desk.reserve_all();
        desk
    }

    pub(super) fn after(&mut self, duration: Duration) -> &mut Self {
        self.now = self.now.plus(duration);
        self
    }

    /// Decides a command as a store does: with the rows of its load plan and no others.
    pub(super) fn run(&mut self, command: &OrderCommand) -> OrderOutcome {
        let mut set = OrderWorkingSet::new();
        let mut plan = OrderLoadPlan::of(std::slice::from_ref(command));
        for id in &plan.orders.clone() {
            if let Some(order) = self.rows.orders.get(id) {
                plan.add_purchases_of(order);
                set.insert_order(order.clone());
            }
        }
        for key in &plan.purchases {
            if let Some(units) = self.rows.purchases.get(key) {
                set.insert_purchases(key.clone(), *units);
            }
        }
        for id in &plan.commands {
            if let Some(decided) = self.outcomes.get(id) {
                set.insert_outcome(*id, decided.clone());
            }
        }
        let [outcome] = self.engine.execute_orders(&mut set, std::slice::from_ref(command)).try_into().unwrap();
        self.rows.orders.extend(set.changed_orders().map(|(order, _)| (order.id, order.clone())));
        self.rows.purchases.extend(set.changed_purchases().map(|(key, units)| (key.clone(), units)));
        self.outcomes.extend(set.new_outcomes().map(|(id, decided)| (id, decided.clone())));
        self.history.extend(set.take_history());
        self.events.extend(set.drain_events().map(|event| check_event(event, command)));
        outcome
    }

    /// Decides an action, and checks what holds of every command: refused or without effect, nothing changes;
    /// accepted with effect, one entry of the history and at most one event; asked again, the same answer and no
    /// effect; the same id with other contents, a conflict.
    pub(super) fn ask(&mut self, action: OrderAction) -> OrderOutcome {
        self.commands += 1;
        let command = Command::new(CommandId::from_u128(self.commands), self.now, action)
            .with_actor(Actor::Staff("Ada".into()))
            .with_cause(Cause::Event(EventId::from_u128(self.commands)));
        let before = self.rows.clone();
        let (entries, events) = (self.history.len(), self.events.len());
        let outcome = self.run(&command);
        match &outcome {
            OrderOutcome::Accepted(state) if state.changed => {
                let order = &self.rows.orders[&state.order];
                assert_eq!((order.status, order.payment, order.version), (state.status, state.payment, state.version));
                assert_eq!(state.version, before.orders.get(&state.order).map_or(0, |order| order.version) + 1);
                assert_eq!(self.history.len(), entries + 1);
                let entry = self.history.last().unwrap();
                let wanted = (command.id, command.at, &command.actor, command.cause);
                assert_eq!((entry.command, entry.at, &entry.actor, entry.cause), wanted);
                assert_eq!((entry.order, entry.version, entry.status), (order.id, order.version, order.status));
                assert!(self.events.len() - events <= 1);
            }
            _ => {
                assert_eq!(self.rows, before, "{command:?} changed something and answered {outcome:?}");
                assert_eq!((self.history.len(), self.events.len()), (entries, events));
            }
        }
        self.check_purchases();
        self.check_repeats(&command, &outcome);
        outcome
    }

    fn check_repeats(&mut self, command: &OrderCommand, outcome: &OrderOutcome) {
        let seen = (self.rows.clone(), self.history.len(), self.events.len(), self.outcomes.clone());
        let retried = OrderCommand { at: command.at.plus(HALF_HOUR), actor: Actor::System, ..command.clone() };
        assert_eq!(self.run(&retried), *outcome, "asked again");
        let other = OrderAction::Cancel { order: OrderId::from_u128(999), reason: Some("other".to_owned()) };
        let conflict = self.run(&OrderCommand { action: other, ..command.clone() });
        assert_eq!(conflict, OrderOutcome::Refused(OrderRefusal::Conflict));
        assert_eq!((self.rows.clone(), self.history.len(), self.events.len(), self.outcomes.clone()), seen);
    }

    /// What customers are counted to have is what their orders' lines say.
    fn check_purchases(&self) {
        let mut counted: BTreeMap<PurchaseKey, i64> = BTreeMap::new();
        for order in self.rows.orders.values() {
            for line in &order.lines {
                assert!(line.shipped <= line.granted && line.granted <= line.quantity, "{line:?}");
                assert!(line.returned <= line.shipped && line.counted <= line.quantity, "{line:?}");
                if let Some(customer) = order.customer {
                    *counted.entry((customer, line.sku.clone())).or_default() += line.counted.get();
                }
            }
        }
        for (key, units) in &self.rows.purchases {
            assert_eq!(counted.get(key).copied().unwrap_or_default(), units.get(), "{key:?}");
        }
    }

    pub(super) fn accepted(&mut self, action: OrderAction) -> OrderState {
        match self.ask(action) {
            OrderOutcome::Accepted(state) => state,
            refused @ OrderOutcome::Refused(_) => panic!("{refused:?}"),
        }
    }

    pub(super) fn refused(&mut self, action: OrderAction) -> OrderRefusal {
        match self.ask(action) {
            OrderOutcome::Refused(refusal) => refusal,
            accepted @ OrderOutcome::Accepted(_) => panic!("{accepted:?}"),
        }
    }

    pub(super) fn order(&self) -> &Order {
        &self.rows.orders[&ORDER]
    }

    pub(super) fn find(&self, id: OrderId) -> Option<&Order> {
        self.rows.orders.get(&id)
    }

    pub(super) fn event(&self) -> &OrderEvent {
        self.events.last().unwrap()
    }

    /// Units of a SKU that [`CUSTOMER`] has on order, if they are counted.
    pub(super) fn counted(&self, name: &str) -> Option<i64> {
        self.rows.purchases.get(&(CUSTOMER, sku(name))).map(|units| units.get())
    }

    /// Inventory answers about the current attempt.
    pub(super) fn answer(&mut self, answer: StockAnswer) -> OrderState {
        let reservation = self.order().reservation();
        self.accepted(OrderAction::RecordReservation { order: ORDER, reservation, answer })
    }

    pub(super) fn reserve_all(&mut self) -> OrderState {
        let lines = self.order().lines.iter().map(|line| ReservedLine {
            sku: line.sku.clone(),
            requested: line.quantity,
            granted: line.quantity,
            backordered: Quantity::ZERO,
        });
        let lines = lines.collect();
        self.answer(StockAnswer::Reserved { lines, waiting: Vec::new() })
    }

    pub(super) fn begin_payment(&mut self, window: Duration) -> OrderState {
        self.accepted(OrderAction::BeginPayment { order: ORDER, window })
    }

    pub(super) fn pay(&mut self) -> OrderState {
        self.accepted(paid(ORDER))
    }

    pub(super) fn cancel(&mut self) -> OrderState {
        self.accepted(cancel(ORDER))
    }

    pub(super) fn ship(&mut self, parts: OrderParts) -> OrderState {
        self.accepted(OrderAction::Ship { order: ORDER, parts })
    }

    pub(super) fn take_back(&mut self, parts: OrderParts) -> OrderState {
        self.accepted(OrderAction::Return { order: ORDER, parts, location: LocationId::main() })
    }
}

fn check_event(event: Event, command: &OrderCommand) -> OrderEvent {
    assert_eq!((event.command, event.index, event.at), (command.id, 0, command.at));
    match event.data {
        EventData::Order(event) => *event,
        other => panic!("{other:?}"),
    }
}

pub(super) fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

pub(super) fn units(lines: &[(&str, u32)]) -> Vec<SkuQuantity> {
    lines.iter().map(|(name, quantity)| SkuQuantity::new(sku(name), (*quantity).into())).collect()
}

pub(super) fn parts(lines: &[(&str, u32)]) -> OrderParts {
    OrderParts::Lines(units(lines))
}

pub(super) fn place(lines: &[(&str, u32)]) -> Place {
    let place = Place::new(ORDER).with_customer(CUSTOMER);
    lines.iter().fold(place, |place, (name, quantity)| place.with_line(sku(name), *quantity, eur(250)))
}

pub(super) const fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// A set of one cup and two saucers.
pub(super) fn set() -> Kit {
    let part = |name, quantity: u32| Component { sku: sku(name), quantity: quantity.into() };
    Kit { sku: sku("SET"), components: vec![part("CUP", 1), part("SAUCER", 2)] }
}

/// What was granted of what was asked for, by SKU.
pub(super) fn reserved(lines: &[(&str, u32, u32)], waiting: &[(&str, u32)]) -> StockAnswer {
    let line = |(name, requested, granted): &(&str, u32, u32)| ReservedLine {
        sku: sku(name),
        requested: (*requested).into(),
        granted: (*granted).into(),
        backordered: Quantity::ZERO,
    };
    StockAnswer::Reserved { lines: lines.iter().map(line).collect(), waiting: units(waiting) }
}

pub(super) fn filled(lines: &[(&str, u32)]) -> StockAnswer {
    StockAnswer::Filled(units(lines))
}

pub(super) const fn paid(order: OrderId) -> OrderAction {
    OrderAction::RecordPayment { order, result: PaymentResult::Paid }
}

pub(super) const fn payment_failed(order: OrderId) -> OrderAction {
    OrderAction::RecordPayment { order, result: PaymentResult::Failed }
}

pub(super) fn cancel(order: OrderId) -> OrderAction {
    OrderAction::Cancel { order, reason: Some("changed my mind".to_owned()) }
}
