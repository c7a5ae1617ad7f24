//! Fault scenarios of a whole shop on one database, which no rule of a port and no kill shows.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Connection;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Reserve, StockAction, StockOutcome};
use stockpulse_core::model::{Envelope, EventType, ReservationId, ReservationState, Timestamp};
use stockpulse_core::port::{Published, Publisher};
use stockpulse_core::worker::Supervisor;
use stockpulse_core::{ErrorKind, Result, SystemClock};
use stockpulse_sql::Context;
use tokio::sync::Notify;

use crate::kills::books::{audited, command, receive, sku};
use crate::kills::shop::{Shop, counted, placing};
use crate::support::{Kind, Place};

/// Of a thousand orders that are placed at once for ten mugs, ten are confirmed.
async fn a_thousand_want_ten(kind: Kind) {
    const WANTED: u128 = 1_000;
    let place = Place::new(kind).await.unwrap();
    let shop = Shop::new(&place, 10).await;
    let other = Shop::open(&place, "other").await;
    let services =
        [&shop, &other].map(|shop| stockpulse_core::service::Orders::builder(Arc::clone(&shop.ports.orders)).start());
    let workers = [shop.work(), other.work()];
    let placed: Vec<_> = (0..WANTED)
        .map(|number| {
            let service = services[usize::from(number % 2 == 0)].clone();
            tokio::spawn(async move { service.execute(placing(number)).await.unwrap().is_accepted() })
        })
        .collect();
    for placed in placed {
        assert!(placed.await.unwrap());
    }
    shop.settled(WANTED).await;
    drop(workers);
    shop.nothing_is_amiss(WANTED, 10).await;
}

/// A publisher that has published, and does not say so until it is told to.
#[derive(Debug)]
struct Slow {
    bus: Arc<dyn Publisher>,
    published: Notify,
    answer: Notify,
}

#[async_trait]
impl Publisher for Slow {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        let published = self.bus.publish(batch).await;
        self.published.notify_one();
        self.answer.notified().await;
        published
    }

    async fn close(&self) -> Result<()> {
        self.bus.close().await
    }
}

/// A relay whose lease runs out while it publishes, and another that takes over: events come twice, the first deletes
/// nothing any more, and the effect is there once.
async fn two_relays_publish_the_same(kind: Kind) {
    let place = Place::new(kind).await.unwrap();
    let shop = Shop::new(&place, 3).await;
    let other = Shop::open(&place, "other").await;
    for number in 0..4 {
        shop.place(number).await;
    }
    let bus = Arc::clone(&shop.bus.publisher);
    let slow = Arc::new(Slow { bus, published: Notify::new(), answer: Notify::new() });
    let relay = shop.relay(Context::Orders, Arc::clone(&slow) as Arc<dyn Publisher>);
    let late = tokio::spawn(async move { relay.run_once().await });
    slow.published.notified().await;
    let outbox = other.ports.outbox(Context::Orders);
    let claim = async || outbox.claim(other.worker, Duration::from_secs(60), NonZeroUsize::MIN).await.unwrap();
    while claim().await.rows.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    slow.answer.notify_one();
    let late = late.await.unwrap().unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Contention, "{late}");
    assert_eq!(outbox.stats().await.unwrap().pending, 4);
    let workers = other.work();
    shop.settled(4).await;
    drop(workers);
    let placed = |event: &Envelope| event.type_name == EventType::OrderPlaced.cloud_event_type();
    let events: Vec<_> = shop.events("auditor").await.into_iter().filter(placed).collect();
    assert_eq!(counted(&events), (8, 4));
    shop.nothing_is_amiss(4, 3).await;
}

