//! What a batch is.

use std::time::Duration;

use super::commands::{Desk, accepted, all_accepted, euro, execute, mug, order};
use super::reference::Reference;
use crate::conformance::events::holds;
use crate::conformance::support::sku;
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::order::{OrderOutcome, OrderRefusal, Place};
use crate::engine::{Engine, Limits};
use crate::model::OrderStatus;

pub(super) async fn answers_are_aligned(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let [one, two, none] = [order(), order(), order()];
    let batch =
        [desk.place(mug(two)?), desk.paid(none), desk.place(mug(one)?), desk.place(mug(two)?), desk.cancel(one)];
    let expected = Reference::default().decide(&batch);
    ensure_eq!(execute(&*store, batch).await?, expected, "the outcomes of a batch");
    let found = store.orders(&[two, none, one, two]).await?;
    let found: Vec<_> = found.into_iter().map(|found| found.map(|order| order.id)).collect();
    ensure_eq!(found, [Some(two), None, Some(one), Some(two)], "orders, the second of them unknown");
    Ok(())
}

pub(super) async fn an_empty_batch_changes_nothing(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut reference = Reference::default();
    reference.both(&*store, &[]).await?;
    reference.agrees(&*store).await?;
    reference.both(&*store, &[Desk::new(harness).place(mug(order())?)]).await?;
    reference.both(&*store, &[]).await?;
    ensure_eq!(store.orders(&[]).await?, Vec::new(), "no orders");
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn a_batch_is_decided_in_order(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let (id, sku) = (order(), sku("MUG")?);
    let place = mug(id)?.prepaid(Duration::from_secs(600));
    let batch =
        [desk.paid(id), desk.place(place), desk.reserved(id, &sku, 1), desk.paid(id), desk.cancel(id), desk.paid(id)];
    let outcomes = reference.both(&*store, &batch).await?;
    let granted: Vec<bool> = outcomes.iter().map(accepted).collect();
    ensure_eq!(granted, [false, true, true, true, true, true], "which of a batch were accepted");
    reference.agrees(&*store).await?;
    let versions: Vec<u64> = store.history(id).await?.iter().map(|entry| entry.version).collect();
    ensure_eq!(versions, [1, 2, 3, 4, 5], "versions in the history of an order that one batch changed five times");
    Ok(())
}

pub(super) async fn a_large_batch_is_stored(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let sku = sku("MUG")?;
    let mut batch = Vec::new();
    for _ in 0..1_000 {
        let id = order();
        batch.push(desk.place(mug(id)?));
        batch.push(desk.reserved(id, &sku, 1));
    }
    reference.both(&*store, &batch).await?;
    reference.both(&*store, &batch).await?;
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn an_order_of_many_lines_is_stored(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let mut place = Place::new(order());
    // Named from the last to the first: a store that keeps lines in an order of its own is found out.
    for number in (0..500_u32).rev() {
        place = place.with_line(sku(format!("SKU-{number:03}"))?, 1 + number, euro(i64::from(number)));
    }
    let id = place.order;
    reference.both(&*store, &[desk.place(place)]).await?;
    reference.agrees(&*store).await?;
    reference.both(&*store, &[desk.cancel(id)]).await?;
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn the_given_engine_decides(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let two = |id| Ok::<_, Violation>(mug(id)?.with_line(sku("POT")?, 1, euro(1_900)));
    let strict = Engine::new().with_limits(Limits::default().with_max_lines(1));
    let outcomes = store.execute(&strict, vec![desk.place(two(order())?)]).await?;
    let refused = matches!(outcomes.as_slice(), [OrderOutcome::Refused(OrderRefusal::Invalid(_))]);
    ensure!(refused, "two lines with an engine that allows one: {outcomes:?}");
    let generous = Engine::new().with_limits(Limits::default().with_max_lines(2));
    all_accepted(&store.execute(&generous, vec![desk.place(two(order())?)]).await?)
}

pub(super) async fn a_tombstone_is_kept(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let (before, within) = (order(), order());
    reference.both(&*store, &[desk.cancel(before)]).await?;
    let outcomes = reference.both(&*store, &[desk.place(mug(before)?)]).await?;
    let exists = [OrderOutcome::Refused(OrderRefusal::OrderExists(OrderStatus::Cancelled))];
    ensure_eq!(outcomes, exists, "an order that was cancelled before it came");
    let outcomes = reference.both(&*store, &[desk.cancel(within), desk.place(mug(within)?)]).await?;
    ensure_eq!(outcomes[1..], exists, "an order that was cancelled before it came, in the same batch");
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn events_are_written_with_the_decision(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let (one, two, sku) = (order(), order(), sku("MUG")?);
    let first = desk.place(mug(one)?);
    let batches = [
        vec![first.clone(), desk.place(mug(two)?), desk.place(mug(two)?)],
        vec![desk.reserved(two, &sku, 1), desk.reserved(one, &sku, 1), first, desk.paid(two)],
        vec![desk.cancel(one), desk.cancel(one), desk.paid(one)],
    ];
    // Looked at after each batch: events may not come later than what they tell of.
    for batch in batches {
        let before = reference.events().len();
        reference.both(&*store, &batch).await?;
        holds(&*outbox, reference.events().get(before..).unwrap_or_default()).await?;
    }
    Ok(())
}
