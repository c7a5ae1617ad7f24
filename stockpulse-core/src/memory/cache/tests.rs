use bytes::Bytes;

use super::*;
use crate::memory::ManualClock;

const MINUTE: Duration = Duration::from_secs(60);

fn cache() -> (MemoryCache, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(1_000));
    (MemoryCache::new(Arc::new(clock.clone())), clock)
}

fn key(id: &str) -> CacheKey {
    CacheKey::new("stock", id)
}

fn put_of(id: &str, version: u64, ttl: Duration) -> CachePut {
    CachePut { key: key(id), cached: Cached { version, value: Bytes::from(format!("{id}{version}")) }, ttl }
}

async fn put(cache: &MemoryCache, id: &str, version: u64) {
    cache.put(vec![put_of(id, version, MINUTE)]).await.unwrap();
}

async fn version(cache: &MemoryCache, id: &str) -> Option<u64> {
    let answers = cache.get(&[key(id)]).await.unwrap();
    answers[0].as_ref().map(|cached| {
        assert_eq!(cached.value, Bytes::from(format!("{id}{}", cached.version)));
        cached.version
    })
}

async fn invalidate(cache: &MemoryCache, id: &str, version: u64, ttl: Duration) {
    cache.invalidate(&[(key(id), version)], ttl).await.unwrap();
}

#[tokio::test]
async fn answers_are_aligned_with_what_was_asked() {
    let (cache, _clock) = cache();
    put(&cache, "a", 1).await;
    put(&cache, "b", 2).await;
    let other_space = CacheKey::new("order", "a");
    let answers = cache.get(&[key("b"), key("x"), other_space, key("a"), key("b")]).await.unwrap();
    let versions: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(|cached| cached.version)).collect();
    assert_eq!(versions, [Some(2), None, None, Some(1), Some(2)]);
}

#[tokio::test]
async fn a_lower_version_never_replaces_a_higher_one() {
    let (cache, _clock) = cache();
    put(&cache, "a", 5).await;
    put(&cache, "a", 4).await;
    assert_eq!(version(&cache, "a").await, Some(5));
    put(&cache, "a", 6).await;
    assert_eq!(version(&cache, "a").await, Some(6));
    cache.put(vec![put_of("b", 2, MINUTE), put_of("b", 3, MINUTE), put_of("b", 1, MINUTE)]).await.unwrap();
    assert_eq!(version(&cache, "b").await, Some(3));
}

#[tokio::test]
async fn a_value_ends_and_the_same_version_renews_it() {
    let (cache, clock) = cache();
    put(&cache, "a", 1).await;
    clock.advance(MINUTE / 2);
    put(&cache, "a", 1).await;
    clock.advance(MINUTE - Duration::from_micros(1));
    assert_eq!(version(&cache, "a").await, Some(1));
    clock.advance(Duration::from_micros(1));
    assert_eq!(version(&cache, "a").await, None);
    assert!(cache.is_empty());
    cache.put(vec![put_of("b", 1, Duration::ZERO)]).await.unwrap();
    assert_eq!(version(&cache, "b").await, None);
}

#[tokio::test]
async fn an_invalidation_removes_the_value_and_leaves_a_floor_for_a_while() {
    let (cache, clock) = cache();
    put(&cache, "a", 5).await;
    invalidate(&cache, "a", 7, MINUTE).await;
    assert_eq!(version(&cache, "a").await, None);
    put(&cache, "a", 6).await;
    assert_eq!(version(&cache, "a").await, None);
    put(&cache, "b", 1).await;
    assert_eq!(version(&cache, "b").await, Some(1), "a floor is of one key");
    put(&cache, "a", 7).await;
    assert_eq!(version(&cache, "a").await, Some(7));
    clock.advance(MINUTE);
    put(&cache, "a", 6).await;
    assert_eq!(version(&cache, "a").await, Some(6), "the floor has ended");
}

#[tokio::test]
async fn the_floor_outlives_the_value_above_it() {
    let (cache, clock) = cache();
    invalidate(&cache, "a", 7, MINUTE * 10).await;
    put(&cache, "a", 8).await;
    clock.advance(MINUTE * 2);
    put(&cache, "a", 6).await;
    assert_eq!(version(&cache, "a").await, None);
}

#[tokio::test]
async fn floors_only_rise() {
    let (cache, clock) = cache();
    invalidate(&cache, "a", 7, MINUTE).await;
    invalidate(&cache, "a", 3, MINUTE * 2).await;
    put(&cache, "a", 6).await;
    assert_eq!(version(&cache, "a").await, None);
    invalidate(&cache, "a", 3, Duration::ZERO).await;
    clock.advance(MINUTE);
    put(&cache, "a", 6).await;
    assert_eq!(version(&cache, "a").await, None, "the later end holds");
    put(&cache, "b", 9).await;
    invalidate(&cache, "b", 3, MINUTE).await;
    put(&cache, "b", 8).await;
    assert_eq!(version(&cache, "b").await, None, "what was there was newer");
    put(&cache, "b", 9).await;
    assert_eq!(version(&cache, "b").await, Some(9));
}

#[tokio::test]
async fn when_it_is_full_what_was_written_longest_ago_makes_room() {
    let (cache, _clock) = cache();
    let cache = cache.with_max_entries(NonZeroUsize::new(3).unwrap());
    for id in ["a", "b", "c"] {
        put(&cache, id, 1).await;
    }
    put(&cache, "a", 2).await;
    put(&cache, "d", 1).await;
    assert_eq!(cache.len(), 3);
    assert_eq!(version(&cache, "b").await, None);
    for id in ["a", "c", "d"] {
        assert!(version(&cache, id).await.is_some(), "{id}");
    }
    for number in 0..100 {
        invalidate(&cache, &format!("floor-{number}"), 1, MINUTE).await;
    }
    assert_eq!(cache.len(), 3, "floors push no values out");
    assert_eq!(cache.lock().floors.entries.len(), 3);
    assert_eq!(cache.lock().floors.by_age.len(), 3);
    assert_eq!(cache.lock().values.by_age.len(), 3);
}
