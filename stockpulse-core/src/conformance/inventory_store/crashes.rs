//! Callers that go away, and processes that die.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::commands::{Desk, backorders, key, order, reservation};
use super::histories::history;
use super::reference::Reference;
use crate::conformance::events::{by_key, holds};
use crate::conformance::support::{eventually, polled};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::engine::stock::Reserve;
use crate::error::Result;
use crate::model::{Envelope, Event, EventData, Policy, Quantity, StockEvent};
use crate::port::{Published, Publisher};
use crate::worker::{OutboxRelay, RelayOptions};

pub(super) async fn a_dropped_call_splits_nothing(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    for polls in 0..30 {
        let keys = ["A", "B", "C"].map(|name| key(&format!("{name}-{polls}")));
        let [one, two, three] = keys;
        let keys = [one?, two?, three?];
        let batch: Vec<_> = keys.iter().map(|key| desk.receive(key, 1)).collect();
        let engine = Engine::new();
        // Whoever asked goes away; the store may still be at work, or never have begun.
        drop(polled(store.execute(&engine, batch.clone()), polls).await);
        let whole = eventually(harness, "a dropped batch is there as a whole, or not at all", || async {
            let found = store.levels(&keys).await?;
            let there = found.iter().flatten().count();
            Ok((there == 0 || there == keys.len()).then_some(()))
        });
        whole.await.map_err(|violation| violation.during(format!("dropped after {polls} polls")))?;
        // Asked again with the same ids it is done, and done once.
        reference.both(&*store, &batch).await?;
    }
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn everything_survives_a_restart(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let mut backend = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let mug = key("MUG")?;
    let promise = Reserve::new(reservation()).with_line(mug.sku.clone(), 3).with_policy(Policy::Backorder);
    let batch = [desk.configure(&mug, backorders(Quantity::MAX)), desk.request(promise), desk.reserve(&mug, 2)];
    reference.both(&*backend.store, &batch).await?;
    let mut all: Vec<_> = batch.to_vec();
    for seed in 101..104 {
        let made = history(&mut reference, &*backend.store, harness, seed, 15).await?;
        all.extend(made.into_iter().flatten());
        backend = harness.reopen(backend).await?;
        reference.agrees(&*backend.store).await?;
        // Outcomes too: the conflicts among them were never stored, and are found again.
        for batch in all.chunks(50) {
            reference.both(&*backend.store, batch).await?;
        }
        reference.both(&*backend.store, &[desk.receive(&mug, 1)]).await?;
    }
    backend = harness.reopen(backend).await?;
    reference.agrees(&*backend.store).await?;
    holds(&*backend.outbox, reference.events()).await
}

/// A publisher that keeps what it is given.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Envelope>>);

#[async_trait]
impl Publisher for Kept {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(batch);
        Ok(vec![Published::Acknowledged; batch.len()])
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

pub(super) async fn events_are_published_after_a_crash(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let backend = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let mug = key("MUG")?;
    let request = Reserve::new(reservation()).with_line(mug.sku.clone(), 1).with_order(order());
    let id = request.reservation;
    reference.both(&*backend.store, &[desk.receive(&mug, 3), desk.request(request)]).await?;
    reference.both(&*backend.store, &[desk.allocate(id), desk.fulfil(id)]).await?;
    // The process dies before anything was published, and comes back.
    let backend = harness.reopen(backend).await?;
    let kept = Arc::new(Kept::default());
    let publisher: Arc<dyn Publisher> = Arc::<Kept>::clone(&kept);
    let relay = OutboxRelay::new(Arc::clone(&backend.outbox), publisher, RelayOptions::new("/conformance", "relay"));
    let stop = CancellationToken::new();
    let relaying = relay.run(stop.clone());
    let waiting = async {
        let emptied = eventually(harness, "the relay empties the outbox", || async {
            Ok((backend.outbox.stats().await?.pending == 0).then_some(()))
        });
        let emptied = emptied.await;
        stop.cancel();
        emptied
    };
    let (relayed, emptied) = futures::join!(relaying, waiting);
    relayed?;
    emptied?;
    let published: Vec<_> = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (key, events) in by_key(reference.events()) {
        let (superseded, expected): (Vec<_>, Vec<_>) = events.iter().partition(|event| is_superseded(event, &events));
        let (superseded, expected): (Vec<_>, Vec<_>) =
            (superseded.into_iter().map(Event::id).collect(), expected.into_iter().map(Event::id).collect());
        let of_key = published.iter().filter(|envelope| envelope.partition_key == key.to_string());
        let mut found: Vec<_> = of_key.map(|envelope| envelope.id).filter(|id| !superseded.contains(id)).collect();
        found.dedup();
        ensure_eq!(found, expected, "what the relay published of {key}, once it ran again");
    }
    Ok(())
}

/// Whether this is a `stock.updated` that another one of the same level follows, which a relay need not publish.
fn is_superseded(event: &Event, events: &[Event]) -> bool {
    let updated = |event: &Event| match &event.data {
        EventData::Stock(StockEvent::Updated(level)) => Some((level.key.clone(), level.version)),
        _ => None,
    };
    updated(event).is_some_and(|(key, version)| {
        events.iter().filter_map(updated).any(|(other, later)| other == key && later > version)
    })
}
