//! How long a value is answered.

use std::sync::Arc;

use super::shelf::{LONG, SHORT, Shelf, key};
use crate::conformance::support::eventually;
use crate::conformance::{Harness, Violation};
use crate::port::Cache;

type Opens<'a> = dyn Harness<Arc<dyn Cache>> + 'a;

pub(super) async fn a_value_ends_with_its_time(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let [short, long] = [key(), key()];
    shelf.put(&long, 1, LONG).await?;
    shelf.put(&short, 5, SHORT).await?;
    eventually(harness, "a value ends with its time", || async {
        Ok(shelf.version(&short).await?.is_none().then_some(()))
    })
    .await?;
    shelf.put(&short, 4, LONG).await?;
    let found = shelf.versions(&[short, long]).await?;
    ensure_eq!(found, [Some(4), Some(1)], "versions of what was written after its end, and of another");
    Ok(())
}

pub(super) async fn a_value_stays_until_its_time(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.put(&key, 1, LONG).await?;
    for _ in 0..3 {
        harness.pass(SHORT).await;
        ensure_eq!(shelf.version(&key).await?, Some(1), "a version that may be answered for {LONG:?}");
    }
    Ok(())
}

pub(super) async fn the_same_version_renews_a_value(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.put(&key, 1, SHORT).await?;
    shelf.put(&key, 1, LONG).await?;
    harness.pass(SHORT * 3).await;
    ensure_eq!(shelf.version(&key).await?, Some(1), "a version that was written again to last longer");
    Ok(())
}
