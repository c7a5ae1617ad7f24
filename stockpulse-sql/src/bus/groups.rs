//! Consumer groups: who is a member, and who reads which partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stockpulse_core::model::micros;
use stockpulse_core::port::Start;
use stockpulse_core::{Error, ErrorKind};
use uuid::Uuid;

use super::share::share_out;
use super::tables::{GROUPS, MEMBERS, PARTITIONS, PLACES};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::table::Rows;
use crate::value::{Cells, Value};

/// A member's place in its group, as the member knows it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) group: String,
    pub(super) member: Uuid,
    /// The event types, one to a line.
    pub(super) event_types: String,
    pub(super) start: Start,
    pub(super) lease: Duration,
    /// Whether it has left: a sign of life that comes late does not bring it back.
    pub(super) left: AtomicBool,
}

/// Joins the group, or shows that the member is alive. One that was taken for dead meanwhile joins anew. Members whose
/// time has run out are removed, whoever notices it.
pub(super) async fn stay<S: Session>(session: &mut S, seat: &Seat) -> Result<(), Failure> {
    let Group { generation, event_types, mut members } = lock(session, seat).await?;
    if seat.left.load(Ordering::Acquire) {
        return Ok(());
    }
    let now = session.now().await?.as_micros();
    let (alive, gone): (Vec<_>, Vec<_>) =
        members.drain(..).partition(|(member, ends_at)| *member == seat.member || *ends_at > now);
    let mut living: Vec<Uuid> = alive.into_iter().map(|(member, _)| member).collect();
    let new = !living.contains(&seat.member);
    // A partition has one reader, and that reader skips what it did not subscribe to: members that want different types
    // would lose each other's events.
    if new && !living.is_empty() && event_types != seat.event_types {
        let message = format!("group '{}' has members that subscribe to other event types", seat.group);
        return Err(Error::new(ErrorKind::Config, message).into());
    }
    let mut own = Rows::of(&MEMBERS, 1);
    own.push([seat.group.as_str().into(), seat.member.into(), now.saturating_add(micros(seat.lease)).into()]);
    session.upsert(&MEMBERS, own).await?;
    if !new && gone.is_empty() {
        return Ok(());
    }
    if new {
        living.push(seat.member);
    }
    let mut keys = Rows::new(2);
    for (member, _) in gone {
        keys.push([seat.group.as_str().into(), member.into()]);
    }
    session.delete(&MEMBERS, &keys).await?;
    let start = new.then_some(seat.start);
    let types = if new { &seat.event_types } else { &event_types };
    rebalance(session, seat, generation + 1, types, &living, start).await
}

/// Leaves the group.
pub(super) async fn leave<S: Session>(session: &mut S, seat: &Seat) -> Result<(), Failure> {
    let Group { generation, event_types, members } = lock(session, seat).await?;
    let living: Vec<Uuid> = members.iter().map(|(member, _)| *member).filter(|member| *member != seat.member).collect();
    if living.len() == members.len() {
        return Ok(());
    }
    let mut keys = Rows::new(2);
    keys.push([seat.group.as_str().into(), seat.member.into()]);
    session.delete(&MEMBERS, &keys).await?;
    rebalance(session, seat, generation + 1, &event_types, &living, None).await
}

struct Group {
    generation: u64,
    event_types: String,
    /// Each with the time at which it counts as gone.
    members: Vec<(Uuid, i64)>,
}

/// Locks the group, which is made if there is none.
async fn lock<S: Session>(session: &mut S, seat: &Seat) -> Result<Group, Failure> {
    let key = Rows::single([seat.group.as_str()]);
    let found = session.select(Select { table: &GROUPS, lock: true }, &key).await?;
    let Some(row) = found.first() else {
        let mut rows = Rows::of(&GROUPS, 1);
        rows.push([seat.group.as_str().into(), 0_i64.into(), seat.event_types.as_str().into()]);
        session.insert(&GROUPS, rows).await?;
        return Ok(Group { generation: 0, event_types: seat.event_types.clone(), members: Vec::new() });
    };
    let (generation, event_types) = (row.count(1)?, row.text(2)?);
    let sql = "SELECT member, ends_at FROM bus_member WHERE group_name = ? ORDER BY member";
    let members = session.query(sql, &[seat.group.as_str().into()]).await?;
    let members = members.iter().map(|row| Ok((row.id(0)?, row.int(1)?))).collect::<Result<_, Failure>>()?;
    Ok(Group { generation, event_types, members })
}

/// Shares the partitions out. Those that stay keep their generation, and with it what is in flight; those that move get
/// the new one. With `start` the group gets a place in each partition that it has none in.
async fn rebalance<S: Session>(
    session: &mut S,
    seat: &Seat,
    generation: u64,
    event_types: &str,
    living: &[Uuid],
    start: Option<Start>,
) -> Result<(), Failure> {
    let key = Rows::single([seat.group.as_str()]);
    let found = session.select(Select { table: &PLACES, lock: true }, &key).await?;
    let mut places = Vec::with_capacity(found.len());
    for row in &found {
        let maybe = |column| Ok::<Value, Failure>(row.maybe_int(column)?.into());
        let kept = [row.int(1)?.into(), row.int(2)?.into(), maybe(5)?, maybe(6)?, maybe(7)?];
        places.push((kept, row.maybe_id(3)?));
    }
    let known = places.len();
    if let Some(start) = start {
        let sql = format!("SELECT {} FROM bus_partition ORDER BY partition_no", PARTITIONS.names(""));
        for row in session.query(&sql, &[]).await?.iter().skip(known) {
            let offset = match start {
                Start::Earliest => row.int(1)?,
                Start::Latest => row.int(2)?,
            };
            let new = [row.int(0)?.into(), offset.into(), Value::Null, Value::Null, 0_i64.into()];
            places.push((new, None));
        }
    }
    let mut owners: Vec<Option<Uuid>> = places.iter().map(|(_, owner)| *owner).collect();
    share_out(living, &mut owners);
    let mut rows = Rows::of(&PLACES, places.len());
    for (index, ((kept, before), owner)) in places.into_iter().zip(owners).enumerate() {
        if index < known && before == owner {
            continue;
        }
        let [partition, offset, retry_offset, retry_at, deliveries] = kept;
        let group = seat.group.as_str().into();
        rows.push([group, partition, offset, owner.into(), generation.into(), retry_offset, retry_at, deliveries]);
    }
    session.upsert(&PLACES, rows).await?;
    let mut rows = Rows::of(&GROUPS, 1);
    rows.push([seat.group.as_str().into(), generation.into(), event_types.into()]);
    session.upsert(&GROUPS, rows).await
}
