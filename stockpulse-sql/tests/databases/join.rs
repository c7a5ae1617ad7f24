//! Deciding within a transaction of the application's own: both are committed, or neither.

use std::num::NonZeroUsize;
use std::time::Duration;

use sqlx::Connection;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Reserve, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{Command, CommandId, ReservationId, Sku, StockKey, StockQuantity, Timestamp};
use stockpulse_core::port::{InventoryStore, Outbox};
use stockpulse_sql::{MySqlOptions, MySqlStore, PgOptions, PgStore, SqliteOptions, SqliteStore, Synchronous};

use crate::support::{Kind, Place};

fn command(id: u128, action: StockAction) -> StockCommand {
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), action)
}

fn mug() -> StockKey {
    StockKey::main(Sku::new("MUG").unwrap())
}

fn receive(units: u32) -> StockCommand {
    command(1, StockAction::Receive { lines: [StockQuantity::new(mug(), units.into())].into() })
}

fn reserve(id: u128, units: u32) -> StockCommand {
    let request = Reserve::new(ReservationId::from_u128(id)).with_line(mug().sku, units);
    command(id, StockAction::Reserve(request.with_hold(Duration::from_secs(60))))
}

async fn reserved(store: &impl InventoryStore) -> i64 {
    let level = store.levels(&[mug()]).await.unwrap().remove(0);
    level.unwrap().reserved.get()
}

async fn waiting(outbox: &impl Outbox) -> usize {
    let claim = outbox.claim("relay", Duration::from_millis(1), NonZeroUsize::new(100).unwrap()).await;
    claim.unwrap().rows.len()
}

/// The same history on each database: their connections have types of their own.
macro_rules! join {
    ($store:expr, $connection:expr, $count:ident) => {{
        let (store, mut connection, engine) = ($store, $connection, Engine::new());
        store.execute(&engine, vec![receive(5)]).await.unwrap();
        // So that the store remembers the level, and has to notice that somebody else changed it.
        store.execute(&engine, vec![reserve(10, 1)]).await.unwrap();
        let events = waiting(&store.inventory_outbox()).await;
        sqlx::raw_sql("CREATE TABLE cart (name varchar(20))").execute(&mut connection).await.unwrap();

        let mut undone = connection.begin().await.unwrap();
        sqlx::raw_sql("INSERT INTO cart VALUES ('undone')").execute(&mut *undone).await.unwrap();
        let outcomes = store.execute_stock_in(&mut undone, &engine, &[reserve(11, 2)]).await.unwrap();
        assert!(matches!(outcomes[..], [StockOutcome::Reserved(_)]), "{outcomes:?}");
        undone.rollback().await.unwrap();
        assert_eq!(reserved(&store).await, 1);
        assert_eq!(waiting(&store.inventory_outbox()).await, events);

        let mut kept = connection.begin().await.unwrap();
        sqlx::raw_sql("INSERT INTO cart VALUES ('kept')").execute(&mut *kept).await.unwrap();
        let outcomes = store.execute_stock_in(&mut kept, &engine, &[reserve(12, 3), reserve(13, 2)]).await.unwrap();
        assert!(matches!(outcomes[..], [StockOutcome::Reserved(_), StockOutcome::Refused(_)]), "{outcomes:?}");
        kept.commit().await.unwrap();
        assert_eq!(reserved(&store).await, 4);
        assert!(waiting(&store.inventory_outbox()).await > events);
        let carts: i64 = $count("SELECT COUNT(*) FROM cart").fetch_one(&mut connection).await.unwrap();
        assert_eq!(carts, 1);

        // The store goes on with what the application's transaction left, and with its answers.
        let outcomes = store.execute(&engine, vec![reserve(14, 2), reserve(12, 3)]).await.unwrap();
        assert!(matches!(outcomes[..], [StockOutcome::Refused(_), StockOutcome::Reserved(_)]), "{outcomes:?}");
        assert_eq!(reserved(&store).await, 4);
        connection.close().await.unwrap();
    }};
}

fn postgres_count(
    sql: &'static str,
) -> sqlx::query::QueryScalar<'static, sqlx::Postgres, i64, sqlx::postgres::PgArguments> {
    sqlx::query_scalar(sql)
}

fn mysql_count(sql: &'static str) -> sqlx::query::QueryScalar<'static, sqlx::MySql, i64, sqlx::mysql::MySqlArguments> {
    sqlx::query_scalar(sql)
}

fn sqlite_count(
    sql: &'static str,
) -> sqlx::query::QueryScalar<'static, sqlx::Sqlite, i64, sqlx::sqlite::SqliteArguments> {
    sqlx::query_scalar(sql)
}

#[tokio::test]
async fn on_postgres_both_are_committed_or_neither() {
    if Kind::Postgres.skips() {
        return;
    }
    let place = Place::new(Kind::Postgres).await.unwrap();
    let options = PgOptions::new(place.url()).unwrap().with_schema(place.name());
    let store = PgStore::connect(options).await.unwrap();
    let connect: sqlx::postgres::PgConnectOptions = place.url().parse().unwrap();
    let connect = connect.options([("search_path", place.name())]);
    join!(store, sqlx::PgConnection::connect_with(&connect).await.unwrap(), postgres_count);
}

#[tokio::test]
async fn on_mysql_both_are_committed_or_neither() {
    if Kind::MySql.skips() {
        return;
    }
    let place = Place::new(Kind::MySql).await.unwrap();
    let store = MySqlStore::connect(MySqlOptions::new(place.url()).unwrap()).await.unwrap();
    join!(store, sqlx::MySqlConnection::connect(place.url()).await.unwrap(), mysql_count);
}

#[tokio::test]
async fn on_sqlite_both_are_committed_or_neither() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let options = SqliteOptions::new(place.name()).with_synchronous(Synchronous::Normal);
    let store = SqliteStore::open_with(options).await.unwrap();
    let connect = sqlx::sqlite::SqliteConnectOptions::new().filename(place.name());
    join!(store, sqlx::SqliteConnection::connect_with(&connect).await.unwrap(), sqlite_count);
}
