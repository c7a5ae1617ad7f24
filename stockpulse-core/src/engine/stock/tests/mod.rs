//! Unit tests of the stock rules, one file per rule. Each runs in a [`Shop`], which proves after every command
//! that nothing is oversold and that the ledger, the claims and the queues add up.

mod adjust;
mod backorder;
mod changes;
mod configure;
mod duplicates;
mod events;
mod fingerprint;
mod fulfil;
mod kit;
mod lifecycle;
mod load_plan;
mod outcome;
mod reconcile;
mod release;
mod replace;
mod reserve;
mod sourcing;
mod updates;

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{
    Fulfilled, LevelSettings, Moved, Parts, Refusal, Released, Reserve, Reserved, StockAction, StockCommand,
    StockOutcome, StockWorkingSet,
};
use crate::engine::Engine;
use crate::model::{
    Command, CommandId, Counters, Event, EventData, LocationId, Movement, Quantity, Reservation, ReservationId, Sku,
    SkuQuantity, StockEvent, StockKey, StockLevel, StockQuantity, Timestamp,
};

/// An engine with a working set that stays, a clock that moves by hand, and what the last command did.
#[derive(Debug, Default)]
struct Shop {
    engine: Engine,
    set: StockWorkingSet,
    now: Timestamp,
    commands: u128,
    ledger: Vec<Movement>,
    /// The movements of the last command.
    movements: Vec<Movement>,
    /// The events of the last command.
    events: Vec<Event>,
}

impl Shop {
    /// A shop that has received these units, at `main` unless the name says `SKU@location`.
    fn with(stock: &[(&str, u32)]) -> Self {
        let mut shop = Self { now: Timestamp::from_secs(1_000_000), ..Self::default() };
        for (level, units) in stock {
            match units {
                0 => shop.configure(level, LevelSettings::default()),
                _ => shop.receive(&[(level, *units)]),
            };
        }
        shop
    }

    /// Decides a new command.
    fn act(&mut self, action: StockAction) -> StockOutcome {
        let command = self.command(action);
        self.run(&command)
    }

    /// A command with an id of its own.
    fn command(&mut self, action: StockAction) -> StockCommand {
        self.commands += 1;
        Command::new(CommandId::from_u128(self.commands), self.now, action)
    }

    fn run(&mut self, command: &StockCommand) -> StockOutcome {
        let outcome = self.run_all(std::slice::from_ref(command)).remove(0);
        self.check();
        outcome
    }

    fn run_all(&mut self, batch: &[StockCommand]) -> Vec<StockOutcome> {
        let outcomes = self.engine.execute_stock(&mut self.set, batch);
        self.movements.clear();
        self.set.drain_movements(&mut self.movements);
        self.ledger.extend(self.movements.iter().cloned());
        self.events = self.set.drain_events().collect();
        self.set.clear_changes();
        outcomes
    }

    fn receive(&mut self, stock: &[(&str, u32)]) -> Moved {
        moved(self.act(StockAction::Receive { lines: units_at(stock) }))
    }

    fn configure(&mut self, level: &str, settings: LevelSettings) -> Moved {
        moved(self.act(StockAction::Configure { key: key(level), settings }))
    }

    fn reserve(&mut self, request: Reserve) -> Reserved {
        reserved(self.act(StockAction::Reserve(request)))
    }

    fn refused(&mut self, action: StockAction) -> Refusal {
        let before = format!("{:?} {:?}", self.set.levels().collect::<Vec<_>>(), self.reservations());
        let refusal = refusal(self.act(action));
        let after = format!("{:?} {:?}", self.set.levels().collect::<Vec<_>>(), self.reservations());
        assert_eq!(before, after, "a refused command changed something");
        assert_eq!(self.movements, [], "a refused command moved something");
        refusal
    }

    fn allocate(&mut self, reservation: u128) {
        let outcome = self.act(StockAction::Allocate { reservation: id(reservation) });
        assert!(matches!(outcome, StockOutcome::Allocated(_)), "{outcome:?}");
    }

    fn fulfil(&mut self, reservation: u128, parts: Parts) -> Fulfilled {
        match self.act(StockAction::Fulfil { reservation: id(reservation), parts }) {
            StockOutcome::Fulfilled(fulfilled) => fulfilled,
            other => panic!("not fulfilled: {other:?}"),
        }
    }

    fn release(&mut self, reservation: u128, parts: Parts) -> Released {
        released(self.act(StockAction::Release { reservation: id(reservation), parts, tombstone: false }))
    }

    fn expire(&mut self, reservation: u128) -> Released {
        match self.act(StockAction::Expire { reservation: id(reservation) }) {
            StockOutcome::Expired(expired) => expired,
            other => panic!("not expired: {other:?}"),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now = Timestamp::from_micros(self.now.as_micros() + seconds * 1_000_000);
    }

    fn level(&self, level: &str) -> &StockLevel {
        self.set.level(&key(level)).unwrap_or_else(|| panic!("no level {level}"))
    }

    /// On hand, reserved, of that backordered, and what is available.
    fn stand(&self, level: &str) -> (i64, i64, i64, i64) {
        let level = self.level(level);
        (level.on_hand.get(), level.reserved.get(), level.backordered.get(), level.available())
    }

    fn reservation(&self, reservation: u128) -> Reservation {
        self.set.view(id(reservation)).unwrap()
    }

    fn reservations(&self) -> BTreeMap<ReservationId, &Reservation> {
        self.set.reservations().map(|reservation| (reservation.id, reservation)).collect()
    }

    /// What the last command said about stock, `stock.updated` apart.
    fn news(&self) -> Vec<&StockEvent> {
        let stock = self.events.iter().map(|event| match &event.data {
            EventData::Stock(event) => event,
            other => panic!("not about stock: {other:?}"),
        });
        stock.filter(|event| !matches!(event, StockEvent::Updated(_))).collect()
    }

    /// The names of the last command's events.
    fn told(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.data.event_type().name()).collect()
    }

