//! Deciding one command: the duplicate check, the rule, and the record of what it did.

use compact_str::CompactString;

use super::command::{StockAction, StockCommand};
use super::outcome::{Filled, Refusal, StockOutcome};
use super::working_set::StockWorkingSet;
use super::{adjust, lifecycle, reserve, settings};
use crate::engine::Engine;
use crate::engine::decided::Decided;
use crate::model::{
    Availability, Backorder, Counters, Event, EventData, MovementKind, Quantity, ReservationEvent, ReservationId,
    StockEvent, StockLevel, StockQuantity,
};

/// What a rule answers: what was decided, or why not. A refusal has changed nothing.
pub(super) type Ruling = Result<StockOutcome, Refusal>;

/// Decides one command. Its outcome is stored in the working set, unless it is a conflict.
pub(crate) fn decide(engine: &Engine, set: &mut StockWorkingSet, command: &StockCommand) -> StockOutcome {
    let fingerprint = command.action.fingerprint();
    if let Some(decided) = set.outcome(command.id) {
        let same = decided.fingerprint == fingerprint;
        return if same { decided.outcome.clone() } else { StockOutcome::Refused(Refusal::Conflict) };
    }
    let work = &mut Work { set, command, events: 0, untold: None };
    let outcome = rule(engine, work).unwrap_or_else(|refusal| {
        if let StockAction::Reserve(request) = &command.action {
            reserve::reject(work, request, &refusal);
        }
        StockOutcome::Refused(refusal)
    });
    set.put_outcome(command.id, Decided { fingerprint, outcome: outcome.clone() });
    outcome
}

fn rule(engine: &Engine, work: &mut Work<'_>) -> Ruling {
    let action = &work.command.action;
    action.validate(engine.limits()).map_err(|error| Refusal::Invalid(error.to_string()))?;
    match action {
        StockAction::Reserve(request) => reserve::reserve(engine, work, request),
        StockAction::Receive { lines } => adjust::receive(work, lines, MovementKind::Received),
        StockAction::Return { lines, .. } => adjust::receive(work, lines, MovementKind::Returned),
        StockAction::Adjust { key, change, reason } => adjust::adjust(work, key, *change, reason.as_ref()),
        StockAction::Count { key, counted, reason } => adjust::count(work, key, *counted, reason.as_ref()),
        StockAction::Transfer { sku, from, to, quantity } => adjust::transfer(work, sku, from, to, *quantity),
        StockAction::Extend { reservation, hold } => lifecycle::extend(work, *reservation, *hold),
        StockAction::Allocate { reservation } => lifecycle::allocate(work, *reservation),
        StockAction::Fulfil { reservation, parts } => lifecycle::fulfil(work, *reservation, parts),
        StockAction::Release { reservation, parts, tombstone } => {
            lifecycle::release(work, *reservation, parts, *tombstone)
        }
        StockAction::Expire { reservation } => lifecycle::expire(work, *reservation),
        StockAction::Configure { key, settings } => settings::configure(work, key, settings),
        StockAction::Retire { sku } => settings::retire(work, sku),
        StockAction::Reconcile { key, version, ledger, claims } => {
            settings::reconcile(work, key, *version, *ledger, *claims)
        }
    }
}

/// One command at work on a working set.
pub(super) struct Work<'a> {
    pub(super) set: &'a mut StockWorkingSet,
    pub(super) command: &'a StockCommand,
    events: u32,
    /// Levels whose news wait, with what was available before; `None` while news are told at once.
    untold: Option<Vec<(usize, i64)>>,
}

