//! Reading page after page.

use super::commands::{Desk, all_accepted, execute, key};
use crate::conformance::support::{PAGES, limit, sku};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::model::{Movement, StockKey};
use crate::port::{InventoryStore, Page};

/// Fails unless a page holds these, and says whether there are more.
fn is_page<T: PartialEq + std::fmt::Debug, C: PartialEq + std::fmt::Debug>(
    page: &Page<T, C>,
    items: &[T],
    next: Option<&C>,
    what: &str,
) -> Result<(), Violation> {
    ensure_eq!(page.items, *items, "{what}");
    ensure_eq!(page.next.as_ref(), next, "where the page after {what} begins");
    Ok(())
}

async fn five(harness: &dyn Harness<InventoryBackend>) -> Result<(InventoryBackend, Vec<StockKey>), Violation> {
    let backend = harness.open().await?;
    let mut desk = Desk::new(harness);
    let keys = ["A", "B", "C", "D", "E"].iter().map(|name| key(name)).collect::<Result<Vec<_>, _>>()?;
    let batch: Vec<_> = keys.iter().rev().map(|key| desk.receive(key, 1)).collect();
    all_accepted(&execute(&*backend.store, batch).await?)?;
    Ok((backend, keys))
}

pub(super) async fn levels_are_paged(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let (InventoryBackend { store, .. }, keys) = five(harness).await?;
    let level = |place: Option<usize>| place.and_then(|place| keys.get(place).cloned());
    for (after, most, from, to, next) in PAGES {
        let page = store.list_levels(level(after), limit(most)).await?;
        let page = Page { items: page.items.into_iter().map(|level| level.key).collect(), next: page.next };
        is_page(&page, &keys[from..to], level(next).as_ref(), &format!("{most} levels after {:?}", level(after)))?;
    }
    // A cursor need not exist: it may have been read from another replica, or made up.
    let page = store.list_levels(Some(StockKey::main(sku("BZ")?)), limit(2)).await?;
    let page = Page { items: page.items.into_iter().map(|level| level.key).collect(), next: page.next };
    is_page(&page, &keys[2..4], level(Some(3)).as_ref(), "two levels after BZ, which does not exist")
}

pub(super) async fn audits_are_paged(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let (InventoryBackend { store, .. }, keys) = five(harness).await?;
    let level = |place: Option<usize>| place.and_then(|place| keys.get(place).cloned());
    for (after, most, from, to, next) in PAGES {
        let page = store.audit(level(after), limit(most)).await?;
        let page = Page { items: page.items.into_iter().map(|audit| audit.level.key).collect(), next: page.next };
        is_page(&page, &keys[from..to], level(next).as_ref(), &format!("{most} audits after {:?}", level(after)))?;
    }
    Ok(())
}

pub(super) async fn movements_are_paged(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let (mug, other) = (key("MUG")?, key("OTHER")?);
    for _ in 0..5 {
        all_accepted(&execute(&*store, [desk.receive(&mug, 1), desk.receive(&other, 1)]).await?)?;
    }
    let read = |after: u64, most: usize| {
        let (store, mug) = (&store, &mug);
        async move {
            let Page { items, next } = store.movements(mug, after, limit(most)).await?;
            ensure!(items.iter().all(|movement: &Movement| movement.key == *mug), "of another level: {items:?}");
            Ok(Page { items: items.into_iter().map(|movement| movement.version).collect(), next })
        }
    };
    is_page(&read(0, 1).await?, &[1], Some(&1), "the first movement")?;
    is_page(&read(1, 1).await?, &[2], Some(&2), "the second movement")?;
    is_page(&read(4, 1).await?, &[5], None, "the last movement")?;
    is_page(&read(0, 5).await?, &[1, 2, 3, 4, 5], None, "five of five movements")?;
    is_page(&read(0, 4).await?, &[1, 2, 3, 4], Some(&4), "four of five movements")?;
    is_page(&read(2, 100).await?, &[3, 4, 5], None, "movements after the second")?;
    is_page(&read(5, 10).await?, &[], None, "movements after the last")
}

pub(super) async fn pages_skip_nothing_while_others_write(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let other = harness.another().await?.map_or_else(|| store.clone(), |backend| backend.store);
    let mut desk = Desk::new(harness);
    let keys = (0..60).map(|number| key(&format!("K{number:02}"))).collect::<Result<Vec<_>, _>>()?;
    let batch: Vec<_> = keys.iter().map(|key| desk.receive(key, 1)).collect();
    all_accepted(&execute(&*store, batch).await?)?;
    // Whoever writes changes every level, and creates one between any two and one before them all.
    let mut batches = Vec::new();
    for key in &keys {
        let between = StockKey::main(sku(format!("{}+", key.sku))?);
        let before = StockKey::main(sku(format!("A{}", key.sku))?);
        batches.push(vec![desk.receive(key, 1), desk.receive(&between, 1), desk.receive(&before, 1)]);
    }
    let writing = async {
        for batch in batches {
            all_accepted(&execute(&*other, batch).await?)?;
            tokio::task::yield_now().await;
        }
        Ok::<_, Violation>(())
    };
    let reading = async {
        for _ in 0..3 {
            let found = all_levels(&*store).await?;
            ensure!(found.is_sorted_by(|one, next| one < next), "levels twice, or out of order: {found:?}");
            let missed: Vec<_> = keys.iter().filter(|key| !found.contains(key)).collect();
            ensure!(missed.is_empty(), "not listed, though there from the start: {missed:?}");
        }
        Ok::<_, Violation>(())
    };
    let (written, read) = futures::join!(writing, reading);
    written?;
    read
}

async fn all_levels(store: &dyn InventoryStore) -> Result<Vec<StockKey>, Violation> {
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = store.list_levels(after, limit(4)).await?;
        found.extend(page.items.into_iter().map(|level| level.key));
        ensure!(found.len() <= 1_000, "more pages than there are levels");
        tokio::task::yield_now().await;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}
