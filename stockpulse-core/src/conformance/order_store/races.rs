//! Many at once.

use std::sync::Arc;

use super::commands::{Desk, accepted, all_accepted, customer, execute, mug, order};
use super::purchases::limited;
use crate::conformance::events::drain;
use crate::conformance::support::{limit, together};
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::order::{OrderCommand, OrderOutcome};
use crate::model::OrderId;
use crate::port::OrderQuery;

/// Executes batches at once, alternately on the store and on another process's handle on it, if there is such a
/// thing. The outcomes are aligned with the batches.
async fn race(
    backends: &[OrderBackend; 2],
    batches: Vec<Vec<OrderCommand>>,
) -> Result<Vec<Vec<OrderOutcome>>, Violation> {
    let stores = backends.iter().map(|backend| Arc::clone(&backend.store)).cycle();
    let calls = batches.into_iter().zip(stores);
    together(calls.map(|(batch, store)| async move { execute(&*store, batch).await })).await
}

async fn handles(harness: &dyn Harness<OrderBackend>) -> Result<[OrderBackend; 2], Violation> {
    let one = harness.open().await?;
    let two = harness.another().await?.unwrap_or_else(|| one.clone());
    Ok([one, two])
}

pub(super) async fn a_purchase_limit_is_kept_by_many_at_once(
    harness: &dyn Harness<OrderBackend>,
) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    // The first order of a customer has nothing to lock yet, so it is tried with several customers.
    for _ in 0..5 {
        let who = customer();
        let batches = (0..16).map(|_| Ok(vec![desk.place(limited(order(), who, "FIGURINE", 1)?)]));
        let batches = batches.collect::<Result<Vec<_>, Violation>>()?;
        let outcomes: Vec<_> = race(&backends, batches).await?.into_iter().flatten().collect();
        let granted = outcomes.iter().filter(|outcome| accepted(outcome)).count();
        ensure_eq!(granted, 3, "of sixteen orders at once, by a customer who may have three units, so many");
        let query = OrderQuery { customer: Some(who), ..OrderQuery::default() };
        let stored = backends[1].store.list_orders(&query, limit(100)).await?.items.len();
        ensure_eq!(stored, 3, "orders of that customer");
    }
    Ok(())
}

pub(super) async fn one_command_at_once_is_decided_once(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    for _ in 0..5 {
        let (old, new) = (order(), order());
        all_accepted(&execute(&*backends[0].store, [desk.place(mug(old)?)]).await?)?;
        drain(&*backends[0].outbox).await?;
        // The second payment would be noted once more, if it were not the same command.
        let batch = vec![desk.place(mug(new)?), desk.paid(old)];
        let outcomes = race(&backends, vec![batch; 12]).await?;
        let Some(first) = outcomes.first() else { return Err(Violation::new("no outcomes")) };
        all_accepted(first)?;
        ensure!(outcomes.iter().all(|outcome| outcome == first), "answers to one batch differ: {outcomes:?}");
        let history = [backends[1].store.history(old).await?.len(), backends[1].store.history(new).await?.len()];
        ensure_eq!(history, [2, 1], "entries in the histories of both orders");
        let events = drain(&*backends[1].outbox).await?.len();
        ensure_eq!(events, 2, "events of a batch that was sent twelve times");
    }
    Ok(())
}

pub(super) async fn opposite_orders_both_end(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let backends = handles(harness).await?;
    let mut desk = Desk::new(harness);
    let mut ids: Vec<OrderId> = (0..4).map(|_| order()).collect();
    let placed = ids.iter().map(|id| Ok(desk.place(mug(*id)?))).collect::<Result<Vec<_>, Violation>>()?;
    all_accepted(&execute(&*backends[0].store, placed).await?)?;
    let mut batches = Vec::new();
    for _ in 0..40 {
        ids.reverse();
        batches.push(ids.iter().map(|id| desk.paid(*id)).collect::<Vec<_>>());
    }
    for outcomes in race(&backends, batches).await? {
        all_accepted(&outcomes)?;
    }
    for id in ids {
        let versions: Vec<u64> = backends[0].store.history(id).await?.iter().map(|entry| entry.version).collect();
        ensure_eq!(versions, (1..=41).collect::<Vec<_>>(), "versions of an order that forty batches changed");
    }
    Ok(())
}
