//! Callers that go away, and processes that die.

use super::histories::history;
use super::reference::Reference;
use super::{Records, put};
use crate::conformance::events::holds;
use crate::conformance::support::{eventually, polled};
use crate::conformance::{Harness, Violation};
use crate::engine::record::{Expected, Record};

pub(in crate::conformance) async fn a_dropped_call_splits_nothing<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    for polls in 0..30 {
        let records = (0..3).map(|part| B::record(1 + polls * 3 + part, "a")).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = records.iter().map(Record::key).collect();
        let batch: Vec<_> = records.into_iter().map(|record| put(record, Expected::New, now)).collect();
        // Whoever asked goes away; the store may still be at work, or never have begun.
        drop(polled(backend.put(batch.clone()), polls).await);
        let whole = eventually(harness, "a dropped batch is there as a whole, or not at all", || async {
            let there = backend.get(&keys).await?.iter().flatten().count();
            Ok((there == 0 || there == keys.len()).then_some(()))
        });
        whole.await.map_err(|violation| violation.during(format!("dropped after {polls} polls")))?;
        reference.both(&backend, &batch).await?;
    }
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}

pub(in crate::conformance) async fn everything_survives_a_restart<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let mut backend = harness.open().await?;
    let mut reference = Reference::<B>::new();
    let mut all = Vec::new();
    for seed in 101..104 {
        all.extend(history(&mut reference, &backend, harness, seed, 10).await?.into_iter().flatten());
        backend = harness.reopen(backend).await?;
        reference.agrees(&backend).await?;
        for batch in all.chunks(50) {
            reference.both(&backend, batch).await?;
        }
    }
    backend = harness.reopen(backend).await?;
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}
