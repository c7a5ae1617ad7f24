//! Leases, and what may be published under them.

use std::collections::{HashMap, HashSet};
use std::iter::Peekable;
use std::time::Duration;
use std::vec::IntoIter;

use stockpulse_core::codec;
use stockpulse_core::model::{Event, Timestamp, micros};
use stockpulse_core::port::{Claim, Lease, OutboxId, OutboxRow, OutboxStats};

use super::pack::{Settled, event_id};
use super::tables::OutboxTables;
use crate::database::Session;
use crate::failure::Failure;
use crate::frame::named;
use crate::table::Rows;
use crate::value::{Cells, Value};

/// How many packs are read at once.
const PACKS: i64 = 32;

/// A row of the leases.
struct Shard {
    index: u16,
    worker: String,
    epoch: u64,
    ends_at: Timestamp,
}

impl Shard {
    /// Whether a claim by this worker leaves it as it is: it is somebody else's, or its own for long enough yet.
    fn stays(&self, worker: &str, now: Timestamp, lease: Duration) -> bool {
        let left = self.ends_at.as_micros().saturating_sub(now.as_micros());
        if self.worker == worker { left >= micros(lease - lease / 4) } else { left > 0 }
    }
}

async fn shards<S: Session>(session: &mut S, tables: &'static OutboxTables, lock: &str) -> Result<Vec<Shard>, Failure> {
    let name = tables.leases.name;
    let sql = format!("SELECT shard, worker, epoch, ends_at FROM {name} ORDER BY shard{lock}");
    let rows = session.query(&sql, &[]).await?;
    let read = |row: &S::Row| -> Result<Shard, Failure> {
        Ok(Shard {
            index: u16::try_from(row.int(0)?).map_err(|_| Failure::corrupt("a shard is out of range"))?,
            worker: row.text(1)?,
            epoch: row.count(2)?,
            ends_at: Timestamp::from_micros(row.int(3)?),
        })
    };
    rows.iter().map(read).collect()
}

/// Fails unless the lease still holds all of these shards.
pub(super) async fn check<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    lease: &Lease,
    needed: &HashSet<u16>,
) -> Result<(), Failure> {
    use stockpulse_core::{Error, ErrorKind, Retry};
    for shard in shards(session, tables, S::FOR_UPDATE).await? {
        let held = lease.shards.iter().any(|(index, epoch)| *index == shard.index && *epoch == shard.epoch);
        if needed.contains(&shard.index) && !held {
            let message = format!("shard {} is leased to somebody else", shard.index);
            // What was lost does not come back by asking again.
            return Err(Error::new(ErrorKind::Contention, message).with_retry(Retry::Never).into());
        }
    }
    Ok(())
}

pub(super) async fn surrender<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    lease: &Lease,
) -> Result<(), Failure> {
    let mut rows = Rows::of(&tables.leases, lease.shards.len());
    for shard in shards(session, tables, S::FOR_UPDATE).await? {
        if lease.shards.contains(&(shard.index, shard.epoch)) {
            rows.push([shard.index.into(), "".into(), shard.epoch.into(), 0_i64.into()]);
        }
    }
    session.upsert(&tables.leases, rows).await
}

/// Takes or renews every lease that is to be had, and reads what may be published under them. Most claims of a busy
/// relay find their leases new enough: they write nothing, and wait for no disk.
pub(super) async fn claim<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    worker: &str,
    lease: Duration,
    limit: usize,
) -> Result<Claim, Failure> {
    let now = session.now().await?;
    let known = shards(session, tables, "").await?;
    if known.iter().all(|shard| shard.stays(worker, now, lease)) {
        let own = known.into_iter().filter(|shard| shard.worker == worker);
        let held: Vec<(u16, u64)> = own.map(|shard| (shard.index, shard.epoch)).collect();
        let rows = waiting(session, tables, &held, now, limit).await?;
        return Ok(Claim { lease: Lease { worker: worker.into(), shards: held }, rows });
    }
    let shards = shards(session, tables, S::FOR_UPDATE).await?;
    let now = session.now().await?;
    let mut rows = Rows::of(&tables.leases, shards.len());
    let mut held = Vec::new();
    for shard in shards {
        let own = shard.worker == worker;
        if !own && shard.ends_at > now {
            continue;
        }
        let epoch = if own { shard.epoch } else { shard.epoch + 1 };
        rows.push([shard.index.into(), worker.into(), epoch.into(), (now.as_micros() + micros(lease)).into()]);
        held.push((shard.index, epoch));
    }
    session.upsert(&tables.leases, rows).await?;
    let rows = waiting(session, tables, &held, now, limit).await?;
    Ok(Claim { lease: Lease { worker: worker.into(), shards: held }, rows })
}

