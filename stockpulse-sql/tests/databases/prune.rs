//! What is old is deleted, and nothing else.

use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Reserve, StockAction, StockCommand, StockOutcome};
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::{
    Command, CommandId, Quantity, ReservationId, ReservationState, Sku, StockKey, StockQuantity, Timestamp,
};
use stockpulse_sql::{Context, Pruned, Retention};

use crate::support::{Kind, Place};

const DAY: i64 = 24 * 60 * 60;

fn command(id: u128, day: i64, action: StockAction) -> StockCommand {
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(day * DAY), action)
}

fn reserve(id: u128, day: i64) -> StockCommand {
    let request = Reserve::new(ReservationId::from_u128(id)).with_line(Sku::new("MUG").unwrap(), 1);
    command(id, day, StockAction::Reserve(request.with_hold(Duration::from_secs(1_000_000_000))))
}

fn release(id: u128, day: i64) -> StockCommand {
    let parts = stockpulse_core::engine::stock::Parts::All;
    command(id + 100, day, StockAction::Release { reservation: ReservationId::from_u128(id), parts, tombstone: false })
}

async fn what_is_old_goes_and_nothing_else(kind: Kind) {
    if kind.skips() {
        return;
    }
    let place = Place::new(kind).await.unwrap();
    let store = place.connect(&[Context::Inventory]).await.unwrap();
    let (engine, mug) = (Engine::new(), StockKey::main(Sku::new("MUG").unwrap()));
    let receive = StockAction::Receive { lines: [StockQuantity::new(mug.clone(), Quantity::from(100_u32))].into() };
    store.inventory.execute(&engine, vec![command(1, 0, receive)]).await.unwrap();
    // Three that were closed and three that live, one of each from day 0, 50 and 95.
    for (id, day) in [(10, 0), (11, 50), (12, 95)] {
        let batch = vec![reserve(id, day), reserve(id + 10, day), release(id, day)];
        store.inventory.execute(&engine, batch).await.unwrap();
    }
    let before = store.inventory.audit(None, 10.try_into().unwrap()).await.unwrap();

    let retention = Retention { contexts: vec![Context::Inventory], batch: 2, ..Retention::default() };
    let today = ManualClock::new(Timestamp::from_secs(100 * DAY));
    let pruned = store.prune(&retention, &today).await.unwrap();
    // Outcomes of days 0 and 50; the reservation that was made on day 0 and closed.
    assert_eq!(pruned, Pruned { outcomes: 7, reservations: 1 });
    assert_eq!(store.prune(&retention, &today).await.unwrap(), Pruned::default());

    let ids: Vec<ReservationId> = [10, 11, 12, 20, 21, 22].map(ReservationId::from_u128).into();
    let states = store.inventory.reservations(&ids).await.unwrap();
    let states: Vec<_> = states.into_iter().map(|found| found.map(|reservation| reservation.state)).collect();
    let (closed, live) = (Some(ReservationState::Released), Some(ReservationState::Held));
    assert_eq!(states, [None, closed, closed, live, live, live]);
    assert_eq!(store.inventory.audit(None, 10.try_into().unwrap()).await.unwrap(), before);

    // What is kept still answers as it did; what is gone is decided anew.
    let outcomes = store.inventory.execute(&engine, vec![release(12, 95), release(11, 50)]).await.unwrap();
    let [StockOutcome::Released(kept), StockOutcome::Released(anew)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((kept.lines.len(), anew.lines.len()), (1, 0));
}

#[tokio::test]
async fn on_postgres_what_is_old_goes_and_nothing_else() {
    what_is_old_goes_and_nothing_else(Kind::Postgres).await;
}

#[tokio::test]
async fn on_mysql_what_is_old_goes_and_nothing_else() {
    what_is_old_goes_and_nothing_else(Kind::MySql).await;
}

#[tokio::test]
async fn on_sqlite_what_is_old_goes_and_nothing_else() {
    what_is_old_goes_and_nothing_else(Kind::Sqlite).await;
}
