//! A reservation's life after it was made: extend, allocate, fulfil, release, expire.

use smallvec::{SmallVec, smallvec};

use super::command::{Hold, Parts};
use super::decide::{Ruling, Work};
use super::outcome::{Allocated, Extended, Fulfilled, Refusal, Released, StockOutcome};
use crate::model::{
    Counters, MovementKind, Quantity, Reservation, ReservationEvent, ReservationId, ReservationLine, ReservationState,
    Sku, StockEvent, StockQuantity,
};

/// The hold ends later. What was allocated has no end, and needs none.
pub(super) fn extend(work: &mut Work<'_>, id: ReservationId, hold: Hold) -> Ruling {
    let mut reservation = load(work, id)?;
    match reservation.state {
        ReservationState::Held => {}
        ReservationState::Allocated => {
            return Ok(StockOutcome::Extended(Extended { reservation: id, expires_at: None }));
        }
        state => return Err(Refusal::WrongState(state)),
    }
    let wanted = hold.ends(work.command.at);
    if let Some(end) = wanted.filter(|end| *end <= work.command.at) {
        return Err(Refusal::HoldEnded(end));
    }
    let later = match (reservation.expires_at, wanted) {
        (Some(now), Some(wanted)) => Some(now.max(wanted)),
        _ => None,
    };
    if later != reservation.expires_at {
        reservation.expires_at = later;
        save(work, reservation);
    }
    Ok(StockOutcome::Extended(Extended { reservation: id, expires_at: later }))
}

/// The hold becomes a claim for good. Until somebody expires it, a hold that has ended can still be allocated:
/// its units are still there.
pub(super) fn allocate(work: &mut Work<'_>, id: ReservationId) -> Ruling {
    let mut reservation = load(work, id)?;
    match reservation.state {
        ReservationState::Held => {
            // Whoever made a hold that could run out has to hear that it no longer can. One that never had an
            // end (asked for without, and not changed since) cannot have been lost, and nobody waits to hear.
            let could_end = reservation.expires_at.is_some() || reservation.version > 1;
            reservation.state = ReservationState::Allocated;
            reservation.expires_at = None;
            let open = reservation.lines.iter().filter(|line| !line.open().is_zero());
            let event = could_end.then(|| {
                about(&reservation, open.map(|line| StockQuantity::new(line.key.clone(), line.open())).collect())
            });
            let version = save(work, reservation);
            if let Some(event) = event {
                work.emit(StockEvent::Allocated(event), version);
            }
        }
        ReservationState::Allocated => {}
        state => return Err(Refusal::WrongState(state)),
    }
    Ok(StockOutcome::Allocated(Allocated { reservation: id }))
}

/// Claimed units leave.
pub(super) fn fulfil(work: &mut Work<'_>, id: ReservationId, parts: &Parts) -> Ruling {
    let mut reservation = load(work, id)?;
    if reservation.state != ReservationState::Allocated {
        return Err(Refusal::WrongState(reservation.state));
    }
    let units = select(work, &reservation, parts, ready)?;
    let mut lines = SmallVec::new();
    for (line, quantity) in reservation.lines.iter_mut().zip(&units) {
        let Some(row) = work.set.find(&line.key).filter(|_| !quantity.is_zero()) else { continue };
        let on_hand = if work.level(row).tracked { -quantity.get() } else { 0 };
        let change = Counters { on_hand, reserved: -quantity.get(), backordered: 0 };
        work.change(row, MovementKind::Fulfilled, change, Some(id), None);
        line.fulfilled = Quantity::saturating_from(line.fulfilled.get() + quantity.get());
        lines.push(StockQuantity::new(line.key.clone(), *quantity));
    }
    if lines.is_empty() {
        return Ok(StockOutcome::Fulfilled(Fulfilled { reservation: id, lines, state: reservation.state }));
    }
    settle(&mut reservation, ReservationState::Released);
    let state = reservation.state;
    let event = about(&reservation, lines.clone());
    let version = save(work, reservation);
    work.emit(StockEvent::Fulfilled(event), version);
    Ok(StockOutcome::Fulfilled(Fulfilled { reservation: id, lines, state }))
}

