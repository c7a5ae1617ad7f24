//! Orders that are placed, reserved and confirmed over Kafka. What has to be true of them is read from the database and from
//! the topics: no oversell, each order ends once, movements equal levels, events of a key in order.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::model::StockKey;
use stockpulse_core::worker::Supervisor;

use crate::books::sku;
use crate::broker::Broker;
use crate::kafka::{Kafka, PATIENCE};
use crate::member::Member;
use crate::shop::Shop;
use crate::support::{Kind, Place, skipped};

/// How many orders are placed, of one mug each, and how many mugs there are.
const ORDERS: u128 = 240;
const MUGS: u32 = 150;
/// The usual time between commits of a member, and one in which it commits nothing.
const SOON: Duration = Duration::from_millis(200);
const NEVER: Duration = Duration::from_secs(3_600);
/// No point of a store's.
const NOWHERE: (&str, u32) = ("nowhere", 0);

/// A shop on a database, with its bus on Kafka.
async fn open(kind: Kind, broker: &str) -> (Place, Kafka, Shop) {
    let place = Place::new(kind).await.unwrap();
    let kafka = Kafka::new(broker).await;
    let mut shop = Shop::new(&place, MUGS).await;
    shop.bus = kafka.bus();
    (place, kafka, shop)
}

/// The broker of all tests; `None`, after saying so, where it or the database is not.
fn shared(kind: Kind) -> Option<String> {
    if kind.skips() {
        return None;
    }
    let broker = std::env::var("STOCKPULSE_KAFKA").ok().filter(|address| !address.is_empty());
    if broker.is_none() {
        skipped(kind, "STOCKPULSE_KAFKA names no broker (host:port)");
    }
    broker
}

async fn place(shop: &Shop, orders: std::ops::Range<u128>) {
    for number in orders {
        shop.place(number).await;
    }
}

/// Waits until everything has come to rest, and looks at it.
async fn ended(shop: &Shop, kafka: &Kafka) -> (usize, usize) {
    shop.settled(ORDERS).await;
    kafka.caught_up().await;
    shop.nothing_is_amiss(ORDERS, MUGS).await;
    let (all, different) = kafka.nothing_is_amiss().await;
    // Each order was placed and came to an end, and inventory said why.
    assert!(different >= 3 * usize::try_from(ORDERS).unwrap(), "{different} events");
    (all, different)
}

/// How often stock was reserved so far.
async fn reserved(shop: &Shop) -> usize {
    let all = NonZeroUsize::new(10_000).unwrap();
    // The first one is the goods that came in.
    shop.ports.inventory.movements(&StockKey::main(sku("MUG")), 0, all).await.unwrap().items.len() - 1
}

/// Waits until stock was reserved so often.
async fn reserves(shop: &Shop, least: usize) {
    let reserves = tokio::time::timeout(PATIENCE, async {
        while reserved(shop).await < least {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    reserves.await.expect("a member that reserves");
}

async fn orders_end(kind: Kind) {
    let Some(broker) = shared(kind) else { return };
    let (_place, kafka, shop) = open(kind, &broker).await;
    let workers = shop.work();
    place(&shop, 0..ORDERS).await;
    ended(&shop, &kafka).await;
    drop(workers);
}

async fn a_full_replay_changes_nothing(kind: Kind) {
    let Some(broker) = shared(kind) else { return };
    let (_place, kafka, shop) = open(kind, &broker).await;
    let workers = shop.work();
    place(&shop, 0..ORDERS).await;
    let events = ended(&shop, &kafka).await;
    let before = shop.state(ORDERS).await;
    assert!(workers.shutdown(PATIENCE).await.is_clean());
    kafka.set_back().await;
    let workers = shop.work();
    let again = ended(&shop, &kafka).await;
    assert_eq!(shop.state(ORDERS).await, before);
    assert_eq!(again, events, "what was handled again says nothing again");
    drop(workers);
}

async fn the_broker_is_killed_under_load(kind: Kind) {
    if kind.skips() {
        return;
    }
    let test = "the_broker_is_killed_under_load";
    let Some(broker) = tokio::task::spawn_blocking(move || Broker::new(test)).await.unwrap() else { return };
    let (_place, kafka, shop) = open(kind, &broker.address()).await;
    let workers = shop.work();
    let kills = tokio::task::spawn_blocking(move || {
        let mut broker = broker;
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(600));
            broker.kill();
            std::thread::sleep(Duration::from_millis(500));
            broker.start();
        }
        // One that does not answer is as bad.
        broker.pause();
        std::thread::sleep(Duration::from_millis(500));
        broker.resume();
        broker
    });
    let mut placed = 0;
    // Orders are accepted all the time, whatever becomes of the broker, and some afterwards.
    while !kills.is_finished() && placed < ORDERS - 20 {
        shop.place(placed).await;
        placed += 1;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let broker = kills.await.unwrap();
    place(&shop, placed..ORDERS).await;
    ended(&shop, &kafka).await;
    drop((workers, broker));
}

async fn inventory_is_killed_between_its_commit_and_the_brokers(kind: Kind) {
    let Some(broker) = shared(kind) else { return };
    let (at, kafka, shop) = open(kind, &broker).await;
    let mut workers = Supervisor::new(Arc::new(SystemClock));
    shop.publish(&mut workers);
    shop.confirm(&mut workers);
    place(&shop, 0..ORDERS / 2).await;
    // Its second batch is committed, and is never acknowledged; the first one was, and the broker was not told.
    let child = Member::start((kind, &at), &kafka, NEVER, ("inventory: committed", 2));
    let killed = tokio::task::spawn_blocking(move || child.died());
    assert!(tokio::time::timeout(PATIENCE, killed).await.expect("a child that dies").unwrap());
    assert!(reserved(&shop).await > 0, "the child reserved");
    let asked = kafka.clone();
    let committed = tokio::task::spawn_blocking(move || {
        asked.committed(("inventory", stockpulse_core::model::EventType::OrderPlaced))
    });
    assert_eq!(committed.await.unwrap(), 0, "of which the broker knows nothing");
    shop.reserve(&mut workers);
    place(&shop, ORDERS / 2..ORDERS).await;
    ended(&shop, &kafka).await;
    drop(workers);
}

async fn a_member_is_added_and_one_is_killed(kind: Kind) {
    let Some(broker) = shared(kind) else { return };
    let (at, kafka, shop) = open(kind, &broker).await;
    let mut workers = Supervisor::new(Arc::new(SystemClock));
    shop.publish(&mut workers);
    shop.confirm(&mut workers);
    let first = Member::start((kind, &at), &kafka, SOON, NOWHERE);
    place(&shop, 0..60).await;
    reserves(&shop, 1).await;
    let second = Member::start((kind, &at), &kafka, SOON, NOWHERE);
    for number in 60..180 {
        shop.place(number).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    // Whoever is left does the rest, once the brokers know.
    drop(first);
    place(&shop, 180..ORDERS).await;
    ended(&shop, &kafka).await;
    drop((workers, second));
}

macro_rules! on {
    ($($module:ident $kind:ident),+) => {$(
        mod $module {
            use crate::support::Kind::$kind as KIND;

            on!(@ orders_end a_full_replay_changes_nothing the_broker_is_killed_under_load
                inventory_is_killed_between_its_commit_and_the_brokers a_member_is_added_and_one_is_killed);
        }
    )+};
    (@ $($test:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            super::$test(KIND).await;
        }
    )+};
}

on!(postgres Postgres, sqlite Sqlite);
