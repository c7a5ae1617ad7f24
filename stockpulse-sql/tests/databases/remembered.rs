//! What a store remembers is not what it relies on: others may have changed it.

use sqlx::Connection;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Reserve, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{Command, CommandId, Quantity, ReservationId, Sku, StockKey, StockQuantity, Timestamp};
use stockpulse_sql::Context;

use crate::support::{Kind, Place};

fn command(id: u128, action: StockAction) -> StockCommand {
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), action)
}

fn mug() -> Sku {
    Sku::new("MUG").unwrap()
}

fn reserve(id: u128, units: u32) -> StockCommand {
    command(id, StockAction::Reserve(Reserve::new(ReservationId::from_u128(id)).with_line(mug(), units)))
}

/// The same on each database: their connections have types of their own.
macro_rules! remembered {
    ($place:expr, $connection:expr) => {{
        let (one, other) = ($place.connect(&[Context::Inventory]).await.unwrap(), $place.connect(&[]).await.unwrap());
        let mut connection = $connection;
        let engine = Engine::new();
        let lines = [StockQuantity::new(StockKey::main(mug()), Quantity::from(10_u32))].into();
        one.inventory.execute(&engine, vec![command(1, StockAction::Receive { lines })]).await.unwrap();
        let mut granted = 0;
        // By turns, so that what each remembers was changed by the other.
        for id in 10..30 {
            let store = if id % 2 == 0 { &one } else { &other };
            let outcomes = store.inventory.execute(&engine, vec![reserve(id, 1), reserve(id + 100, 20)]).await.unwrap();
            granted += u32::from(matches!(outcomes[0], StockOutcome::Reserved(_)));
            assert!(matches!(outcomes[1], StockOutcome::Refused(_)), "{outcomes:?}");
        }
        assert_eq!(granted, 10);

        // Somebody corrects a level by hand, and tells no version of it.
        for (id, set, fits) in [(40, "on_hand = 12", true), (41, "safety_stock = 1", false)] {
            let sql = sqlx::AssertSqlSafe(format!("UPDATE stock_level SET {set}"));
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            let outcomes = one.inventory.execute(&engine, vec![reserve(id, 1)]).await.unwrap();
            assert_eq!(matches!(outcomes[0], StockOutcome::Reserved(_)), fits, "{set}: {outcomes:?}");
        }
        let level = one.inventory.levels(&[StockKey::main(mug())]).await.unwrap().remove(0).unwrap();
        assert_eq!((level.on_hand.get(), level.reserved.get(), level.safety_stock.get()), (12, 11, 1));
    }};
}

#[tokio::test]
async fn on_postgres_what_others_changed_is_noticed() {
    if Kind::Postgres.skips() {
        return;
    }
    let place = Place::new(Kind::Postgres).await.unwrap();
    let connect: sqlx::postgres::PgConnectOptions = place.url().parse().unwrap();
    let connect = connect.options([("search_path", place.name())]);
    remembered!(place, sqlx::PgConnection::connect_with(&connect).await.unwrap());
}

#[tokio::test]
async fn on_mysql_what_others_changed_is_noticed() {
    if Kind::MySql.skips() {
        return;
    }
    let place = Place::new(Kind::MySql).await.unwrap();
    remembered!(place, sqlx::MySqlConnection::connect(place.url()).await.unwrap());
}

#[tokio::test]
async fn on_sqlite_what_others_changed_is_noticed() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let connect = sqlx::sqlite::SqliteConnectOptions::new().filename(place.name());
    remembered!(place, sqlx::SqliteConnection::connect_with(&connect).await.unwrap());
}