/// Claims are given back. What has ended before stays as it is, and that is no error.
pub(super) fn release(work: &mut Work<'_>, id: ReservationId, parts: &Parts, tombstone: bool) -> Ruling {
    let Some(reservation) = work.set.reservation(id).cloned() else {
        if !tombstone {
            return Err(Refusal::UnknownReservation(id));
        }
        bury(work, id);
        let (lines, state) = (SmallVec::new(), ReservationState::Released);
        return Ok(StockOutcome::Released(Released { reservation: id, lines, state }));
    };
    if !reservation.state.is_live() {
        let (lines, state) = (SmallVec::new(), reservation.state);
        return Ok(StockOutcome::Released(Released { reservation: id, lines, state }));
    }
    let units = select(work, &reservation, parts, |_, line| line.open())?;
    let released = end_claims(work, reservation, &units, ReservationState::Released);
    Ok(StockOutcome::Released(released))
}

/// A hold that has ended is given back. Called for one that ended otherwise, it does nothing.
pub(super) fn expire(work: &mut Work<'_>, id: ReservationId) -> Ruling {
    let reservation = load(work, id)?;
    if reservation.state != ReservationState::Held {
        let (lines, state) = (SmallVec::new(), reservation.state);
        return Ok(StockOutcome::Expired(Released { reservation: id, lines, state }));
    }
    match reservation.expires_at {
        Some(end) if end <= work.command.at => {}
        Some(end) => return Err(Refusal::HoldLasts(end)),
        None => return Err(Refusal::WrongState(reservation.state)),
    }
    let units: SmallVec<[Quantity; 1]> = reservation.lines.iter().map(ReservationLine::open).collect();
    Ok(StockOutcome::Expired(end_claims(work, reservation, &units, ReservationState::Expired)))
}

/// Ends `quantity` open units of a line, those that wait first.
pub(super) fn unclaim(
    work: &mut Work<'_>,
    row: usize,
    id: ReservationId,
    line: &ReservationLine,
    quantity: Quantity,
    kind: MovementKind,
) {
    if quantity.is_zero() {
        return;
    }
    let waiting = line.queued_at.map_or(Quantity::ZERO, |position| work.set.waiting(row, position)).min(quantity);
    if let Some(position) = line.queued_at.filter(|_| !waiting.is_zero()) {
        work.set.dequeue(row, position, waiting);
    }
    let change = Counters { on_hand: 0, reserved: -quantity.get(), backordered: -waiting.get() };
    work.change(row, kind, change, Some(id), None);
}

fn end_claims(
    work: &mut Work<'_>,
    mut reservation: Reservation,
    units: &[Quantity],
    end: ReservationState,
) -> Released {
    let id = reservation.id;
    let kind = if end == ReservationState::Expired { MovementKind::Expired } else { MovementKind::Released };
    let mut lines = SmallVec::new();
    let mut rows: SmallVec<[usize; 2]> = SmallVec::new();
    for (line, quantity) in reservation.lines.iter_mut().zip(units) {
        let Some(row) = work.set.find(&line.key).filter(|_| !quantity.is_zero()) else { continue };
        unclaim(work, row, id, line, *quantity, kind);
        line.released = Quantity::saturating_from(line.released.get() + quantity.get());
        lines.push(StockQuantity::new(line.key.clone(), *quantity));
        rows.push(row);
    }
    settle(&mut reservation, end);
    let state = reservation.state;
    let event = about(&reservation, lines.clone());
    let version = save(work, reservation);
    let event = if end == ReservationState::Expired { StockEvent::Expired(event) } else { StockEvent::Released(event) };
    work.emit(event, version);
    for row in rows {
        work.fill(row);
    }
    Released { reservation: id, lines, state }
}

