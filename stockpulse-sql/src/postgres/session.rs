//! A connection to PostgreSQL and what is done on it.

use std::fmt::Write;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row, TypeInfo, ValueRef};
use stockpulse_core::model::Timestamp;
use uuid::Uuid;

use super::columns::{PgQuery, arrays, bind_columns, insert, names, names_of, without_nul};
use super::{at_once, failure};
use crate::database::{Access, Held, Select, Session};
use crate::failure::Failure;
use crate::table::{Kind, Rows, Table};
use crate::value::{Cells, Value};

/// A connection with, unless it only reads, an open transaction.
#[derive(Debug)]
pub struct PgSession<C: Held = PoolConnection<sqlx::Postgres>> {
    connection: C,
    open: bool,
}

impl Held for &mut PgConnection {
    type Connection = PgConnection;

    /// The application sees that its transaction failed, and ends it.
    fn abandon(&mut self) {}
}

impl<C: Held> Drop for PgSession<C> {
    fn drop(&mut self) {
        if self.open {
            self.connection.abandon();
        }
    }
}

impl PgSession {
    pub(super) async fn begin(connection: PoolConnection<sqlx::Postgres>, access: Access) -> Result<Self, Failure> {
        let begin = match access {
            Access::Read => return Ok(Self { connection, open: false }),
            Access::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Access::Relaxed => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off",
        };
        let mut session = Self { connection, open: true };
        session.run(begin).await?;
        Ok(session)
    }
}

impl<C: Held<Connection = PgConnection>> PgSession<C> {
    /// Works within a transaction that somebody else began and ends.
    pub(super) fn join(connection: C) -> Self {
        Self { connection, open: false }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), Failure> {
        sqlx::raw_sql(sql).execute(&mut *self.connection).await.map_err(failure)?;
        Ok(())
    }

    async fn write(&mut self, sql: String, rows: &Rows, columns: &[(&str, Kind)]) -> Result<(), Failure> {
        let query = bind_columns(sqlx::query(AssertSqlSafe(sql)), rows, columns);
        query.execute(&mut *self.connection).await.map_err(failure)?;
        Ok(())
    }
}

impl<C: Held<Connection = PgConnection>> Session for PgSession<C> {
    type Row = PgRow;

    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const BIG_INTEGER: &'static str = "bigint";

    async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<PgRow>, Failure> {
        let query = bind(sqlx::query(AssertSqlSafe(numbered(sql))), args);
        query.fetch_all(&mut *self.connection).await.map_err(failure)
    }

    async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        let query = bind(sqlx::query(AssertSqlSafe(numbered(sql))), args);
        let done = query.execute(&mut *self.connection).await.map_err(failure)?;
        Ok(done.rows_affected())
    }

    async fn select(&mut self, select: Select, keys: &Rows) -> Result<Vec<PgRow>, Failure> {
        let Select { table, lock } = select;
        let columns = table.columns.get(..keys.width()).unwrap_or_default();
        let (names, arrays, order) = (table.names("t."), arrays(columns, 1), names(table.key_columns(), "t."));
        let key = names_of(columns);
        let joined: Vec<String> = columns.iter().map(|(name, _)| format!("t.{name} = k.{name}")).collect();
        let lock = if lock { " FOR UPDATE OF t" } else { "" };
        let sql = format!(
            "SELECT {names} FROM UNNEST({arrays}) AS k({key}) JOIN {} t ON {} ORDER BY {order}{lock}",
            table.name,
            joined.join(" AND ")
        );
        let query = bind_columns(sqlx::query(AssertSqlSafe(sql)), keys, columns);
        query.fetch_all(&mut *self.connection).await.map_err(failure)
    }

    async fn insert(&mut self, table: &'static Table, rows: Rows) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        self.write(insert(table, 1), &rows, table.columns).await
    }

    async fn upsert(&mut self, table: &'static Table, rows: Rows) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let set: Vec<String> =
            table.other_columns().iter().map(|(name, _)| format!("{name} = EXCLUDED.{name}")).collect();
        let key = names_of(table.key_columns());
        let sql = format!("{} ON CONFLICT ({key}) DO UPDATE SET {}", insert(table, 1), set.join(", "));
        self.write(sql, &rows, table.columns).await
    }

    async fn delete(&mut self, table: &'static Table, keys: &Rows) -> Result<(), Failure> {
        if keys.is_empty() {
            return Ok(());
        }
        let columns = table.columns.get(..keys.width()).unwrap_or_default();
        let joined: Vec<String> = columns.iter().map(|(name, _)| format!("t.{name} = k.{name}")).collect();
        let (arrays, key) = (arrays(columns, 1), names_of(columns));
        let sql =
            format!("DELETE FROM {} t USING UNNEST({arrays}) AS k({key}) WHERE {}", table.name, joined.join(" AND "));
        self.write(sql, keys, columns).await
    }

    async fn advance(&mut self, levels: &Rows, absent: &Rows) -> Result<(), Failure> {
        at_once::advance(&mut self.connection, levels, absent).await
    }

    async fn now(&mut self) -> Result<Timestamp, Failure> {
        let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)";
        let rows = self.query(sql, &[]).await?;
        let now = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(Timestamp::from_micros(now))
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn commit(mut self) -> Result<(), Failure> {
        if self.open {
            self.run("COMMIT").await?;
            self.open = false;
        }
        Ok(())
    }

    async fn rollback(mut self) {
        if self.open && self.run("ROLLBACK").await.is_ok() {
            self.open = false;
        }
    }
}

fn bind<'q>(mut query: PgQuery<'q>, args: &'q [Value]) -> PgQuery<'q> {
    for arg in args {
        query = match arg {
            Value::Null => query.bind(None::<i64>),
            Value::Int(int) => query.bind(*int),
            Value::Bool(bool) => query.bind(*bool),
            Value::Id(id) => query.bind(*id),
            Value::Text(text) => query.bind(without_nul(text)),
            Value::Bytes(bytes) => query.bind(bytes.as_slice()),
        };
    }
    query
}

/// `?` as PostgreSQL writes it.
fn numbered(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len() + 16);
    let mut number = 0;
    for char in sql.chars() {
        if char == '?' {
            number += 1;
            let _ = write!(numbered, "${number}");
        } else {
            numbered.push(char);
        }
    }
    numbered
}

impl Cells for PgRow {
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Failure> {
        let raw = self.try_get_raw(column).map_err(failure)?;
        let (null, kind) = (raw.is_null(), raw.type_info().name().to_owned());
        if null {
            return Ok(None);
        }
        let int = match kind.as_str() {
            "INT2" => self.try_get::<i16, _>(column).map(i64::from),
            "INT4" => self.try_get::<i32, _>(column).map(i64::from),
            "BOOL" => self.try_get::<bool, _>(column).map(i64::from),
            _ => self.try_get(column),
        };
        int.map(Some).map_err(failure)
    }

    fn maybe_id(&self, column: usize) -> Result<Option<Uuid>, Failure> {
        self.try_get(column).map_err(failure)
    }

    fn maybe_text(&self, column: usize) -> Result<Option<String>, Failure> {
        self.try_get(column).map_err(failure)
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Failure> {
        self.try_get(column).map_err(failure)
    }
}
