//! What becomes of claimed events: published, put back, set aside.

use std::collections::{BTreeMap, HashMap, HashSet};

use stockpulse_core::codec;
use stockpulse_core::model::Event;
use stockpulse_core::port::{Lease, OutboxId, OutboxRow};

use super::Moved;
use super::claim::{check, key};
use super::pack::{Settled, place};
use super::tables::OutboxTables;
use crate::database::Session;
use crate::failure::Failure;
use crate::frame::named;
use crate::table::Rows;
use crate::value::{Cells, Value};

/// A pack of which some events are dealt with.
struct Open {
    shards: Vec<u8>,
    settled: Settled,
    pending: i64,
    /// Read only when an event has to be taken out.
    body: Vec<u8>,
}

/// Reads the packs of these events, under lock.
async fn packs<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    rows: &[OutboxId],
    body: bool,
) -> Result<BTreeMap<i64, Open>, Failure> {
    let mut ids: Vec<i64> = rows.iter().map(|id| place(*id).0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut packs = BTreeMap::new();
    for ids in ids.chunks(256) {
        let list: Vec<String> = ids.iter().map(i64::to_string).collect();
        let body = if body { "body" } else { "event_shards" };
        let (name, list) = (tables.packs.name, list.join(", "));
        let sql = format!(
            "SELECT id, event_shards, settled, pending, {body} FROM {name} WHERE id IN ({list}) ORDER BY id{}",
            S::FOR_UPDATE
        );
        for row in session.query(&sql, &[]).await? {
            let settled = Settled(row.maybe_bytes(2)?.unwrap_or_default());
            let open = Open { shards: row.bytes(1)?, settled, pending: row.int(3)?, body: row.bytes(4)? };
            packs.insert(row.int(0)?, open);
        }
    }
    Ok(packs)
}

/// Events that were taken out of their packs before, with their shards and attempts.
async fn known_aside<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    rows: &[OutboxId],
) -> Result<HashMap<OutboxId, S::Row>, Failure> {
    let mut ids = rows.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let select = crate::database::Select { table: &tables.aside, lock: true };
    let found = session.select(select, &Rows::single(ids)).await?;
    found.into_iter().map(|row| Ok((row.count(0)?, row))).collect()
}

/// The open packs and the events beside them, after the lease was found to hold the shards of all.
async fn under_lease<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    lease: &Lease,
    rows: &[OutboxId],
    body: bool,
) -> Result<(BTreeMap<i64, Open>, HashMap<OutboxId, S::Row>), Failure> {
    let packs = packs(session, tables, rows, body).await?;
    let aside = known_aside(session, tables, rows).await?;
    let mut needed = HashSet::new();
    for id in rows {
        if let Some(row) = aside.get(id) {
            needed.insert(u16::try_from(row.int(1)?).unwrap_or(u16::MAX));
        }
        let (pack, index) = place(*id);
        let open = packs.get(&pack).filter(|open| !open.settled.has(index));
        needed.extend(open.and_then(|open| open.shards.get(index)).map(|shard| u16::from(*shard)));
    }
    check(session, tables, lease, &needed).await?;
    Ok((packs, aside))
}

/// Deletes what was published.
pub(super) async fn settle<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    lease: &Lease,
    rows: &[OutboxId],
) -> Result<(), Failure> {
    let (mut packs, aside) = under_lease(session, tables, lease, rows, false).await?;
    for id in rows {
        mark(&mut packs, *id);
    }
    save(session, tables, packs).await?;
    let mut gone: Vec<OutboxId> = aside.into_keys().collect();
    gone.sort_unstable();
    session.delete(&tables.aside, &Rows::single(gone)).await
}

