//! Reading page after page.

use super::{Records, put};
use crate::conformance::support::{PAGES, limit};
use crate::conformance::{Harness, Violation};
use crate::engine::record::{Expected, Record};

pub(in crate::conformance) async fn records_are_paged<B: Records>(harness: &dyn Harness<B>) -> Result<(), Violation> {
    let backend = harness.open().await?;
    let mut keys = Vec::new();
    let mut batch = Vec::new();
    for number in [50, 1, 200, 3, 128] {
        let record = B::record(number, "a")?;
        keys.push(record.key());
        batch.push(put(record, Expected::New, harness.now()));
    }
    keys.sort();
    backend.put(batch).await?;
    let key = |place: Option<usize>| place.and_then(|place| keys.get(place).cloned());
    for (after, most, from, to, next) in PAGES {
        let page = backend.list(key(after), limit(most)).await?;
        let found: Vec<_> = page.items.iter().map(Record::key).collect();
        ensure_eq!(found, keys[from..to], "{most} after {:?}", key(after));
        ensure_eq!(page.next, key(next), "where the page after {most} after {:?} begins", key(after));
    }
    Ok(())
}

pub(in crate::conformance) async fn pages_skip_nothing_while_others_write<B: Records>(
    harness: &dyn Harness<B>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let other = harness.another().await?.unwrap_or_else(|| backend.clone());
    let numbers = (1..60).map(|number| number * 4);
    let old = numbers.clone().map(|number| B::record(number, "old")).collect::<Result<Vec<_>, _>>()?;
    backend.put(old.iter().map(|record| put(record.clone(), Expected::New, now)).collect()).await?;
    let mut batches = Vec::new();
    for number in numbers {
        let (changed, between) = (B::record(number, "new")?, B::record(number + 2, "new")?);
        batches.push(vec![put(changed, Expected::Any, now), put(between, Expected::Any, now)]);
    }
    let writing = async {
        for batch in batches {
            other.put(batch).await?;
            tokio::task::yield_now().await;
        }
        Ok::<_, Violation>(())
    };
    let reading = async {
        for _ in 0..3 {
            let found = all::<B>(&backend).await?;
            ensure!(found.is_sorted_by(|one, next| one < next), "records twice, or out of order: {found:?}");
            let missed: Vec<_> = old.iter().filter(|record| !found.contains(&record.key())).collect();
            ensure!(missed.is_empty(), "not listed, though there from the start: {missed:?}");
        }
        Ok::<_, Violation>(())
    };
    let (written, read) = futures::join!(writing, reading);
    written?;
    read
}

async fn all<B: Records>(backend: &B) -> Result<Vec<<B::Record as Record>::Key>, Violation> {
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = backend.list(after, limit(4)).await?;
        found.extend(page.items.iter().map(Record::key));
        ensure!(found.len() <= 1_000, "more pages than there are records");
        tokio::task::yield_now().await;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}
