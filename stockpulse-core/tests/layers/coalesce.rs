//! Callers who share calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::layer::{CoalescedCache, CoalescedGate};
use stockpulse_core::memory::{ManualClock, MemoryGate};
use stockpulse_core::model::{ReservationId, StockQuantity, Timestamp};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Cache, CacheKey, CachePut, Cached, GateLevel};
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::sync::Semaphore;

use crate::support::key;

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

type Asked = tokio::task::JoinHandle<Result<Vec<Option<u64>>>>;

/// Asks for the versions of keys, of which 0 is not there.
fn ask(reads: &CoalescedCache, keys: std::ops::Range<u64>) -> Asked {
    let reads = reads.clone();
    let name = |key: u64| if key == 0 { "none".to_owned() } else { key.to_string() };
    let keys: Vec<CacheKey> = keys.map(|key| CacheKey::new("test", name(key))).collect();
    tokio::spawn(async move {
        let found = reads.get(&keys).await?;
        Ok(found.iter().map(|found| Some(found.as_ref()?.version)).collect())
    })
}

/// How many calls are made before others wait.
const ALONE: usize = 8;

/// As many calls as are made at once.
async fn all_under_way(reads: &CoalescedCache, cache: &Waits) -> Vec<Asked> {
    let asked = (1..=8).map(|key| ask(reads, key..key + 1)).collect();
    cache.began(ALONE).await;
    asked
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_eight_calls_are_under_way_shares_the_next() {
    let cache = Waits::new(false);
    let reads = CoalescedCache::new(Arc::clone(&cache) as _);
    let first = all_under_way(&reads, &cache).await;
    let others: Vec<Asked> = (0..20).map(|number| ask(&reads, number..number + 3)).collect();
    tokio::task::yield_now().await;
    assert_eq!(cache.calls(), [1; ALONE], "nobody else has asked");
    cache.go_on.add_permits(100);
    for (key, asked) in (1..).zip(first) {
        assert_eq!(asked.await.unwrap().unwrap(), [Some(key)]);
    }
    for (number, other) in (0..).zip(others) {
        let expected = [number, number + 1, number + 2].map(|key| (key > 0).then_some(key));
        assert_eq!(other.await.unwrap().unwrap(), expected);
    }
    assert_eq!(cache.calls()[ALONE..], [60]);
    assert_eq!(ask(&reads, 7..9).await.unwrap().unwrap(), [Some(7), Some(8)]);
    assert_eq!(cache.calls()[ALONE..], [60, 2], "alone again");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_about_so_many_keys_and_no_more() {
    let cache = Waits::new(false);
    let reads = CoalescedCache::new(Arc::clone(&cache) as _);
    let first = all_under_way(&reads, &cache).await;
    let others = [ask(&reads, 1..200), ask(&reads, 1..58), ask(&reads, 1..2), ask(&reads, 1..400)];
    tokio::task::yield_now().await;
    cache.go_on.add_permits(100);
    for asked in first.into_iter().chain(others) {
        assert!(asked.await.unwrap().unwrap().iter().all(Option::is_some));
    }
    let mut calls = cache.calls().split_off(ALONE);
    calls.sort_unstable();
    assert_eq!(calls, [1, 256, 399]);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_takes_nothing_from_the_others() {
    let cache = Waits::new(false);
    let reads = CoalescedCache::new(Arc::clone(&cache) as _);
    let first = all_under_way(&reads, &cache).await;
    let (leaves, stays) = (ask(&reads, 3..4), ask(&reads, 4..6));
    tokio::task::yield_now().await;
    leaves.abort();
    assert!(leaves.await.is_err());
    cache.go_on.add_permits(100);
    assert_eq!(stays.await.unwrap().unwrap(), [Some(4), Some(5)]);
    for asked in first {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_calls_of_others_and_all_hear_of_a_failure() {
    let cache = Waits::new(true);
    let reads = CoalescedCache::new(Arc::clone(&cache) as _);
    let first = all_under_way(&reads, &cache).await;
    let other = ask(&reads, 3..6);
    tokio::task::yield_now().await;
    assert_eq!(cache.calls(), [1; ALONE]);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(cache.calls()[ALONE..], [3]);
    cache.go_on.add_permits(100);
    assert_eq!(other.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    for asked in first {
        assert_eq!(asked.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    }
}

/// A gate whose callers wait until they may go on.
#[derive(Debug)]
struct Slow {
    gate: MemoryGate,
    go_on: Semaphore,
    calls: Mutex<Vec<usize>>,
}

#[async_trait]
impl AdmissionGate for Slow {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        self.calls.lock().unwrap().push(batch.len());
        self.go_on.acquire().await.unwrap().forget();
        self.gate.admit(batch).await
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        self.gate.settle(reservations).await
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        self.gate.release(reservations).await
    }

    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()> {
        self.gate.reconcile(levels).await
    }
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_gate_share_calls_and_each_gets_its_own_answer() {
    let gate = MemoryGate::new(Arc::new(ManualClock::new(Timestamp::from_secs(1))));
    let slow = Arc::new(Slow { gate: gate.clone(), go_on: Semaphore::new(0), calls: Mutex::default() });
    let coalesced = CoalescedGate::new(Arc::clone(&slow) as _);
    let level = GateLevel { key: key("CUP"), sellable: 7.into(), version: 1 };
    coalesced.reconcile(&[level]).await.unwrap();
    let asked: Vec<_> = (1..=20_u128)
        .map(|number| {
            let reservation = ReservationId::from_u128(number);
            let lines = vec![StockQuantity::new(key("CUP"), 1.into())];
            let request = AdmitRequest { reservation, lines, ttl: Duration::from_secs(60) };
            let gate = coalesced.clone();
            tokio::spawn(async move { gate.admit(&[request]).await.unwrap() })
        })
        .collect();
    for _ in 0..40 {
        tokio::task::yield_now().await;
    }
    slow.go_on.add_permits(100);
    let mut admitted = 0;
    for asked in asked {
        match asked.await.unwrap().as_slice() {
            [Admission::Admitted] => admitted += 1,
            answer => assert_eq!(answer, [Admission::Refused(key("CUP"))]),
        }
    }
    assert_eq!((admitted, slow.calls.lock().unwrap().clone()), (7, vec![1, 1, 1, 1, 1, 1, 1, 1, 12]));
}
