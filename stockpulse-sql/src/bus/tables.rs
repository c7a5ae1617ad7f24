//! The tables of the bus, and how events lie in them.

use stockpulse_core::model::{Envelope, EventId, Timestamp, TraceContext};

use crate::failure::Failure;
use crate::table::Kind::{Bytes, Id, Int, Text};
use crate::table::Table;
use crate::value::{Cells, Value};

pub(super) static PARTITIONS: Table = Table {
    name: "bus_partition",
    columns: &[("partition_no", Int), ("first_offset", Int), ("next_offset", Int)],
    key: 1,
};

pub(super) static EVENTS: Table = Table {
    name: "bus_event",
    columns: &[
        ("partition_no", Int),
        ("event_offset", Int),
        ("event_id", Id),
        ("type_name", Text),
        ("source", Text),
        ("subject", Text),
        ("happened_at", Int),
        ("partition_key", Text),
        ("event_sequence", Int),
        ("trace", Text),
        ("deliveries", Int),
        ("body", Bytes),
        ("only_group", Text),
    ],
    key: 2,
};

pub(super) static GROUPS: Table =
    Table { name: "bus_group", columns: &[("group_name", Text), ("generation", Int), ("event_types", Text)], key: 1 };

pub(super) static MEMBERS: Table =
    Table { name: "bus_member", columns: &[("group_name", Text), ("member", Id), ("ends_at", Int)], key: 2 };

pub(super) static PLACES: Table = Table {
    name: "bus_place",
    columns: &[
        ("group_name", Text),
        ("partition_no", Int),
        ("event_offset", Int),
        ("owner", Id),
        ("generation", Int),
        ("retry_offset", Int),
        ("retry_at", Int),
        ("deliveries", Int),
    ],
    key: 2,
};

pub(super) static DEAD_LETTERS: Table = Table {
    name: "bus_dead_letter",
    columns: &[
        ("group_name", Text),
        ("partition_no", Int),
        ("event_offset", Int),
        ("reason", Text),
        ("put_aside_at", Int),
        ("event_id", Id),
        ("type_name", Text),
        ("source", Text),
        ("subject", Text),
        ("happened_at", Int),
        ("partition_key", Text),
        ("event_sequence", Int),
        ("trace", Text),
        ("deliveries", Int),
        ("body", Bytes),
    ],
    key: 3,
};

/// The columns of an event, from `event_id` to `body`.
pub(super) fn event_values(envelope: &Envelope, deliveries: u32) -> [Value; 10] {
    [
        envelope.id.as_uuid().into(),
        envelope.type_name.as_str().into(),
        envelope.source.as_str().into(),
        envelope.subject.as_str().into(),
        envelope.time.as_micros().into(),
        envelope.partition_key.as_str().into(),
        Value::Int(envelope.sequence.cast_signed()),
        envelope.trace.map(|trace| trace.header()).into(),
        deliveries.into(),
        Value::Bytes(envelope.data.to_vec()),
    ]
}

/// The same columns as they were read, the first of them at `first`: the event, and how often it was delivered.
pub(super) fn read_event(row: &impl Cells, first: usize) -> Result<(Envelope, u32), Failure> {
    let envelope = Envelope {
        id: EventId::new(row.id(first)?),
        type_name: row.text(first + 1)?.into(),
        source: row.text(first + 2)?.into(),
        subject: row.text(first + 3)?.into(),
        time: Timestamp::from_micros(row.int(first + 4)?),
        partition_key: row.text(first + 5)?.into(),
        sequence: row.int(first + 6)?.cast_unsigned(),
        trace: row.maybe_text(first + 7)?.and_then(|header| TraceContext::parse(&header)),
        data: row.bytes(first + 9)?.into(),
    };
    Ok((envelope, number(row, first + 8)?))
}

/// A partition's number, or a count of deliveries.
pub(super) fn number(row: &impl Cells, column: usize) -> Result<u32, Failure> {
    u32::try_from(row.int(column)?).map_err(|_| Failure::corrupt(format!("column {column} is out of range")))
}
