//! Appending events to the log.

use std::collections::BTreeMap;

use stockpulse_core::Result;
use stockpulse_core::model::Envelope;

use super::tables::{EVENTS, PARTITIONS, event_values, number};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::table::Rows;
use crate::value::Cells;

/// Bytes that an attribute may have.
const MAX_ATTRIBUTE_BYTES: usize = 1_024;

/// An event on its way into the log.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) envelope: Envelope,
    /// The one group it is for, if it is a dead letter that is replayed.
    pub(super) only: Option<String>,
    /// How often it was delivered before, in that case.
    pub(super) deliveries: u32,
}

/// Why the log cannot take an envelope, if so.
pub(super) fn check(envelope: &Envelope, max_event_bytes: usize) -> Result<(), String> {
    envelope.validate(max_event_bytes).map_err(|error| error.to_string())?;
    let Envelope { type_name, source, subject, partition_key, .. } = envelope;
    for (name, text) in [("type", type_name), ("source", source), ("subject", subject), ("partitionkey", partition_key)]
    {
        if text.len() > MAX_ATTRIBUTE_BYTES {
            return Err(format!("event {}: {name} is longer than {MAX_ATTRIBUTE_BYTES} bytes", envelope.id));
        }
        // PostgreSQL has no such text, and CloudEvents does not allow it.
        if text.contains('\0') {
            return Err(format!("event {}: {name} contains a NUL", envelope.id));
        }
    }
    Ok(())
}

/// The partition of a key: 64-bit FNV-1a, folded, modulo the number of partitions. It never changes, or keys would lose
/// their order.
pub(super) fn partition_of(key: &str, partitions: u32) -> u32 {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let folded = (hash ^ (hash >> 32)) & u64::from(u32::MAX);
    u32::try_from(folded % u64::from(partitions.max(1))).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_one_partition_for_ever_and_keys_spread() {
        assert_eq!([partition_of("", 16), partition_of("order-1", 16), partition_of("any", 1)], [1, 2, 0]);
        let mut seen = [0; 16];
        for number in 0..1_600 {
            seen[partition_of(&format!("order-{number}"), 16) as usize] += 1;
        }
        assert!(seen.iter().all(|keys| *keys > 50), "{seen:?}");
    }
}
