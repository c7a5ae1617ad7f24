//! Events are committed with what they tell of.

use super::commands::{Desk, all_accepted, execute, key, order, receive, reservation};
use super::reference::Reference;
use crate::conformance::events::{drain, holds};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::engine::stock::{Hold, Reserve};
use crate::model::Command;

pub(super) async fn events_are_written_with_the_decision(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let (mug, pot, order) = (key("MUG")?, key("POT")?, order());
    let request = Reserve::new(reservation()).with_line(mug.sku.clone(), 2).with_line(pot.sku.clone(), 1);
    let request = Reserve { hold: Hold::Until(desk.now().plus(std::time::Duration::from_secs(60))), ..request };
    let id = request.reservation;
    let batches = [
        vec![desk.receive(&mug, 3), desk.receive(&pot, 1), desk.receive(&mug, 2)],
        vec![desk.request(request.with_order(order)), desk.reserve(&mug, 1)],
        vec![desk.request(Reserve::new(reservation()).with_line(pot.sku, 1).with_order(order))],
        vec![desk.allocate(id), desk.fulfil(id), desk.receive(&mug, 1)],
    ];
    // Looked at after each batch: events may not come later than what they tell of.
    for batch in batches {
        let before = reference.events().len();
        reference.both(&*store, &batch).await?;
        let new = reference.events().get(before..).unwrap_or_default();
        holds(&*outbox, new).await?;
    }
    Ok(())
}

pub(super) async fn what_changed_nothing_tells_nothing(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    let command = desk.receive(&mug, 3);
    all_accepted(&execute(&*store, [command.clone()]).await?)?;
    drain(&*outbox).await?;
    let conflict = Command { action: receive(&mug, 4), ..command.clone() };
    let refused = desk.reserve(&mug, 9);
    execute(&*store, [command.clone(), conflict, refused.clone(), desk.release(reservation())]).await?;
    execute(&*store, [command, refused]).await?;
    execute(&*store, []).await?;
    let rows = drain(&*outbox).await?;
    ensure!(rows.is_empty(), "events of what changed nothing: {rows:?}");
    Ok(())
}
