//! Orders and inventory side by side, joined by plain queues: what a bus delivers, in order per key, duplicates
//! included, and nothing else.

pub(crate) mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{
    OrderAction, OrderOutcome, OrderParts, OrderRefusal, OrderState, OrderWorkingSet, PaymentResult, Place, StockAnswer,
};
use stockpulse_core::engine::saga;
use stockpulse_core::engine::stock::{LevelSettings, StockAction, StockOutcome, StockWorkingSet};
use stockpulse_core::model::{
    Cause, Command, CommandId, Component, Currency, CustomerId, Envelope, Event, EventData, EventId, HistoryEntry, Kit,
    LocationId, Money, Movement, Order, OrderId, Quantity, Reservation, ReservationId, Sku, SkuQuantity, StockKey,
    StockLevel, StockQuantity, Timestamp,
};

pub(crate) const ORDER: OrderId = OrderId::from_u128(7);
pub(crate) const CUSTOMER: CustomerId = CustomerId::from_u128(70);
pub(crate) const HALF_HOUR: Duration = Duration::from_secs(1800);

/// Events in the order in which they were published, and how far each key's consumer has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pub(crate) log: Vec<Envelope>,
    by_key: BTreeMap<String, Vec<usize>>,
    done: BTreeMap<String, usize>,
}

impl Queue {
    fn publish(&mut self, event: &Event) {
        let envelope = Envelope::seal(event, "/stockpulse/test").unwrap();
        assert_eq!(envelope.open().unwrap(), event.data, "what was sealed is what is opened");
        self.by_key.entry(envelope.partition_key.to_string()).or_default().push(self.log.len());
        self.log.push(envelope);
    }

    /// Keys with events that have not been delivered.
    pub(crate) fn ready(&self) -> Vec<String> {
        let behind = |key: &String| self.by_key[key].len() > self.done.get(key).copied().unwrap_or_default();
        self.by_key.keys().filter(|key| behind(key)).cloned().collect()
    }

    /// What was delivered, at least once.
    pub(crate) fn delivered(&self) -> Vec<Envelope> {
        let done = |key: &String| self.done.get(key).copied().unwrap_or_default();
        let indexes = self.by_key.iter().flat_map(|(key, events)| &events[..done(key)]);
        indexes.map(|index| self.log[*index].clone()).collect()
    }

    fn next(&mut self, key: &str) -> Option<Envelope> {
        let done = self.done.entry(key.to_owned()).or_default();
        let index = *self.by_key.get(key)?.get(*done)?;
        *done += 1;
        Some(self.log[index].clone())
    }
}

