//! What a batch is.

use super::commands::{
    Desk, accepted, all_accepted, backorders, execute, execute_one, key, receive, reservation, short, stock,
};
use super::reference::Reference;
use crate::conformance::support::sku;
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::stock::{
    Candidate, Hold, LevelSettings, Refusal, Reserve, SourcingStrategy, StockAction, StockOutcome,
};
use crate::engine::{Engine, Limits};
use crate::model::{LocationId, Quantity, Sku, Sourcing, StockKey, StockQuantity, Strategy, Timestamp};

pub(super) async fn answers_are_aligned(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let (mug, pot, none) = (key("MUG")?, key("POT")?, key("NONE")?);
    let (pot_claim, mug_claim) = (reservation(), reservation());
    let first = desk.request(Reserve::new(pot_claim).with_line(pot.sku.clone(), 2));
    let second = desk.request(Reserve::new(mug_claim).with_line(mug.sku.clone(), 1));
    let batch = vec![
        desk.receive(&pot, 5),
        desk.reserve(&none, 1),
        desk.receive(&mug, 3),
        first,
        desk.reserve(&mug, 9),
        second,
        desk.receive(&pot, 7),
    ];
    let expected = Reference::new(Engine::new()).decide(&batch);
    ensure_eq!(execute(&*store, batch).await?, expected, "outcomes of a batch");

    let keys = [&pot, &none, &mug, &pot].map(Clone::clone);
    let found = store.levels(&keys).await?;
    let found: Vec<_> = found.into_iter().map(|level| level.map(|level| (level.key, level.on_hand.get()))).collect();
    let expected = [Some((pot.clone(), 12)), None, Some((mug, 3)), Some((pot, 12))];
    ensure_eq!(found, expected, "levels of POT, NONE, MUG and POT again");

    let found = store.reservations(&[mug_claim, reservation(), pot_claim, mug_claim]).await?;
    let found: Vec<_> = found.into_iter().map(|found| found.map(|found| found.id)).collect();
    let expected = [Some(mug_claim), None, Some(pot_claim), Some(mug_claim)];
    ensure_eq!(found, expected, "reservations, the second of them unknown");
    Ok(())
}

pub(super) async fn an_empty_batch_changes_nothing(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut reference = Reference::new(Engine::new());
    reference.both(&*store, &[]).await?;
    reference.both(&*store, &[Desk::new(harness).receive(&key("MUG")?, 3)]).await?;
    reference.both(&*store, &[]).await?;
    ensure_eq!(store.levels(&[]).await?, Vec::new(), "no levels");
    ensure_eq!(store.reservations(&[]).await?, Vec::new(), "no reservations");
    reference.agrees(&*store).await?;
    crate::conformance::events::holds(&*outbox, reference.events()).await
}

pub(super) async fn a_batch_is_decided_in_order(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    let id = reservation();
    let batch = [
        desk.receive(&mug, 3),
        desk.request(Reserve::new(id).with_line(mug.sku.clone(), 3)),
        desk.reserve(&mug, 1),
        desk.release(id),
        desk.reserve(&mug, 2),
        desk.reserve(&mug, 2),
        desk.receive(&mug, 1),
    ];
    let outcomes = execute(&*store, batch).await?;
    let granted: Vec<bool> = outcomes.iter().map(accepted).collect();
    ensure_eq!(granted, [true, true, false, true, true, false, true], "which of a batch were granted");
    ensure_eq!(stock(&*store, &mug).await?, Some((4, 2)), "on hand and reserved after the batch");
    Ok(())
}

pub(super) async fn a_large_batch_is_stored(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let keys = (0..500).map(|number| key(&format!("SKU-{number:03}"))).collect::<Result<Vec<_>, _>>()?;
    let mut batch: Vec<_> = keys.iter().map(|key| desk.receive(key, 6)).collect();
    batch.extend((0..9).flat_map(|_| keys.iter()).map(|key| desk.reserve(key, 1)));
    reference.both(&*store, &batch).await?;
    ensure_eq!(execute(&*store, batch.iter().cloned()).await?, reference.decide(&batch), "the same batch once more");
    reference.agrees(&*store).await?;
    crate::conformance::events::holds(&*outbox, reference.events()).await
}

