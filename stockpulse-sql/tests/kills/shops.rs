//! The process that takes orders is killed: while it takes them, while it publishes, and while it sees to them.

use stockpulse_core::engine::order::OrderOutcome;

use super::child::{Said, Work, run};
use super::shop::{MUGS, ORDERS, Shop, counted, id};
use crate::support::{Kind, Place};

/// Has a child killed at a point, and a successor end what it began. Answers how many events are on the bus, and how many
/// different ones.
async fn killed_at(kind: Kind, point: &str, nth: u32) -> (usize, usize) {
    let place = Place::new(kind).await.unwrap();
    drop(Shop::new(&place, MUGS).await);
    let said: Said<OrderOutcome> = run((kind, &place), Work::Shop, (point, nth), 0);
    assert!(said.killed, "{point} {nth}: the child ended by itself after {} answers", said.answers.len());
    let shop = Shop::open(&place, "successor").await;
    let asked = u128::try_from(said.answers.len()).unwrap();
    let there = shop.ports.orders.orders(&(0..ORDERS).map(id).collect::<Vec<_>>()).await.unwrap();
    let there = there.iter().map(Option::is_some).collect::<Vec<_>>();
    for number in 0..ORDERS {
        let there = there[usize::try_from(number).unwrap()];
        assert!(there || number >= asked, "{point} {nth}: order {number} was acknowledged");
        assert!(!there || number <= asked, "{point} {nth}: order {number} had not begun");
    }
    for number in 0..ORDERS {
        let answer = shop.place(number).await;
        let before = said.answers.get(usize::try_from(number).unwrap());
        assert_eq!(before.unwrap_or(&answer), &answer, "{point} {nth}: order {number} once more");
    }
    let workers = shop.work();
    shop.settled(ORDERS).await;
    drop(workers);
    shop.nothing_is_amiss(ORDERS, MUGS).await;
    let (all, different) = counted(&shop.events("auditor").await);
    // Each order was placed and came to an end, and inventory said why.
    assert!(different >= 3 * usize::try_from(ORDERS).unwrap(), "{point} {nth}: {different} events");
    (all, different)
}

async fn while_orders_are_taken(kind: Kind) {
    if kind.skips() {
        return;
    }
    for (point, nth) in
        [("loaded", 2), ("saved", 1), ("saved", 3), ("committed", 1), ("committed", 5), ("committed", 13)]
    {
        killed_at(kind, &format!("orders: {point}"), nth).await;
    }
}

async fn while_events_are_published(kind: Kind) {
    if kind.skips() {
        return;
    }
    for nth in [1, 2, 4] {
        // What was not committed is not there, and is published once.
        killed_at(kind, "bus: appended", nth).await;
        let (all, different) = killed_at(kind, "bus: committed", nth).await;
        assert!(all > different, "{nth}: what was published and not settled is published again");
    }
}

async fn while_events_are_handled(kind: Kind) {
    if kind.skips() {
        return;
    }
    for (point, nth) in [
        ("inventory: saved", 1),
        ("inventory: committed", 1),
        ("inventory: committed", 3),
        ("bus: settled", 1),
        ("bus: settled", 4),
    ] {
        killed_at(kind, point, nth).await;
    }
}

macro_rules! on {
    ($($module:ident $kind:ident),+) => {$(
        mod $module {
            use crate::support::Kind::$kind as KIND;

            on!(@ while_orders_are_taken while_events_are_published while_events_are_handled);
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