#[derive(Debug)]
pub(crate) struct World {
    engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) orders: OrderWorkingSet,
    pub(crate) stock: StockWorkingSet,
    pub(crate) history: BTreeMap<OrderId, Vec<HistoryEntry>>,
    pub(crate) ledger: Vec<Movement>,
    /// What orders say to inventory.
    pub(crate) order_events: Queue,
    /// What inventory says to orders.
    pub(crate) stock_events: Queue,
    /// What inventory refused of what orders asked it to do.
    pub(crate) refused: Vec<(StockAction, StockOutcome)>,
    commands: u128,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            engine: Engine::new(),
            now: Timestamp::from_secs(1_000),
            orders: OrderWorkingSet::new(),
            stock: StockWorkingSet::new(),
            history: BTreeMap::new(),
            ledger: Vec::new(),
            order_events: Queue::default(),
            stock_events: Queue::default(),
            refused: Vec::new(),
            commands: 0,
        }
    }

    /// A world in which there are so many of these at `main`.
    pub(crate) fn with_stock(lines: &[(&str, u32)]) -> Self {
        let mut world = Self::new();
        for (name, units) in lines {
            world.receive(name, *units);
        }
        world
    }

    fn fresh(&mut self) -> CommandId {
        self.commands += 1;
        CommandId::from_u128(self.commands)
    }

    pub(crate) fn after(&mut self, duration: Duration) -> &mut Self {
        self.now = self.now.plus(duration);
        self
    }

    pub(crate) fn ask(&mut self, action: OrderAction) -> OrderOutcome {
        let id = self.fresh();
        self.decide_order(id, Cause::Request, action)
    }

    pub(crate) fn accepted(&mut self, action: OrderAction) -> OrderState {
        match self.ask(action) {
            OrderOutcome::Accepted(state) => state,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn refusal(&mut self, action: OrderAction) -> OrderRefusal {
        match self.ask(action) {
            OrderOutcome::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn ask_stock(&mut self, action: StockAction) -> StockOutcome {
        let id = self.fresh();
        self.decide_stock(id, Cause::Request, action)
    }

    fn decide_order(&mut self, id: CommandId, cause: Cause, action: OrderAction) -> OrderOutcome {
        let command = Command::new(id, self.now, action).with_cause(cause);
        let [outcome] = self.engine.execute_orders(&mut self.orders, &[command]).try_into().unwrap();
        for entry in self.orders.take_history() {
            self.history.entry(entry.order).or_default().push(entry);
        }
        for event in self.orders.drain_events().collect::<Vec<_>>() {
            self.order_events.publish(&event);
        }
        self.orders.clear_changes();
        outcome
    }

    fn decide_stock(&mut self, id: CommandId, cause: Cause, action: StockAction) -> StockOutcome {
        let command = Command::new(id, self.now, action).with_cause(cause);
        let [outcome] = self.engine.execute_stock(&mut self.stock, &[command]).try_into().unwrap();
        self.stock.drain_movements(&mut self.ledger);
        for event in self.stock.drain_events().collect::<Vec<_>>() {
            self.stock_events.publish(&event);
        }
        self.stock.clear_changes();
        for level in self.stock.levels() {
            assert!(!level.is_oversold(), "{level:?}");
        }
        outcome
    }

    /// Inventory handles an event of orders, for the first time or once more.
    pub(crate) fn handle_order_event(&mut self, envelope: &Envelope) {
        let EventData::Order(event) = envelope.open().unwrap() else { panic!("{envelope:?}") };
        let Some(action) = saga::stock_action(&event) else { return };
        let id = saga::command_for(envelope.id, "inventory");
        let known = self.stock.outcome(id).is_some();
        let outcome = self.decide_stock(id, Cause::Event(envelope.id), action.clone());
        if let (StockOutcome::Refused(_), false) = (&outcome, known) {
            self.refused.push((action, outcome));
        }
    }

    /// Orders handle an event of inventory, for the first time or once more.
    pub(crate) fn handle_stock_event(&mut self, envelope: &Envelope) {
        let EventData::Stock(event) = envelope.open().unwrap() else { panic!("{envelope:?}") };
        let Some(action) = saga::order_action(&event) else { return };
        let id = saga::command_for(envelope.id, "orders");
        let outcome = self.decide_order(id, Cause::Event(envelope.id), action);
        assert!(matches!(outcome, OrderOutcome::Accepted(_)), "{outcome:?}");
    }

    /// Delivers the next event of a key to inventory.
    pub(crate) fn deliver_to_stock(&mut self, key: &str) {
        if let Some(envelope) = self.order_events.next(key) {
            self.handle_order_event(&envelope);
        }
    }

    /// Delivers the next event of a key to orders.
    pub(crate) fn deliver_to_orders(&mut self, key: &str) {
        if let Some(envelope) = self.stock_events.next(key) {
            self.handle_stock_event(&envelope);
        }
    }

    /// Delivers what there is to inventory, but not what follows from it.
    pub(crate) fn all_to_stock(&mut self) -> &mut Self {
        for key in self.order_events.ready() {
            while self.order_events.ready().contains(&key) {
                self.deliver_to_stock(&key);
            }
        }
        self
    }

    /// Delivers what there is to orders, but not what follows from it.
    pub(crate) fn all_to_orders(&mut self) -> &mut Self {
        for key in self.stock_events.ready() {
            while self.stock_events.ready().contains(&key) {
                self.deliver_to_orders(&key);
            }
        }
        self
    }

    /// Delivers everything, and what follows from it.
    pub(crate) fn settle(&mut self) -> &mut Self {
        for _ in 0..100 {
            if self.order_events.ready().is_empty() && self.stock_events.ready().is_empty() {
                return self;
            }
            self.all_to_stock().all_to_orders();
        }
        panic!("orders and inventory talk without end");
    }

    /// Gives back the holds that have ended; answers how many there were.
    pub(crate) fn sweep_holds(&mut self) -> usize {
        let overdue = self.stock.reservations().filter(|reservation| reservation.is_overdue(self.now));
        let overdue: BTreeSet<ReservationId> = overdue.map(|reservation| reservation.id).collect();
        for reservation in &overdue {
            let outcome = self.ask_stock(StockAction::Expire { reservation: *reservation });
            assert!(matches!(outcome, StockOutcome::Expired(_)), "{outcome:?}");
        }
        overdue.len()
    }

    /// Ends the orders that were not paid in time; answers how many there were.
    pub(crate) fn sweep_orders(&mut self) -> usize {
        let overdue = self.orders.orders().filter(|order| order.is_overdue(self.now));
        let overdue: BTreeSet<OrderId> = overdue.map(|order| order.id).collect();
        for order in &overdue {
            self.accepted(OrderAction::Expire { order: *order });
        }
        overdue.len()
    }

    /// Delivers every event of the past once more, to both sides, first to last.
    pub(crate) fn redeliver_everything(&mut self) {
        for index in 0..self.order_events.log.len() {
            let envelope = self.order_events.log[index].clone();
            self.handle_order_event(&envelope);
        }
        for index in 0..self.stock_events.log.len() {
            let envelope = self.stock_events.log[index].clone();
            self.handle_stock_event(&envelope);
        }
    }

    /// What orders said had happened, and inventory refused to do. The rest of what it may refuse are questions:
    /// a reservation, or a hold that was lost in the meantime.
    pub(crate) fn refused_claims(&self) -> Vec<&(StockAction, StockOutcome)> {
        let told = |action: &StockAction| {
            matches!(action, StockAction::Fulfil { .. } | StockAction::Return { .. } | StockAction::Release { .. })
        };
        self.refused.iter().filter(|(action, _)| told(action)).collect()
    }

    /// All that is stored, to compare.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            orders: self.orders.orders().map(|order| (order.id, order.clone())).collect(),
            purchases: self.orders.all_purchases().map(|(key, units)| (key.clone(), units)).collect(),
            levels: self.stock.levels().map(|level| (level.key.clone(), level.clone())).collect(),
            reservations: self.stock.reservations().map(|row| (row.id, row.clone())).collect(),
            entries: self.history.values().map(Vec::len).sum(),
            movements: self.ledger.len(),
            events: (self.order_events.log.len(), self.stock_events.log.len()),
            outcomes: (self.orders.outcomes().count(), self.stock.outcomes().count()),
        }
    }

    pub(crate) fn order(&self) -> &Order {
        self.find(ORDER).unwrap()
    }

    pub(crate) fn find(&self, id: OrderId) -> Option<&Order> {
        self.orders.order(id)
    }

    /// The reservation of the order's current attempt.
    pub(crate) fn claim(&self) -> Option<Reservation> {
        self.stock.view(self.order().reservation())
    }

    pub(crate) fn level(&self, name: &str) -> &StockLevel {
        self.stock.level(&sku(name).into()).unwrap()
    }

    /// What lies at `main`, what of it is claimed, and what is available.
    pub(crate) fn stock_of(&self, name: &str) -> (i64, i64, i64) {
        let level = self.level(name);
        (level.on_hand.get(), level.reserved.get(), level.available())
    }

    /// The types of all events about reservations so far.
    pub(crate) fn told(&self, name: &str) -> usize {
        let all = self.stock_events.log.iter().chain(&self.order_events.log);
        all.filter(|envelope| envelope.event_type().unwrap().name() == name).count()
    }

    pub(crate) fn place(&mut self, place: Place) -> OrderState {
        self.accepted(OrderAction::Place(place))
    }

    pub(crate) fn receive(&mut self, name: &str, units: u32) -> StockOutcome {
        self.ask_stock(StockAction::Receive { lines: [StockQuantity::new(key(name), units.into())].into() })
    }

    pub(crate) fn configure(&mut self, key: StockKey, settings: LevelSettings) -> StockOutcome {
        self.ask_stock(StockAction::Configure { key, settings })
    }

    pub(crate) fn backorder_up_to(&mut self, name: &str, limit: Quantity) -> StockOutcome {
        self.configure(key(name), LevelSettings { backorder_limit: Some(limit), ..LevelSettings::default() })
    }
}

/// All that is stored, to compare.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    orders: BTreeMap<OrderId, Order>,
    purchases: BTreeMap<(CustomerId, Sku), Quantity>,
    levels: BTreeMap<StockKey, StockLevel>,
    reservations: BTreeMap<ReservationId, Reservation>,
    entries: usize,
    movements: usize,
    events: (usize, usize),
    outcomes: (usize, usize),
}

