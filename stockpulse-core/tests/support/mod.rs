//! What the tests of services and workers share: names, a clock, and a store that can be watched and made to fail.

pub(crate) mod shop;
pub(crate) mod store;

use std::num::NonZeroUsize;
use std::sync::Arc;

use stockpulse_core::ErrorKind;
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::{Currency, Money, Sku, StockKey, StockLevel, Timestamp};
use stockpulse_core::port::Clock;
use stockpulse_core::service::{GroupCommitOptions, Inventory};

pub(crate) fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

pub(crate) fn key(name: &str) -> StockKey {
    sku(name).into()
}

pub(crate) fn euro(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

pub(crate) fn some(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

/// When these tests begin.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_secs(1_700_000_000)
}

pub(crate) fn clock() -> (ManualClock, Arc<dyn Clock>) {
    let clock = ManualClock::new(start());
    (clock.clone(), Arc::new(clock))
}

pub(crate) fn shards(number: usize) -> GroupCommitOptions {
    GroupCommitOptions { shards: some(number), ..GroupCommitOptions::default() }
}

pub(crate) fn kind<T>(result: stockpulse_core::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Lets every task go as far as it can, on a runtime with one thread.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn level(inventory: &Inventory, name: &str) -> StockLevel {
    inventory.levels(&[key(name)]).await.unwrap().remove(0).unwrap()
}

/// On hand and reserved.
pub(crate) async fn stock(inventory: &Inventory, name: &str) -> (i64, i64) {
    let level = level(inventory, name).await;
    (level.on_hand.get(), level.reserved.get())
}
