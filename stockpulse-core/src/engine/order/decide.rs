//! Deciding one order command: the duplicate check, the rule, and the record of what it did.

use super::command::{OrderAction, OrderCommand};
use super::outcome::{OrderOutcome, OrderRefusal, OrderState};
use super::working_set::OrderWorkingSet;
use super::{cancel, payment, place, ship, stock};
use crate::engine::decided::Decided;
use crate::engine::{Engine, Limits};
use crate::model::{Event, EventData, HistoryEntry, Order, OrderChange, OrderDetail, OrderEvent, OrderId};

/// What a rule answers. A refusal has changed nothing.
pub(super) type Ruling = Result<OrderState, OrderRefusal>;

/// Decides one command. Its outcome is stored in the working set, unless it is a conflict.
pub(crate) fn decide(engine: &Engine, set: &mut OrderWorkingSet, command: &OrderCommand) -> OrderOutcome {
    let fingerprint = command.action.fingerprint();
    if let Some(decided) = set.outcome(command.id) {
        let same = decided.fingerprint == fingerprint;
        return if same { decided.outcome.clone() } else { OrderOutcome::Refused(OrderRefusal::Conflict) };
    }
    let outcome = match rule(engine.limits(), &mut Work { set, command }) {
        Ok(state) => OrderOutcome::Accepted(state),
        Err(refusal) => OrderOutcome::Refused(refusal),
    };
    set.put_outcome(command.id, Decided { fingerprint, outcome: outcome.clone() });
    outcome
}

fn rule(limits: &Limits, work: &mut Work<'_>) -> Ruling {
    let action = &work.command.action;
    action.validate(limits).map_err(|error| OrderRefusal::Invalid(error.to_string()))?;
    match action {
        OrderAction::Place(request) => place::place(work, request),
        OrderAction::RecordReservation { order, reservation, answer } => {
            stock::record_reservation(work, *order, *reservation, answer)
        }
        OrderAction::BeginPayment { order, window } => payment::begin(work, *order, *window),
        OrderAction::RecordPayment { order, result } => payment::record(work, *order, *result),
        OrderAction::Ship { order, parts } => ship::ship(work, *order, parts),
        OrderAction::Return { order, parts, location } => ship::take_back(limits, work, *order, parts, location),
        OrderAction::Cancel { order, reason } => cancel::cancel(work, *order, reason.as_deref()),
        OrderAction::Expire { order } => cancel::expire(work, *order),
    }
}

/// One command at work on a working set.
pub(super) struct Work<'a> {
    pub(super) set: &'a mut OrderWorkingSet,
    pub(super) command: &'a OrderCommand,
}

impl Work<'_> {
    pub(super) fn load(&self, id: OrderId) -> Result<Order, OrderRefusal> {
        self.set.order(id).cloned().ok_or(OrderRefusal::UnknownOrder(id))
    }

    /// Saves a changed order with its entry in the history, and tells of it. A command does so once at most, so that
    /// its event needs no index of its own.
    pub(super) fn save(
        &mut self,
        order: Order,
        change: OrderChange,
        reason: Option<&str>,
        detail: OrderDetail,
    ) -> OrderState {
        let state = self.note(order, change, reason);
        if let Some(order) = self.set.order(state.order) {
            let event = OrderEvent {
                order: order.id,
                customer: order.customer,
                change,
                status: order.status,
                payment: order.payment,
                reservation: order.reservation(),
                detail,
            };
            let event = Event {
                command: self.command.id,
                index: 0,
                sequence: state.version,
                at: self.command.at,
                trace: self.command.trace,
                data: EventData::Order(Box::new(event)),
            };
            self.set.push_event(event);
        }
        state
    }

    /// Saves a changed order with its entry in the history, and tells nobody.
    pub(super) fn note(&mut self, mut order: Order, change: OrderChange, reason: Option<&str>) -> OrderState {
        order.version += 1;
        let state = state(&order, true);
        self.set.push_history(HistoryEntry {
            order: order.id,
            version: order.version,
            change,
            status: order.status,
            at: self.command.at,
            actor: self.command.actor.clone(),
            cause: self.command.cause,
            command: self.command.id,
            reason: reason.map(ToOwned::to_owned),
        });
        self.set.put_order(order);
        state
    }
}

/// Nothing was left to do.
pub(super) fn unchanged(order: &Order) -> OrderState {
    state(order, false)
}

const fn state(order: &Order, changed: bool) -> OrderState {
    OrderState { order: order.id, status: order.status, payment: order.payment, version: order.version, changed }
}
