//! What groups put aside.

use std::num::NonZeroUsize;

use compact_str::CompactString;
use redis::Value;
use stockpulse_core::Result;
use stockpulse_core::model::{Envelope, Timestamp};

use super::keys::Partition;
use super::script::{REPLAY, call};
use super::shared::Shared;
use super::wire::{Entry, list};

/// Which dead letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId {
    /// The group that put it aside; other groups receive the event as ever.
    pub group: CompactString,
    /// The topic it came from.
    pub topic: CompactString,
    /// The partition of the topic.
    pub partition: u32,
    /// Its entry in the stream of the group's dead letters from there.
    pub entry: CompactString,
}

/// An entry that a group put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Which one.
    pub id: DeadLetterId,
    /// Why.
    pub reason: String,
    /// When, by Redis's clock, in whole milliseconds.
    pub at: Timestamp,
    /// How often it had been delivered to the group, as far as is known.
    pub deliveries: u32,
    /// The event; none if the entry was not one that can be read.
    pub envelope: Option<Envelope>,
}

impl Shared {
    /// The dead letters of a group, oldest first.
    pub(super) async fn dead_letters(&self, group: &str, limit: NonZeroUsize) -> Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        for partition in self.partitions_of(&self.topics()).await? {
            let mut range = redis::cmd("XRANGE");
            range.arg(partition.dead_letters(group)).arg("-").arg("+").arg("COUNT").arg(limit.get());
            for entry in list(self.connection.query::<Value>(&range).await?)? {
                letters.push(letter(group, &partition, Entry::read(entry)?));
            }
        }
        letters.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        letters.truncate(limit.get());
        Ok(letters)
    }

    pub(super) async fn replay(&self, ids: &[DeadLetterId]) -> Result<usize> {
        let mut replayed = 0;
        for id in ids {
            let partition = Partition::new(self.connection.options(), &id.topic, id.partition);
            let replay = call([&partition.stream, &partition.dead_letters(&id.group)], [&id.group, &id.entry]);
            replayed += self.connection.script::<usize>(&REPLAY, &replay).await?;
        }
        Ok(replayed)
    }

    pub(super) async fn discard(&self, ids: &[DeadLetterId]) -> Result<usize> {
        let mut discarded = 0;
        for id in ids {
            let partition = Partition::new(self.connection.options(), &id.topic, id.partition);
            let mut delete = redis::cmd("XDEL");
            delete.arg(partition.dead_letters(&id.group)).arg(id.entry.as_str());
            discarded += self.connection.query::<usize>(&delete).await?;
        }
        Ok(discarded)
    }
}

fn letter(group: &str, partition: &Partition, entry: Entry) -> DeadLetter {
    let millis = entry.id.split('-').next().and_then(|millis| millis.parse::<i64>().ok()).unwrap_or_default();
    let text = |name| entry.get(name).unwrap_or_default();
    DeadLetter {
        reason: text("dead.reason").to_owned(),
        at: Timestamp::from_micros(millis.saturating_mul(1_000)),
        deliveries: text("dead.deliveries").parse().unwrap_or_default(),
        envelope: entry.envelope().ok(),
        id: DeadLetterId {
            group: group.into(),
            topic: partition.topic.as_str().into(),
            partition: partition.number,
            entry: entry.id.into(),
        },
    }
}
