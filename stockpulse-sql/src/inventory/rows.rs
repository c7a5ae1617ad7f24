//! The rows of the inventory: values into tables, and cells out of them.

use serde::{Deserialize, Serialize};
use stockpulse_core::model::{
    Backorder, CommandId, Counters, CustomerId, LocationId, Movement, MovementKind, OrderId, Quantity, Reservation,
    ReservationId, ReservationLine, ReservationState, Sku, StockKey, StockLevel, Timestamp,
};
use stockpulse_core::{Error, Result};

use crate::failure::Failure;
use crate::frame::{actor, cause, named, read_actor, read_cause};
use crate::rows::{code, json};
use crate::value::{Cells, Value};

/// One claim of a reservation, as it stands in the column `claims`: SKU, location, quantity, fulfilled, released, place in
/// the level's queue.
#[derive(Serialize, Deserialize)]
struct Claim(Sku, LocationId, Quantity, Quantity, Quantity, Option<u64>);

pub(crate) fn key(key: &StockKey) -> [Value; 2] {
    [key.sku.as_str().into(), key.location.as_str().into()]
}

pub(crate) fn level(level: &StockLevel) -> [Value; 11] {
    let [sku, location] = key(&level.key);
    [
        sku,
        location,
        level.on_hand.get().into(),
        level.reserved.get().into(),
        level.backordered.get().into(),
        level.safety_stock.get().into(),
        level.backorder_limit.get().into(),
        level.low_stock_at.map(Quantity::get).into(),
        level.tracked.into(),
        level.retired.into(),
        level.version.into(),
    ]
}

pub(crate) fn read_level(row: &impl Cells) -> Result<StockLevel, Failure> {
    Ok(StockLevel {
        key: read_key(row)?,
        on_hand: quantity(row, 2)?,
        reserved: quantity(row, 3)?,
        backordered: quantity(row, 4)?,
        safety_stock: quantity(row, 5)?,
        backorder_limit: quantity(row, 6)?,
        low_stock_at: row.maybe_int(7)?.map(Quantity::new).transpose()?,
        tracked: row.bool(8)?,
        retired: row.bool(9)?,
        version: row.count(10)?,
    })
}

pub(crate) fn reservation(reservation: &Reservation) -> Result<[Value; 9]> {
    let claims: Vec<Claim> = reservation
        .lines
        .iter()
        .map(|line| {
            let StockKey { sku, location } = line.key.clone();
            Claim(sku, location, line.quantity, line.fulfilled, line.released, line.queued_at)
        })
        .collect();
    let kits = if reservation.kits.is_empty() { Value::Null } else { json(&reservation.kits)? };
    Ok([
        reservation.id.as_uuid().into(),
        reservation.order.map(|id| id.as_uuid()).into(),
        reservation.customer.map(|id| id.as_uuid()).into(),
        reservation.state.code().into(),
        reservation.version.into(),
        reservation.created_at.as_micros().into(),
        reservation.expires_at.map(Timestamp::as_micros).into(),
        json(&claims)?,
        kits,
    ])
}

pub(crate) fn read_reservation(row: &impl Cells) -> Result<Reservation, Failure> {
    let id = ReservationId::new(row.id(0)?);
    let wrong = |error: serde_json::Error| named(Error::corrupt(error.to_string()), "reservation", &id);
    let claims: Vec<Claim> = serde_json::from_str(&row.text(7)?).map_err(wrong)?;
    let line = |Claim(sku, location, quantity, fulfilled, released, queued_at)| ReservationLine {
        key: StockKey::new(sku, location),
        quantity,
        fulfilled,
        released,
        backordered: Quantity::ZERO,
        queued_at,
    };
    Ok(Reservation {
        id,
        order: row.maybe_id(1)?.map(OrderId::new),
        customer: row.maybe_id(2)?.map(CustomerId::new),
        state: code(row, 3, "reservation state", ReservationState::from_code)?,
        lines: claims.into_iter().map(line).collect(),
        kits: row.maybe_text(8)?.map_or(Ok(Vec::new()), |kits| serde_json::from_str(&kits)).map_err(wrong)?,
        created_at: Timestamp::from_micros(row.int(5)?),
        expires_at: row.maybe_int(6)?.map(Timestamp::from_micros),
        version: row.count(4)?,
    })
}

pub(crate) fn backorder(entry: &Backorder) -> [Value; 6] {
    let [sku, location] = key(&entry.key);
    [
        sku,
        location,
        entry.position.into(),
        entry.reservation.as_uuid().into(),
        entry.order.map(|id| id.as_uuid()).into(),
        entry.quantity.get().into(),
    ]
}

pub(crate) fn read_backorder(row: &impl Cells) -> Result<Backorder, Failure> {
    Ok(Backorder {
        key: read_key(row)?,
        position: row.count(2)?,
        reservation: ReservationId::new(row.id(3)?),
        order: row.maybe_id(4)?.map(OrderId::new),
        quantity: quantity(row, 5)?,
    })
}

pub(crate) fn movement(movement: &Movement) -> [Value; 13] {
    let [sku, location] = key(&movement.key);
    [
        sku,
        location,
        movement.version.into(),
        movement.kind.code().into(),
        movement.change.on_hand.into(),
        movement.change.reserved.into(),
        movement.change.backordered.into(),
        movement.command.as_uuid().into(),
        movement.reservation.map(|id| id.as_uuid()).into(),
        actor(&movement.actor),
        cause(movement.cause),
        movement.reason.as_deref().into(),
        movement.at.as_micros().into(),
    ]
}

pub(crate) fn read_movement(row: &impl Cells) -> Result<Movement, Failure> {
    Ok(Movement {
        key: read_key(row)?,
        version: row.count(2)?,
        kind: code(row, 3, "kind of movement", MovementKind::from_code)?,
        change: Counters { on_hand: row.int(4)?, reserved: row.int(5)?, backordered: row.int(6)? },
        command: CommandId::new(row.id(7)?),
        reservation: row.maybe_id(8)?.map(ReservationId::new),
        actor: read_actor(row.maybe_text(9)?)?,
        cause: read_cause(row.maybe_text(10)?)?,
        reason: row.maybe_text(11)?.map(Into::into),
        at: Timestamp::from_micros(row.int(12)?),
    })
}

pub(crate) fn read_key(row: &impl Cells) -> Result<StockKey, Failure> {
    Ok(StockKey::new(Sku::new(row.text(0)?)?, LocationId::new(row.text(1)?)?))
}

pub(crate) fn quantity(row: &impl Cells, column: usize) -> Result<Quantity, Failure> {
    Ok(Quantity::new(row.int(column)?)?)
}
