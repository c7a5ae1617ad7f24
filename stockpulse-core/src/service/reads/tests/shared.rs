//! Records in a cache that processes share.

use std::time::Duration;

use super::*;
use crate::memory::{ManualClock, MemoryCache};
use crate::worker::{CacheHandler, Handler};

fn cache() -> Arc<MemoryCache> {
    Arc::new(MemoryCache::new(Arc::new(ManualClock::new(Timestamp::from_secs(1)))))
}

fn cached_orders(store: &Arc<Slow>, cache: &Arc<MemoryCache>) -> Reads<Order> {
    Reads::new(Arc::clone(store) as _).with_cache(Arc::clone(cache) as _)
}

#[tokio::test]
async fn callers_who_miss_the_same_order_at_once_share_one_reading_and_other_processes_find_it() {
    let (store, cache) = (Slow::with([order(1, 3), order(2, 1)]), cache());
    let reads = cached_orders(&store, &cache);
    let ask = |ids: &'static [u128]| {
        let reads = reads.clone();
        tokio::spawn(async move { versions(&reads, ids).await })
    };
    let first = ask(&[1]);
    store.began(1).await;
    let others: Vec<_> = (0..20).map(|_| ask(&[2, 1])).collect();
    store.began(2).await;
    store.go_on.add_permits(100);
    assert_eq!(first.await.unwrap(), [Some(3)]);
    for other in others {
        assert_eq!(other.await.unwrap(), [Some(1), Some(3)]);
    }
    assert_eq!(store.readings(), 2, "one for each order");
    assert_eq!(versions(&cached_orders(&store, &cache), &[1, 2]).await, [Some(3), Some(1)]);
    assert_eq!((store.readings(), cache.len()), (2, 2), "another process has it from the cache");
}

#[tokio::test]
async fn an_order_that_was_taken_out_is_not_answered_from_an_older_reading_that_came_late() {
    let (store, cache) = (Slow::with([order(1, 2)]), cache());
    let handler = CacheHandler::new("cache").with_orders(Arc::clone(&cache) as _);
    let reads = cached_orders(&store, &cache);
    let late = tokio::spawn({
        let reads = reads.clone();
        async move { versions(&reads, &[1]).await }
    });
    store.began(1).await;
    store.set(order(1, 3));
    handler.handle(&[changed(&order(1, 3))]).await.unwrap();
    store.go_on.add_permits(10);
    assert_eq!(late.await.unwrap(), [Some(2)], "what it found when it began");
    assert!(cache.is_empty(), "which the cache has not taken");
    assert_eq!(versions(&reads, &[1]).await, [Some(3)]);
    assert_eq!((versions(&reads, &[1]).await, store.readings()), (vec![Some(3)], 2), "this one it has");
    handler.handle(&[changed(&order(1, 2))]).await.unwrap();
    assert_eq!(versions(&reads, &[1]).await, [Some(3)], "an event that came late costs a reading and nothing else");
}

#[tokio::test]
async fn what_the_cache_has_is_kept_in_the_process() {
    let (store, cache) = (Slow::with([order(1, 3)]), cache());
    store.go_on.add_permits(10);
    assert_eq!(versions(&cached_orders(&store, &cache), &[1]).await, [Some(3)], "another process reads it");
    let near = Near::<Order>::default();
    let reads = cached_orders(&store, &cache).with_near(near.clone());
    assert_eq!(versions(&reads, &[1]).await, [Some(3)]);
    assert_eq!((store.readings(), near.len()), (1, 1));
}

#[tokio::test]
async fn without_a_cache_every_caller_reads_the_store() {
    let store = Slow::with([order(1, 3)]);
    let reads: Reads<Order> = Reads::new(Arc::clone(&store) as _);
    store.go_on.add_permits(10);
    for _ in 0..3 {
        assert_eq!(reads.one(OrderId::from_u128(1), |order| order.version).await.unwrap(), Some(3));
    }
    assert_eq!(store.readings(), 3);
}

#[tokio::test]
async fn an_order_ends_in_the_cache_when_no_event_comes() {
    let time = ManualClock::new(Timestamp::from_secs(1));
    let (store, cache) = (Slow::with([order(1, 2)]), Arc::new(MemoryCache::new(Arc::new(time.clone()))));
    store.go_on.add_permits(10);
    let reads = cached_orders(&store, &cache);
    assert_eq!(versions(&reads, &[1]).await, [Some(2)]);
    store.set(order(1, 3));
    time.advance(Duration::from_secs(29));
    assert_eq!(versions(&reads, &[1]).await, [Some(2)]);
    time.advance(Duration::from_secs(2));
    assert_eq!(versions(&reads, &[1]).await, [Some(3)]);
}
