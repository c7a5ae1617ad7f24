//! A cache never goes back in time.

use std::sync::Arc;
use std::time::Duration;

use super::shelf::{LONG, Shelf, entry, key};
use crate::conformance::support::{polled, together};
use crate::conformance::{Harness, Violation};
use crate::port::Cache;

type Opens<'a> = dyn Harness<Arc<dyn Cache>> + 'a;

pub(super) async fn a_lower_version_replaces_nothing(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.put(&key, 5, LONG).await?;
    for lower in [4, 0, 3] {
        shelf.put(&key, lower, LONG).await?;
        ensure_eq!(shelf.version(&key).await?, Some(5), "the version after {lower} came behind 5");
    }
    Ok(())
}

pub(super) async fn a_higher_version_replaces_a_lower_one(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    for version in [0, 1, 2, 9, 10, 99, 100] {
        shelf.put(&key, version, LONG).await?;
        ensure_eq!(shelf.version(&key).await?, Some(version), "the version that was written last");
    }
    Ok(())
}

pub(super) async fn the_highest_of_a_batch_stays(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [1, 3, 2]] {
        let [one, other] = [key(), key()];
        let mut batch: Vec<_> = order.into_iter().map(|version| entry(&one, version, LONG)).collect();
        batch.insert(1, entry(&other, 1, LONG));
        shelf.cache.put(batch).await?;
        ensure_eq!(shelf.versions(&[one, other]).await?, [Some(3), Some(1)], "versions after {order:?} in one batch");
    }
    Ok(())
}

pub(super) async fn large_versions_are_told_apart(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let highest = i64::MAX.unsigned_abs();
    // What a double cannot tell apart, and what a text compares wrongly.
    for (higher, lower) in [((1 << 53) + 1, 1 << 53), (highest, highest - 1), (10_000_000_000, 9_999_999_999)] {
        let [put, floor] = [key(), key()];
        shelf.put(&put, higher, LONG).await?;
        shelf.put(&put, lower, LONG).await?;
        shelf.invalidate(&floor, higher, LONG).await?;
        shelf.put(&floor, lower, LONG).await?;
        let found = shelf.versions(&[put.clone(), floor.clone()]).await?;
        ensure_eq!(found, [Some(higher), None], "a value and a floor of {higher}, after a value of {lower}");
        shelf.put(&floor, higher, LONG).await?;
        ensure_eq!(shelf.version(&floor).await?, Some(higher), "what is at the floor");
    }
    Ok(())
}

pub(super) async fn the_highest_of_many_at_once_stays(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    for _ in 0..10 {
        let key = key();
        let writers = [3, 8, 1, 7, 4, 6, 2, 5].map(|version| {
            let (cache, put) = (Arc::clone(&shelf.cache), entry(&key, version, LONG));
            async move { cache.put(vec![put]).await }
        });
        together(writers).await?;
        ensure_eq!(shelf.version(&key).await?, Some(8), "the version after eight writers at once");
    }
    Ok(())
}

pub(super) async fn a_call_may_be_given_up(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    for polls in 0..12 {
        let version = 10 + u64::from(polls) * 10;
        let given_up = async {
            let put = polled(shelf.cache.put(vec![entry(&key, version, LONG)]), polls);
            let _ = tokio::time::timeout(Duration::from_secs(1), put).await;
            let get = polled(shelf.cache.get(std::slice::from_ref(&key)), polls);
            let _ = tokio::time::timeout(Duration::from_secs(1), get).await;
        };
        given_up.await;
        shelf.put(&key, version + 1, LONG).await?;
        ensure_eq!(shelf.version(&key).await?, Some(version + 1), "what was written after a call was given up");
    }
    Ok(())
}
