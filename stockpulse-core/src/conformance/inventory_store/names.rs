//! Names are bytes.

use super::commands::{Desk, all_accepted, execute};
use super::reference::Reference;
use crate::conformance::support::{limit, look_alikes};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::model::{LocationId, StockKey};

async fn stocked(harness: &dyn Harness<InventoryBackend>) -> Result<(InventoryBackend, Reference), Violation> {
    let backend = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    for (sku, units) in look_alikes()?.into_iter().zip(1..) {
        for location in ["Shelf", "shelf", "shelf ", "\u{1f4e6}"] {
            let key = StockKey::new(sku.clone(), LocationId::new(location)?);
            reference.both(&*backend.store, &[desk.receive(&key, units), desk.reserve(&key, 1)]).await?;
        }
    }
    Ok((backend, reference))
}

pub(super) async fn names_differ_by_bytes(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let (InventoryBackend { store, .. }, reference) = stocked(harness).await?;
    reference.agrees(&*store).await?;
    // All in one batch as well, where a store may look them up at once.
    let mut desk = Desk::new(harness);
    let mut batch = Vec::new();
    for sku in look_alikes()? {
        batch.push(desk.receive(&StockKey::new(sku, LocationId::new("Shelf")?), 1));
    }
    let mut reference = reference;
    reference.both(&*store, &batch).await?;
    reference.agrees(&*store).await
}

pub(super) async fn names_are_ordered_by_bytes(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut expected = Vec::new();
    for sku in look_alikes()? {
        for location in ["b", "B", "a"] {
            expected.push(StockKey::new(sku.clone(), LocationId::new(location)?));
        }
    }
    let batch: Vec<_> = expected.iter().map(|key| desk.receive(key, 1)).collect();
    all_accepted(&execute(&*store, batch).await?)?;
    expected.sort();
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = store.list_levels(after, limit(7)).await?;
        found.extend(page.items.into_iter().map(|level| level.key));
        match page.next {
            Some(next) if found.len() <= expected.len() => after = Some(next),
            _ => break,
        }
    }
    ensure_eq!(found, expected, "the keys of all levels, seven to a page");
    Ok(())
}
