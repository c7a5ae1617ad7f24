//! Loading what a batch needs, under lock.

use stockpulse_core::engine::stock::{LoadPlan, StockCommand, StockWorkingSet};
use stockpulse_core::model::{Reservation, StockKey, StockLevel};

use super::rows;
use super::tables::{BACKORDER, LEVEL, RESERVATION};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::frame::{STOCK_COMMAND, read_outcome};
use crate::table::Rows;

/// A loaded working set, and the levels that were in it before anything was decided.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) set: StockWorkingSet,
    pub(crate) levels: Vec<StockLevel>,
}

/// Loads in the order of the plan: outcomes; reservations by id; levels by key; queues.
pub(crate) async fn load<S: Session>(session: &mut S, batch: &[StockCommand]) -> Result<Loaded, Failure> {
    let mut plan = LoadPlan::of(batch);
    let mut loaded = Loaded::default();
    let commands = Rows::single(plan.commands.iter().map(|id| id.as_uuid()));
    for row in session.select(Select { table: &STOCK_COMMAND, lock: false }, &commands).await? {
        let (id, decided) = read_outcome(&row)?;
        loaded.set.insert_outcome(id, decided);
    }
    let ids = Rows::single(plan.reservations.iter().map(|id| id.as_uuid()));
    if !ids.is_empty() {
        for row in session.select(Select { table: &RESERVATION, lock: true }, &ids).await? {
            let reservation = rows::read_reservation(&row)?;
            plan.add_lines_of(&reservation);
            loaded.set.insert_reservation(reservation);
        }
    }
    for sku in &plan.skus {
        let keys = Rows::single([sku.as_str()]);
        for row in session.select(Select { table: &LEVEL, lock: false }, &keys).await? {
            plan.levels.push(rows::read_key(&row)?);
        }
    }
    plan.levels.sort_unstable();
    plan.levels.dedup();
    loaded.levels = levels(session, &plan.levels, true).await?;
    let waiting = loaded.levels.iter().filter(|level| !level.backordered.is_zero());
    let queues = keys(waiting.map(|level| &level.key));
    for level in &loaded.levels {
        loaded.set.insert_level(level.clone());
    }
    if !queues.is_empty() {
        for row in session.select(Select { table: &BACKORDER, lock: true }, &queues).await? {
            loaded.set.insert_backorder(rows::read_backorder(&row)?);
        }
    }
    Ok(loaded)
}

/// The levels with these keys, as far as they exist.
pub(crate) async fn levels<S: Session>(
    session: &mut S,
    sorted: &[StockKey],
    lock: bool,
) -> Result<Vec<StockLevel>, Failure> {
    if sorted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.select(Select { table: &LEVEL, lock }, &keys(sorted)).await?;
    rows.iter().map(rows::read_level).collect()
}

/// Fills in what waits of each reservation's lines, which the levels' queues know.
pub(crate) async fn fill_in_waiting<S: Session>(
    session: &mut S,
    reservations: &mut [Reservation],
) -> Result<(), Failure> {
    let queued = reservations.iter().flat_map(|reservation| &reservation.lines);
    let mut places: Vec<(StockKey, u64)> =
        queued.filter_map(|line| Some((line.key.clone(), line.queued_at?))).collect();
    if places.is_empty() {
        return Ok(());
    }
    places.sort_unstable();
    places.dedup();
    let mut keys = Rows::new(3);
    for (key, position) in &places {
        let [sku, location] = rows::key(key);
        keys.push([sku, location, (*position).into()]);
    }
    let answer = session.select(Select { table: &BACKORDER, lock: false }, &keys).await?;
    let entries = answer.iter().map(rows::read_backorder).collect::<Result<Vec<_>, _>>()?;
    for line in reservations.iter_mut().flat_map(|reservation| &mut reservation.lines) {
        let entry = entries.iter().find(|entry| Some(entry.position) == line.queued_at && entry.key == line.key);
        line.backordered = entry.map_or(line.backordered, |entry| entry.quantity);
    }
    Ok(())
}

fn keys<'a>(of: impl IntoIterator<Item = &'a StockKey>) -> Rows {
    let mut keys = Rows::new(2);
    for key in of {
        keys.push(rows::key(key));
    }
    keys
}
