use std::time::Duration;

use super::*;
use crate::engine::stock::{LevelSettings, Reserve, StockAction};
use crate::memory::ManualClock;
use crate::model::{Command, CommandId, Policy, Quantity, Sku, StockQuantity};

/// Five come in, and of seven that are held two wait.
fn batch() -> Vec<StockCommand> {
    let key = StockKey::main(Sku::new("CUP").unwrap());
    let settings = LevelSettings { backorder_limit: Some(Quantity::from(9)), ..LevelSettings::default() };
    let held = Reserve::new(ReservationId::from_u128(1)).with_line(key.sku.clone(), 7_u32);
    let held = held.with_policy(Policy::Backorder).with_hold(Duration::from_secs(60));
    let actions = [
        StockAction::Receive { lines: std::iter::once(StockQuantity::new(key.clone(), 5.into())).collect() },
        StockAction::Configure { key, settings },
        StockAction::Reserve(held),
    ];
    let command = |(id, action)| Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), action);
    (1..).zip(actions).map(command).collect()
}

#[tokio::test]
async fn a_restored_store_is_what_it_was_and_answers_retries_as_before() {
    let (store, engine) = (MemoryInventoryStore::default(), Engine::new());
    let outcomes = store.execute(&engine, batch()).await.unwrap();
    let snapshot = store.snapshot().unwrap();
    let clock = ManualClock::new(Timestamp::from_secs(1_000));
    let restored = MemoryInventoryStore::restore(Arc::new(clock), &snapshot).unwrap();
    assert_eq!(restored.snapshot().unwrap(), snapshot);
    assert_eq!(restored.execute(&engine, batch()).await.unwrap(), outcomes);
    assert_eq!(restored.snapshot().unwrap(), snapshot, "a retry changed something");
    let (due, many) = (Timestamp::from_secs(100), NonZeroUsize::MAX);
    assert_eq!(restored.expiring(due, many).await.unwrap(), [ReservationId::from_u128(1)]);
}
