//! How places end: settled, released, or with their time.

use std::sync::Arc;

use super::doorman::{Doorman, LONG, MIDDLE, SHORT, levels};
use crate::conformance::support::{eventually, fresh};
use crate::conformance::{Harness, Violation};
use crate::model::ReservationId;
use crate::port::AdmissionGate;

type Opens<'a> = dyn Harness<Arc<dyn AdmissionGate>> + 'a;

pub(super) async fn a_released_place_is_free_again_once(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [one, two] = levels()?;
    doorman.reconcile(&one, 10, 1).await?;
    doorman.reconcile(&two, 10, 1).await?;
    let released = doorman.enter(&[(&one, 4), (&two, 1)], LONG).await?;
    let stays = doorman.enter(&[(&one, 3), (&two, 2)], LONG).await?;
    doorman.gate.release(&[released, released]).await?;
    doorman.gate.release(&[released]).await?;
    let left = [doorman.free(&one).await?, doorman.free(&two).await?];
    ensure_eq!(left, [7, 8], "what is left when one of two was released three times");
    doorman.gate.release(&[stays]).await?;
    let left = [doorman.free(&one).await?, doorman.free(&two).await?];
    ensure_eq!(left, [10, 10], "what is left when both were released");
    Ok(())
}

pub(super) async fn a_settled_place_stays_taken(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 5).await?;
    let place = doorman.enter(&[(&key, 4)], LONG).await?;
    doorman.gate.settle(&[place, place]).await?;
    doorman.gate.settle(&[place]).await?;
    ensure_eq!(doorman.free(&key).await?, 6, "what is left when four were settled, three times");
    doorman.reconcile(&key, 10, 5).await?;
    ensure_eq!(doorman.free(&key).await?, 6, "what is left when the version before was told again");
    doorman.reconcile(&key, 6, 6).await?;
    ensure_eq!(doorman.free(&key).await?, 6, "what is left when the database told of it");
    Ok(())
}

pub(super) async fn a_settled_place_may_be_released(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 5).await?;
    let place = doorman.enter(&[(&key, 4)], LONG).await?;
    doorman.gate.settle(&[place]).await?;
    doorman.gate.release(&[place]).await?;
    ensure_eq!(doorman.free(&key).await?, 10, "what is left when four were settled and released");
    doorman.gate.release(&[place]).await?;
    doorman.gate.settle(&[place]).await?;
    ensure_eq!(doorman.free(&key).await?, 10, "what is left when both came again");
    doorman.reconcile(&key, 9, 6).await?;
    ensure_eq!(doorman.free(&key).await?, 9, "what is left of the next figure");
    Ok(())
}

pub(super) async fn ends_of_the_unknown_change_nothing(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 1).await?;
    let place = doorman.enter(&[(&key, 4)], LONG).await?;
    let unknown = [ReservationId::new(fresh()), ReservationId::new(fresh())];
    doorman.gate.settle(&unknown).await?;
    doorman.gate.release(&unknown).await?;
    ensure_eq!(doorman.free(&key).await?, 6, "what is left when strangers were settled and released");
    doorman.gate.release(&[unknown[0], place]).await?;
    ensure_eq!(doorman.free(&key).await?, 10, "what is left when one was released behind a stranger");
    Ok(())
}

pub(super) async fn a_place_ends_with_its_time(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 1).await?;
    doorman.enter(&[(&key, 1)], MIDDLE).await?;
    let place = doorman.enter(&[(&key, 4)], SHORT).await?;
    eventually(harness, "a place ends with its time", || async { Ok((doorman.free(&key).await? > 5).then_some(())) })
        .await?;
    ensure_eq!(doorman.free(&key).await?, 9, "what is left when one of two places has ended");
    doorman.gate.settle(&[place]).await?;
    doorman.gate.release(&[place]).await?;
    ensure_eq!(doorman.free(&key).await?, 9, "what is left when its end came late");
    Ok(())
}

pub(super) async fn a_settled_place_ends_with_its_time(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 1).await?;
    doorman.enter(&[(&key, 1)], LONG).await?;
    let settled = doorman.enter(&[(&key, 4)], SHORT).await?;
    doorman.gate.settle(&[settled]).await?;
    eventually(harness, "a settled place ends with its time", || async {
        Ok((doorman.free(&key).await? > 5).then_some(()))
    })
    .await?;
    ensure_eq!(doorman.free(&key).await?, 9, "what is left when the time of four that were settled is over");
    doorman.gate.settle(&[settled]).await?;
    doorman.gate.release(&[settled]).await?;
    ensure_eq!(doorman.free(&key).await?, 9, "what is left when they were settled and released once more");
    Ok(())
}