pub(super) async fn a_reservation_of_many_lines_is_stored(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let keys = (0..500).map(|number| key(&format!("SKU-{number:03}"))).collect::<Result<Vec<_>, _>>()?;
    let lines = keys.iter().map(|key| StockQuantity::new(key.clone(), 2.into())).collect();
    // Named from the last to the first: a store that keeps lines in an order of its own is found out.
    let request =
        keys.iter().rev().fold(Reserve::new(reservation()), |request, key| request.with_line(key.sku.clone(), 1));
    let id = request.reservation;
    let batch = [desk.command(StockAction::Receive { lines }), desk.request(request)];
    reference.both(&*store, &batch).await?;
    reference.agrees(&*store).await?;
    reference.both(&*store, &[desk.allocate(id), desk.fulfil(id)]).await?;
    reference.agrees(&*store).await
}

#[derive(Debug)]
struct Reversed;

impl SourcingStrategy for Reversed {
    fn rank(&self, _: &Sku, _: Quantity, candidates: &mut [Candidate]) {
        candidates.reverse();
    }
}

pub(super) async fn the_given_engine_decides(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let (mug, near, far) = (sku("MUG")?, LocationId::new("near")?, LocationId::new("far")?);
    let keys = [&near, &far].map(|location| StockKey::new(mug.clone(), location.clone()));
    let stocked = keys.iter().map(|key| desk.receive(key, 5)).collect::<Vec<_>>();
    all_accepted(&execute(&*store, stocked).await?)?;

    let strict = Engine::new().with_limits(Limits::default().with_max_lines(1));
    let two = Reserve::new(reservation()).with_line_at(keys[0].clone(), 1).with_line_at(keys[1].clone(), 1);
    let two = desk.request(two);
    let outcomes = store.execute(&strict, vec![two]).await?;
    let refused = matches!(outcomes.as_slice(), [StockOutcome::Refused(Refusal::Invalid(_))]);
    ensure!(refused, "two lines with an engine that allows one: {outcomes:?}");

    let sourcing = Sourcing { strategy: Strategy::Custom("reversed".to_owned()), locations: vec![near, far] };
    let request = Reserve::new(reservation()).with_line(mug, 2).with_sourcing(sourcing);
    let unregistered = desk.request(Reserve { reservation: reservation(), ..request.clone() });
    let outcome = execute_one(&*store, unregistered).await?;
    let unknown = matches!(outcome, StockOutcome::Refused(Refusal::UnknownStrategy(_)));
    ensure!(unknown, "a strategy that is not registered: {outcome:?}");
    let engine = Engine::new().with_sourcing("reversed", Reversed);
    all_accepted(&store.execute(&engine, vec![desk.request(request)]).await?)?;
    ensure_eq!(stock(&*store, &keys[0]).await?, Some((5, 0)), "the location that the strategy puts last");
    ensure_eq!(stock(&*store, &keys[1]).await?, Some((5, 2)), "the location that the strategy puts first");
    Ok(())
}

pub(super) async fn the_largest_numbers_are_kept(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let (full, open, odd) = (key("FULL")?, key("OPEN")?, key("ODD")?);
    let all = Reserve::new(reservation()).with_line(full.sku.clone(), Quantity::MAX);
    let promised = Reserve::new(reservation())
        .with_line(open.sku.clone(), Quantity::MAX)
        .with_policy(crate::model::Policy::Backorder);
    let promised = Reserve { hold: Hold::Until(Timestamp::MAX), ..promised };
    let one_less = Quantity::MAX.saturating_sub(Quantity::ONE);
    let odd_settings = LevelSettings {
        safety_stock: Some(one_less),
        backorder_limit: Some(one_less),
        low_stock_at: Some(Some(Quantity::MAX)),
        tracked: Some(false),
        retired: Some(true),
    };
    let mut batch = vec![
        desk.command(StockAction::Count { key: full.clone(), counted: Quantity::MAX, reason: None }),
        desk.request(all),
        desk.configure(&open, backorders(Quantity::MAX)),
        desk.request(promised),
        desk.configure(&odd, odd_settings),
        desk.command(receive(&full, 1)),
    ];
    // Before 1970, and to the microsecond.
    if let Some(first) = batch.first_mut() {
        first.at = Timestamp::from_micros(-1);
    }
    reference.both(&*store, &batch).await?;
    reference.agrees(&*store).await?;
    let outcome = execute_one(&*store, desk.reserve(&full, 1)).await?;
    ensure!(short(&outcome), "one more than everything: {outcome:?}");
    Ok(())
}
