//! The usual way: one transaction for each order. It locks the SKU's row, looks whether there is enough, updates it,
//! inserts the reservation and a row for the outbox, and commits. It knows no duplicates, no ledger, no expiry worker.

use std::time::Duration;

use sqlx::{AssertSqlSafe, MySql, Pool, Postgres, Sqlite};
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use uuid::Uuid;

use crate::load::{Measured, drive};
use crate::place::{Database, Place};

/// Connections at most; more callers wait for one of them.
const CONNECTIONS: u32 = 64;

fn connections(callers: usize) -> u32 {
    u32::try_from(callers).map_or(CONNECTIONS, |callers| callers.min(CONNECTIONS))
}

fn new_id() -> Uuid {
    RandomIds.next_id(SystemClock.now())
}

/// What the service tells others about an order, about as long as StockPulse's own event.
fn event(id: Uuid, lines: &[String]) -> String {
    format!(
        r#"{{"specversion":"1.0","type":"stock.reserved","id":"{id}","source":"/inventory","data":{{"reservation":"{id}","lines":{lines:?},"expires_at":1700000000000}}}}"#
    )
}

fn lines(workload: &mut Workload, count: usize) -> Vec<String> {
    let mut lines: Vec<String> = (0..count).map(|_| workload.sku().as_str().to_owned()).collect();
    // Whoever locks in another order meets deadlocks.
    lines.sort_unstable();
    lines.dedup();
    lines
}

pub(crate) async fn run(place: &Place, skus: Skus, callers: usize, count: usize, time: Duration) -> Measured {
    let workloads: Vec<Workload> = (1..=callers as u64).map(|seed| Workload::new(skus, seed)).collect();
    let all: Vec<String> = workloads[0].skus().iter().map(|sku| format!("('{sku}', 1000000000000, 0)")).collect();
    let all = all.join(", ");
    match place.database {
        Database::Postgres => {
            let pool = place.postgres(connections(callers)).await;
            let sql = format!(
                "CREATE TABLE stock (sku text PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0),
                    reserved bigint NOT NULL) WITH (fillfactor = 50);
                 CREATE TABLE reservation (id uuid, sku text, quantity bigint NOT NULL, state smallint NOT NULL,
                    expires_at timestamptz NOT NULL, PRIMARY KEY (id, sku));
                 CREATE TABLE outbox (seq bigserial PRIMARY KEY, event_key uuid NOT NULL, payload text NOT NULL);
                 INSERT INTO stock VALUES {all}"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.expect("tables");
            drive(with(workloads, pool), time, move |(mut workload, pool)| async move {
                let lines = lines(&mut workload, count);
                while let Err(error) = postgres(&pool, &lines).await {
                    assert!(matches!(error, sqlx::Error::Database(_)), "{error}");
                }
                (workload, pool)
            })
            .await
        }
        Database::MySql => {
            let pool = place.mysql(connections(callers)).await;
            let sql = format!(
                "CREATE TABLE stock (sku varchar(255) PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0),
                    reserved bigint NOT NULL);
                 CREATE TABLE reservation (id binary(16), sku varchar(255), quantity bigint NOT NULL,
                    state smallint NOT NULL, expires_at datetime(3) NOT NULL, PRIMARY KEY (id, sku));
                 CREATE TABLE outbox (seq bigint AUTO_INCREMENT PRIMARY KEY, event_key binary(16) NOT NULL,
                    payload mediumtext NOT NULL);
                 INSERT INTO stock VALUES {all}"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.expect("tables");
            drive(with(workloads, pool), time, move |(mut workload, pool)| async move {
                let lines = lines(&mut workload, count);
                while let Err(error) = mysql(&pool, &lines).await {
                    assert!(matches!(error, sqlx::Error::Database(_)), "{error}");
                }
                (workload, pool)
            })
            .await
        }
        Database::Sqlite => {
            let pool = place.sqlite().await;
            let sql = format!(
                "CREATE TABLE stock (sku text PRIMARY KEY, available integer NOT NULL CHECK (available >= 0),
                    reserved integer NOT NULL);
                 CREATE TABLE reservation (id blob, sku text, quantity integer NOT NULL, state integer NOT NULL,
                    expires_at integer NOT NULL, PRIMARY KEY (id, sku)) WITHOUT ROWID;
                 CREATE TABLE outbox (seq integer PRIMARY KEY, event_key blob NOT NULL, payload text NOT NULL);
                 INSERT INTO stock VALUES {all}"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.expect("tables");
            drive(with(workloads, pool), time, move |(mut workload, pool)| async move {
                let lines = lines(&mut workload, count);
                sqlite(&pool, &lines).await.expect("nobody else writes");
                (workload, pool)
            })
            .await
        }
    }
}

