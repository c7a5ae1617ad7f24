//! Reading stock.

use stockpulse_core::model::{Movement, Reservation, ReservationId, ReservationState, StockKey, StockLevel, Timestamp};
use stockpulse_core::port::Page;

use super::load::{self, fill_in_waiting};
use super::rows;
use super::tables::{LEVEL, MOVEMENT, RESERVATION};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::rows::{aligned, bound, sorted};
use crate::table::Rows;
use crate::value::Cells;

pub(super) async fn levels<S: Session>(session: &mut S, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>, Failure> {
    let levels = load::levels(session, &sorted(keys), false).await?;
    Ok(aligned(keys, levels, |level| level.key.clone()))
}

pub(super) async fn reservations<S: Session>(
    session: &mut S,
    ids: &[ReservationId],
) -> Result<Vec<Option<Reservation>>, Failure> {
    let keys = Rows::single(sorted(ids).iter().map(|id| id.as_uuid()));
    let found = session.select(Select { table: &RESERVATION, lock: false }, &keys).await?;
    let mut reservations = found.iter().map(rows::read_reservation).collect::<Result<Vec<_>, _>>()?;
    fill_in_waiting(session, &mut reservations).await?;
    Ok(aligned(ids, reservations, |reservation| reservation.id))
}

pub(super) async fn expiring<S: Session>(
    session: &mut S,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ReservationId>, Failure> {
    let sql = format!(
        "SELECT id FROM {} WHERE state = {} AND expires_at <= ? ORDER BY expires_at, id LIMIT ?",
        RESERVATION.name,
        ReservationState::Held.code()
    );
    let found = session.query(&sql, &[before.as_micros().into(), bound(limit)]).await?;
    found.iter().map(|row| Ok(ReservationId::new(row.id(0)?))).collect()
}

pub(super) async fn movements<S: Session>(
    session: &mut S,
    key: &StockKey,
    after: u64,
    limit: usize,
) -> Result<Page<Movement, u64>, Failure> {
    let (columns, name) = (MOVEMENT.names(""), MOVEMENT.name);
    let sql =
        format!("SELECT {columns} FROM {name} WHERE sku = ? AND location = ? AND version > ? ORDER BY version LIMIT ?");
    let [sku, location] = rows::key(key);
    // Versions are no larger than what fits.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let found = session.query(&sql, &[sku, location, after.into(), bound(limit.saturating_add(1))]).await?;
    let movements = found.iter().map(rows::read_movement).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::collect(movements.into_iter(), limit, |movement| movement.version))
}

pub(super) async fn list_levels<S: Session>(
    session: &mut S,
    after: Option<&StockKey>,
    limit: usize,
) -> Result<Page<StockLevel, StockKey>, Failure> {
    let (columns, name) = (LEVEL.names(""), LEVEL.name);
    let mut args = Vec::new();
    let mut bounds = "";
    if let Some(after) = after {
        bounds = "WHERE sku >= ? AND (sku > ? OR location > ?)";
        let [sku, location] = rows::key(after);
        args.extend([sku.clone(), sku, location]);
    }
    args.push(bound(limit.saturating_add(1)));
    let sql = format!("SELECT {columns} FROM {name} {bounds} ORDER BY sku, location LIMIT ?");
    let found = session.query(&sql, &args).await?;
    let levels = found.iter().map(rows::read_level).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::collect(levels.into_iter(), limit, |level| level.key.clone()))
}
