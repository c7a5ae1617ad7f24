//! A connection to SQLite and what is done on it.

use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::Clock;
use stockpulse_core::{Error, ErrorKind, SystemClock};
use uuid::Uuid;

use super::{failure, statement};
use crate::database::{Access, Held, Select, Session};
use crate::failure::Failure;
use crate::table::{Rows, Table};
use crate::text;
use crate::value::{Cells, Value};

/// Rows of one statement at most; further statements take powers of two, so that few texts are prepared.
const ROWS: usize = 256;

/// A connection with, unless it only reads, an open transaction.
#[derive(Debug)]
pub struct SqliteSession<C: Held = PoolConnection<sqlx::Sqlite>> {
    connection: C,
    open: bool,
}

type SqliteQuery<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

impl Held for &mut SqliteConnection {
    type Connection = SqliteConnection;

    /// The application sees that its transaction failed, and ends it.
    fn abandon(&mut self) {}
}

impl<C: Held> Drop for SqliteSession<C> {
    fn drop(&mut self) {
        if self.open {
            self.connection.abandon();
        }
    }
}

impl SqliteSession {
    pub(super) async fn begin(connection: PoolConnection<sqlx::Sqlite>, access: Access) -> Result<Self, Failure> {
        let begin = match access {
            Access::Read => return Ok(Self { connection, open: false }),
            Access::Snapshot => "BEGIN",
            Access::Write | Access::Relaxed => "BEGIN IMMEDIATE",
        };
        let mut session = Self { connection, open: true };
        session.run(begin).await?;
        Ok(session)
    }
}

impl<C: Held<Connection = SqliteConnection>> SqliteSession<C> {
    /// Works within a transaction that somebody else began and ends.
    pub(super) fn join(connection: C) -> Self {
        Self { connection, open: false }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), Failure> {
        sqlx::query(sql).execute(&mut *self.connection).await.map_err(failure)?;
        Ok(())
    }

    /// Runs a statement over all rows, in parts. `sql` makes it for so many.
    async fn write(&mut self, rows: &Rows, sql: impl Fn(usize) -> String) -> Result<(), Failure> {
        for part in statement::parts(rows, ROWS) {
            let sql = sql(part.len() / rows.width());
            bind(sqlx::query(AssertSqlSafe(sql)), part).execute(&mut *self.connection).await.map_err(failure)?;
        }
        Ok(())
    }
}

impl<C: Held<Connection = SqliteConnection>> Session for SqliteSession<C> {
    type Row = SqliteRow;

    const FOR_UPDATE: &'static str = "";
    const BIG_INTEGER: &'static str = "integer";

    async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<SqliteRow>, Failure> {
        let query = bind(sqlx::query(AssertSqlSafe(sql.to_owned())), args);
        query.fetch_all(&mut *self.connection).await.map_err(failure)
    }

    async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        let query = bind(sqlx::query(AssertSqlSafe(sql.to_owned())), args);
        Ok(query.execute(&mut *self.connection).await.map_err(failure)?.rows_affected())
    }

    async fn select(&mut self, select: Select, keys: &Rows) -> Result<Vec<SqliteRow>, Failure> {
        let table = select.table;
        let columns = table.columns.get(..keys.width()).unwrap_or_default();
        let (key, on) = (text::names(columns, ""), text::joined(columns));
        let (names, order) = (table.names("t."), text::names(table.key_columns(), "t."));
        let mut found = Vec::new();
        for part in statement::parts(keys, ROWS) {
            let values = statement::tuples(keys.width(), part.len() / keys.width());
            // The cross join says which is read first: the keys.
            let sql = format!(
                "WITH k({key}) AS (VALUES {values}) SELECT {names} FROM k CROSS JOIN {} t ON {on} ORDER BY {order}",
                table.name
            );
            let query = bind(sqlx::query(AssertSqlSafe(sql)), part);
            found.extend(query.fetch_all(&mut *self.connection).await.map_err(failure)?);
        }
        Ok(found)
    }

    async fn insert(&mut self, table: &'static Table, rows: Rows) -> Result<(), Failure> {
        self.write(&rows, |count| statement::insert(table, count)).await
    }

    async fn upsert(&mut self, table: &'static Table, rows: Rows) -> Result<(), Failure> {
        let key = text::names(table.key_columns(), "");
        let set: Vec<String> =
            table.other_columns().iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
        let set = set.join(", ");
        self.write(&rows, |count| {
            format!("{} ON CONFLICT ({key}) DO UPDATE SET {set}", statement::insert(table, count))
        })
        .await
    }

    async fn delete(&mut self, table: &'static Table, keys: &Rows) -> Result<(), Failure> {
        let columns = table.columns.get(..keys.width()).unwrap_or_default();
        let key = text::names(columns, "");
        self.write(keys, |count| {
            let values = statement::tuples(keys.width(), count);
            format!("DELETE FROM {} WHERE ({key}) IN (VALUES {values})", table.name)
        })
        .await
    }

    async fn advance(&mut self, levels: &Rows, absent: &Rows) -> Result<(), Failure> {
        for part in statement::parts(absent, ROWS) {
            let sql = format!(
                "SELECT 1 FROM stock_reservation WHERE id IN (VALUES {}) LIMIT 1",
                statement::tuples(1, part.len())
            );
            if !self.query(&sql, part).await?.is_empty() {
                return Err(Error::new(ErrorKind::Contention, "a reservation is there by now").into());
            }
        }
        self.write(levels, statement::advance).await
    }

    /// SQLite has no clock of its own: that of this machine.
    async fn now(&mut self) -> Result<Timestamp, Failure> {
        Ok(SystemClock.now())
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

pub(super) fn bind<'q>(mut query: SqliteQuery<'q>, args: &[Value]) -> SqliteQuery<'q> {
    for arg in args {
        query = match arg {
            Value::Null => query.bind(None::<i64>),
            Value::Int(int) => query.bind(*int),
            Value::Bool(bool) => query.bind(i64::from(*bool)),
            Value::Id(id) => query.bind(id.into_bytes().to_vec()),
            Value::Text(text) => query.bind(text.clone()),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
        };
    }
    query
}

impl Cells for SqliteRow {
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Failure> {
        self.try_get_unchecked(column).map_err(failure)
    }

    fn maybe_id(&self, column: usize) -> Result<Option<Uuid>, Failure> {
        let Some(bytes) = self.maybe_bytes(column)? else { return Ok(None) };
        let id = Uuid::from_slice(&bytes);
        id.map(Some).map_err(|_| Failure::corrupt(format!("column {column} holds no id")))
    }

    fn maybe_text(&self, column: usize) -> Result<Option<String>, Failure> {
        self.try_get_unchecked(column).map_err(failure)
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Failure> {
        self.try_get_unchecked(column).map_err(failure)
    }
}
