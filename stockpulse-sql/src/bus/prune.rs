//! Deleting what everybody has read.

use stockpulse_core::model::Timestamp;

use crate::database::Session;
use crate::failure::Failure;
use crate::value::Cells;

/// Events that one transaction deletes at most.
const EVENTS: u64 = 1_000;

/// Deletes the oldest events of a partition, as far as every group has passed them and they happened before a time.
/// Answers how many, and whether there may be more.
pub(super) async fn prune<S: Session>(
    session: &mut S,
    partition: u32,
    before: Timestamp,
) -> Result<(u64, bool), Failure> {
    let partition = partition.into();
    let sql = format!("SELECT first_offset, next_offset FROM bus_partition WHERE partition_no = ?{}", S::FOR_UPDATE);
    let found = session.query(&sql, std::slice::from_ref(&partition)).await?;
    let Some(row) = found.first() else { return Ok((0, false)) };
    let (first, next) = (row.count(0)?, row.count(1)?);
    let sql = "SELECT MIN(event_offset) FROM bus_place WHERE partition_no = ?";
    let found = session.query(sql, std::slice::from_ref(&partition)).await?;
    let passed = found.first().map_or(Ok(None), |row| row.maybe_int(0))?;
    let passed = passed.and_then(|passed| u64::try_from(passed).ok()).map_or(next, |passed| passed.min(next));
    let most = passed.min(first.saturating_add(EVENTS));
    if most <= first {
        return Ok((0, false));
    }
    let sql = "SELECT MIN(event_offset) FROM bus_event WHERE partition_no = ? AND event_offset >= ? \
               AND event_offset < ? AND happened_at >= ?";
    let args = [partition.clone(), first.into(), most.into(), before.as_micros().into()];
    let found = session.query(sql, &args).await?;
    let young = found.first().map_or(Ok(None), |row| row.maybe_int(0))?;
    let end = young.and_then(|young| u64::try_from(young).ok()).unwrap_or(most);
    let sql = "DELETE FROM bus_event WHERE partition_no = ? AND event_offset < ?";
    let deleted = session.execute(sql, &[partition.clone(), end.into()]).await?;
    let sql = "UPDATE bus_partition SET first_offset = ? WHERE partition_no = ?";
    session.execute(sql, &[end.into(), partition]).await?;
    Ok((deleted, end == most && most < passed))
}

/// Forgets a group that has no members: its places and its dead letters. Answers whether it was known.
pub(super) async fn forget<S: Session>(session: &mut S, group: &str) -> Result<bool, Failure> {
    let sql = format!("SELECT group_name FROM bus_group WHERE group_name = ?{}", S::FOR_UPDATE);
    if session.query(&sql, &[group.into()]).await?.is_empty() {
        return Ok(false);
    }
    let now = session.now().await?.as_micros();
    let sql = "SELECT ends_at FROM bus_member WHERE group_name = ? AND ends_at > ?";
    if !session.query(sql, &[group.into(), now.into()]).await?.is_empty() {
        return Err(stockpulse_core::Error::invalid(format!("group '{group}' has members")).into());
    }
    for table in ["bus_member", "bus_place", "bus_dead_letter", "bus_group"] {
        session.execute(&format!("DELETE FROM {table} WHERE group_name = ?"), &[group.into()]).await?;
    }
    Ok(true)
}
