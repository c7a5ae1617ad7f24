//! Writing down what a group is done with. Each call answers whether the partition is still the member's.

use std::time::Duration;

use stockpulse_core::Result;

use super::member::Member;
use super::options::millis;
use super::script::{ASIDE, PAUSE, SETTLE, call};

/// Entries of one call.
const ENTRIES: usize = 1_000;

/// Acknowledges entries.
pub(super) async fn settle(member: &Member, index: u32, generation: u64, ids: &[String]) -> Result<bool> {
    let Some(partition) = member.partition(index) else { return Ok(false) };
    for ids in ids.chunks(ENTRIES) {
        let lease = partition.lease(&member.group);
        let mut settle = call([&partition.stream, &lease], [&member.group, &member.id, &generation.to_string()]);
        for id in ids {
            settle.argument(id.as_str());
        }
        if member.shared.connection.script::<i64>(&SETTLE, &settle).await? == 0 {
            member.lose(index, generation);
            return Ok(false);
        }
    }
    Ok(true)
}

/// Notes that an entry, which was delivered so often, has to wait.
pub(super) async fn pause(
    member: &Member,
    index: u32,
    generation: u64,
    (id, deliveries): (&str, u32),
    wait: Duration,
) -> Result<bool> {
    let Some(partition) = member.partition(index) else { return Ok(false) };
    let pause = call(
        [&partition.stream, &partition.lease(&member.group)],
        [&member.group, &member.id, &generation.to_string(), id, &deliveries.to_string(), &millis(wait)],
    );
    let held = member.shared.connection.script::<i64>(&PAUSE, &pause).await? != 0;
    if !held {
        member.lose(index, generation);
    }
    Ok(held)
}

/// Puts an entry aside, which was delivered so often.
pub(super) async fn aside(
    member: &Member,
    index: u32,
    generation: u64,
    id: &str,
    deliveries: u32,
    reason: &str,
) -> Result<bool> {
    let Some(partition) = member.partition(index) else { return Ok(false) };
    let aside = call(
        [&partition.stream, &partition.lease(&member.group), &partition.dead_letters(&member.group)],
        [&member.group, &member.id, &generation.to_string(), id, &deliveries.to_string(), reason],
    );
    let held = member.shared.connection.script::<i64>(&ASIDE, &aside).await? != 0;
    if !held {
        member.lose(index, generation);
    }
    Ok(held)
}