impl Snapshot {
    /// Whether the rows are the same; outcomes may have been added.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        *self == Self { outcomes: self.outcomes, ..other.clone() }
    }
}

pub(crate) fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

pub(crate) fn key(name: &str) -> StockKey {
    sku(name).into()
}

pub(crate) fn at(name: &str, location: &str) -> StockKey {
    StockKey::new(sku(name), LocationId::new(location).unwrap())
}

pub(crate) fn units(lines: &[(&str, u32)]) -> Vec<SkuQuantity> {
    lines.iter().map(|(name, quantity)| SkuQuantity::new(sku(name), (*quantity).into())).collect()
}

pub(crate) fn place(order: OrderId, lines: &[(&str, u32)]) -> Place {
    let mut place = Place::new(order).with_customer(CUSTOMER);
    place.kits = vec![set()];
    let price = Money::new(250, Currency::EUR);
    lines.iter().fold(place, |place, (name, quantity)| place.with_line(sku(name), *quantity, price))
}

/// A set of one cup and two saucers.
pub(crate) fn set() -> Kit {
    let part = |name, quantity: u32| Component { sku: sku(name), quantity: quantity.into() };
    Kit { sku: sku("SET"), components: vec![part("CUP", 1), part("SAUCER", 2)] }
}

pub(crate) const fn pay(order: OrderId) -> OrderAction {
    OrderAction::RecordPayment { order, result: PaymentResult::Paid }
}

