//! The process that uses the store is killed, at every point where it may hurt.

use std::collections::BTreeSet;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::StockOutcome;
use stockpulse_core::port::InventoryStore;
use stockpulse_sql::Context;

use super::books::{ROUNDS, audited, batch, goods, published, undisturbed};
use super::child::{Said, Work, run};
use crate::support::{Kind, Place, Ports};

/// How many of the reservations that a round makes there are, and how many there would be.
async fn made(store: &dyn InventoryStore, round: usize, answers: &[StockOutcome]) -> (usize, usize) {
    let commands = batch(round.try_into().unwrap());
    let granted = commands.iter().zip(answers).filter(|(_, answer)| matches!(answer, StockOutcome::Reserved(_)));
    let ids: Vec<_> = granted.filter_map(|(command, _)| command.action.reservation()).collect();
    let there = store.reservations(&ids).await.unwrap();
    (there.iter().flatten().count(), ids.len())
}

/// After the death of a child: what it was told is there, what it was not told is there wholly or not at all, everything
/// adds up, and a successor who asks for all of it once more ends where nobody was killed. Answers whether the round that
/// was under way is there.
async fn nothing_is_amiss(ports: &Ports, said: &Said<Vec<StockOutcome>>) -> Option<bool> {
    let (store, expected) = (ports.inventory.as_ref(), undisturbed().await);
    audited(store).await;
    assert_eq!(said.answers, expected.answers[..said.answers.len()]);
    let mut under_way = None;
    for (round, answers) in expected.answers.iter().enumerate() {
        let (there, all) = made(store, round, answers).await;
        assert!(there == 0 || there == all, "{there} of {all} in round {round}");
        if round < said.answers.len() {
            assert_eq!(there, all, "round {round} was acknowledged");
        } else if round > said.answers.len() {
            assert_eq!(there, 0, "round {round} had not begun");
        } else if all > 0 {
            under_way = Some(there > 0);
        }
    }
    for (round, answers) in (0..ROUNDS).zip(&expected.answers) {
        assert_eq!(store.execute(&Engine::new(), batch(round)).await.unwrap(), *answers, "round {round} once more");
    }
    let levels: Vec<_> = audited(store).await.into_iter().map(|audit| audit.level).collect();
    assert_eq!(levels, expected.levels);
    under_way
}

/// Whether events were published twice.
async fn every_event_is_published(ports: &Ports, said: &Said<Vec<StockOutcome>>) -> bool {
    let first: BTreeSet<String> = said.published.iter().cloned().collect();
    let again = published(ports.outbox(Context::Inventory)).await;
    let again: BTreeSet<String> = again.iter().map(|event| event.id.to_string()).collect();
    let all: BTreeSet<String> = first.union(&again).cloned().collect();
    let expected = undisturbed().await;
    assert_eq!(all.difference(&expected.superseded).cloned().collect::<BTreeSet<_>>(), expected.events);
    first.intersection(&again).next().is_some()
}

async fn killed_at(kind: Kind, point: &str, nth: u32, killed_after: usize) -> (Option<bool>, bool) {
    let place = Place::new(kind).await.unwrap();
    let ports = place.connect(&[Context::Inventory]).await.unwrap();
    ports.inventory.execute(&Engine::new(), goods()).await.unwrap();
    drop(ports);
    let said = run((kind, &place), Work::Stock, (point, nth), killed_after);
    assert!(said.killed, "{point} {nth}: the child ended by itself after {} answers", said.answers.len());
    let ports = place.connect(&[]).await.unwrap();
    let under_way = nothing_is_amiss(&ports, &said).await;
    (under_way, every_event_is_published(&ports, &said).await)
}

async fn before_it_is_committed(kind: Kind) {
    if kind.skips() {
        return;
    }
    for (point, nth) in [("loaded", 1), ("loaded", 3), ("decided on what is remembered", 3), ("saved", 1), ("saved", 3)]
    {
        let (there, _) = killed_at(kind, point, nth, 0).await;
        assert_eq!(there, Some(false), "{point} {nth}");
    }
}

async fn before_it_is_answered(kind: Kind) {
    if kind.skips() {
        return;
    }
    for nth in [1, 2, 3, 6] {
        let (there, _) = killed_at(kind, "committed", nth, 0).await;
        assert_eq!(there, Some(true), "{nth}");
    }
}

async fn around_publishing(kind: Kind) {
    if kind.skips() {
        return;
    }
    for (point, nth, twice) in
        [("publishing", 1, false), ("published", 1, true), ("publishing", 2, false), ("published", 5, true)]
    {
        let (_, again) = killed_at(kind, point, nth, 0).await;
        assert_eq!(again, twice, "{point} {nth}");
    }
}

async fn at_any_time(kind: Kind) {
    if kind.skips() {
        return;
    }
    for answers in [1, 4, 8, 13] {
        killed_at(kind, "none", 0, answers).await;
    }
}

macro_rules! on {
    ($($module:ident $kind:ident),+) => {$(
        mod $module {
            use crate::support::Kind::$kind as KIND;

            on!(@ before_it_is_committed before_it_is_answered around_publishing at_any_time);
        }
    )+};
    (@ $($test:ident)+) => {$(
        #[tokio::test]
        async fn $test() {
            super::$test(KIND).await;
        }
    )+};
}

on!(postgres Postgres, mysql MySql, sqlite Sqlite);
