//! Callers who share calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stockpulse_core::layer::{Call, CoalescedCache, CoalescedGate, Layer, Layered};
use stockpulse_core::memory::{ManualClock, MemoryCache, MemoryGate};
use stockpulse_core::model::{ReservationId, StockQuantity, Timestamp};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Cache, CacheKey, CachePut, Cached, GateLevel};
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::sync::Semaphore;

use crate::support::key;

const A_MINUTE: Duration = Duration::from_secs(60);

/// Makes calls wait until they may go on, and fail if that is wanted. Clones share what they know.
#[derive(Clone, Debug)]
struct Waits {
    /// How many items each call was about.
    calls: Arc<Mutex<Vec<usize>>>,
    go_on: Arc<Semaphore>,
    fails: bool,
}

impl Waits {
    fn new(fails: bool) -> Self {
        Self { calls: Arc::default(), go_on: Arc::new(Semaphore::new(0)), fails }
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

impl Layer for Waits {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        self.calls.lock().unwrap().push(call.items().unwrap_or_default());
        self.go_on.acquire().await.unwrap().forget();
        if self.fails { Err(Error::new(ErrorKind::Unavailable, "made to fail")) } else { call.make().await }
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_secs(1)))
}

fn name(key: u64) -> CacheKey {
    CacheKey::new("test", key.to_string())
}

/// A cache in which each number from 1 on has itself as its version.
async fn numbers(waits: &Waits) -> CoalescedCache {
    let cache = MemoryCache::new(clock());
    let put = |key| CachePut { key: name(key), cached: Cached { version: key, value: "".into() }, ttl: A_MINUTE };
    cache.put((1..500).map(put).collect()).await.unwrap();
    CoalescedCache::new(Arc::new(Layered::new(cache, waits.clone())))
}

type Asked = tokio::task::JoinHandle<Result<Vec<Option<u64>>>>;

/// Asks for the versions of keys, of which 0 is not there.
fn ask(reads: &CoalescedCache, keys: std::ops::Range<u64>) -> Asked {
    let reads = reads.clone();
    let keys: Vec<CacheKey> = keys.map(name).collect();
    tokio::spawn(async move {
        let found = reads.get(&keys).await?;
        Ok(found.iter().map(|found| Some(found.as_ref()?.version)).collect())
    })
}

/// How many calls are made before others wait.
const ALONE: usize = 8;

/// As many calls as are made at once.
async fn all_under_way(reads: &CoalescedCache, waits: &Waits) -> Vec<Asked> {
    let asked = (1..=ALONE as u64).map(|key| ask(reads, key..key + 1)).collect();
    waits.began(ALONE).await;
    asked
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_eight_calls_are_under_way_shares_the_next() {
    let waits = Waits::new(false);
    let reads = numbers(&waits).await;
    let first = all_under_way(&reads, &waits).await;
    let others: Vec<Asked> = (0..20).map(|number| ask(&reads, number..number + 3)).collect();
    tokio::task::yield_now().await;
    assert_eq!(waits.calls(), [1; ALONE], "nobody else has asked");
    waits.go_on.add_permits(100);
    for (key, asked) in (1..).zip(first) {
        assert_eq!(asked.await.unwrap().unwrap(), [Some(key)]);
    }
    for (number, other) in (0..).zip(others) {
        let expected = [number, number + 1, number + 2].map(|key| (key > 0).then_some(key));
        assert_eq!(other.await.unwrap().unwrap(), expected);
    }
    assert_eq!(waits.calls()[ALONE..], [60]);
    assert_eq!(ask(&reads, 7..9).await.unwrap().unwrap(), [Some(7), Some(8)]);
    assert_eq!(waits.calls()[ALONE..], [60, 2], "alone again");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_about_so_many_keys_and_no_more() {
    let waits = Waits::new(false);
    let reads = numbers(&waits).await;
    let first = all_under_way(&reads, &waits).await;
    let others = [ask(&reads, 1..200), ask(&reads, 1..58), ask(&reads, 1..2), ask(&reads, 1..400)];
    tokio::task::yield_now().await;
    waits.go_on.add_permits(100);
    for asked in first.into_iter().chain(others) {
        assert!(asked.await.unwrap().unwrap().iter().all(Option::is_some));
    }
    let mut calls = waits.calls().split_off(ALONE);
    calls.sort_unstable();
    assert_eq!(calls, [1, 256, 399]);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_takes_nothing_from_the_others() {
    let waits = Waits::new(false);
    let reads = numbers(&waits).await;
    let first = all_under_way(&reads, &waits).await;
    let (leaves, stays) = (ask(&reads, 3..4), ask(&reads, 4..6));
    tokio::task::yield_now().await;
    leaves.abort();
    assert!(leaves.await.is_err());
    waits.go_on.add_permits(100);
    assert_eq!(stays.await.unwrap().unwrap(), [Some(4), Some(5)]);
    for asked in first {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_calls_of_others_and_all_hear_of_a_failure() {
    let waits = Waits::new(true);
    let reads = numbers(&waits).await;
    let first = all_under_way(&reads, &waits).await;
    let other = ask(&reads, 3..6);
    tokio::task::yield_now().await;
    assert_eq!(waits.calls(), [1; ALONE]);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(waits.calls()[ALONE..], [3]);
    waits.go_on.add_permits(100);
    assert_eq!(other.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    for asked in first {
        assert_eq!(asked.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_gate_share_calls_and_each_gets_its_own_answer() {
    let (gate, waits) = (MemoryGate::new(clock()), Waits::new(false));
    gate.reconcile(&[GateLevel { key: key("CUP"), sellable: 7.into(), version: 1 }]).await.unwrap();
    let coalesced = CoalescedGate::new(Arc::new(Layered::new(gate, waits.clone())));
    let asked: Vec<_> = (1..=20_u128)
        .map(|number| {
            let reservation = ReservationId::from_u128(number);
            let lines = vec![StockQuantity::new(key("CUP"), 1.into())];
            let request = AdmitRequest { reservation, lines, ttl: A_MINUTE };
            let gate = coalesced.clone();
            tokio::spawn(async move { gate.admit(&[request]).await.unwrap() })
        })
        .collect();
    for _ in 0..40 {
        tokio::task::yield_now().await;
    }
    waits.go_on.add_permits(100);
    let mut admitted = 0;
    for asked in asked {
        match asked.await.unwrap().as_slice() {
            [Admission::Admitted] => admitted += 1,
            answer => assert_eq!(answer, [Admission::Refused(key("CUP"))]),
        }
    }
    assert_eq!((admitted, waits.calls()), (7, vec![1, 1, 1, 1, 1, 1, 1, 1, 12]));
}