    /// What must hold after every command.
    fn check(&self) {
        for level in self.set.levels() {
            let key = &level.key;
            assert!(!level.is_oversold(), "oversold: {level:?}");
            let lines = self.set.reservations().flat_map(|reservation| &reservation.lines);
            let claimed: i64 = lines.filter(|line| line.key == *key).map(|line| line.open().get()).sum();
            assert_eq!(level.reserved.get(), claimed, "{key}: reserved is not the sum of the claims");
            let waiting: i64 = self.set.backorders(key).map(|entry| entry.quantity.get()).sum();
            assert_eq!(level.backordered.get(), waiting, "{key}: backordered is not the sum of the queue");
            let free = level.on_hand.get() - level.committed().get() - level.safety_stock.get();
            assert!(waiting == 0 || free <= 0, "{key}: claims wait though {free} units are free");
            let movements: Vec<_> = self.ledger.iter().filter(|movement| movement.key == *key).collect();
            let sum = movements.iter().fold(Counters::default(), |sum, movement| sum.plus(movement.change));
            assert_eq!(level.counters(), sum, "{key}: the movements do not add up to the level");
            let versions: Vec<_> = movements.iter().map(|movement| movement.version).collect();
            assert_eq!(versions, (1..=level.version).collect::<Vec<_>>(), "{key}: versions");
        }
        for reservation in self.set.reservations() {
            assert_eq!(reservation.state.is_live(), reservation.open() > 0, "{reservation:?}");
        }
    }
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn place(text: &str) -> LocationId {
    LocationId::new(text).unwrap()
}

/// `SKU@location`, or a SKU at `main`.
fn key(text: &str) -> StockKey {
    match text.split_once('@') {
        Some((name, location)) => StockKey::new(sku(name), place(location)),
        None => StockKey::main(sku(text)),
    }
}

const fn id(reservation: u128) -> ReservationId {
    ReservationId::from_u128(reservation)
}

fn units_at(stock: &[(&str, u32)]) -> SmallVec<[StockQuantity; 1]> {
    stock.iter().map(|(level, units)| StockQuantity::new(key(level), (*units).into())).collect()
}

/// These SKUs of a reservation.
fn skus(parts: &[(&str, u32)]) -> Parts {
    Parts::Skus(parts.iter().map(|(name, units)| SkuQuantity::new(sku(name), (*units).into())).collect())
}

/// These levels of a reservation.
fn levels(parts: &[(&str, u32)]) -> Parts {
    Parts::Levels(units_at(parts).into_vec())
}

/// A request for these units, all or nothing; `SKU@location` pins the line.
fn request(reservation: u128, lines: &[(&str, u32)]) -> Reserve {
    lines.iter().fold(Reserve::new(id(reservation)), |request, (name, units)| match name.contains('@') {
        true => request.with_line_at(key(name), *units),
        false => request.with_line(sku(name), *units),
    })
}

/// Levels and units, for comparing.
fn plain(lines: &[StockQuantity]) -> Vec<(String, i64)> {
    lines.iter().map(|line| (line.key.to_string(), line.quantity.get())).collect()
}

/// The same, as one writes it down.
fn pairs(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
    lines.iter().map(|(level, units)| (key(level).to_string(), *units)).collect()
}

/// What each line of a reservation claims: level, open units, of them waiting.
fn claims(reservation: &Reservation) -> Vec<(String, i64, i64)> {
    reservation.lines.iter().map(|line| (line.key.to_string(), line.open().get(), line.backordered.get())).collect()
}

/// What was granted to each line: SKU, units, of them backordered.
fn granted(reserved: &Reserved) -> Vec<(&str, i64, i64)> {
    reserved.lines.iter().map(|line| (line.sku.as_str(), line.granted.get(), line.backordered.get())).collect()
}

/// What was short: SKU, requested, sellable.
fn short(refusal: Refusal) -> Vec<(String, i64, i64)> {
    match refusal {
        Refusal::Short(lines) => lines
            .into_iter()
            .map(|line| (line.sku.as_str().to_owned(), line.requested.get(), line.sellable.get()))
            .collect(),
        other => panic!("not short: {other:?}"),
    }
}

fn moved(outcome: StockOutcome) -> Moved {
    match outcome {
        StockOutcome::Moved(moved) => moved,
        other => panic!("not moved: {other:?}"),
    }
}

fn reserved(outcome: StockOutcome) -> Reserved {
    match outcome {
        StockOutcome::Reserved(reserved) => reserved,
        other => panic!("not reserved: {other:?}"),
    }
}

fn released(outcome: StockOutcome) -> Released {
    match outcome {
        StockOutcome::Released(released) => released,
        other => panic!("not released: {other:?}"),
    }
}

fn refusal(outcome: StockOutcome) -> Refusal {
    match outcome {
        StockOutcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Settings under which so many units may be backordered.
fn backorders(limit: impl Into<Quantity>) -> LevelSettings {
    LevelSettings { backorder_limit: Some(limit.into()), ..LevelSettings::default() }
}
