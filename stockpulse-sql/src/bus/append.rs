//! Appending events to the log.

use std::collections::BTreeMap;

use stockpulse_core::Result;
use stockpulse_core::bus::partition_of;
use stockpulse_core::model::Envelope;

use super::tables::{EVENTS, PARTITIONS, event_values, number};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::table::Rows;
use crate::value::Cells;

/// An event on its way into the log.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) envelope: Envelope,
    /// The one group it is for, if it is a dead letter that is replayed.
    pub(super) only: Option<String>,
    /// How often it was delivered before, in that case.
    pub(super) deliveries: u32,
}

/// How many partitions the bus has; so many are made if it has none.
pub(super) async fn partitions<S: Session>(session: &mut S, wanted: u16) -> Result<u32, Failure> {
    let found = session.query("SELECT partition_no FROM bus_partition", &[]).await?.len();
    if found > 0 {
        return u32::try_from(found).map_err(|_| Failure::corrupt("there are too many partitions"));
    }
    let wanted = wanted.max(1);
    let mut rows = Rows::of(&PARTITIONS, wanted.into());
    for partition in 0..wanted {
        rows.push([partition.into(), 0_i64.into(), 0_i64.into()]);
    }
    session.insert(&PARTITIONS, rows).await?;
    Ok(wanted.into())
}

/// Appends events, each to the partition of its key. The partitions stay locked until the transaction ends, so that
/// whoever sees an event sees all before it.
pub(super) async fn append<S: Session>(session: &mut S, entries: &[Entry], partitions: u32) -> Result<(), Failure> {
    let mut routed: BTreeMap<u32, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        routed.entry(partition_of(&entry.envelope.partition_key, partitions)).or_default().push(entry);
    }
    let select = Select { table: &PARTITIONS, lock: true };
    let found = session.select(select, &Rows::single(routed.keys().copied())).await?;
    if found.len() != routed.len() {
        return Err(Failure::corrupt("a partition of the bus is missing"));
    }
    let mut events = Rows::of(&EVENTS, entries.len());
    let mut ends = Rows::of(&PARTITIONS, found.len());
    for row in &found {
        let (partition, mut offset) = (number(row, 0)?, row.count(2)?);
        for entry in routed.remove(&partition).unwrap_or_default() {
            let [id, kind, source, subject, time, key, sequence, trace, deliveries, body] =
                event_values(&entry.envelope, entry.deliveries);
            events.push([
                partition.into(),
                offset.into(),
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
                entry.only.clone().into(),
            ]);
            offset += 1;
        }
        ends.push([partition.into(), row.count(1)?.into(), offset.into()]);
    }
    session.insert(&EVENTS, events).await?;
    session.upsert(&PARTITIONS, ends).await?;
    tracing::trace!("appended");
    Ok(())
}