impl Work<'_> {
    #[inline]
    pub(super) fn level(&self, row: usize) -> &StockLevel {
        &self.set.row(row).level
    }

    /// Changes a level's counters and writes the movement: the only way in which counters change.
    ///
    /// The caller has checked that each counter stays in range.
    #[inline]
    pub(super) fn change(
        &mut self,
        row: usize,
        kind: MovementKind,
        change: Counters,
        reservation: Option<ReservationId>,
        reason: Option<&CompactString>,
    ) {
        let level = &mut self.set.touch(row).level;
        let before = level.available();
        level.on_hand = Quantity::saturating_from(level.on_hand.get() + change.on_hand);
        level.reserved = Quantity::saturating_from(level.reserved.get() + change.reserved);
        level.backordered = Quantity::saturating_from(level.backordered.get() + change.backordered);
        self.moved(row, kind, change, reservation, reason, before);
    }

    /// Writes the movement of a level that was just changed, and says so if it ran low, out or came back.
    #[inline]
    pub(super) fn moved(
        &mut self,
        row: usize,
        kind: MovementKind,
        change: Counters,
        reservation: Option<ReservationId>,
        reason: Option<&CompactString>,
        available_before: i64,
    ) {
        let level = &mut self.set.touch(row).level;
        level.version += 1;
        let movement = crate::model::Movement {
            key: level.key.clone(),
            version: level.version,
            kind,
            change,
            command: self.command.id,
            reservation,
            actor: self.command.actor.clone(),
            cause: self.command.cause,
            reason: reason.cloned(),
            at: self.command.at,
        };
        let news = match &mut self.untold {
            None => availability_news(level, available_before),
            Some(untold) => {
                if untold.iter().all(|(known, _)| *known != row) {
                    untold.push((row, available_before));
                }
                None
            }
        };
        self.set.push_movement(row, movement);
        if let Some((event, version)) = news {
            self.emit(event, version);
        }
    }

    /// Keeps news of availability back: what follows gives units back only to claim them again.
    pub(super) fn withhold_news(&mut self) {
        self.untold = Some(Vec::new());
    }

    /// Tells what availability came to since [`Work::withhold_news`].
    pub(super) fn tell_news(&mut self) {
        for (row, before) in self.untold.take().unwrap_or_default() {
            if let Some((event, version)) = availability_news(self.level(row), before) {
                self.emit(event, version);
            }
        }
    }

    /// Says something, in the aggregate's order `sequence`.
    #[inline]
    pub(super) fn emit(&mut self, event: StockEvent, sequence: u64) {
        let event = Event {
            command: self.command.id,
            index: self.events,
            sequence,
            at: self.command.at,
            trace: self.command.trace,
            data: EventData::Stock(event),
        };
        self.events += 1;
        self.set.push_event(event);
    }

    /// Covers waiting claims of a level with what is free, first in, first out.
    pub(super) fn fill(&mut self, row: usize) -> Vec<Filled> {
        let mut filled = Vec::new();
        while let Some((free, entry)) = self.front(row) {
            let quantity = free.min(entry.quantity);
            self.set.dequeue(row, entry.position, quantity);
            let change = Counters { backordered: -quantity.get(), ..Counters::default() };
            self.change(row, MovementKind::Filled, change, Some(entry.reservation), None);
            let lines = std::iter::once(StockQuantity::new(entry.key.clone(), quantity)).collect();
            let (reservation, order) = (entry.reservation, entry.order);
            let event = ReservationEvent { reservation, order, lines, waiting: Vec::new(), expires_at: None };
            let sequence = self.level(row).version;
            self.emit(StockEvent::Filled(event), sequence);
            filled.push(Filled { reservation, order, key: entry.key, quantity });
        }
        filled
    }

    /// What is free for waiting claims, and who waits longest; nothing if nothing is free or nobody waits.
    fn front(&self, row: usize) -> Option<(Quantity, Backorder)> {
        let row = self.set.row(row);
        let level = &row.level;
        if level.backordered.is_zero() {
            return None;
        }
        let free = level.on_hand.get() - level.committed().get() - level.safety_stock.get();
        let free = Quantity::saturating_from(free);
        row.queue.values().next().filter(|_| !free.is_zero()).map(|first| (free, first.clone()))
    }
}

/// Whether a level ran low, ran out or came back.
fn availability_news(level: &StockLevel, before: i64) -> Option<(StockEvent, u64)> {
    let available = level.available();
    if !level.tracked || available == before {
        return None;
    }
    let low_at = level.low_stock_at.map(Quantity::get);
    let kind: fn(Availability) -> StockEvent = if before > 0 && available <= 0 {
        StockEvent::Out
    } else if before <= 0 && available > 0 {
        StockEvent::Back
    } else if low_at.is_some_and(|at| before > at && available <= at) {
        StockEvent::Low
    } else {
        return None;
    };
    Some((kind(Availability { key: level.key.clone(), available, version: level.version }), level.version))
}
