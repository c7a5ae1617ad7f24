//! Writing down what a group is done with.

use std::collections::BTreeMap;

use stockpulse_core::model::{Envelope, micros};

use super::cursor::Pause;
use super::groups::Seat;
use super::tables::{DEAD_LETTERS, PLACES, event_values, number};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::table::Rows;
use crate::value::Cells;

/// What changes about a member's place in a partition.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Under which the member reads the partition.
    pub(super) generation: u64,
    pub(super) watermark: u64,
    pub(super) pause: Option<Pause>,
    pub(super) dead: Vec<Dead>,
}

/// An event that is put aside.
#[derive(Clone, Debug)]
pub(super) struct Dead {
    pub(super) offset: u64,
    pub(super) reason: String,
    pub(super) envelope: Envelope,
    pub(super) deliveries: u32,
}

/// Writes changes by partition, except for partitions that the member does not read any more under the same generation:
/// those are somebody else's now.
pub(super) async fn settle<S: Session>(
    session: &mut S,
    seat: &Seat,
    changes: &BTreeMap<u32, Change>,
) -> Result<(), Failure> {
    let mut keys = Rows::new(2);
    for partition in changes.keys() {
        keys.push([seat.group.as_str().into(), (*partition).into()]);
    }
    let found = session.select(Select { table: &PLACES, lock: true }, &keys).await?;
    let timed = changes.values().any(|change| change.pause.is_some() || !change.dead.is_empty());
    let now = if timed { session.now().await?.as_micros() } else { 0 };
    let mut places = Rows::of(&PLACES, found.len());
    let mut letters = Rows::of(&DEAD_LETTERS, 0);
    for row in &found {
        let (partition, generation) = (number(row, 1)?, row.count(4)?);
        let Some(change) = changes.get(&partition) else { continue };
        if row.maybe_id(3)? != Some(seat.member) || generation != change.generation {
            continue;
        }
        let pause = change.pause;
        places.push([
            seat.group.as_str().into(),
            partition.into(),
            change.watermark.max(row.count(2)?).into(),
            seat.member.into(),
            generation.into(),
            pause.map(|pause| pause.offset).into(),
            pause.map(|pause| now.saturating_add(micros(pause.wait))).into(),
            pause.map_or(0, |pause| pause.deliveries).into(),
        ]);
        for Dead { offset, reason, envelope, deliveries } in &change.dead {
            let [id, kind, source, subject, time, key, sequence, trace, deliveries, body] =
                event_values(envelope, *deliveries);
            letters.push([
                seat.group.as_str().into(),
                partition.into(),
                (*offset).into(),
                // PostgreSQL has no such text.
                reason.replace('\0', "\u{fffd}").into(),
                now.into(),
                id,
                kind,
                source,
                subject,
                time,
                key,
                sequence,
                trace,
                deliveries,
                body,
            ]);
        }
    }
    // Not inserted: an answer that was lost may have been a success.
    session.upsert(&DEAD_LETTERS, letters).await?;
    session.upsert(&PLACES, places).await?;
    tracing::trace!("settled");
    Ok(())
}
