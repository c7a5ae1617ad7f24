//! Reserving: who gets what.

use smallvec::SmallVec;

use super::command::{Existing, Reserve, ReserveLine};
use super::decide::{Ruling, Work};
use super::draw::{Draw, Draws};
use super::outcome::{Refusal, Reserved, StockOutcome, copied};
use crate::engine::Engine;
use crate::model::{
    Backorder, Counters, MovementKind, Policy, Quantity, Reservation, ReservationEvent, ReservationLine,
    ReservationState, ReservedLine, Shortage, SkuQuantity, StockEvent,
};

/// Claims stock for a request, or refuses it and changes nothing.
pub(super) fn reserve(engine: &Engine, work: &mut Work<'_>, request: &Reserve) -> Ruling {
    let replaced = replaceable(work, request)?;
    let expires_at = request.hold.ends(work.command.at);
    if let Some(end) = expires_at.filter(|end| *end <= work.command.at) {
        return Err(Refusal::HoldEnded(end));
    }
    let mut draws = Draws::new(work, request, replaced.as_ref());
    draws.source(engine, work)?;
    let lines = grant_all(&mut draws, work, request)?;
    let draws = draws.taken();
    let waiting = draws.iter().filter(|draw| !draw.backordered.is_zero());
    let waiting =
        waiting.map(|draw| SkuQuantity::new(work.level(draw.row).key.sku.clone(), draw.backordered)).collect();
    let version = replaced.as_ref().map_or(1, |old| old.version + 1);
    if replaced.is_some() {
        work.withhold_news();
    }
    let freed = replaced.as_ref().map(|old| give_back(work, old)).unwrap_or_default();
    let mut claims = SmallVec::with_capacity(draws.len());
    for draw in draws {
        claims.push(claim(work, request, draw));
    }
    work.tell_news();
    for row in freed {
        work.fill(row);
    }
    let reservation = Reservation {
        id: request.reservation,
        order: request.order,
        customer: request.customer,
        state: ReservationState::Held,
        lines: claims,
        kits: request.kits.clone(),
        created_at: work.command.at,
        expires_at,
        version,
    };
    work.set.put_reservation(reservation);
    work.emit(StockEvent::Reserved(event(request, copied(&lines), waiting, expires_at)), version);
    Ok(StockOutcome::Reserved(Reserved { reservation: request.reservation, lines, expires_at }))
}

/// The reservation that the request replaces, if there is one and it may.
fn replaceable(work: &Work<'_>, request: &Reserve) -> Result<Option<Reservation>, Refusal> {
    match (work.set.reservation(request.reservation), request.existing) {
        (None, _) => Ok(None),
        // One that ended unused gave everything back; the same cart may try again under its id.
        (Some(old), Existing::Replace)
            if matches!(old.state, ReservationState::Held | ReservationState::Expired | ReservationState::Released) =>
        {
            Ok(Some(old.clone()))
        }
        (Some(old), _) => Err(Refusal::ReservationExists(old.state)),
    }
}

/// Grants every line by the policy, or says what was short.
fn grant_all(
    draws: &mut Draws<'_>,
    work: &mut Work<'_>,
    request: &Reserve,
) -> Result<SmallVec<[ReservedLine; 1]>, Refusal> {
    let mut granted: SmallVec<[ReservedLine; 1]> = SmallVec::with_capacity(request.lines.len());
    let mut short = Vec::new();
    for line in &request.lines {
        let (mut itself, mut components);
        let parts = match request.kit(&line.sku) {
            None => {
                itself = draws.itself(work, line)?;
                std::slice::from_mut(&mut itself)
            }
            Some(kit) => {
                components = draws.components(work, line, kit)?;
                components.as_mut_slice()
            }
        };
        let sellable = draws.sellable(work, parts, request.policy);
        let units = match request.policy {
            Policy::Partial => line.quantity.min(sellable),
            Policy::AllOrNothing | Policy::Backorder => line.quantity,
        };
        if sellable < line.quantity {
            short.push(Shortage { sku: line.sku.clone(), requested: line.quantity, sellable });
            if request.policy != Policy::Partial {
                continue;
            }
        }
        let backordered = draws.draw(work, parts, units);
        granted.push(reserved_line(line, units, backordered));
    }
    let nothing = granted.iter().all(|line| line.granted.is_zero());
    if nothing || (!short.is_empty() && request.policy != Policy::Partial) {
        return Err(Refusal::Short(short));
    }
    Ok(granted)
}

fn reserved_line(line: &ReserveLine, granted: Quantity, backordered: Quantity) -> ReservedLine {
    ReservedLine { sku: line.sku.clone(), requested: line.quantity, granted, backordered }
}

fn event<L>(
    request: &Reserve,
    lines: SmallVec<[L; 1]>,
    waiting: Vec<SkuQuantity>,
    expires_at: Option<crate::model::Timestamp>,
) -> ReservationEvent<L> {
    ReservationEvent { reservation: request.reservation, order: request.order, lines, waiting, expires_at }
}

/// Tells the order that it gets nothing. A caller without an order has the outcome, a request that comes twice
/// has had its answer, and an order whose hold stands does have something.
pub(super) fn reject(work: &mut Work<'_>, request: &Reserve, refusal: &Refusal) {
    let stands = work.set.reservation(request.reservation).is_some_and(|old| old.state.is_live());
    if request.order.is_none() || stands || matches!(refusal, Refusal::ReservationExists(_)) {
        return;
    }
    let lines = match refusal {
        Refusal::Short(lines) => lines.iter().cloned().collect(),
        _ => SmallVec::new(),
    };
    work.emit(StockEvent::Rejected(event(request, lines, Vec::new(), None)), 0);
}

/// Claims what was drawn from one level.
fn claim(work: &mut Work<'_>, request: &Reserve, draw: &Draw) -> ReservationLine {
    let change = Counters { on_hand: 0, reserved: draw.quantity.get(), backordered: draw.backordered.get() };
    work.change(draw.row, MovementKind::Reserved, change, Some(request.reservation), None);
    let level = work.level(draw.row);
    let (key, position) = (level.key.clone(), level.version);
    let queued_at = (!draw.backordered.is_zero()).then_some(position);
    if queued_at.is_some() {
        let (reservation, order, quantity) = (request.reservation, request.order, draw.backordered);
        work.set.enqueue(draw.row, Backorder { key: key.clone(), position, reservation, order, quantity });
    }
    ReservationLine {
        key,
        quantity: draw.quantity,
        fulfilled: Quantity::ZERO,
        released: Quantity::ZERO,
        backordered: Quantity::ZERO,
        queued_at,
    }
}

/// Gives a replaced hold back; what that frees is offered to waiting claims only after the new claim.
fn give_back(work: &mut Work<'_>, old: &Reservation) -> Vec<usize> {
    let mut rows = Vec::with_capacity(old.lines.len());
    for line in &old.lines {
        let Some(row) = work.set.find(&line.key) else { continue };
        super::lifecycle::unclaim(work, row, old.id, line, line.open(), MovementKind::Released);
        rows.push(row);
    }
    rows
}
