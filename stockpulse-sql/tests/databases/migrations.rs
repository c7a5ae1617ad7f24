//! Tables that were not made whole.

use sqlx::Connection;
use stockpulse_sql::Context;

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
