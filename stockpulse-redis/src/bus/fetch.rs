//! Reading from partitions.

use std::sync::Arc;

use futures::future::join_all;
use redis::Value;
use stockpulse_core::Result;
use stockpulse_core::bus::Read;

use super::member::Member;
use super::script::{FETCH, call};
use super::settle::aside;
use super::wire::{Entry, int, list, strange, text};

/// What to read of one partition.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) index: u32,
    pub(super) generation: u64,
    pub(super) turn: u64,
    /// The entry behind which to read pending ones; new ones are read without.
    pub(super) pending: Option<String>,
    pub(super) count: usize,
}

/// What reading came to.
#[derive(Debug)]
pub(super) enum Found {
    /// The partition is somebody else's.
    Lost,
    /// A call with this number or a later one ran already, and its answer came to nobody.
    Late,
    /// So many entries, up to the last one; and those of them that are events of interest.
    Read { count: usize, last: String, events: Vec<Read<String>> },
}

/// What several asks came to.
pub(super) type Answers = Vec<(Ask, Result<Found>)>;

/// Reads from several partitions at once.
pub(super) async fn fetch(member: Arc<Member>, types: Arc<[&'static str]>, asks: Vec<Ask>) -> Answers {
    let all = asks.into_iter().map(|ask| async {
        let found = read(&member, &types, &ask).await;
        if matches!(found, Ok(Found::Lost)) {
            member.lose(ask.index, ask.generation);
        }
        (ask, found)
    });
    join_all(all).await
}

async fn read(member: &Member, types: &[&str], ask: &Ask) -> Result<Found> {
    let Some(partition) = member.partition(ask.index) else { return Ok(Found::Lost) };
    let [generation, turn, count] = [ask.generation.to_string(), ask.turn.to_string(), ask.count.to_string()];
    let pending = ask.pending.as_deref().unwrap_or_default();
    let mut fetch = call(
        [&partition.stream, &partition.lease(&member.group)],
        [&member.group, &member.id, &generation, &turn, pending, &count],
    );
    for known in types {
        fetch.argument(*known);
    }
    let mut answer = list(member.shared.connection.script::<Value>(&FETCH, &fetch).await?)?.into_iter();
    let Some(count) = answer.next() else { return Ok(Found::Lost) };
    let (Some(last), Some(entries)) = (answer.next(), answer.next()) else { return Err(strange("entries")) };
    let Ok(count) = usize::try_from(int(&count)?) else { return Ok(Found::Late) };
    let mut events = Vec::new();
    for entry in list(entries)? {
        let entry = Entry::read(entry)?;
        match entry.envelope() {
            Ok(envelope) => {
                let (deliveries, note) = (entry.deliveries, entry.id);
                events.push(Read { envelope, deliveries, due: None, note });
            }
            // Nobody of this group will ever be able to read it. What lies behind it must not wait.
            Err(reason) => {
                tracing::warn!(
                    stream = partition.stream,
                    entry = entry.id,
                    reason,
                    "an entry that is no event was put aside"
                );
                if !aside(member, ask.index, ask.generation, &entry.id, entry.deliveries, &reason).await? {
                    return Ok(Found::Lost);
                }
            }
        }
    }
    Ok(Found::Read { count, last: text(last)?, events })
}
