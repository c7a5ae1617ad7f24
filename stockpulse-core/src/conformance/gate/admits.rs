//! Who is let through.

use std::sync::Arc;

use super::doorman::{Doorman, LONG, figure, levels, request};
use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, Violation};
use crate::model::{LocationId, StockKey};
use crate::port::{Admission, AdmissionGate, AdmitRequest};

type Opens<'a> = dyn Harness<Arc<dyn AdmissionGate>> + 'a;

pub(super) async fn answers_are_aligned(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [full, empty, unknown] = levels()?;
    doorman.gate.reconcile(&[figure(&full, 10, 1), figure(&empty, 0, 1)]).await?;
    let lines = [&empty, &full, &unknown, &full, &empty, &unknown, &full];
    let batch: Vec<AdmitRequest> = lines.map(|key| request(&[(key, 2)])).into();
    let expected = lines.map(|key| match key {
        key if *key == full => Admission::Admitted,
        key if *key == empty => Admission::Refused(empty.clone()),
        _ => Admission::Unknown,
    });
    ensure_eq!(doorman.gate.admit(&batch).await?, expected, "answers, in the order of the requests");
    Ok(())
}

pub(super) async fn empty_batches_are_harmless(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 3, 1).await?;
    ensure_eq!(doorman.gate.admit(&[]).await?, [], "answers to no requests");
    doorman.gate.settle(&[]).await?;
    doorman.gate.release(&[]).await?;
    doorman.gate.reconcile(&[]).await?;
    ensure_eq!(doorman.free(&key).await?, 3, "units that are free");
    Ok(())
}

pub(super) async fn no_more_are_let_through_than_there_are(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key, other] = levels()?;
    doorman.gate.reconcile(&[figure(&key, 10, 1), figure(&other, 1, 1)]).await?;
    for (units, admitted) in [(1, 4), (2, 3), (3, 0), (1, 0)] {
        let batch: Vec<AdmitRequest> = (0..4).map(|_| request(&[(&key, units)])).collect();
        let answers = doorman.gate.admit(&batch).await?;
        let mut expected = vec![Admission::Admitted; admitted];
        expected.resize(4, Admission::Refused(key.clone()));
        ensure_eq!(answers, expected, "answers to four that want {units} each");
    }
    ensure_eq!(doorman.admit(&request(&[(&other, 1)])).await?, Admission::Admitted, "of another level");
    Ok(())
}

pub(super) async fn all_lines_or_none(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [many, few] = levels()?;
    doorman.gate.reconcile(&[figure(&many, 5, 1), figure(&few, 1, 1)]).await?;
    for lines in [[(&many, 2), (&few, 2)], [(&few, 2), (&many, 2)]] {
        let answer = doorman.admit(&request(&lines)).await?;
        ensure_eq!(answer, Admission::Refused(few.clone()), "the answer when one of two is short");
    }
    doorman.enter(&[(&many, 5), (&few, 1)], LONG).await?;
    let left = [doorman.free(&many).await?, doorman.free(&few).await?];
    ensure_eq!(left, [0, 0], "what is left when everything was let through");
    Ok(())
}

pub(super) async fn unknown_levels_are_for_the_database(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [known, unknown] = levels()?;
    doorman.reconcile(&known, 2, 1).await?;
    for lines in [[(&known, 1), (&unknown, 1)], [(&unknown, 1), (&known, 1)]] {
        ensure_eq!(doorman.admit(&request(&lines)).await?, Admission::Unknown, "one of two levels is not known");
    }
    ensure_eq!(doorman.admit(&request(&[(&unknown, 1)])).await?, Admission::Unknown, "the level is not known");
    ensure_eq!(doorman.free(&known).await?, 2, "what is left of the level that is known");
    doorman.reconcile(&unknown, 1, 1).await?;
    ensure_eq!(doorman.free(&unknown).await?, 1, "what is left of the other when it has become known");
    Ok(())
}

pub(super) async fn asked_again_it_takes_no_second_place(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 3, 1).await?;
    let two = request(&[(&key, 2)]);
    let answers = doorman.gate.admit(&[two.clone(), two.clone()]).await?;
    ensure_eq!(answers, [Admission::Admitted, Admission::Admitted], "answers to the same request twice in a batch");
    ensure_eq!(doorman.admit(&two).await?, Admission::Admitted, "the answer to the same request once more");
    ensure_eq!(doorman.free(&key).await?, 1, "what is left");
    doorman.gate.settle(&[two.reservation]).await?;
    ensure_eq!(doorman.admit(&two).await?, Admission::Admitted, "the answer when it was settled");
    ensure_eq!(doorman.free(&key).await?, 1, "what is left when it was settled");
    Ok(())
}

pub(super) async fn a_refusal_is_not_remembered(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 1, 1).await?;
    let two = request(&[(&key, 2)]);
    ensure_eq!(doorman.admit(&two).await?, Admission::Refused(key.clone()), "the answer when there is one");
    doorman.reconcile(&key, 2, 2).await?;
    ensure_eq!(doorman.admit(&two).await?, Admission::Admitted, "the answer to the same when there are two");
    Ok(())
}

pub(super) async fn levels_are_told_apart(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let id = fresh();
    let mut keys = Vec::new();
    for text in ["", "A", "a", "a ", "\u{e9}", "e\u{301}", "\u{1f366}", "a:b", "{a}", "a/main"] {
        keys.push(StockKey::main(sku(format!("{id}{text}"))?));
    }
    for location in ["Main", "main ", "b:main", "\u{1f366}"] {
        keys.push(StockKey::new(sku(format!("{id}a"))?, LocationId::new(location)?));
    }
    for (units, key) in (1..).zip(&keys) {
        doorman.reconcile(key, units, 1).await?;
    }
    for (units, key) in (1..).zip(&keys) {
        ensure_eq!(doorman.free(key).await?, units, "what is left of {key:?}, among {keys:?}");
    }
    Ok(())
}
