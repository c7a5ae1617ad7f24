//! Many at once.

use std::sync::Arc;

use futures::future::join_all;

use super::commands::{Desk, accepted, all_accepted, execute, key, order, reservation, short, stock};
use crate::conformance::events::drain;
use crate::conformance::support::{limit, together};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::stock::{Reserve, StockCommand, StockOutcome};
use crate::model::{Counters, StockKey};
use crate::port::InventoryStore;

/// The store, and another process's handle on it if there is such a thing.
async fn handles(harness: &dyn Harness<InventoryBackend>) -> Result<[InventoryBackend; 2], Violation> {
    let one = harness.open().await?;
    let two = harness.another().await?.unwrap_or_else(|| one.clone());
    Ok([one, two])
}

/// Executes batches at once, alternately on both handles. The outcomes are aligned with the batches.
async fn race(
    backends: &[InventoryBackend; 2],
    batches: Vec<Vec<StockCommand>>,
) -> Result<Vec<Vec<StockOutcome>>, Violation> {
    let stores = backends.iter().map(|backend| Arc::clone(&backend.store)).cycle();
    let calls = batches.into_iter().zip(stores);
    together(calls.map(|(batch, store)| async move { execute(&*store, batch).await })).await
}

/// What lies at each level is what its movements say, one after the other without a gap.
async fn adds_up(store: &dyn InventoryStore, keys: &[StockKey]) -> Result<(), Violation> {
    for audit in store.audit(None, limit(1_000)).await?.items {
        let (level, key) = (audit.level.counters(), &audit.level.key);
        ensure!(!audit.level.is_oversold(), "{key} is oversold: {:?}", audit.level);
        ensure_eq!(audit.ledger, level, "the sum of the movements of {key}");
        ensure_eq!(audit.claims, Counters { on_hand: 0, ..level }, "live claims on {key}");
    }
    for key in keys {
        let movements = store.movements(key, 0, limit(10_000)).await?.items;
        let versions: Vec<u64> = movements.iter().map(|movement| movement.version).collect();
        ensure!(versions.iter().copied().eq(1..=versions.len() as u64), "versions of {key}: {versions:?}");
    }
    Ok(())
}

pub(super) async fn the_last_units_are_sold_once(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    all_accepted(&execute(&*backends[0].store, [desk.receive(&mug, 10)]).await?)?;
    // Single requests, and batches that want two: 48 in all.
    let mut batches: Vec<_> = (0..24).map(|_| vec![desk.reserve(&mug, 1)]).collect();
    batches.extend((0..12).map(|_| vec![desk.reserve(&mug, 1), desk.reserve(&mug, 1)]));
    let outcomes: Vec<_> = race(&backends, batches).await?.into_iter().flatten().collect();
    let granted = outcomes.iter().filter(|outcome| accepted(outcome)).count();
    ensure_eq!(granted, 10, "of 48 who wanted one of ten, so many were granted one");
    ensure_eq!(outcomes.iter().filter(|outcome| short(outcome)).count(), 38, "the others were refused as short");
    ensure_eq!(stock(&*backends[1].store, &mug).await?, Some((10, 10)), "on hand and reserved");
    adds_up(&*backends[0].store, &[mug]).await
}

pub(super) async fn opposite_orders_both_end(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    let keys = ["A", "B", "C"].iter().map(|name| key(name)).collect::<Result<Vec<_>, _>>()?;
    let stocked: Vec<_> = keys.iter().map(|key| desk.receive(key, 30)).collect();
    all_accepted(&execute(&*backends[0].store, stocked).await?)?;
    let mut batches = Vec::new();
    for round in 0..40 {
        let mut order: Vec<_> = keys.iter().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        // As lines of one request, and as requests of one batch.
        let lines = order.iter().fold(Reserve::new(reservation()), |all, key| all.with_line(key.sku.clone(), 1));
        let mut batch = vec![desk.request(lines)];
        batch.extend(order.iter().map(|key| desk.receive(key, 1)));
        batches.push(batch);
    }
    let outcomes = race(&backends, batches).await?;
    for outcome in &outcomes {
        all_accepted(outcome)?;
    }
    for key in &keys {
        ensure_eq!(stock(&*backends[0].store, key).await?, Some((70, 40)), "on hand and reserved of {key}");
    }
    adds_up(&*backends[1].store, &keys).await
}

pub(super) async fn one_command_at_once_is_decided_once(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    all_accepted(&execute(&*backends[0].store, [desk.receive(&mug, 100)]).await?)?;
    drain(&*backends[0].outbox).await?;
    for _ in 0..5 {
        let before = stock(&*backends[0].store, &mug).await?;
        // Nothing but the id keeps these from being done twice: a delivery, and a request for an order.
        let request = Reserve::new(reservation()).with_line(mug.sku.clone(), 1).with_order(order());
        let batch = vec![desk.receive(&mug, 7), desk.request(request)];
        let outcomes = race(&backends, vec![batch.clone(); 12]).await?;
        let Some(first) = outcomes.first() else { return Err(Violation::new("no outcomes")) };
        all_accepted(first)?;
        ensure!(outcomes.iter().all(|outcome| outcome == first), "answers to one batch differ: {outcomes:?}");
        let after = before.map(|(on_hand, reserved)| (on_hand + 7, reserved + 1));
        ensure_eq!(stock(&*backends[1].store, &mug).await?, after, "on hand and reserved after twelve times the same");
        let rows = drain(&*backends[0].outbox).await?;
        let mut ids: Vec<_> = rows.iter().map(|row| row.event.id()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        ensure!(
            ids.len() == all && all > 0,
            "{all} events, {} different ones, of a batch sent twelve times",
            ids.len()
        );
    }
    adds_up(&*backends[0].store, &[mug]).await
}

pub(super) async fn what_is_created_at_once_is_created_once(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    let mut keys = Vec::new();
    for round in 0..5 {
        let new = key(&format!("NEW-{round}"))?;
        // Nobody can lock what is not there yet.
        let batches: Vec<_> = (0..12).map(|_| vec![desk.receive(&new, 2)]).collect();
        for outcomes in race(&backends, batches).await? {
            all_accepted(&outcomes)?;
        }
        ensure_eq!(stock(&*backends[0].store, &new).await?, Some((24, 0)), "on hand after twelve first deliveries");
        let id = reservation();
        let request = Reserve::new(id).with_line(new.sku.clone(), 1);
        let batches: Vec<_> = (0..12).map(|_| vec![desk.request(request.clone())]).collect();
        let outcomes: Vec<_> = race(&backends, batches).await?.into_iter().flatten().collect();
        let granted = outcomes.iter().filter(|outcome| accepted(outcome)).count();
        ensure_eq!(granted, 1, "of twelve requests for one new reservation, so many were granted");
        ensure_eq!(stock(&*backends[0].store, &new).await?, Some((24, 1)), "on hand and reserved");
        keys.push(new);
    }
    let read = join_all(backends.iter().map(|backend| adds_up(&*backend.store, &keys))).await;
    read.into_iter().collect()
}