/// Takes events out of their packs: to be tried again at a time, or set aside with a reason.
pub(super) async fn set_aside<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    lease: &Lease,
    moved: &[Moved],
) -> Result<(), Failure> {
    let ids: Vec<OutboxId> = moved.iter().map(|(id, ..)| *id).collect();
    let (mut packs, aside) = under_lease(session, tables, lease, &ids, true).await?;
    let mut bodies: HashMap<i64, Vec<Event>> = HashMap::new();
    let mut rows = BTreeMap::new();
    for (id, retry_at, reason) in moved {
        let retry_at = Value::from(retry_at.map(|at| at.as_micros()));
        let failed = i64::from(reason.is_none());
        let reason = Value::from(reason.clone());
        if let Some(row) = aside.get(id) {
            let attempts = row.int(3)? + failed;
            let (shard, key, at, body) = (row.int(1)?, row.text(2)?, row.int(6)?, row.bytes(7)?);
            rows.insert(
                *id,
                [(*id).into(), shard.into(), key.into(), attempts.into(), retry_at, reason, at.into(), body.into()],
            );
            continue;
        }
        let (pack, index) = place(*id);
        let Some(open) = packs.get(&pack).filter(|open| !open.settled.has(index)) else { continue };
        let events = match bodies.entry(pack) {
            std::collections::hash_map::Entry::Occupied(events) => events.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let events = codec::decode(&open.body).map_err(|error| named(error, "row of the outbox", &pack))?;
                place.insert(events)
            }
        };
        let (Some(event), Some(shard)) = (events.get(index), open.shards.get(index)) else { continue };
        rows.insert(
            *id,
            [
                (*id).into(),
                (*shard).into(),
                key(event)?.into(),
                failed.into(),
                retry_at,
                reason,
                event.at.as_micros().into(),
                codec::encode(event)?.into(),
            ],
        );
        mark(&mut packs, *id);
    }
    save(session, tables, packs).await?;
    let mut out = Rows::of(&tables.aside, rows.len());
    for row in rows.into_values() {
        out.push(row);
    }
    session.upsert(&tables.aside, out).await
}

fn mark(packs: &mut BTreeMap<i64, Open>, id: OutboxId) {
    let (pack, index) = place(id);
    if let Some(open) = packs.get_mut(&pack).filter(|open| !open.settled.has(index) && index < open.shards.len()) {
        open.settled.add(index);
        open.pending -= 1;
    }
}

/// Deletes packs that are dealt with, and writes down how far the others are.
async fn save<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    packs: BTreeMap<i64, Open>,
) -> Result<(), Failure> {
    let name = tables.packs.name;
    let (done, open): (Vec<_>, Vec<_>) = packs.into_iter().partition(|(_, open)| open.pending == 0);
    for done in done.chunks(256) {
        let list: Vec<String> = done.iter().map(|(id, _)| id.to_string()).collect();
        session.execute(&format!("DELETE FROM {name} WHERE id IN ({})", list.join(", ")), &[]).await?;
    }
    for (id, open) in open {
        let rest = open.shards.iter().enumerate().filter(|(index, _)| !open.settled.has(*index));
        let shards = rest.fold(0_i64, |mask, (_, shard)| mask | 1 << shard);
        let sql = format!("UPDATE {name} SET shards = ?, pending = ?, settled = ? WHERE id = ?");
        let args = [shards.into(), open.pending.into(), open.settled.0.into(), id.into()];
        session.execute(&sql, &args).await?;
    }
    Ok(())
}

/// What was set aside for good, with the reasons.
pub(super) async fn quarantined<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    limit: usize,
) -> Result<Vec<(OutboxRow, String)>, Failure> {
    let sql = format!(
        "SELECT id, attempts, reason, body FROM {} WHERE retry_at IS NULL ORDER BY id LIMIT ?",
        tables.aside.name
    );
    let limit = Value::Int(i64::try_from(limit).unwrap_or(i64::MAX));
    let read = |row: &S::Row| -> Result<(OutboxRow, String), Failure> {
        let id = row.count(0)?;
        let event = codec::decode(&row.bytes(3)?).map_err(|error| named(error, "row of the outbox", &id))?;
        let attempts = u32::try_from(row.int(1)?).unwrap_or(u32::MAX);
        Ok((OutboxRow { id, event, attempts }, row.text(2)?))
    };
    session.query(&sql, &[limit]).await?.iter().map(read).collect()
}

/// Lets what was set aside be tried again.
pub(super) async fn requeue<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    rows: &[OutboxId],
) -> Result<usize, Failure> {
    change_quarantined(session, tables, rows, "UPDATE", "SET retry_at = 0, attempts = 0, reason = NULL").await
}

/// Throws away what was set aside.
pub(super) async fn discard<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    rows: &[OutboxId],
) -> Result<usize, Failure> {
    change_quarantined(session, tables, rows, "DELETE FROM", "").await
}

async fn change_quarantined<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    rows: &[OutboxId],
    verb: &str,
    set: &str,
) -> Result<usize, Failure> {
    let mut changed = 0;
    for rows in rows.chunks(256) {
        let list: Vec<String> = rows.iter().map(OutboxId::to_string).collect();
        let (name, list) = (tables.aside.name, list.join(", "));
        let sql = format!("{verb} {name} {set} WHERE retry_at IS NULL AND id IN ({list})");
        changed += session.execute(&sql, &[]).await?;
    }
    Ok(usize::try_from(changed).unwrap_or(usize::MAX))
}
