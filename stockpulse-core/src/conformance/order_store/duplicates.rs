//! The same command more than once.

use std::time::Duration;

use super::commands::{Desk, accepted, execute, mug, order};
use super::histories::history;
use super::reference::Reference;
use crate::conformance::events::holds;
use crate::conformance::support::sku;
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::order::{OrderOutcome, OrderRefusal};
use crate::model::{Actor, Cause, Command};

pub(super) async fn a_known_command_gets_its_first_answer(
    harness: &dyn Harness<OrderBackend>,
) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let id = order();
    let (placed, reserved) = (desk.place(mug(id)?), desk.reserved(id, &sku("MUG")?, 1));
    reference.both(&*store, &[placed.clone(), reserved.clone()]).await?;
    reference.both(&*store, &[desk.cancel(id)]).await?;
    // A retry is sent later, and perhaps by somebody else; it is the same all the same.
    let mut retry = reserved.clone().with_actor(Actor::Service("retry".into())).with_cause(Cause::Command(placed.id));
    retry.at = retry.at.plus(Duration::from_secs(3_600));
    reference.both(&*store, &[retry, desk.place(mug(order())?), placed.clone()]).await?;
    reference.both(&*store, &[reserved, placed]).await?;
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn a_refusal_is_an_answer_for_good(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let id = order();
    let early = desk.paid(id);
    let first = reference.both(&*store, std::slice::from_ref(&early)).await?;
    ensure_eq!(first, [OrderOutcome::Refused(OrderRefusal::UnknownOrder(id))], "a payment for an unknown order");
    reference.both(&*store, &[desk.place(mug(id)?)]).await?;
    ensure_eq!(execute(&*store, [early]).await?, first, "the same once the order is known");
    reference.agrees(&*store).await
}

pub(super) async fn a_command_twice_in_a_batch_is_decided_once(
    harness: &dyn Harness<OrderBackend>,
) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let id = order();
    let (early, placed, paid) = (desk.paid(id), desk.place(mug(id)?), desk.paid(id));
    let batch = [early.clone(), placed.clone(), paid.clone(), placed, early, paid];
    reference.both(&*store, &batch).await?;
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn another_command_of_a_known_id_is_a_conflict(
    harness: &dyn Harness<OrderBackend>,
) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let id = order();
    let placed = desk.place(mug(id)?);
    let other = Command { id: placed.id, ..desk.cancel(id) };
    let first = reference.both(&*store, std::slice::from_ref(&placed)).await?;
    ensure!(first.iter().all(accepted), "a new order: {first:?}");
    let conflict = OrderOutcome::Refused(OrderRefusal::Conflict);
    let outcomes = reference.both(&*store, &[other, placed]).await?;
    ensure_eq!(outcomes, [conflict, first[0].clone()], "a conflict, and then the command itself");
    reference.agrees(&*store).await
}

pub(super) async fn a_replayed_history_changes_nothing(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut reference = Reference::default();
    let batches = history(&mut reference, &*store, harness, 42, 40).await?;
    let all: Vec<_> = batches.into_iter().flatten().collect();
    // In other batches than at first, and twice.
    for size in [7, 64] {
        for batch in all.chunks(size) {
            reference.both(&*store, batch).await?;
        }
    }
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}
