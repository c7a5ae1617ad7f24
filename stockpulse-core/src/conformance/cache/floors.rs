//! Invalidations: what they remove, and what they keep out afterwards.

use std::sync::Arc;

use super::shelf::{LONG, SHORT, Shelf, key};
use crate::conformance::support::eventually;
use crate::conformance::{Harness, Violation};
use crate::port::Cache;

type Opens<'a> = dyn Harness<Arc<dyn Cache>> + 'a;

pub(super) async fn an_invalidation_removes_the_value(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let [one, two, three, other] = [key(), key(), key(), key()];
    for key in [&one, &two, &three, &other] {
        shelf.put(key, 5, LONG).await?;
    }
    // Below, at and above what is there; `other` is not named.
    shelf.cache.invalidate(&[(three.clone(), 6), (one.clone(), 4), (two.clone(), 5)], LONG).await?;
    let found = shelf.versions(&[one, two, three, other]).await?;
    ensure_eq!(found, [None, None, None, Some(5)], "versions after three of four were invalidated");
    Ok(())
}

pub(super) async fn nothing_below_a_floor_is_taken(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let [known, unknown, other] = [key(), key(), key()];
    shelf.put(&known, 3, LONG).await?;
    shelf.cache.invalidate(&[(known.clone(), 7), (unknown.clone(), 8)], LONG).await?;
    for version in [3, 6] {
        for key in [&known, &unknown, &other] {
            shelf.put(key, version, LONG).await?;
        }
        let found = shelf.versions(&[known.clone(), unknown.clone(), other.clone()]).await?;
        ensure_eq!(found, [None, None, Some(version)], "versions after {version} came behind floors of 7, 8 and none");
    }
    shelf.put(&unknown, 9, LONG).await?;
    shelf.put(&known, 7, LONG).await?;
    let found = shelf.versions(&[known, unknown]).await?;
    ensure_eq!(found, [Some(7), Some(9)], "versions at the floor and above it");
    Ok(())
}

pub(super) async fn floors_only_rise(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let [one, two] = [key(), key()];
    shelf.invalidate(&one, 7, LONG).await?;
    shelf.invalidate(&one, 3, LONG).await?;
    shelf.put(&one, 6, LONG).await?;
    ensure_eq!(shelf.version(&one).await?, None, "version 6 behind a floor of 7, and one of 3 after it");
    shelf.cache.invalidate(&[(two.clone(), 7)], LONG).await?;
    shelf.cache.invalidate(&[(two.clone(), 3)], SHORT).await?;
    harness.pass(SHORT * 3).await;
    shelf.put(&two, 6, LONG).await?;
    ensure_eq!(shelf.version(&two).await?, None, "version 6 behind a floor of 7, after a floor of 3 ended");
    let both = key();
    shelf.cache.invalidate(&[(both.clone(), 7), (both.clone(), 3)], LONG).await?;
    shelf.put(&both, 6, LONG).await?;
    ensure_eq!(shelf.version(&both).await?, None, "version 6 behind floors of 7 and 3 in one batch");
    Ok(())
}

pub(super) async fn what_was_removed_is_a_floor(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.put(&key, 9, LONG).await?;
    shelf.invalidate(&key, 3, LONG).await?;
    shelf.put(&key, 8, LONG).await?;
    ensure_eq!(shelf.version(&key).await?, None, "version 8, after 9 was removed under a floor of 3");
    shelf.put(&key, 9, LONG).await?;
    ensure_eq!(shelf.version(&key).await?, Some(9), "version 9, after it was removed under a floor of 3");
    Ok(())
}

pub(super) async fn a_floor_ends_with_its_time(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.invalidate(&key, 7, SHORT).await?;
    eventually(harness, "a version below a floor is taken when the floor has ended", || async {
        shelf.put(&key, 6, LONG).await?;
        shelf.version(&key).await
    })
    .await?;
    Ok(())
}

pub(super) async fn a_floor_outlives_the_value_above_it(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.invalidate(&key, 7, LONG).await?;
    shelf.put(&key, 8, SHORT).await?;
    eventually(harness, "a value ends with its time", || async {
        Ok(shelf.version(&key).await?.is_none().then_some(()))
    })
    .await?;
    shelf.put(&key, 6, LONG).await?;
    ensure_eq!(shelf.version(&key).await?, None, "version 6 behind a floor of 7, after 8 has ended");
    Ok(())
}
