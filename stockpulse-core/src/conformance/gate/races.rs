//! Many at once, and calls that nobody waits for.

use std::sync::Arc;
use std::time::Duration;

use super::doorman::{Doorman, figure, levels, request};
use crate::conformance::support::{polled, together};
use crate::conformance::{Harness, Violation};
use crate::model::ReservationId;
use crate::port::{Admission, AdmissionGate, AdmitRequest};

type Opens<'a> = dyn Harness<Arc<dyn AdmissionGate>> + 'a;

/// Asks for batches at once, each in a task of its own.
async fn ask(doorman: &Doorman, batches: Vec<Vec<AdmitRequest>>) -> Result<Vec<Admission>, Violation> {
    let calls = batches.into_iter().map(|batch| {
        let gate = Arc::clone(&doorman.gate);
        async move { gate.admit(&batch).await }
    });
    Ok(together(calls).await?.into_iter().flatten().collect())
}

fn admitted(answers: &[Admission]) -> usize {
    answers.iter().filter(|answer| **answer == Admission::Admitted).count()
}

pub(super) async fn many_at_once_get_no_more_than_there_is(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 1).await?;
    let batches = (0..20).map(|_| (0..5).map(|_| request(&[(&key, 1)])).collect());
    let answers = ask(&doorman, batches.collect()).await?;
    ensure_eq!(answers.len(), 100, "answers to a hundred requests");
    ensure_eq!(admitted(&answers), 10, "requests that were let through, of a hundred for ten units");
    Ok(())
}

pub(super) async fn opposite_orders_do_not_meet(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [one, two] = levels()?;
    doorman.gate.reconcile(&[figure(&one, 10, 1), figure(&two, 15, 1)]).await?;
    let pair = |number: u32| if number.is_multiple_of(2) { [(&one, 1), (&two, 1)] } else { [(&two, 1), (&one, 1)] };
    let batches = (0..20).map(|number| vec![request(&pair(number)), request(&pair(number + 1))]);
    let answers = ask(&doorman, batches.collect()).await?;
    ensure_eq!(admitted(&answers), 10, "pairs that were let through, of forty for ten units and fifteen");
    let left = [doorman.free(&one).await?, doorman.free(&two).await?];
    ensure_eq!(left, [0, 5], "what is left of both");
    Ok(())
}

pub(super) async fn the_same_at_once_takes_one_place(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 20, 1).await?;
    let same = request(&[(&key, 3)]);
    let answers = ask(&doorman, vec![vec![same]; 12]).await?;
    ensure_eq!(answers, vec![Admission::Admitted; 12], "answers to the same request, twelve times at once");
    ensure_eq!(doorman.free(&key).await?, 17, "what is left");
    Ok(())
}

pub(super) async fn a_call_may_be_given_up(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [one, two] = levels()?;
    doorman.gate.reconcile(&[figure(&one, 10, 1), figure(&two, 10, 1)]).await?;
    for polls in 0..12 {
        let batch = [request(&[(&one, 2), (&two, 3)]), request(&[(&two, 1), (&one, 2)])];
        let given_up = polled(doorman.gate.admit(&batch), polls);
        let _ = tokio::time::timeout(Duration::from_secs(1), given_up).await;
        // A call that was given up may still be under way; asked again, each has its place for sure.
        let answers = doorman.gate.admit(&batch).await?;
        ensure_eq!(answers, [Admission::Admitted, Admission::Admitted], "answers when asked again");
        let left = [doorman.free(&one).await?, doorman.free(&two).await?];
        ensure_eq!(left, [6, 6], "what is left after two were asked for twice, the first time given up");
        let ids: Vec<ReservationId> = batch.iter().map(|request| request.reservation).collect();
        doorman.gate.release(&ids).await?;
    }
    Ok(())
}
