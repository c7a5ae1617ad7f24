//! Leases: who may publish.

use std::collections::BTreeMap;

use super::desk::{Desk, LONG, SHORT, events, ids, is_covered, orders, sorted};
use crate::conformance::support::{eventually, limit};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::error::{ErrorKind, Result, Retry};
use crate::port::{Claim, Failed, Lease, OUTBOX_SHARDS, Outbox, Quarantined};

/// Claims until the worker has got every shard, which others hold until their leases end.
async fn take_over(
    harness: &dyn Harness<InventoryBackend>,
    outbox: &dyn Outbox,
    worker: &str,
) -> Result<Claim, Violation> {
    eventually(harness, "the shards of an ended lease pass on", || async {
        let claim = outbox.claim(worker, LONG, limit(1_000)).await?;
        Ok((claim.lease.shards.len() == usize::from(OUTBOX_SHARDS)).then_some(claim))
    })
    .await
}

fn epochs(lease: &Lease) -> BTreeMap<u16, u64> {
    lease.shards.iter().copied().collect()
}

fn is_contention(result: Result<()>, what: &str) -> Result<(), Violation> {
    match result {
        Err(error) if error.kind() == ErrorKind::Contention && error.retry() == Retry::Never => Ok(()),
        Err(error) => {
            let (kind, retry) = (error.kind(), error.retry());
            Err(Violation::new(format!("{what} under a lease that passed on: {kind:?}, retry {retry:?}: {error}")))
        }
        Ok(()) => Err(Violation::new(format!("{what} under a lease that passed on succeeded"))),
    }
}

pub(super) async fn a_lease_keeps_others_out(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let other = desk.another().await?;
    let all: [_; 3] = orders();
    let written = sorted(desk.write(&all).await?);
    let claim = desk.claim("one").await?;
    ensure_eq!(claim.lease.worker, "one", "whose lease it is");
    let shards: Vec<u16> = epochs(&claim.lease).into_keys().collect();
    ensure_eq!(shards, (0..OUTBOX_SHARDS).collect::<Vec<_>>(), "the shards of the only worker");
    desk.write(&all).await?;
    let late = other.claim("two", LONG, limit(1_000)).await?;
    ensure_eq!(late.lease.shards, Vec::new(), "shards of a worker that came later");
    ensure!(late.rows.is_empty(), "rows of a worker that came later: {:?}", late.rows);
    ensure_eq!(sorted(events(&claim.rows)), written, "events of the first worker");
    desk.outbox().settle(&claim.lease, &ids(&claim.rows)).await?;
    Ok(())
}

pub(super) async fn the_holder_renews_its_lease(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 3] = orders();
    desk.write(&all).await?;
    let first = desk.outbox().claim("one", SHORT, limit(1_000)).await?;
    // Renewed for long before it is over; nobody else was there.
    let second = desk.outbox().claim("one", LONG, limit(1_000)).await?;
    ensure_eq!(epochs(&second.lease), epochs(&first.lease), "epochs of a renewed lease");
    harness.pass(SHORT * 2).await;
    let late = desk.outbox().claim("two", LONG, limit(1_000)).await?;
    ensure_eq!(late.lease.shards, Vec::new(), "shards that another worker gets once the first lease is over");
    desk.outbox().settle(&first.lease, &ids(&first.rows)).await?;
    ensure!(desk.claim("one").await?.rows.is_empty(), "rows after settling under the lease that was renewed");
    Ok(())
}

pub(super) async fn an_ended_lease_passes_on(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let other = desk.another().await?;
    let all: [_; 4] = orders();
    desk.write(&all).await?;
    let first = desk.outbox().claim("one", SHORT, limit(1_000)).await?;
    let rows = ids(&first.rows);
    ensure_eq!(rows.len(), 4, "rows of four events");
    desk.outbox().settle(&first.lease, &rows[..1]).await?;
    harness.pass(SHORT * 2).await;
    let second = take_over(harness, &*other, "two").await?;
    is_covered(&second)?;
    ensure_eq!(ids(&second.rows), rows[1..], "rows that were not settled");
    let before = epochs(&first.lease);
    let grown =
        epochs(&second.lease).into_iter().all(|(shard, epoch)| before.get(&shard).is_none_or(|old| epoch > *old));
    ensure!(grown, "epochs did not grow: {:?}, before {:?}", second.lease.shards, first.lease.shards);
    other.settle(&second.lease, &rows[1..]).await?;
    ensure_eq!(other.stats().await?.pending, 0, "rows left");
    Ok(())
}

