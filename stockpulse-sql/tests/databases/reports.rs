//! The page about the tables: every table that it names is there, and its queries mean what it says.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Row};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Parts, Reserve, StockAction, StockCommand};
use stockpulse_core::model::{Command, CommandId, Quantity, ReservationId, Sku, StockKey, StockQuantity, Timestamp};
use stockpulse_sql::Context;

use crate::support::{Kind, Place};

const PAGE: &str = include_str!("../../../docs/reference/sql-tables.md");

/// The queries of the page.
fn queries() -> Vec<String> {
    let blocks = PAGE.split("```sql\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().trim().trim_end_matches(';').to_owned()).collect()
}

/// The tables of the page, in full.
fn tables() -> Vec<String> {
    let rows = PAGE.lines().filter(|line| line.starts_with('|') && line.contains('`'));
    let cells = rows.flat_map(|row| row.split('|').nth(2).unwrap_or_default().split('`').skip(1).step_by(2));
    let named: Vec<&str> = cells.filter(|name| !name.starts_with("_stockpulse")).collect();
    let each = |name: &&str| name.starts_with('…');
    let whole = named.iter().filter(|name| !each(name)).map(|name| (*name).to_owned());
    let contexts = ["stock", "order", "product", "customer", "notification"];
    let endings = named.iter().filter(|name| each(name)).map(|name| name.trim_start_matches('…'));
    let parts = endings.flat_map(|ending| contexts.map(|context| format!("{context}{ending}")));
    whole.chain(parts.filter(|name| name != "notification_command")).collect()
}

fn command(id: u128, action: StockAction) -> StockCommand {
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1_700_000_001), action)
}

fn history() -> Vec<StockCommand> {
    let mug = Sku::new("MUG").unwrap();
    let lines = [StockQuantity::new(StockKey::main(mug.clone()), Quantity::from(10_u32))].into();
    let reservation = ReservationId::from_u128(2);
    let request = Reserve::new(reservation).with_line(mug, 3).with_hold(Duration::from_secs(60));
    vec![
        command(1, StockAction::Receive { lines }),
        command(2, StockAction::Reserve(request)),
        command(3, StockAction::Allocate { reservation }),
        command(4, StockAction::Fulfil { reservation, parts: Parts::All }),
    ]
}

/// The same on each database: their connections have types of their own.
macro_rules! reports {
    ($place:expr, $connection:expr) => {{
        let ports = $place.connect(Context::ALL).await.unwrap();
        ports.inventory.execute(&Engine::new(), history()).await.unwrap();
        let mut connection = $connection;
        assert!(tables().len() > 20, "{:?}", tables());
        for table in tables() {
            let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap_or_else(|error| panic!("{table}: {error}"));
        }
        let mut answers = Vec::new();
        for query in queries() {
            answers.push(sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap());
        }
        let [sold, wrong] = &answers[..] else { panic!("the page has {} queries", answers.len()) };
        assert_eq!(sold.len(), 1);
        assert_eq!(sold[0].try_get_unchecked::<Vec<u8>, _>(0).unwrap(), b"MUG");
        assert!(wrong.is_empty());
        sqlx::raw_sql("UPDATE stock_level SET on_hand = 8").execute(&mut connection).await.unwrap();
        let wrong = sqlx::query(AssertSqlSafe(queries().remove(1))).fetch_all(&mut connection).await.unwrap();
        assert_eq!(wrong.len(), 1, "what was changed by hand is found");
    }};
}

#[tokio::test]
async fn on_postgres_the_page_is_right() {
    if Kind::Postgres.skips() {
        return;
    }
    let place = Place::new(Kind::Postgres).await.unwrap();
    let connect: sqlx::postgres::PgConnectOptions = place.url().parse().unwrap();
    let connect = connect.options([("search_path", place.name())]);
    reports!(place, sqlx::PgConnection::connect_with(&connect).await.unwrap());
}

#[tokio::test]
async fn on_mysql_the_page_is_right() {
    if Kind::MySql.skips() {
        return;
    }
    let place = Place::new(Kind::MySql).await.unwrap();
    reports!(place, sqlx::MySqlConnection::connect(place.url()).await.unwrap());
}

#[tokio::test]
async fn on_sqlite_the_page_is_right() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let connect = sqlx::sqlite::SqliteConnectOptions::new().filename(place.name());
    reports!(place, sqlx::SqliteConnection::connect_with(&connect).await.unwrap());
}
