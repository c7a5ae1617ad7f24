//! What groups put aside.

use compact_str::CompactString;
use stockpulse_core::model::{Envelope, Timestamp};

use super::append::{Entry, append};
use super::tables::{DEAD_LETTERS, number, read_event};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::table::Rows;
use crate::value::{Cells, Value};

/// Which dead letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId {
    /// The group that put it aside; other groups receive the event as ever.
    pub group: CompactString,
    /// The partition it came in.
    pub partition: u32,
    /// Its place there.
    pub offset: u64,
}

/// An event that a group put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Which one.
    pub id: DeadLetterId,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// How often it had been delivered to the group, as far as is known.
    pub deliveries: u32,
    /// The event.
    pub envelope: Envelope,
}

pub(super) async fn list<S: Session>(session: &mut S, limit: i64) -> Result<Vec<DeadLetter>, Failure> {
    let names = DEAD_LETTERS.names("");
    let order = "ORDER BY put_aside_at, group_name, partition_no, event_offset";
    let sql = format!("SELECT {names} FROM bus_dead_letter {order} LIMIT ?");
    session.query(&sql, &[Value::Int(limit)]).await?.iter().map(read).collect()
}

/// Appends dead letters to the log again, each for its group alone. Answers how many there were.
pub(super) async fn replay<S: Session>(
    session: &mut S,
    ids: &[DeadLetterId],
    partitions: u32,
) -> Result<usize, Failure> {
    let keys = keys(ids);
    let found = session.select(Select { table: &DEAD_LETTERS, lock: true }, &keys).await?;
    let mut entries = Vec::with_capacity(found.len());
    for row in &found {
        let DeadLetter { id, deliveries, envelope, .. } = read(row)?;
        entries.push(Entry { envelope, only: Some(id.group.into()), deliveries });
    }
    append(session, &entries, partitions).await?;
    session.delete(&DEAD_LETTERS, &keys).await?;
    Ok(entries.len())
}

/// Forgets dead letters. Answers how many there were.
pub(super) async fn discard<S: Session>(session: &mut S, ids: &[DeadLetterId]) -> Result<usize, Failure> {
    let keys = keys(ids);
    let found = session.select(Select { table: &DEAD_LETTERS, lock: true }, &keys).await?;
    session.delete(&DEAD_LETTERS, &keys).await?;
    Ok(found.len())
}

fn keys(ids: &[DeadLetterId]) -> Rows {
    let mut sorted: Vec<&DeadLetterId> = ids.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut keys = Rows::new(3);
    for id in sorted {
        keys.push([id.group.as_str().into(), id.partition.into(), id.offset.into()]);
    }
    keys
}

fn read(row: &impl Cells) -> Result<DeadLetter, Failure> {
    let (envelope, deliveries) = read_event(row, 5)?;
    Ok(DeadLetter {
        id: DeadLetterId { group: row.text(0)?.into(), partition: number(row, 1)?, offset: row.count(2)? },
        reason: row.text(3)?,
        at: Timestamp::from_micros(row.int(4)?),
        deliveries,
        envelope,
    })
}