pub(super) async fn a_stale_lease_changes_nothing(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let other = desk.another().await?;
    let all: [_; 3] = orders();
    desk.write(&all).await?;
    let stale = desk.outbox().claim("one", SHORT, limit(1_000)).await?.lease;
    harness.pass(SHORT * 2).await;
    let current = take_over(harness, &*other, "two").await?;
    let rows = ids(&current.rows);
    ensure_eq!(rows.len(), 3, "rows of three events");
    is_contention(desk.outbox().settle(&stale, &rows).await, "settling")?;
    let reason = || "late".to_owned();
    let failed: Vec<_> =
        rows.iter().map(|id| Failed { id: *id, retry_at: desk.now().plus(LONG), reason: reason() }).collect();
    is_contention(desk.outbox().release(&stale, &failed).await, "putting back")?;
    let aside: Vec<_> = rows.iter().map(|id| Quarantined { id: *id, reason: reason() }).collect();
    is_contention(desk.outbox().quarantine(&stale, &aside).await, "setting aside")?;
    // A lease that names one shard only settles rows of that shard, and here not even that: all or nothing.
    let one = Lease { worker: "two".into(), shards: current.lease.shards.iter().take(1).copied().collect() };
    let elsewhere = current
        .rows
        .iter()
        .any(|row| Some(crate::port::outbox_shard(&row.event)) != one.shards.first().map(|(shard, _)| *shard));
    if elsewhere {
        is_contention(other.settle(&one, &rows).await, "settling rows of shards that the lease does not name")?;
    }
    let again = other.claim("two", LONG, limit(1_000)).await?;
    ensure_eq!(again.rows, current.rows, "rows after all that");
    other.settle(&current.lease, &rows).await?;
    ensure_eq!(other.stats().await?.pending, 0, "rows left when the current lease settled them");
    Ok(())
}

pub(super) async fn a_lease_can_be_given_back(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 3] = orders();
    desk.write(&all).await?;
    let first = desk.claim("one").await?;
    desk.outbox().surrender(&first.lease).await?;
    let second = desk.claim("two").await?;
    ensure_eq!(second.lease.shards.len(), usize::from(OUTBOX_SHARDS), "shards of the next worker");
    ensure_eq!(second.rows, first.rows, "rows of the next worker");
    is_contention(desk.outbox().settle(&first.lease, &ids(&first.rows)).await, "settling")?;
    // Given back once more, by somebody who was slow: it is no longer his.
    desk.outbox().surrender(&first.lease).await?;
    let late = desk.claim("one").await?;
    ensure_eq!(late.lease.shards, Vec::new(), "shards that were given back under an old epoch");
    desk.outbox().settle(&second.lease, &ids(&second.rows)).await?;
    ensure_eq!(desk.outbox().stats().await?.pending, 0, "rows left");
    Ok(())
}

pub(super) async fn epochs_only_grow(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let mut desk = Desk::open(harness).await?;
    let [order] = orders();
    desk.write(&[order]).await?;
    let mut last: Option<Lease> = None;
    for turn in 0..6 {
        let worker = ["one", "two"][turn % 2];
        let claim = desk.claim(worker).await?;
        if let Some(last) = &last {
            let (before, after) = (epochs(last), epochs(&claim.lease));
            let grown = after.iter().all(|(shard, epoch)| before.get(shard).is_some_and(|old| epoch > old));
            ensure!(grown && before.len() == after.len(), "epochs in turn {turn}: {after:?}, before {before:?}");
            is_contention(desk.outbox().settle(last, &ids(&claim.rows)).await, "settling")?;
        }
        desk.outbox().surrender(&claim.lease).await?;
        last = Some(claim.lease);
        if turn % 2 == 1 {
            desk = desk.reopen().await?;
        }
    }
    Ok(())
}

pub(super) async fn a_shard_is_leased_to_one(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let other = desk.another().await?;
    let mut all = Vec::new();
    for _ in 0..6 {
        let some: [_; 8] = orders();
        all.extend(desk.write(&some).await?);
    }
    for round in 0..5 {
        let workers: Vec<_> = (0..8).map(|worker| format!("worker-{round}-{worker}")).collect();
        let calls = workers.into_iter().enumerate().map(|(index, worker)| {
            let outbox = if index % 2 == 0 { desk.backend.outbox.clone() } else { other.clone() };
            async move { outbox.claim(&worker, LONG, limit(1_000)).await }
        });
        let claims = crate::conformance::support::together(calls).await?;
        let mut shards: Vec<u16> = claims.iter().flat_map(|claim| epochs(&claim.lease).into_keys()).collect();
        shards.sort_unstable();
        ensure_eq!(shards, (0..OUTBOX_SHARDS).collect::<Vec<_>>(), "the shards of eight workers that claim at once");
        let mut found = Vec::new();
        for claim in &claims {
            is_covered(claim)?;
            found.extend(events(&claim.rows));
            desk.outbox().surrender(&claim.lease).await?;
        }
        ensure_eq!(sorted(found), sorted(all.clone()), "the events of eight workers that claim at once");
    }
    Ok(())
}