/// One `order.placed` comes five times, while members come and go.
async fn one_order_comes_five_times(kind: Kind) {
    let place = Place::new(kind).await.unwrap();
    let shop = Shop::new(&place, 2).await;
    let other = Shop::open(&place, "other").await;
    shop.place(0).await;
    let relay = shop.relay(Context::Orders, Arc::clone(&shop.bus.publisher));
    assert_eq!(relay.run_once().await.unwrap(), 1);
    let event = shop.events("auditor").await;
    let workers = shop.work();
    shop.bus.publisher.publish(&event).await.unwrap();
    shop.settled(1).await;
    let others = other.work();
    for _ in 0..2 {
        other.bus.publisher.publish(&event).await.unwrap();
    }
    // It goes in the middle of it.
    drop(workers);
    shop.bus.publisher.publish(&event).await.unwrap();
    shop.place(1).await;
    shop.settled(2).await;
    let events = shop.events("auditor").await;
    assert_eq!(events.iter().filter(|found| found.id == event[0].id).count(), 5);
    shop.passed(events.len()).await;
    others.shutdown(Duration::from_secs(10)).await;
    shop.nothing_is_amiss(2, 2).await;
}

/// Every group loses its place, so that everything there ever was comes again.
async fn all_comes_again(kind: Kind) {
    let place = Place::new(kind).await.unwrap();
    let shop = Shop::new(&place, 8).await;
    let workers = shop.work();
    for number in 0..12 {
        shop.place(number).await;
    }
    shop.settled(12).await;
    workers.shutdown(Duration::from_secs(10)).await;
    let before = shop.state(12).await;
    let events = shop.events("auditor").await;
    for group in ["inventory", "orders"] {
        assert!(shop.forget(group).await, "{group} has no members");
    }
    let mut workers = Supervisor::new(Arc::new(SystemClock));
    shop.consume(&mut workers);
    shop.passed(events.len()).await;
    workers.shutdown(Duration::from_secs(10)).await;
    assert_eq!(shop.state(12).await, before);
    for context in [Context::Orders, Context::Inventory] {
        assert_eq!(shop.ports.outbox(context).stats().await.unwrap().pending, 0, "what is known is told no more");
    }
    shop.nothing_is_amiss(12, 8).await;
}

/// The end of a hold and its confirmation from two processes at once.
async fn expiry_races_confirmation(kind: Kind) {
    let place = Place::new(kind).await.unwrap();
    let one = place.connect(&[Context::Inventory]).await.unwrap().inventory;
    let other = place.connect(&[]).await.unwrap().inventory;
    let engine = Engine::new();
    one.execute(&engine, vec![receive(1, &["MUG"], 40)]).await.unwrap();
    let held = |id| {
        let request = Reserve::new(ReservationId::from_u128(id)).with_line(sku("MUG"), 1);
        command(id, StockAction::Reserve(request.with_hold(Duration::from_secs(10))))
    };
    one.execute(&engine, (100..140).map(held).collect()).await.unwrap();
    let mut states = BTreeSet::new();
    for id in 100..140 {
        let reservation = ReservationId::from_u128(id);
        let mut expire = command(1_000 + id, StockAction::Expire { reservation });
        expire.at = Timestamp::from_secs(60);
        let allocate = command(2_000 + id, StockAction::Allocate { reservation });
        let (expired, allocated) = match id % 2 {
            0 => tokio::join!(one.execute(&engine, vec![expire]), other.execute(&engine, vec![allocate])),
            _ => {
                let both = tokio::join!(other.execute(&engine, vec![allocate]), one.execute(&engine, vec![expire]));
                (both.1, both.0)
            }
        };
        let (expired, allocated) = (expired.unwrap().remove(0), allocated.unwrap().remove(0));
        let state = one.reservations(&[reservation]).await.unwrap().remove(0).unwrap().state;
        match state {
            ReservationState::Allocated => assert!(!matches!(allocated, StockOutcome::Refused(_)), "{allocated:?}"),
            ReservationState::Expired => assert!(matches!(allocated, StockOutcome::Refused(_)), "{allocated:?}"),
            state => panic!("{state:?} after {expired:?} and {allocated:?}"),
        }
        states.insert(state.code());
    }
    let ids: Vec<_> = (100..140).map(ReservationId::from_u128).collect();
    let found = one.reservations(&ids).await.unwrap();
    let allocated = found.iter().flatten().filter(|found| found.state == ReservationState::Allocated).count();
    let levels = audited(one.as_ref()).await;
    assert_eq!(levels[0].level.reserved.get(), i64::try_from(allocated).unwrap());
    assert!(!states.is_empty());
}

