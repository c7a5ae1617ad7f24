//! Putting records.

use std::time::Duration;

use super::reference::Reference;
use super::{Records, put};
use crate::conformance::events::holds;
use crate::conformance::{Harness, Violation};
use crate::engine::record::{Expected, Put, PutOutcome, Record};
use crate::model::{Actor, Command};

pub(in crate::conformance) async fn answers_are_aligned<B: Records>(harness: &dyn Harness<B>) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let [one, two, none] = [B::record(1, "a")?, B::record(2, "b")?, B::record(3, "c")?];
    let batch = vec![
        put(two.clone(), Expected::New, now),
        put(none.clone(), Expected::Version(7), now),
        put(two.clone(), Expected::New, now),
        put(one.clone(), Expected::Any, now),
    ];
    let expected = [PutOutcome::Stored(1), PutOutcome::Stale(0), PutOutcome::Stale(1), PutOutcome::Stored(1)];
    ensure_eq!(backend.put(batch).await?, expected, "the outcomes of a batch");
    let (one, two) = (one.key(), two.key());
    let found = backend.get(&[two.clone(), none.key(), one.clone(), two.clone()]).await?;
    let found: Vec<_> = found.into_iter().map(|found| found.map(|record| record.key())).collect();
    ensure_eq!(found, [Some(two.clone()), None, Some(one), Some(two)], "records, the second of them unknown");
    Ok(())
}

pub(in crate::conformance) async fn an_empty_batch_changes_nothing<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let backend = harness.open().await?;
    let mut reference = Reference::<B>::new();
    reference.both(&backend, &[]).await?;
    reference.agrees(&backend).await?;
    reference.both(&backend, &[put(B::record(1, "a")?, Expected::New, harness.now())]).await?;
    reference.both(&backend, &[]).await?;
    ensure!(backend.get(&[]).await?.is_empty(), "records of no keys");
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}

pub(in crate::conformance) async fn a_batch_is_decided_in_order<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    let batch = [
        put(B::record(1, "a")?, Expected::New, now),
        put(B::record(1, "b")?, Expected::Version(1), now),
        put(B::record(1, "c")?, Expected::Version(1), now),
        put(B::record(2, "x")?, Expected::Any, now),
        put(B::record(1, "d")?, Expected::Version(2), now),
    ];
    let outcomes = reference.both(&backend, &batch).await?;
    let versions = [1, 2].map(PutOutcome::Stored);
    ensure_eq!(outcomes[..2], versions, "a record that is put, and put again in one batch");
    ensure_eq!(outcomes[2], PutOutcome::Stale(2), "a version that was current when the batch began");
    reference.agrees(&backend).await
}

pub(in crate::conformance) async fn a_large_batch_is_stored<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    let batch = (0..2_000).map(|number| Ok(put(B::record(number % 1_500, &format!("{number}"))?, Expected::Any, now)));
    let batch = batch.collect::<Result<Vec<_>, Violation>>()?;
    reference.both(&backend, &batch).await?;
    reference.both(&backend, &batch).await?;
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}

pub(in crate::conformance) async fn a_known_command_gets_its_first_answer<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    let first = put(B::record(1, "a")?, Expected::New, now);
    let stale = put(B::record(1, "b")?, Expected::Version(2), now);
    reference.both(&backend, &[first.clone(), stale.clone()]).await?;
    reference.both(&backend, &[put(B::record(1, "c")?, Expected::Version(1), now)]).await?;
    // By now the stale one would fit, and the first one would not.
    let later =
        Command { at: now.plus(Duration::from_secs(60)), ..first.clone() }.with_actor(Actor::Service("x".into()));
    let outcomes = reference.both(&backend, &[stale, later, first]).await?;
    ensure_eq!(outcomes, [PutOutcome::Stale(1), PutOutcome::Stored(1), PutOutcome::Stored(1)], "first answers");
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}

pub(in crate::conformance) async fn a_command_twice_in_a_batch_is_decided_once<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    let (one, two) = (put(B::record(1, "a")?, Expected::New, now), put(B::record(1, "b")?, Expected::Any, now));
    reference.both(&backend, &[one.clone(), two.clone(), one.clone(), two, one]).await?;
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}

pub(in crate::conformance) async fn another_command_of_a_known_id_is_a_conflict<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    let first = put(B::record(1, "a")?, Expected::New, now);
    let other = Command { action: Put { record: B::record(1, "b")?, expected: Expected::Any }, ..first.clone() };
    let expected = Command { action: Put { record: B::record(1, "a")?, expected: Expected::Any }, ..first.clone() };
    reference.both(&backend, std::slice::from_ref(&first)).await?;
    let outcomes = reference.both(&backend, &[other, expected, first]).await?;
    let conflict = PutOutcome::Conflict;
    ensure_eq!(outcomes, [conflict.clone(), conflict, PutOutcome::Stored(1)], "other contents, and the first again");
    reference.agrees(&backend).await
}

pub(in crate::conformance) async fn what_is_the_same_is_not_stored_again<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    let later = now.plus(Duration::from_secs(60));
    reference.both(&backend, &[put(B::record(1, "a")?, Expected::Any, now)]).await?;
    let outcomes = reference.both(&backend, &[put(B::record(1, "a")?, Expected::Any, later)]).await?;
    ensure_eq!(outcomes, [PutOutcome::Stored(1)], "the same once more, under another id");
    reference.agrees(&backend).await?;
    holds(backend.outbox(), reference.events()).await
}

pub(in crate::conformance) async fn events_are_written_with_the_decision<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<B>::new();
    // Looked at after each batch: events may not come later than what they tell of.
    for round in 0..3 {
        let before = reference.events().len();
        let text = format!("round {round}");
        let mut batch = Vec::new();
        for number in [1, 2, 1, 3] {
            let record = B::record(number, &format!("{text}, place {}", batch.len()))?;
            batch.push(put(record, Expected::Any, now.plus(Duration::from_micros(round + 1))));
        }
        batch.push(put(B::record(1, &text)?, Expected::New, now));
        reference.both(&backend, &batch).await?;
        holds(backend.outbox(), reference.events().get(before..).unwrap_or_default()).await?;
    }
    Ok(())
}