/// Remembers that an unknown reservation was released, so that a late request for it is refused.
fn bury(work: &mut Work<'_>, id: ReservationId) {
    let tombstone = Reservation {
        id,
        order: None,
        customer: None,
        state: ReservationState::Released,
        lines: smallvec![],
        kits: Vec::new(),
        created_at: work.command.at,
        expires_at: None,
        version: 0,
    };
    save(work, tombstone);
}

fn load(work: &Work<'_>, id: ReservationId) -> Result<Reservation, Refusal> {
    work.set.reservation(id).cloned().ok_or(Refusal::UnknownReservation(id))
}

fn save(work: &mut Work<'_>, mut reservation: Reservation) -> u64 {
    reservation.version += 1;
    let version = reservation.version;
    work.set.put_reservation(reservation);
    version
}

/// Ends a reservation that has nothing open any more: fulfilled if anything ever shipped.
fn settle(reservation: &mut Reservation, otherwise: ReservationState) {
    if reservation.open() == 0 {
        let shipped = reservation.lines.iter().any(|line| !line.fulfilled.is_zero());
        reservation.state = if shipped { ReservationState::Fulfilled } else { otherwise };
        reservation.expires_at = None;
    }
}

fn about(reservation: &Reservation, lines: SmallVec<[StockQuantity; 1]>) -> ReservationEvent<StockQuantity> {
    ReservationEvent {
        reservation: reservation.id,
        order: reservation.order,
        lines,
        waiting: Vec::new(),
        expires_at: None,
    }
}

/// Open units of a line that are there.
fn ready(work: &Work<'_>, line: &ReservationLine) -> Quantity {
    let waiting = work.set.find(&line.key).zip(line.queued_at).map(|(row, position)| work.set.waiting(row, position));
    line.open().saturating_sub(waiting.unwrap_or_default())
}

/// How many units of each line `parts` means, none beyond what `limit` allows; refused if they are not there.
fn select(
    work: &Work<'_>,
    reservation: &Reservation,
    parts: &Parts,
    limit: impl Fn(&Work<'_>, &ReservationLine) -> Quantity,
) -> Result<SmallVec<[Quantity; 1]>, Refusal> {
    let limits: SmallVec<[Quantity; 1]> = reservation.lines.iter().map(|line| limit(work, line)).collect();
    let mut units: SmallVec<[Quantity; 1]> = smallvec![Quantity::ZERO; limits.len()];
    let mut take = |sku: &Sku, requested: Quantity, here: &dyn Fn(&ReservationLine) -> bool| {
        let mut missing = requested;
        for ((line, limit), units) in reservation.lines.iter().zip(&limits).zip(units.iter_mut()) {
            if here(line) {
                let quantity = missing.min(limit.saturating_sub(*units));
                *units = Quantity::saturating_from(units.get() + quantity.get());
                missing = missing.saturating_sub(quantity);
            }
        }
        if missing.is_zero() {
            return Ok(());
        }
        Err(Refusal::NotClaimed { sku: sku.clone(), requested, open: requested.saturating_sub(missing) })
    };
    match parts {
        Parts::All => return Ok(limits),
        Parts::Levels(lines) => {
            for wanted in lines {
                take(&wanted.key.sku, wanted.quantity, &|line| line.key == wanted.key)?;
            }
        }
        Parts::Skus(lines) => {
            for wanted in lines {
                let kit = reservation.kits.iter().find(|kit| kit.sku == wanted.sku);
                let Some(kit) = kit else {
                    take(&wanted.sku, wanted.quantity, &|line| line.key.sku == wanted.sku)?;
                    continue;
                };
                for part in &kit.components {
                    let quantity = wanted.quantity.checked_mul(part.quantity).unwrap_or(Quantity::MAX);
                    take(&part.sku, quantity, &|line| line.key.sku == part.sku)?;
                }
            }
        }
    }
    Ok(units)
}
