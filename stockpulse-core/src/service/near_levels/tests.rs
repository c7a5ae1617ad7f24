use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::error::ErrorKind;
use crate::model::{CommandId, Envelope, Event, EventData, Quantity, Sku, StockEvent, Timestamp};
use crate::worker::{CacheHandler, Handler, Incoming};

fn level(name: &str, on_hand: u32, version: u64) -> StockLevel {
    let mut level = StockLevel::new(StockKey::main(Sku::new(name).unwrap()));
    level.on_hand = Quantity::from(on_hand);
    level.version = version;
    level
}

fn event(level: StockLevel) -> Incoming {
    let (command, at, data) =
        (CommandId::from_u128(1), Timestamp::from_secs(1), EventData::Stock(StockEvent::Updated(level)));
    let event = Event { command, index: 0, sequence: 1, at, trace: None, data };
    Incoming { envelope: Envelope::seal(&event, "/stock").unwrap(), data: event.data }
}

/// A store whose readings wait until they may go on.
#[derive(Clone)]
struct Slow {
    level: StockLevel,
    readings: Arc<AtomicUsize>,
    go_on: Arc<Semaphore>,
}

impl Slow {
    fn new(level: StockLevel) -> Self {
        Self { level, readings: Arc::default(), go_on: Arc::new(Semaphore::new(0)) }
    }

    async fn read(self, keys: Vec<StockKey>) -> Result<Vec<Option<StockLevel>>> {
        self.readings.fetch_add(1, Ordering::SeqCst);
        self.go_on.acquire().await.unwrap().forget();
        Ok(keys.iter().map(|key| (*key == self.level.key).then(|| self.level.clone())).collect())
    }

    async fn through(&self, near: &NearLevels, keys: &[StockKey]) -> Vec<Option<u64>> {
        let slow = self.clone();
        let levels = near.levels(keys, |keys| slow.read(keys)).await.unwrap();
        levels.iter().map(|level| level.as_ref().map(|level| level.version)).collect()
    }
}

#[tokio::test]
async fn callers_who_miss_the_same_level_at_once_share_one_reading() {
    let (near, slow) = (NearLevels::default(), Slow::new(level("CUP", 10, 3)));
    let keys = [slow.level.key.clone(), level("POT", 0, 0).key];
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (near, slow, keys) = (near.clone(), slow.clone(), keys.clone());
            tokio::spawn(async move { slow.through(&near, &keys).await })
        })
        .collect();
    while slow.readings.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // The one who began it goes away; it is read for the others.
    callers[0].abort();
    slow.go_on.add_permits(100);
    for caller in callers.into_iter().skip(1) {
        assert_eq!(caller.await.unwrap(), [Some(3), None]);
    }
    assert_eq!(slow.readings.load(Ordering::SeqCst), 1);
    assert!(near.flights().is_empty(), "nothing is under way any more");
    assert_eq!(slow.through(&near, &keys[..1]).await, [Some(3)]);
    assert_eq!(slow.readings.load(Ordering::SeqCst), 1, "it is in the process");
    assert_eq!(slow.through(&near, &keys).await, [Some(3), None]);
    assert_eq!(slow.readings.load(Ordering::SeqCst), 2, "what does not exist is asked for again");
}

#[tokio::test]
async fn what_an_event_told_is_not_replaced_by_an_older_version_that_was_read_or_came_late() {
    let (near, slow) = (NearLevels::default(), Slow::new(level("CUP", 10, 3)));
    let key = slow.level.key.clone();
    let reading = tokio::spawn({
        let (near, slow, key) = (near.clone(), slow.clone(), key.clone());
        async move { slow.through(&near, &[key]).await }
    });
    while slow.readings.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let handler = CacheHandler::new("near-1").with_near_levels(near.clone());
    handler.handle(&[event(level("CUP", 9, 4))]).await.unwrap();
    slow.go_on.add_permits(1);
    assert_eq!(reading.await.unwrap(), [Some(3)], "what the caller's own reading found");
    assert_eq!(near.get(&key).map(|level| level.version), Some(4));
    handler.handle(&[event(level("CUP", 7, 6)), event(level("CUP", 8, 5))]).await.unwrap();
    assert_eq!(near.get(&key).map(|level| level.on_hand), Some(7.into()));
}

#[tokio::test]
async fn a_reading_that_fails_fails_those_who_waited_and_the_next_call_reads_anew() {
    let (near, key) = (NearLevels::default(), level("CUP", 10, 3).key);
    let fails = |_| async { Err(Error::new(ErrorKind::Unavailable, "the store is down")) };
    let error = near.levels(std::slice::from_ref(&key), fails).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let reads = |_| async { Ok(vec![Some(level("CUP", 10, 3))]) };
    assert!(near.levels(&[key], reads).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn levels_are_bounded_and_end_with_their_time() {
    let max_levels = NonZeroUsize::new(10).unwrap();
    let near = NearLevels::new(NearOptions { max_levels, ttl: Duration::from_millis(30) });
    let many: Vec<StockLevel> = (0..1_000).map(|number| level(&format!("CUP-{number}"), 1, 1)).collect();
    near.refresh(&many);
    near.levels.run_pending_tasks();
    assert!(near.levels.entry_count() <= 10, "{}", near.levels.entry_count());
    near.refresh([&many[0]]);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(near.get(&many[0].key), None);
}
