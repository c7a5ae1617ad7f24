//! Servers that are not there, and tables that were not made whole.

use std::time::Duration;

use sqlx::Connection;
use stockpulse_core::ErrorKind;
use stockpulse_sql::{Context, MySqlOptions, MySqlStore, PgOptions, PgStore};

use crate::support::{Kind, Place};

/// MySQL commits each table by itself. A process that dies between two leaves some, and a note that it began.
#[tokio::test]
async fn what_an_interrupted_migration_left_is_completed_on_mysql() {
    if Kind::MySql.skips() {
        return;
    }
    let place = Place::new(Kind::MySql).await.unwrap();
    drop(place.connect(&[Context::Inventory]).await.unwrap());
    let mut connection = sqlx::MySqlConnection::connect(place.url()).await.unwrap();
    let interrupted = "DROP TABLE stock_command; DELETE FROM stock_outbox_lease WHERE shard > 3;
        UPDATE _stockpulse_inventory SET success = false";
    sqlx::raw_sql(interrupted).execute(&mut connection).await.unwrap();
    drop(place.connect(&[Context::Inventory]).await.unwrap());
    let commands: i64 =
        sqlx::query_scalar("SELECT count(*) FROM stock_command").fetch_one(&mut connection).await.unwrap();
    let shards: i64 =
        sqlx::query_scalar("SELECT count(*) FROM stock_outbox_lease").fetch_one(&mut connection).await.unwrap();
    assert_eq!((commands, shards), (0, 16));
    let applied = "SELECT success FROM _stockpulse_inventory";
    assert!(sqlx::query_scalar::<_, bool>(applied).fetch_one(&mut connection).await.unwrap());
}

/// Whoever reads the error has to know what to do.
#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_reason() {
    let url = |scheme: &str| format!("{scheme}://shop:secret@127.0.0.1:1/shop");
    let mut postgres = PgOptions::new(&url("postgres")).unwrap();
    let mut mysql = MySqlOptions::new(&url("mysql")).unwrap();
    (postgres.acquire_timeout, mysql.acquire_timeout) = (Duration::from_millis(50), Duration::from_millis(50));
    let errors = [PgStore::connect(postgres).await.unwrap_err(), MySqlStore::connect(mysql).await.unwrap_err()];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("refused"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}
