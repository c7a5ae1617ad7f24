//! Random histories, and many at once.

use super::reference::Reference;
use super::{Records, put};
use crate::conformance::events::{drain, holds};
use crate::conformance::random::{Random, seeds};
use crate::conformance::support::together;
use crate::conformance::{Harness, Violation};
use crate::engine::record::{Expected, Put, PutOutcome, Record};
use crate::model::Command;

/// What is sent in one batch.
pub(super) type Batch<B> = Vec<Command<Put<<B as Records>::Record>>>;

pub(in crate::conformance) async fn random_histories_agree_with_the_engine<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let backend = harness.open().await?;
    let mut reference = Reference::<B>::new();
    for seed in seeds()? {
        let told = |violation: Violation| violation.during(format!("STOCKPULSE_SEED={seed}"));
        let before = reference.events().len();
        history(&mut reference, &backend, harness, seed, 40).await.map_err(told)?;
        reference.agrees(&backend).await.map_err(told)?;
        let new = reference.events().get(before..).unwrap_or_default();
        holds(backend.outbox(), new).await.map_err(told)?;
    }
    Ok(())
}

/// Lets store and reference decide a history of random batches, compares the answers, and tells the batches.
pub(super) async fn history<B: Records>(
    reference: &mut Reference<B>,
    backend: &B,
    harness: &dyn Harness<B>,
    seed: u64,
    batches: u32,
) -> Result<Vec<Batch<B>>, Violation> {
    let mut random = Random::new(seed);
    let mut made: Batch<B> = Vec::new();
    let mut all = Vec::new();
    for _ in 0..batches {
        let mut batch = Vec::new();
        for _ in 0..=random.below(6) {
            let record = B::record(random.below(6), &random.below(3).to_string())?;
            let expected = match random.below(4) {
                0 => Expected::New,
                1 => Expected::Version(u64::from(random.below(12))),
                _ => Expected::Any,
            };
            let new = put(record, expected, harness.now());
            batch.push(match random.pick(&made) {
                Some(earlier) if random.once_in(8) => earlier.clone(),
                Some(earlier) if random.once_in(16) => Command { id: earlier.id, ..new },
                _ => {
                    made.push(new.clone());
                    new
                }
            });
        }
        reference.both(backend, &batch).await?;
        all.push(batch);
    }
    Ok(all)
}

pub(in crate::conformance) async fn one_of_many_changes_a_version<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let other = harness.another().await?.unwrap_or_else(|| backend.clone());
    for version in 0..5 {
        let expected = if version == 0 { Expected::New } else { Expected::Version(version) };
        let mut calls = Vec::new();
        for writer in 0..12 {
            let store = if writer % 2 == 0 { backend.clone() } else { other.clone() };
            let batch = vec![put(B::record(1, &format!("version {version}, writer {writer}"))?, expected, now)];
            calls.push(async move { store.put(batch).await });
        }
        let outcomes: Vec<_> = together(calls).await?.into_iter().flatten().collect();
        let stored = outcomes.iter().filter(|outcome| **outcome == PutOutcome::Stored(version + 1)).count();
        let stale = outcomes.iter().filter(|outcome| **outcome == PutOutcome::Stale(version + 1)).count();
        ensure!(stored == 1 && stale == 11, "of twelve who change version {version}: {outcomes:?}");
    }
    let found = backend.get(&[B::record(1, "")?.key()]).await?;
    let versions: Vec<_> = found.iter().flatten().map(Record::version).collect();
    ensure_eq!(versions, [5], "the version after five changes");
    let sequences: Vec<u64> = drain(backend.outbox()).await?.iter().map(|row| row.event.sequence).collect();
    ensure_eq!(sequences, [1, 2, 3, 4, 5], "the sequence of the events");
    Ok(())
}