pub(crate) const fn payment_fails(order: OrderId) -> OrderAction {
    OrderAction::RecordPayment { order, result: PaymentResult::Failed }
}

pub(crate) const fn begin_payment(order: OrderId, window: Duration) -> OrderAction {
    OrderAction::BeginPayment { order, window }
}

pub(crate) const fn ship(order: OrderId, parts: OrderParts) -> OrderAction {
    OrderAction::Ship { order, parts }
}

pub(crate) fn ship_parts(order: OrderId, lines: &[(&str, u32)]) -> OrderAction {
    ship(order, OrderParts::Lines(units(lines)))
}

pub(crate) const fn cancel(order: OrderId) -> OrderAction {
    OrderAction::Cancel { order, reason: None }
}

pub(crate) fn take_back(order: OrderId, parts: OrderParts) -> OrderAction {
    OrderAction::Return { order, parts, location: LocationId::main() }
}

/// The event that a movement followed from, if any.
pub(crate) const fn cause(movement: &Movement) -> Option<EventId> {
    match movement.cause {
        Cause::Event(event) => Some(event),
        _ => None,
    }
}

/// An answer of inventory as an order records it.
pub(crate) const fn record(order: OrderId, reservation: ReservationId, answer: StockAnswer) -> OrderAction {
    OrderAction::RecordReservation { order, reservation, answer }
}
