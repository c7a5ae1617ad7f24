//! Events packed into few rows: what a batch decided is written as one row, or few, and not as thousands.

use stockpulse_core::model::Event;
use stockpulse_core::port::{OutboxId, outbox_shard};
use stockpulse_core::{Result, codec};

use super::tables::OutboxTables;
use crate::database::Session;
use crate::failure::Failure;
use crate::table::Rows;
use crate::value::Value;

/// Events of one row at most.
pub(crate) const EVENTS_PER_PACK: usize = 1_024;

/// The place of an event in its pack takes so many bits of its id.
const INDEX_BITS: u32 = 16;

/// Events on their way into a row.
#[derive(Debug)]
pub(crate) struct Pack {
    pub(crate) first_at: i64,
    /// The shards of its events, a bit each.
    pub(crate) shards: i64,
    pub(crate) events: i64,
    /// The shard of each event, a byte each.
    pub(crate) event_shards: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Packs events, in their order.
pub(crate) fn pack(events: &[Event]) -> Result<Vec<Pack>> {
    events.chunks(EVENTS_PER_PACK).map(Pack::of).collect()
}

impl Pack {
    fn of(events: &[Event]) -> Result<Self> {
        let event_shards: Vec<u8> = events.iter().map(shard_byte).collect();
        Ok(Self {
            first_at: events.iter().map(|event| event.at.as_micros()).min().unwrap_or_default(),
            shards: event_shards.iter().fold(0, |mask, shard| mask | 1 << shard),
            events: i64::try_from(events.len()).unwrap_or(i64::MAX),
            event_shards,
            body: codec::encode(&events)?,
        })
    }
}

fn shard_byte(event: &Event) -> u8 {
    u8::try_from(outbox_shard(event)).unwrap_or(u8::MAX)
}

/// Appends packs to an outbox, within the transaction that decided their events.
pub(crate) async fn append<S: Session>(
    session: &mut S,
    tables: &'static OutboxTables,
    packs: Vec<Pack>,
) -> Result<(), Failure> {
    session.insert(&tables.packs, pack_rows(tables, packs)).await
}

/// Packs as rows of an outbox.
pub(crate) fn pack_rows(tables: &OutboxTables, packs: Vec<Pack>) -> Rows {
    let mut rows = Rows::of(&tables.packs, packs.len());
    for pack in packs {
        let Pack { first_at, shards, events, event_shards, body } = pack;
        rows.push([first_at.into(), shards.into(), events.into(), event_shards.into(), Value::Null, body.into()]);
    }
    rows
}

/// The id of an event: its pack's, and its place there.
pub(crate) fn event_id(pack: i64, index: usize) -> OutboxId {
    pack.cast_unsigned() << INDEX_BITS | index as u64
}

/// Where the event with this id is.
pub(crate) fn place(id: OutboxId) -> (i64, usize) {
    let index = id & ((1 << INDEX_BITS) - 1);
    ((id >> INDEX_BITS).cast_signed(), usize::try_from(index).unwrap_or(usize::MAX))
}

/// Which events of a pack are dealt with, a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled(pub(crate) Vec<u8>);

impl Settled {
    pub(crate) fn has(&self, index: usize) -> bool {
        self.0.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }

    pub(crate) fn add(&mut self, index: usize) {
        if self.0.len() <= index / 8 {
            self.0.resize(index / 8 + 1, 0);
        }
        if let Some(byte) = self.0.get_mut(index / 8) {
            *byte |= 1 << (index % 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_places_and_keep_the_order() {
        for (pack, index) in [(1, 0), (1, 1_023), (2, 0), (1 << 40, 65_535)] {
            assert_eq!(place(event_id(pack, index)), (pack, index));
        }
        assert!(event_id(1, EVENTS_PER_PACK - 1) < event_id(2, 0));
    }

    #[test]
    fn what_is_settled_is_remembered_bit_by_bit() {
        let mut settled = Settled::default();
        settled.add(9);
        settled.add(0);
        let found: Vec<usize> = (0..20).filter(|index| settled.has(*index)).collect();
        assert_eq!(found, [0, 9]);
        assert_eq!(settled.0.len(), 2);
    }
}