macro_rules! on {
    ($($module:ident $kind:ident),+) => {$(
        mod $module {
            use crate::support::Kind::$kind as KIND;

            on!(@ a_thousand_want_ten two_relays_publish_the_same one_order_comes_five_times all_comes_again
                expiry_races_confirmation);
        }
    )+};
    (@ $($test:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            if !KIND.skips() {
                super::$test(KIND).await;
            }
        }
    )+};
}

on!(postgres Postgres, mysql MySql, sqlite Sqlite);

/// A transaction that began later is committed first: the event with the lower id appears behind the cursor of whoever
/// has one. SQLite has one writer, and its ids appear in their order.
macro_rules! overtaken {
    ($place:expr, $store:expr, $connection:expr) => {{
        let (place, store, mut connection, engine) = ($place, $store, $connection, Engine::new());
        let ports = place.connect(&[]).await.unwrap();
        ports.inventory.execute(&engine, vec![receive(1, &["CUP"], 1), receive(2, &["MUG"], 1)]).await.unwrap();
        let outbox = ports.outbox(Context::Inventory);
        let (lease, limit) = (Duration::from_secs(60), NonZeroUsize::new(100).unwrap());
        let claim = async || {
            let claim = outbox.claim("relay", lease, limit).await.unwrap();
            let ids: Vec<_> = claim.rows.iter().map(|row| row.id).collect();
            outbox.settle(&claim.lease, &ids).await.unwrap();
            ids
        };
        claim().await;
        let reserve = |id, name| {
            let request = Reserve::new(ReservationId::from_u128(id)).with_line(sku(name), 1);
            command(id, StockAction::Reserve(request))
        };
        let mut slow = connection.begin().await.unwrap();
        store.execute_stock_in(&mut slow, &engine, &[reserve(10, "CUP")]).await.unwrap();
        ports.inventory.execute(&engine, vec![reserve(11, "MUG")]).await.unwrap();
        let first = claim().await;
        slow.commit().await.unwrap();
        let second = claim().await;
        assert!(!first.is_empty() && !second.is_empty(), "{first:?} {second:?}");
        assert!(second.iter().max() < first.iter().min(), "{second:?} were to be below {first:?}");
        assert_eq!(outbox.stats().await.unwrap().pending, 0);
    }};
}

#[tokio::test]
async fn on_postgres_a_lower_id_that_comes_later_is_published() {
    if Kind::Postgres.skips() {
        return;
    }
    let place = Place::new(Kind::Postgres).await.unwrap();
    let options = stockpulse_sql::PgOptions::new(place.url()).unwrap().with_schema(place.name());
    let store = stockpulse_sql::PgStore::connect(options.with_contexts([Context::Inventory])).await.unwrap();
    let connect: sqlx::postgres::PgConnectOptions = place.url().parse().unwrap();
    let connect = connect.options([("search_path", place.name())]);
    overtaken!(&place, store, sqlx::PgConnection::connect_with(&connect).await.unwrap());
}

#[tokio::test]
async fn on_mysql_a_lower_id_that_comes_later_is_published() {
    if Kind::MySql.skips() {
        return;
    }
    let place = Place::new(Kind::MySql).await.unwrap();
    let options = stockpulse_sql::MySqlOptions::new(place.url()).unwrap().with_contexts([Context::Inventory]);
    let store = stockpulse_sql::MySqlStore::connect(options).await.unwrap();
    let mut connection = sqlx::MySqlConnection::connect(place.url()).await.unwrap();
    // In REPEATABLE READ, which is the default, a reservation that was looked for and not found locks out all new ones.
    let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    sqlx::raw_sql(isolation).execute(&mut connection).await.unwrap();
    overtaken!(&place, store, connection);
}
