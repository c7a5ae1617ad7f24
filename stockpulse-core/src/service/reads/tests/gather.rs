//! Callers who share calls of a cache.

use std::time::Duration;

use super::super::gather::Gather;
use super::*;
use crate::port::{CacheKey, CachePut, Cached};

/// A cache that has everything whose name is a number, and whose answers wait until they may go on.
#[derive(Debug)]
struct Waits {
    /// How many keys each call was about.
    calls: Mutex<Vec<usize>>,
    go_on: Semaphore,
    fails: bool,
}

impl Waits {
    fn new(fails: bool) -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), go_on: Semaphore::new(0), fails })
    }

    fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }

    async fn began(&self, calls: usize) {
        while self.calls().len() < calls {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Cache for Waits {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        self.calls.lock().unwrap().push(keys.len());
        self.go_on.acquire().await.unwrap().forget();
        if self.fails {
            return Err(Error::new(ErrorKind::Unavailable, "the cache is down"));
        }
        let version = |key: &CacheKey| key.id.parse().ok();
        Ok(keys.iter().map(|key| Some(Cached { version: version(key)?, value: "".into() })).collect())
    }

    async fn put(&self, _: Vec<CachePut>) -> Result<()> {
        Ok(())
    }

    async fn invalidate(&self, _: &[(CacheKey, u64)], _: Duration) -> Result<()> {
        Ok(())
    }
}

type Asked = tokio::task::JoinHandle<Vec<Option<u64>>>;

/// Asks for the versions of keys, of which 0 is not there.
fn ask(gather: &Gather, keys: std::ops::Range<u64>) -> Asked {
    let gather = gather.clone();
    let name = |key: u64| if key == 0 { "none".to_owned() } else { key.to_string() };
    let keys = keys.map(|key| CacheKey::new("test", name(key))).collect();
    tokio::spawn(async move { gather.get(keys).await.iter().map(|found| Some(found.as_ref()?.version)).collect() })
}

/// Two calls that are under way, one after the other begun.
async fn two_under_way(gather: &Gather, cache: &Waits) -> [Asked; 2] {
    let asked = [ask(gather, 1..2), ask(gather, 2..3)];
    cache.began(2).await;
    asked
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_two_calls_are_under_way_shares_the_next() {
    let cache = Waits::new(false);
    let gather = Gather::new(Arc::clone(&cache) as _);
    let first = two_under_way(&gather, &cache).await;
    let others: Vec<Asked> = (0..20).map(|number| ask(&gather, number..number + 3)).collect();
    tokio::task::yield_now().await;
    assert_eq!(cache.calls(), [1, 1], "nobody else has asked");
    cache.go_on.add_permits(100);
    let [one, two] = first;
    assert_eq!((one.await.unwrap(), two.await.unwrap()), (vec![Some(1)], vec![Some(2)]));
    for (number, other) in (0..).zip(others) {
        let expected = [number, number + 1, number + 2].map(|key| (key > 0).then_some(key));
        assert_eq!(other.await.unwrap(), expected);
    }
    assert_eq!(cache.calls(), [1, 1, 60]);
    assert_eq!(ask(&gather, 7..9).await.unwrap(), [Some(7), Some(8)]);
    assert_eq!(cache.calls(), [1, 1, 60, 2], "alone again");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_about_so_many_keys_and_no_more() {
    let cache = Waits::new(false);
    let gather = Gather::new(Arc::clone(&cache) as _);
    let first = two_under_way(&gather, &cache).await;
    let others = [ask(&gather, 1..200), ask(&gather, 1..58), ask(&gather, 1..2), ask(&gather, 1..400)];
    tokio::task::yield_now().await;
    cache.go_on.add_permits(100);
    for asked in first.into_iter().chain(others) {
        assert!(asked.await.unwrap().iter().all(Option::is_some));
    }
    let mut calls = cache.calls().split_off(2);
    calls.sort_unstable();
    assert_eq!(calls, [1, 256, 399]);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_takes_nothing_from_the_others() {
    let cache = Waits::new(false);
    let gather = Gather::new(Arc::clone(&cache) as _);
    let first = two_under_way(&gather, &cache).await;
    let (leaves, stays) = (ask(&gather, 3..4), ask(&gather, 4..6));
    tokio::task::yield_now().await;
    leaves.abort();
    assert!(leaves.await.is_err());
    cache.go_on.add_permits(100);
    assert_eq!(stays.await.unwrap(), [Some(4), Some(5)]);
    for asked in first {
        asked.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_calls_of_others_and_a_failure_is_a_miss() {
    let cache = Waits::new(true);
    let gather = Gather::new(Arc::clone(&cache) as _);
    let first = two_under_way(&gather, &cache).await;
    let other = ask(&gather, 3..6);
    tokio::task::yield_now().await;
    assert_eq!(cache.calls(), [1, 1]);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(cache.calls(), [1, 1, 3]);
    cache.go_on.add_permits(100);
    assert_eq!(other.await.unwrap(), []);
    for asked in first {
        assert_eq!(asked.await.unwrap(), []);
    }
}
