//! The ceiling: the rows of reservations, inserted in bulk into the same tables. Nothing is decided, compared or
//! updated, and no level changes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, MySqlPool, PgPool, QueryBuilder, Sqlite, SqlitePool};
use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use uuid::Uuid;

use crate::load::{Measured, drive};
use crate::place::{Database, Place};

/// Rows of the outbox hold so many events.
const EVENTS_PER_PACK: usize = 1_024;

/// What rows have in common: taken from those that StockPulse itself wrote for a batch of the same size.
#[derive(Debug)]
struct Model {
    batch: usize,
    outcome: Vec<u8>,
    event_shards: Vec<u8>,
    /// The events of all packs.
    body: Vec<u8>,
    version: AtomicI64,
}

/// The rows of one batch.
#[derive(Debug)]
struct Batch {
    ids: Vec<Uuid>,
    commands: Vec<Uuid>,
    skus: Vec<String>,
    claims: Vec<String>,
    versions: Vec<i64>,
}

impl Model {
    fn next(&self, workload: &mut Workload) -> Batch {
        let count = self.batch;
        let ids = || (0..count).map(|_| RandomIds.next_id(SystemClock.now())).collect();
        let skus: Vec<String> = (0..count).map(|_| workload.sku().as_str().to_owned()).collect();
        let first = self.version.fetch_add(i64::try_from(count).expect("a batch"), Ordering::Relaxed);
        Batch {
            ids: ids(),
            commands: ids(),
            claims: skus.iter().map(|sku| format!(r#"[["{sku}","main",1,0,0,null]]"#)).collect(),
            skus,
            versions: (first..).take(count).collect(),
        }
    }

    /// The packs of its events: their shards and bodies.
    fn packs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let packs = self.event_shards.len().div_ceil(EVENTS_PER_PACK).max(1);
        let body = self.body.len().div_ceil(packs);
        self.event_shards.chunks(EVENTS_PER_PACK).zip(self.body.chunks(body))
    }
}

/// Where to insert.
#[derive(Clone)]
enum Pool {
    Postgres(PgPool),
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

/// Inserts batches of so many reservations, side by side on so many connections. The rate is of reservations.
pub(crate) async fn run(place: &Place, skus: Skus, batch: usize, connections: usize, time: Duration) -> Measured {
    let model = Arc::new(model(place, skus, batch).await);
    let most = u32::try_from(connections).expect("some connections");
    let pool = match place.database {
        Database::Postgres => Pool::Postgres(place.postgres(most).await),
        Database::MySql => Pool::MySql(place.mysql(most).await),
        Database::Sqlite => Pool::Sqlite(place.sqlite().await),
    };
    let writers = (1..=connections as u64).map(|seed| (Workload::new(skus, seed), pool.clone())).collect();
    let measured = drive(writers, time, move |(mut workload, pool)| {
        let model = Arc::clone(&model);
        async move {
            let rows = model.next(&mut workload);
            match &pool {
                Pool::Postgres(pool) => insert_postgres(pool, &model, rows).await,
                Pool::MySql(pool) => insert_mysql(pool, &model, &rows).await,
                Pool::Sqlite(pool) => insert_sqlite(pool, &model, &rows).await,
            }
            .expect("rows go in");
            (workload, pool)
        }
    })
    .await;
    #[expect(clippy::cast_precision_loss, reason = "a batch")]
    let per_second = measured.per_second * batch as f64;
    Measured { per_second, ..measured }
}

/// Lets StockPulse write a batch, and looks at its rows.
async fn model(place: &Place, skus: Skus, batch: usize) -> Model {
    let store = place.store().await;
    let engine = Engine::new();
    let mut workload = Workload::new(skus, 0);
    let receive = workload.receive();
    store.execute(&engine, vec![receive]).await.expect("goods come in");
    place.execute("DELETE FROM stock_outbox").await;
    store.execute(&engine, workload.batch(batch, 1)).await.expect("the store answers");
    let outcomes = place.bytes("SELECT outcome FROM stock_command ORDER BY id DESC LIMIT 1").await;
    Model {
        batch,
        outcome: outcomes.concat(),
        event_shards: place.bytes("SELECT event_shards FROM stock_outbox ORDER BY id").await.concat(),
        body: place.bytes("SELECT body FROM stock_outbox ORDER BY id").await.concat(),
        version: AtomicI64::new(1_000_000_000),
    }
}

/// One statement, of which each part inserts all rows of a table out of arrays.
async fn insert_postgres(pool: &PgPool, model: &Model, rows: Batch) -> Result<(), sqlx::Error> {
    const ALL: &str = "
        WITH reservations AS (
            INSERT INTO stock_reservation (id, state, version, created_at, expires_at, claims)
            SELECT UNNEST($1::uuid[]), 1, 1, $2, $2 + 900000000, UNNEST($3::text[])
        ), movements AS (
            INSERT INTO stock_movement (sku, location, version, kind, on_hand, reserved, backordered, command,
                reservation, moved_at)
            SELECT UNNEST($4::text[]), 'main', UNNEST($5::bigint[]), 6, 0, 1, 0, UNNEST($6::uuid[]), UNNEST($1::uuid[]), $2
        ), commands AS (
            INSERT INTO stock_command (id, fingerprint, outcome, decided_at)
            SELECT UNNEST($6::uuid[]), 1, $7, $2
        )
        INSERT INTO stock_outbox (first_at, shards, pending, event_shards, body)
        SELECT $2, 1, 1, UNNEST($8::bytea[]), UNNEST($9::bytea[])";
    let (shards, bodies): (Vec<&[u8]>, Vec<&[u8]>) = model.packs().unzip();
    sqlx::query(ALL)
        .bind(rows.ids)
        .bind(SystemClock.now().as_micros())
        .bind(rows.claims)
        .bind(rows.skus)
        .bind(rows.versions)
        .bind(rows.commands)
        .bind(model.outcome.as_slice())
        .bind(shards)
        .bind(bodies)
        .execute(pool)
        .await?;
    Ok(())
}

/// One text of inserts with all rows in each, and its transaction.
async fn insert_mysql(pool: &MySqlPool, model: &Model, rows: &Batch) -> Result<(), sqlx::Error> {
    let at = SystemClock.now().as_micros();
    let until = at + 900_000_000;
    let outcome = hex(&model.outcome);
    let mut script = String::from("BEGIN");
    let begin = |script: &mut String, index: usize, insert: &str| {
        script.push_str(if index == 0 { insert } else { "," });
    };
    for (index, (id, claims)) in rows.ids.iter().zip(&rows.claims).enumerate() {
        begin(
            &mut script,
            index,
            ";INSERT INTO stock_reservation (id, state, version, created_at, expires_at, claims) VALUES ",
        );
        let _ = write!(script, "(x'{}',1,1,{at},{until},_binary'{claims}')", id.simple());
    }
    for (index, sku) in rows.skus.iter().enumerate() {
        begin(
            &mut script,
            index,
            ";INSERT INTO stock_movement (sku, location, version, kind, on_hand, reserved, backordered, command, reservation, moved_at) VALUES ",
        );
        let (version, command, id) = (rows.versions[index], rows.commands[index].simple(), rows.ids[index].simple());
        let _ = write!(script, "('{sku}','main',{version},6,0,1,0,x'{command}',x'{id}',{at})");
    }
    for (index, command) in rows.commands.iter().enumerate() {
        begin(&mut script, index, ";INSERT INTO stock_command (id, fingerprint, outcome, decided_at) VALUES ");
        let _ = write!(script, "(x'{}',1,x'{outcome}',{at})", command.simple());
    }
    for (index, (shards, body)) in model.packs().enumerate() {
        begin(&mut script, index, ";INSERT INTO stock_outbox (first_at, shards, pending, event_shards, body) VALUES ");
        let _ = write!(script, "({at},1,1,x'{}',x'{}')", hex(shards), hex(body));
    }
    script.push_str(";COMMIT");
    sqlx::raw_sql(AssertSqlSafe(script)).execute(pool).await?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A transaction of prepared statements with all rows in each.
async fn insert_sqlite(pool: &SqlitePool, model: &Model, rows: &Batch) -> Result<(), sqlx::Error> {
    let at = SystemClock.now().as_micros();
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let indices: Vec<usize> = (0..rows.ids.len()).collect();
    for part in indices.chunks(256) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO stock_reservation (id, state, version, created_at, expires_at, claims) ",
        );
        insert.push_values(part, |mut row, index| {
            row.push_bind(rows.ids[*index].into_bytes().to_vec())
                .push("1, 1")
                .push_bind(at)
                .push_bind(at + 900_000_000);
            row.push_bind(rows.claims[*index].as_str());
        });
        insert.build().execute(&mut *transaction).await?;
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO stock_movement (sku, location, version, kind, on_hand, reserved, backordered, command,
                reservation, moved_at) ",
        );
        insert.push_values(part, |mut row, index| {
            row.push_bind(rows.skus[*index].as_str())
                .push("'main'")
                .push_bind(rows.versions[*index])
                .push("6, 0, 1, 0");
            row.push_bind(rows.commands[*index].into_bytes().to_vec());
            row.push_bind(rows.ids[*index].into_bytes().to_vec()).push_bind(at);
        });
        insert.build().execute(&mut *transaction).await?;
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT INTO stock_command (id, fingerprint, outcome, decided_at) ");
        insert.push_values(part, |mut row, index| {
            row.push_bind(rows.commands[*index].into_bytes().to_vec()).push("1").push_bind(model.outcome.as_slice());
            row.push_bind(at);
        });
        insert.build().execute(&mut *transaction).await?;
    }
    for (shards, body) in model.packs() {
        sqlx::query("INSERT INTO stock_outbox (first_at, shards, pending, event_shards, body) VALUES (?, 1, 1, ?, ?)")
            .bind(at)
            .bind(shards)
            .bind(body)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}
