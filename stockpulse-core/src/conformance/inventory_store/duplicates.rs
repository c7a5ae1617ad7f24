//! The same command more than once.

use std::time::Duration;

use super::commands::{Desk, accepted, execute, execute_one, key, receive, short, stock};
use super::histories::history;
use super::reference::Reference;
use crate::conformance::{Harness, InventoryBackend, Violation, events};
use crate::engine::Engine;
use crate::engine::stock::{Refusal, StockOutcome};
use crate::model::{Actor, Cause};

pub(super) async fn a_known_command_gets_its_first_answer(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let mug = key("MUG")?;
    let (stocked, claim) = (desk.receive(&mug, 3), desk.reserve(&mug, 2));
    reference.both(&*store, &[stocked.clone(), claim.clone()]).await?;
    reference.both(&*store, &[desk.receive(&mug, 4)]).await?;
    // A retry is sent later, and perhaps by somebody else; it is the same all the same.
    let mut retry = claim.clone().with_actor(Actor::Service("retry".into())).with_cause(Cause::Command(stocked.id));
    retry.at = retry.at.plus(Duration::from_secs(3_600));
    reference.both(&*store, &[retry, desk.receive(&mug, 1), stocked.clone()]).await?;
    reference.both(&*store, &[claim, stocked]).await?;
    reference.agrees(&*store).await?;
    events::holds(&*outbox, reference.events()).await
}

pub(super) async fn a_refusal_is_an_answer_for_good(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    let (unknown, too_many) = (desk.reserve(&mug, 1), desk.reserve(&mug, 5));
    let first = execute(&*store, [unknown.clone()]).await?;
    execute(&*store, [desk.receive(&mug, 3)]).await?;
    let second = execute(&*store, [too_many.clone()]).await?;
    ensure!(second.iter().all(short), "5 of 3: {second:?}");
    execute(&*store, [desk.receive(&mug, 100)]).await?;
    ensure_eq!(execute(&*store, [unknown]).await?, first, "refused for an unknown SKU, and asked again");
    ensure_eq!(execute(&*store, [too_many]).await?, second, "refused for want of stock, and asked again");
    ensure_eq!(stock(&*store, &mug).await?, Some((103, 0)), "on hand and reserved");
    Ok(())
}

pub(super) async fn a_command_twice_in_a_batch_is_decided_once(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let mug = key("MUG")?;
    let (stocked, claim, too_many) = (desk.receive(&mug, 3), desk.reserve(&mug, 2), desk.reserve(&mug, 9));
    let batch = [
        stocked.clone(),
        claim.clone(),
        stocked.clone(),
        too_many.clone(),
        claim,
        desk.receive(&mug, 20),
        too_many,
        stocked,
    ];
    reference.both(&*store, &batch).await?;
    reference.agrees(&*store).await?;
    events::holds(&*outbox, reference.events()).await
}

pub(super) async fn another_command_of_a_known_id_is_a_conflict(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    let command = desk.receive(&mug, 3);
    let other = crate::model::Command { action: receive(&mug, 4), ..command.clone() };
    let first = execute_one(&*store, command.clone()).await?;
    ensure!(accepted(&first), "a delivery: {first:?}");
    let conflict = StockOutcome::Refused(Refusal::Conflict);
    ensure_eq!(execute_one(&*store, other.clone()).await?, conflict, "the same id for another quantity");
    ensure_eq!(execute(&*store, [other, command]).await?, [conflict, first], "a conflict, and then the command itself");
    ensure_eq!(stock(&*store, &mug).await?, Some((3, 0)), "on hand and reserved");
    Ok(())
}

pub(super) async fn a_replayed_history_changes_nothing(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut reference = Reference::new(Engine::new());
    let batches = history(&mut reference, &*store, harness, 42, 40).await?;
    let all: Vec<_> = batches.into_iter().flatten().collect();
    // In other batches than at first, and twice.
    for size in [7, 64] {
        for batch in all.chunks(size) {
            reference.both(&*store, batch).await?;
        }
    }
    reference.agrees(&*store).await?;
    events::holds(&*outbox, reference.events()).await
}
