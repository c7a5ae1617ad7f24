//! Looking: which partitions a member reads, and what is new in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use stockpulse_core::model::Timestamp;
use uuid::Uuid;

use super::cursor::{Entry, Pause};
use super::tables::{EVENTS, number, read_event};
use crate::database::Session;
use crate::failure::Failure;
use crate::value::{Cells, Value};

/// How many offsets of a partition one look goes over at most, most of which may be of no interest.
const SPAN: u64 = 10_000;

/// What a member wants to know.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) group: String,
    pub(super) member: Uuid,
    /// The names of the event types.
    pub(super) types: Vec<&'static str>,
    /// The generation of each partition that the member reads so far, and the offset to read next; none if it has to wait.
    pub(super) known: BTreeMap<u32, (u64, Option<u64>)>,
    /// How many events are to be read, roughly: one of each partition at least. None if zero.
    pub(super) events: usize,
    /// Which partition comes first, so that a busy one does not starve the others.
    pub(super) turn: usize,
}

/// A partition that the member reads.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) partition: u32,
    pub(super) generation: u64,
    pub(super) written: u64,
    end: u64,
    retry: Option<(u64, i64, u32)>,
    pub(super) pause: Option<Pause>,
    pub(super) aside: BTreeSet<u64>,
}

/// What was read of a partition: all that is of interest from `from` up to, and without, `to`.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) partition: u32,
    pub(super) generation: u64,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) entries: Vec<Entry>,
}

/// What a look came to.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) places: Vec<Place>,
    pub(super) parts: Vec<Part>,
}

/// Looks for the partitions of a member, and reads what is new in them.
pub(super) async fn look<S: Session>(session: &mut S, ask: &Ask) -> Result<Look, Failure> {
    let mut places = places(session, ask).await?;
    recover(session, ask, &mut places).await?;
    let mut parts: Vec<Part> = Vec::new();
    for place in &places {
        let next = match ask.known.get(&place.partition) {
            Some((generation, next)) if *generation == place.generation => *next,
            _ => Some(place.written),
        };
        if let Some(from) = next.filter(|next| *next < place.end) {
            let to = place.end.min(from.saturating_add(SPAN));
            let (partition, generation) = (place.partition, place.generation);
            parts.push(Part { partition, generation, from, to, entries: Vec::new() });
        }
    }
    let first = ask.turn.checked_rem(parts.len()).unwrap_or_default();
    parts.rotate_left(first);
    parts.truncate(ask.events);
    read(session, ask, &mut parts).await?;
    Ok(Look { places, parts })
}

/// The partitions that the member reads at present.
async fn places<S: Session>(session: &mut S, ask: &Ask) -> Result<Vec<Place>, Failure> {
    let sql = "SELECT g.partition_no, g.generation, g.event_offset, p.next_offset, g.retry_offset, g.retry_at, \
               g.deliveries FROM bus_place g JOIN bus_partition p ON p.partition_no = g.partition_no \
               WHERE g.group_name = ? AND g.owner = ? ORDER BY g.partition_no";
    let rows = session.query(sql, &[ask.group.as_str().into(), ask.member.into()]).await?;
    let read = |row: &S::Row| {
        let written = row.count(2)?;
        let retry = match (row.maybe_int(4)?, row.maybe_int(5)?) {
            (Some(offset), Some(at)) => Some((offset.cast_unsigned(), at, number(row, 6)?)),
            _ => None,
        };
        Ok(Place {
            partition: number(row, 0)?,
            generation: row.count(1)?,
            written,
            end: row.count(3)?,
            retry: retry.filter(|(offset, ..)| *offset >= written),
            pause: None,
            aside: BTreeSet::new(),
        })
    };
    rows.iter().map(read).collect()
}

/// For partitions that the member reads anew: what an earlier owner left to be tried again, and what it put aside.
async fn recover<S: Session>(session: &mut S, ask: &Ask, places: &mut [Place]) -> Result<(), Failure> {
    let moved = |place: &Place| ask.known.get(&place.partition).map(|known| known.0) != Some(place.generation);
    let mut sql = "SELECT partition_no, event_offset FROM bus_dead_letter WHERE group_name = ? AND (".to_owned();
    let mut args: Vec<Value> = vec![ask.group.as_str().into()];
    let mut now: Option<Timestamp> = None;
    for place in places.iter_mut().filter(|place| moved(place)) {
        sql.push_str(if args.len() == 1 { "" } else { " OR " });
        sql.push_str("(partition_no = ? AND event_offset >= ?)");
        args.extend([place.partition.into(), place.written.into()]);
        let Some((offset, at, deliveries)) = place.retry else { continue };
        let now = match now {
            Some(now) => now,
            None => *now.insert(session.now().await?),
        };
        let wait: Duration = Timestamp::from_micros(at).since(now);
        place.pause = Some(Pause { offset, wait, deliveries });
    }
    if args.len() == 1 {
        return Ok(());
    }
    sql.push(')');
    for row in session.query(&sql, &args).await? {
        let partition = number(&row, 0)?;
        if let Some(place) = places.iter_mut().find(|place| place.partition == partition) {
            place.aside.insert(row.count(1)?);
        }
    }
    Ok(())
}

/// Reads the parts, all with one query. Where there is more of interest than may be read, a part ends sooner.
async fn read<S: Session>(session: &mut S, ask: &Ask, parts: &mut [Part]) -> Result<(), Failure> {
    if parts.is_empty() {
        return Ok(());
    }
    let each = ask.events.div_ceil(parts.len());
    let types = vec!["?"; ask.types.len()].join(", ");
    let names = EVENTS.names("");
    let (mut sql, mut args): (String, Vec<Value>) = (String::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        sql.push_str(if index == 0 { "" } else { " UNION ALL " });
        let _ = write!(
            sql,
            "SELECT {names} FROM (SELECT {names} FROM bus_event WHERE partition_no = ? AND event_offset >= ? \
             AND event_offset < ? AND type_name IN ({types}) AND (only_group IS NULL OR only_group = ?) \
             ORDER BY event_offset LIMIT ?) AS part_{index}"
        );
        args.extend([part.partition.into(), part.from.into(), part.to.into()]);
        args.extend(ask.types.iter().map(|name| Value::from(*name)));
        args.extend([ask.group.as_str().into(), Value::Int(i64::try_from(each).unwrap_or(i64::MAX))]);
    }
    for row in session.query(&sql, &args).await? {
        let (partition, offset) = (number(&row, 0)?, row.count(1)?);
        let (envelope, deliveries) = read_event(&row, 2)?;
        if let Some(part) = parts.iter_mut().find(|part| part.partition == partition) {
            part.entries.push((offset, envelope, deliveries));
        }
    }
    for part in parts {
        part.entries.sort_unstable_by_key(|(offset, ..)| *offset);
        if let Some((last, ..)) = part.entries.last().filter(|_| part.entries.len() >= each) {
            part.to = last + 1;
        }
    }
    Ok(())
}