/// The events of these shards that may be published now, by id.
async fn waiting<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    held: &[(u16, u64)],
    now: Timestamp,
    limit: usize,
) -> Result<Vec<OutboxRow>, Failure> {
    let mask = held.iter().fold(0_i64, |mask, (shard, _)| mask | 1 << shard);
    let holds = |shard: u8| mask & (1 << shard) != 0;
    let (mut aside, blocked) = aside(session, tables, mask, now).await?;
    let mut rows = Vec::new();
    let sql = format!(
        "SELECT id, body, event_shards, settled FROM {} WHERE id > ? AND (shards & ?) <> 0 ORDER BY id LIMIT ?",
        tables.packs.name
    );
    let mut after = 0;
    while rows.len() < limit {
        let packs = session.query(&sql, &[Value::Int(after), Value::Int(mask), Value::Int(PACKS)]).await?;
        let Some(last) = packs.last() else { break };
        after = last.int(0)?;
        for pack in &packs {
            let id = pack.int(0)?;
            let events: Vec<Event> =
                codec::decode(&pack.bytes(1)?).map_err(|error| named(error, "row of the outbox", &id))?;
            let (shards, settled) = (pack.bytes(2)?, Settled(pack.maybe_bytes(3)?.unwrap_or_default()));
            for (index, event) in events.into_iter().enumerate() {
                let id = event_id(id, index);
                take_until(&mut aside, id, &mut rows);
                let open = shards.get(index).is_some_and(|shard| holds(*shard)) && !settled.has(index);
                if open && (blocked.is_empty() || blocked.get(&key(&event)?).is_none_or(|first| id < *first)) {
                    rows.push(OutboxRow { id, event, attempts: 0 });
                }
            }
            if rows.len() >= limit {
                break;
            }
        }
    }
    take_until(&mut aside, OutboxId::MAX, &mut rows);
    rows.truncate(limit);
    Ok(rows)
}

/// Events that were taken out of their packs and may be tried again, and the first of each key that may not.
type Aside = (Peekable<IntoIter<OutboxRow>>, HashMap<String, OutboxId>);

/// The events that were taken out of their packs and may be tried again, and the keys of those that may not: a key is
/// blocked from its first such event on, and the events before it are published.
async fn aside<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    mask: i64,
    now: Timestamp,
) -> Result<Aside, Failure> {
    let sql = format!("SELECT id, shard, event_key, attempts, retry_at, body FROM {} ORDER BY id", tables.aside.name);
    let mut due = Vec::new();
    let mut blocked = HashMap::new();
    for row in session.query(&sql, &[]).await? {
        if mask & (1 << row.int(1)?) == 0 {
            continue;
        }
        let key = row.text(2)?;
        // Rows that were set aside for good have no time at which to try again.
        if row.maybe_int(4)?.is_none_or(|at| at > now.as_micros()) {
            blocked.entry(key).or_insert(row.count(0)?);
        } else if !blocked.contains_key(&key) {
            let id = row.count(0)?;
            let event = codec::decode(&row.bytes(5)?).map_err(|error| named(error, "row of the outbox", &id))?;
            let attempts = u32::try_from(row.int(3)?).unwrap_or(u32::MAX);
            due.push(OutboxRow { id, event, attempts });
        }
    }
    Ok((due.into_iter().peekable(), blocked))
}

fn take_until(aside: &mut Peekable<IntoIter<OutboxRow>>, id: OutboxId, rows: &mut Vec<OutboxRow>) {
    while let Some(row) = aside.next_if(|row| row.id < id) {
        rows.push(row);
    }
}

/// The stored form of what an event is about.
pub(super) fn key(event: &Event) -> Result<String, Failure> {
    serde_json::to_string(&event.key()).map_err(|error| Failure::corrupt(error.to_string()))
}

/// How the outbox stands.
pub(super) async fn stats<S: Session>(session: &mut S, tables: &'static OutboxTables) -> Result<OutboxStats, Failure> {
    let mut stats = OutboxStats::default();
    let sql = format!("SELECT pending FROM {}", tables.packs.name);
    for row in session.query(&sql, &[]).await? {
        stats.pending += row.count(0)?;
    }
    let mut oldest: Option<i64> = None;
    let sql = format!("SELECT retry_at, happened_at FROM {}", tables.aside.name);
    for row in session.query(&sql, &[]).await? {
        if row.maybe_int(0)?.is_none() {
            stats.quarantined += 1;
            continue;
        }
        let at = row.int(1)?;
        stats.pending += 1;
        oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
    }
    // Of a pack that was dealt with in part, the first event may be gone: then the next pack may have an older one.
    let sql = format!("SELECT first_at, settled, body, id FROM {} ORDER BY first_at, id LIMIT 16", tables.packs.name);
    for pack in session.query(&sql, &[]).await? {
        let first = pack.int(0)?;
        if oldest.is_some_and(|oldest| oldest <= first) {
            break;
        }
        let settled = Settled(pack.maybe_bytes(1)?.unwrap_or_default());
        let id = pack.int(3)?;
        let events: Vec<Event> =
            codec::decode(&pack.bytes(2)?).map_err(|error| named(error, "row of the outbox", &id))?;
        let open = events.iter().enumerate().filter(|(index, _)| !settled.has(*index));
        let at = open.map(|(_, event)| event.at.as_micros()).min();
        oldest = oldest.into_iter().chain(at).min();
    }
    stats.oldest = oldest.map(Timestamp::from_micros);
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_when_a_quarter_of_it_is_gone_and_taken_over_when_it_has_ended() {
        let lease = Duration::from_secs(40);
        let stays = |worker, left: i64| {
            let now = Timestamp::from_secs(1_000);
            let ends_at = Timestamp::from_micros(now.as_micros() + left);
            Shard { index: 0, worker: "own".to_owned(), epoch: 1, ends_at }.stays(worker, now, lease)
        };
        let second = 1_000_000;
        assert_eq!([30 * second, 30 * second - 1, 0].map(|left| stays("own", left)), [true, false, false]);
        assert_eq!([1, 0, -second].map(|left| stays("other", left)), [true, false, false]);
    }
}