fn with<T: Clone>(workloads: Vec<Workload>, shared: T) -> Vec<(Workload, T)> {
    workloads.into_iter().map(|workload| (workload, shared.clone())).collect()
}

async fn postgres(pool: &Pool<Postgres>, lines: &[String]) -> Result<(), sqlx::Error> {
    let id = new_id();
    let mut order = pool.begin().await?;
    for sku in lines {
        let lock = sqlx::query_scalar::<_, i64>("SELECT available FROM stock WHERE sku = $1 FOR UPDATE");
        let available = lock.bind(sku).fetch_one(&mut *order).await?;
        assert!(available > 0);
        sqlx::query("UPDATE stock SET available = available - 1, reserved = reserved + 1 WHERE sku = $1")
            .bind(sku)
            .execute(&mut *order)
            .await?;
        sqlx::query("INSERT INTO reservation VALUES ($1, $2, 1, 0, now() + interval '15 min')")
            .bind(id)
            .bind(sku)
            .execute(&mut *order)
            .await?;
    }
    sqlx::query("INSERT INTO outbox (event_key, payload) VALUES ($1, $2)")
        .bind(id)
        .bind(event(id, lines))
        .execute(&mut *order)
        .await?;
    order.commit().await
}

async fn mysql(pool: &Pool<MySql>, lines: &[String]) -> Result<(), sqlx::Error> {
    let id = new_id();
    let mut order = pool.begin().await?;
    for sku in lines {
        let lock = sqlx::query_scalar::<_, i64>("SELECT available FROM stock WHERE sku = ? FOR UPDATE");
        let available = lock.bind(sku).fetch_one(&mut *order).await?;
        assert!(available > 0);
        sqlx::query("UPDATE stock SET available = available - 1, reserved = reserved + 1 WHERE sku = ?")
            .bind(sku)
            .execute(&mut *order)
            .await?;
        sqlx::query("INSERT INTO reservation VALUES (?, ?, 1, 0, now(3) + interval 15 minute)")
            .bind(id.as_bytes().as_slice())
            .bind(sku)
            .execute(&mut *order)
            .await?;
    }
    sqlx::query("INSERT INTO outbox (event_key, payload) VALUES (?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(event(id, lines))
        .execute(&mut *order)
        .await?;
    order.commit().await
}

async fn sqlite(pool: &Pool<Sqlite>, lines: &[String]) -> Result<(), sqlx::Error> {
    let id = new_id();
    let mut order = pool.begin_with("BEGIN IMMEDIATE").await?;
    for sku in lines {
        let lock = sqlx::query_scalar::<_, i64>("SELECT available FROM stock WHERE sku = ?");
        let available = lock.bind(sku).fetch_one(&mut *order).await?;
        assert!(available > 0);
        sqlx::query("UPDATE stock SET available = available - 1, reserved = reserved + 1 WHERE sku = ?")
            .bind(sku)
            .execute(&mut *order)
            .await?;
        sqlx::query("INSERT INTO reservation VALUES (?, ?, 1, 0, 1700000000000)")
            .bind(id.as_bytes().as_slice())
            .bind(sku)
            .execute(&mut *order)
            .await?;
    }
    sqlx::query("INSERT INTO outbox (event_key, payload) VALUES (?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(event(id, lines))
        .execute(&mut *order)
        .await?;
    order.commit().await
}
