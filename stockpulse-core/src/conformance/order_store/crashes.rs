//! Callers that go away, and processes that die.

use super::commands::{Desk, customer, mug, order};
use super::histories::history;
use super::purchases::limited;
use super::reference::Reference;
use crate::conformance::events::holds;
use crate::conformance::support::{eventually, polled};
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::Engine;

pub(super) async fn a_dropped_call_splits_nothing(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    for polls in 0..30 {
        let ids = [order(), order(), order()];
        let batch = ids.iter().map(|id| Ok(desk.place(mug(*id)?))).collect::<Result<Vec<_>, Violation>>()?;
        let engine = Engine::new();
        // Whoever asked goes away; the store may still be at work, or never have begun.
        drop(polled(store.execute(&engine, batch.clone()), polls).await);
        let whole = eventually(harness, "a dropped batch is there as a whole, or not at all", || async {
            let there = store.orders(&ids).await?.iter().flatten().count();
            Ok((there == 0 || there == ids.len()).then_some(()))
        });
        whole.await.map_err(|violation| violation.during(format!("dropped after {polls} polls")))?;
        reference.both(&*store, &batch).await?;
    }
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn everything_survives_a_restart(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let mut backend = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let ann = customer();
    reference.both(&*backend.store, &[desk.place(limited(order(), ann, "FIGURINE", 2)?)]).await?;
    let mut all = Vec::new();
    for seed in 101..104 {
        let made = history(&mut reference, &*backend.store, harness, seed, 15).await?;
        all.extend(made.into_iter().flatten());
        backend = harness.reopen(backend).await?;
        reference.agrees(&*backend.store).await?;
        for batch in all.chunks(50) {
            reference.both(&*backend.store, batch).await?;
        }
        // Two are counted from before, so that this one is too many.
        reference.both(&*backend.store, &[desk.place(limited(order(), ann, "FIGURINE", 2)?)]).await?;
    }
    backend = harness.reopen(backend).await?;
    reference.agrees(&*backend.store).await?;
    holds(&*backend.outbox, reference.events()).await
}
