//! Orders for the same goods in opposite order, from two stores on one database.

use std::sync::Arc;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Parts, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{ReservationId, ReservationState};
use stockpulse_core::port::InventoryStore;
use stockpulse_sql::Context;

use super::books::{audited, command, receive, reserve};
use crate::support::{Kind, Place};

/// For each order the batches that are executed one after the other: a reservation, and for every second order its
/// release, which takes its locks in another way.
fn orders(first: u128, lines: &[(&str, u32)]) -> Vec<Vec<StockCommand>> {
    let order = |number: u128| {
        let id = first + number * 2;
        let parts = Parts::All;
        let release = StockAction::Release { reservation: ReservationId::from_u128(id), parts, tombstone: false };
        let release = (number % 2 == 1).then(|| vec![command(id + 1, release)]);
        std::iter::once(vec![reserve(id, lines)]).chain(release)
    };
    (0..40).flat_map(order).collect()
}

async fn all(store: Arc<dyn InventoryStore>, batches: Vec<Vec<StockCommand>>) -> Vec<StockOutcome> {
    let mut answers = Vec::new();
    for batch in batches {
        answers.extend(store.execute(&Engine::new(), batch).await.unwrap());
    }
    answers
}

async fn both_end_and_nothing_is_partial(kind: Kind) {
    if kind.skips() {
        return;
    }
    let place = Place::new(kind).await.unwrap();
    let one = place.connect(&[Context::Inventory]).await.unwrap();
    let other = place.connect(&[]).await.unwrap();
    one.inventory.execute(&Engine::new(), vec![receive(1, &["CUP", "MUG"], 50)]).await.unwrap();
    let callers = [
        (&one, 1_000, [("CUP", 1), ("MUG", 1)]),
        (&other, 2_000, [("MUG", 1), ("CUP", 1)]),
        (&one, 3_000, [("CUP", 1), ("MUG", 1)]),
        (&other, 4_000, [("MUG", 1), ("CUP", 1)]),
    ];
    let asked = callers.map(|(ports, first, lines)| {
        let batches = orders(first, &lines);
        let commands: Vec<StockCommand> = batches.iter().flatten().cloned().collect();
        (commands, tokio::spawn(all(Arc::clone(&ports.inventory), batches)))
    });
    let mut reserved = 0;
    for (commands, answers) in asked {
        let answers = answers.await.unwrap();
        let mut ids = Vec::new();
        for (command, answer) in commands.iter().zip(&answers) {
            match answer {
                StockOutcome::Reserved(granted) => {
                    assert!(granted.is_complete());
                    ids.extend(command.action.reservation());
                }
                StockOutcome::Released(_) | StockOutcome::Refused(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(answers.len(), commands.len());
        for reservation in one.inventory.reservations(&ids).await.unwrap() {
            let reservation = reservation.unwrap();
            assert_eq!(reservation.lines.len(), 2, "{reservation:?}");
            reserved += i64::from(reservation.state == ReservationState::Held);
        }
    }
    let levels = audited(one.inventory.as_ref()).await;
    assert_eq!(levels.len(), 2);
    for audit in levels {
        assert_eq!(audit.level.reserved.get(), reserved, "{}", audit.level.key);
        assert_eq!(reserved, 50, "all was asked for more than once");
    }
}

#[tokio::test]
async fn on_postgres() {
    both_end_and_nothing_is_partial(Kind::Postgres).await;
}

#[tokio::test]
async fn on_mysql() {
    both_end_and_nothing_is_partial(Kind::MySql).await;
}

#[tokio::test]
async fn on_sqlite() {
    both_end_and_nothing_is_partial(Kind::Sqlite).await;
}
