//! What a store keeps beside levels and reservations: queues; and what concerns all levels of a SKU.

use super::commands::{Desk, accepted, all_accepted, at, backorders, execute, execute_one, key, order, reservation};
use super::reference::Reference;
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::engine::stock::{Parts, Refusal, Reserve, StockAction, StockOutcome};
use crate::model::{Policy, Quantity, ReservationId, StockKey, StockQuantity};
use crate::port::InventoryStore;

fn promise(desk: &mut Desk, id: ReservationId, key: &StockKey, units: u32) -> crate::engine::stock::StockCommand {
    let request = Reserve::new(id).with_line_at(key.clone(), units).with_order(order()).with_policy(Policy::Backorder);
    desk.request(request)
}

pub(super) async fn backorders_are_filled_in_order(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let mug = key("MUG")?;
    reference.both(&*store, &[desk.configure(&mug, backorders(Quantity::MAX)), desk.receive(&mug, 1)]).await?;
    // Twelve of them, so that an order by text would put the tenth before the second.
    let ids: Vec<_> = (0..12).map(|_| reservation()).collect();
    for pair in ids.chunks(2) {
        let batch: Vec<_> = pair.iter().map(|id| promise(&mut desk, *id, &mug, 2)).collect();
        reference.both(&*store, &batch).await?;
    }
    let gone = desk.release(ids[4]);
    reference.both(&*store, &[gone]).await?;
    let mut filled = Vec::new();
    for units in [1, 3, 4, 2, 30] {
        let command = desk.receive(&mug, units);
        let outcome = execute_one(&*store, command.clone()).await?;
        reference.decide(&[command]);
        let StockOutcome::Moved(moved) = outcome else {
            return Err(Violation::new(format!("a delivery: {outcome:?}")));
        };
        filled.extend(moved.filled.into_iter().map(|filled| filled.reservation));
        reference.agrees(&*store).await?;
    }
    filled.dedup();
    let expected: Vec<_> = ids.iter().copied().filter(|id| *id != ids[4]).collect();
    ensure_eq!(filled, expected, "whose claims were filled, in order");
    Ok(())
}

pub(super) async fn a_reader_sees_what_waits(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let (mug, pot, id) = (key("MUG")?, key("POT")?, reservation());
    let request = Reserve::new(id).with_line(mug.sku.clone(), 5).with_line(pot.sku.clone(), 2);
    let batch = [
        desk.configure(&mug, backorders(10.into())),
        desk.receive(&mug, 1),
        desk.receive(&pot, 2),
        desk.request(request.with_policy(Policy::Backorder)),
    ];
    all_accepted(&execute(&*store, batch).await?)?;
    ensure_eq!(waiting(&*store, id).await?, [4, 0], "units of MUG and POT that wait");
    let version = version(&*store, id).await?;
    all_accepted(&execute(&*store, [desk.receive(&mug, 3)]).await?)?;
    ensure_eq!(waiting(&*store, id).await?, [1, 0], "units that wait after three came in");
    let parts = Parts::Levels(vec![StockQuantity::new(mug.clone(), 2.into())]);
    let shipped = desk.command(StockAction::Fulfil { reservation: id, parts });
    all_accepted(&execute(&*store, [desk.allocate(id), shipped]).await?)?;
    ensure_eq!(waiting(&*store, id).await?, [1, 0], "units that wait after two shipped");
    all_accepted(&execute(&*store, [desk.receive(&mug, 9)]).await?)?;
    ensure_eq!(waiting(&*store, id).await?, [0, 0], "units that wait after all came in");
    ensure_eq!(
        self::version(&*store, id).await?,
        version + 2,
        "the reservation's version, which filling does not count"
    );
    Ok(())
}

async fn waiting(store: &dyn InventoryStore, id: ReservationId) -> Result<Vec<i64>, Violation> {
    let found = store.reservations(&[id]).await?.into_iter().flatten().next();
    let found = found.ok_or_else(|| Violation::new("the reservation is not there"))?;
    Ok(found.lines.iter().map(|line| line.backordered.get()).collect())
}

async fn version(store: &dyn InventoryStore, id: ReservationId) -> Result<u64, Violation> {
    let found = store.reservations(&[id]).await?.into_iter().flatten().next();
    Ok(found.ok_or_else(|| Violation::new("the reservation is not there"))?.version)
}

pub(super) async fn retiring_reaches_every_location(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let keys = ["main", "north", "South", "a"].map(|location| at("MUG", location));
    let [one, two, three, four] = keys;
    let keys = [one?, two?, three?, four?];
    let alike = [key("mug")?, key("MUG2")?, key("MU")?];
    let mut batch: Vec<_> = keys.iter().chain(&alike).map(|key| desk.receive(key, 2)).collect();
    let claim = desk.reserve(&keys[2], 1);
    let id = claim.action.reservation().unwrap_or_else(reservation);
    batch.push(claim);
    reference.both(&*store, &batch).await?;
    let retire = StockAction::Retire { sku: keys[0].sku.clone() };
    let early = desk.command(retire.clone());
    let outcome = execute_one(&*store, early.clone()).await?;
    let claimed = StockOutcome::Refused(Refusal::Claimed { key: keys[2].clone(), reserved: 1.into() });
    ensure_eq!(outcome, claimed, "retiring what is claimed at one location");
    reference.decide(&[early]);
    reference.both(&*store, &[desk.release(id), desk.command(retire)]).await?;
    reference.agrees(&*store).await?;
    let levels = store.levels(&keys).await?;
    ensure!(levels.iter().flatten().all(|level| level.retired), "not all are retired: {levels:?}");
    let others = store.levels(&alike).await?;
    ensure!(others.iter().flatten().all(|level| !level.retired), "others are retired: {others:?}");
    let again = execute(&*store, [desk.receive(&keys[1], 1)]).await?;
    ensure!(!again.iter().any(accepted), "a delivery of what is retired: {again:?}");
    Ok(())
}
