//! `stock.updated`: of several about one level, the last goes.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::StockAction;
use stockpulse_core::memory::{ManualClock, MemoryInventoryStore};
use stockpulse_core::model::{Command, CommandId, Envelope, EventType, LocationId, StockKey, StockQuantity};
use stockpulse_core::port::{Clock, InventoryStore, Outbox, Published};
use stockpulse_core::worker::{OutboxRelay, RelayOptions};

use super::publisher::Recorder;
use crate::support::{clock, key, settle, start};

struct Warehouse {
    store: MemoryInventoryStore,
    publisher: Arc<Recorder>,
    time: ManualClock,
    clock: Arc<dyn Clock>,
    commands: u128,
}

impl Warehouse {
    fn open() -> Self {
        let (time, clock) = clock();
        let store = MemoryInventoryStore::new(Arc::clone(&clock));
        Self { store, publisher: Recorder::new(), time, clock, commands: 0 }
    }

    /// Each in a batch of its own.
    async fn receive(&mut self, level: &StockKey, units: u32) {
        self.commands += 1;
        let action = StockAction::Receive { lines: [StockQuantity::new(level.clone(), units.into())].into() };
        let command = Command::new(CommandId::from_u128(self.commands), start(), action);
        self.store.execute(&Engine::new(), vec![command]).await.unwrap();
    }

    fn relay(&self) -> OutboxRelay {
        let publisher = Arc::clone(&self.publisher);
        OutboxRelay::new(Arc::new(self.store.outbox()), publisher, RelayOptions::new("/test", "a"))
            .with_clock(Arc::clone(&self.clock))
    }

    async fn pending(&self) -> u64 {
        self.store.outbox().stats().await.unwrap().pending
    }

    /// The versions of the `stock.updated` that were to be published, in their order.
    fn updates(&self) -> Vec<u64> {
        self.publisher.waves().concat().iter().filter(|envelope| is_update(envelope)).map(|one| one.sequence).collect()
    }
}

fn is_update(envelope: &Envelope) -> bool {
    matches!(envelope.event_type(), Ok(EventType::StockUpdated))
}

#[tokio::test]
async fn of_those_that_wait_together_the_first_and_the_last_are_published() {
    let mut house = Warehouse::open();
    for _ in 0..5 {
        house.receive(&key("MUG"), 1).await;
    }
    let waiting = house.pending().await;
    assert_eq!(house.relay().run_once().await.unwrap() as u64, waiting, "all are dealt with");
    assert_eq!((house.updates(), house.pending().await), (vec![1, 5], 0));
    assert_eq!(house.publisher.waves().concat().len() as u64, waiting - 3, "everything else is published");
}

#[tokio::test]
async fn what_comes_while_one_fails_waits_behind_it() {
    let mut house = Warehouse::open();
    for _ in 0..4 {
        house.receive(&key("MUG"), 1).await;
    }
    house.publisher.answer(|envelope| match is_update(envelope) {
        true => Published::Failed("not now".to_owned()),
        false => Published::Acknowledged,
    });
    while house.relay().run_once().await.unwrap() > 0 {}
    assert_eq!(house.updates(), [1]);
    house.publisher.answer(|_| Published::Acknowledged);
    house.time.advance(Duration::from_secs(60));
    while house.relay().run_once().await.unwrap() > 0 {}
    assert_eq!((house.updates(), house.pending().await), (vec![1, 1, 4], 0));
}

#[tokio::test]
async fn after_a_crash_nothing_older_follows() {
    let mut house = Warehouse::open();
    for _ in 0..4 {
        house.receive(&key("MUG"), 1).await;
    }
    house.publisher.set_open(false);
    let relay = house.relay();
    let crashed = tokio::spawn(async move { relay.run_once().await });
    settle().await;
    crashed.abort();
    settle().await;
    house.publisher.set_open(true);
    house.receive(&key("MUG"), 1).await;
    while house.relay().run_once().await.unwrap() > 0 {}
    let updates = house.updates();
    assert!(updates.is_sorted() && updates.last() == Some(&5), "{updates:?}");
}

#[tokio::test]
async fn one_of_another_level_does_not_count() {
    let mut house = Warehouse::open();
    let (here, there) = (key("MUG"), StockKey::new(key("MUG").sku, LocationId::new("north").unwrap()));
    for _ in 0..3 {
        house.receive(&here, 1).await;
        house.receive(&there, 1).await;
    }
    while house.relay().run_once().await.unwrap() > 0 {}
    assert_eq!(house.updates(), [1, 1, 3, 3]);
}
