//! What is read is what was asked for and what was written.

use std::sync::Arc;

use bytes::Bytes;

use super::shelf::{LONG, Shelf, entry, key};
use crate::conformance::support::fresh;
use crate::conformance::{Harness, Violation};
use crate::port::{Cache, CacheKey, CachePut, Cached};

type Opens<'a> = dyn Harness<Arc<dyn Cache>> + 'a;

pub(super) async fn answers_are_aligned(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let [one, two, none] = [key(), key(), key()];
    shelf.cache.put(vec![entry(&one, 1, LONG), entry(&two, 2, LONG)]).await?;
    let asked = [two.clone(), none, one.clone(), two, one];
    let expected = [Some(2), None, Some(1), Some(2), Some(1)];
    ensure_eq!(shelf.versions(&asked).await?, expected, "versions, in the order of the keys");
    Ok(())
}

pub(super) async fn empty_batches_are_harmless(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let key = key();
    shelf.put(&key, 1, LONG).await?;
    ensure_eq!(shelf.cache.get(&[]).await?, [], "answers to no keys");
    shelf.cache.put(Vec::new()).await?;
    shelf.cache.invalidate(&[], LONG).await?;
    ensure_eq!(shelf.version(&key).await?, Some(1), "the version of what no batch named");
    Ok(())
}

pub(super) async fn values_come_back_as_they_were(harness: &Opens<'_>) -> Result<(), Violation> {
    let cache = harness.open().await?;
    let values = [
        Bytes::new(),
        Bytes::from_static(b"\0"),
        Bytes::from_static(b"\xff\xfe\r\n \0'\"\\"),
        (0..=255_u8).collect::<Bytes>(),
        (0..=255_u8).cycle().take(300_000).collect(),
    ];
    let keys: Vec<CacheKey> = values.iter().map(|_| key()).collect();
    let cached: Vec<Cached> = values.into_iter().map(|value| Cached { version: 3, value }).collect();
    let puts = keys.iter().zip(&cached);
    let puts = puts.map(|(key, cached)| CachePut { key: key.clone(), cached: cached.clone(), ttl: LONG });
    cache.put(puts.collect()).await?;
    let answers = cache.get(&keys).await?;
    ensure_eq!(answers.len(), cached.len(), "answers to as many keys");
    for (answer, cached) in answers.into_iter().zip(cached) {
        let length = cached.value.len();
        ensure_eq!(answer, Some(cached), "a value of {length} bytes");
    }
    Ok(())
}

pub(super) async fn keys_are_told_apart(harness: &Opens<'_>) -> Result<(), Violation> {
    let shelf = Shelf::open(harness).await?;
    let id = fresh();
    let of = |space, text: &str| CacheKey::new(space, format!("{id}{text}"));
    let mut keys: Vec<CacheKey> =
        ["", "A", "a", "a ", " a", "\u{e9}", "e\u{301}", "\u{1f366}", "a:b", "a/b", "a%20b", "a*"]
            .map(|text| of("one", text))
            .into();
    keys.extend([of("One", "a"), of("two", "a"), of("one:", "a"), CacheKey::new("one", format!(":{id}a"))]);
    keys.push(of("one", &"x".repeat(255)));
    keys.push(of("one", &"x".repeat(254)));
    let mut versions = Vec::new();
    for (version, key) in (1..).zip(&keys) {
        shelf.put(key, version, LONG).await?;
        versions.push(Some(version));
    }
    ensure_eq!(shelf.versions(&keys).await?, versions, "versions of keys that differ in little: {keys:?}");
    Ok(())
}
