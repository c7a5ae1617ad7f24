//! A connection to MySQL or MariaDB and what is done on it.
//!
//! What is written is collected as text and sent with the next query or with COMMIT, in one round trip.

use std::fmt::Write;

use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, MySqlConnection, Row};
use stockpulse_core::model::Timestamp;
use uuid::Uuid;

use super::failure;
use super::literal::{literal, tuple};
use crate::database::{Access, Held, Select, Session};
use crate::failure::{Class, Failure};
use crate::inventory::{AFTER, LEVEL, unchanged};
use crate::table::{Rows, Table};
use crate::text;
use crate::value::{Cells, Value};

/// Text that is sent at once, at most about so much; servers take 16 MiB unless told otherwise.
const SCRIPT_BYTES: usize = 4 << 20;

/// A connection with, unless it only reads, an open transaction.
#[derive(Debug)]
pub struct MySqlSession<C: Held = PoolConnection<sqlx::MySql>> {
    connection: C,
    /// Statements that were not sent yet.
    script: String,
    transaction: bool,
    open: bool,
}

type MySqlQuery<'q> = Query<'q, sqlx::MySql, MySqlArguments>;

impl Held for &mut MySqlConnection {
    type Connection = MySqlConnection;

    /// The application sees that its transaction failed, and ends it.
    fn abandon(&mut self) {}
}

impl<C: Held> Drop for MySqlSession<C> {
    fn drop(&mut self) {
        if self.open {
            self.connection.abandon();
        }
    }
}

impl MySqlSession {
    pub(super) fn begin(connection: PoolConnection<sqlx::MySql>, access: Access) -> Self {
        let begin = match access {
            Access::Read => "",
            Access::Snapshot => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"
            }
            Access::Write | Access::Relaxed => "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;BEGIN;",
        };
        Self { connection, script: begin.to_owned(), transaction: access != Access::Read, open: false }
    }
}

impl<C: Held<Connection = MySqlConnection>> MySqlSession<C> {
    /// Works within a transaction that somebody else began and ends.
    pub(super) fn join(connection: C) -> Self {
        Self { connection, script: String::new(), transaction: false, open: false }
    }

    /// Sends what was collected, and answers the rows of all of it.
    async fn send(&mut self) -> Result<Vec<MySqlRow>, Failure> {
        if self.script.is_empty() {
            return Ok(Vec::new());
        }
        self.open = self.transaction;
        let script = std::mem::take(&mut self.script);
        sqlx::raw_sql(AssertSqlSafe(script)).fetch_all(&mut *self.connection).await.map_err(failure)
    }

    /// Collects an insert of all rows, cut where it gets too long; `end` is what follows the values.
    async fn collect(&mut self, table: &Table, rows: &Rows, end: &str) -> Result<(), Failure> {
        let begin = format!("INSERT INTO {} ({}) VALUES ", table.name, table.names(""));
        let mut first = true;
        for row in rows.iter() {
            if !first && self.script.len() > SCRIPT_BYTES {
                let _ = write!(self.script, "{end};");
                self.send().await?;
                first = true;
            }
            self.script.push_str(if first { &begin } else { "," });
            first = false;
            tuple(&mut self.script, row);
        }
        if !first {
            let _ = write!(self.script, "{end};");
        }
        Ok(())
    }
}

impl<C: Held<Connection = MySqlConnection>> Session for MySqlSession<C> {
    type Row = MySqlRow;

    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const BIG_INTEGER: &'static str = "signed";

    async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<MySqlRow>, Failure> {
        self.send().await?;
        let query = bind(sqlx::query(AssertSqlSafe(sql.to_owned())), args);
        query.fetch_all(&mut *self.connection).await.map_err(failure)
    }

    async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        self.send().await?;
        let query = bind(sqlx::query(AssertSqlSafe(sql.to_owned())), args);
        Ok(query.execute(&mut *self.connection).await.map_err(failure)?.rows_affected())
    }

    async fn select(&mut self, select: Select, keys: &Rows) -> Result<Vec<MySqlRow>, Failure> {
        let Select { table, lock } = select;
        let columns = table.columns.get(..keys.width()).unwrap_or_default();
        let (names, order) = (table.names("t."), text::names(table.key_columns(), "t."));
        let lock = if lock { Self::FOR_UPDATE } else { "" };
        let mut found = Vec::new();
        for part in keys.chunks(4_096) {
            let (name, script) = (table.name, &mut self.script);
            if let [(column, _)] = columns {
                let _ = write!(script, "SELECT {names} FROM {name} t WHERE t.{column} IN ");
                tuple(script, part);
            } else {
                // A list of pairs is searched in an index by MySQL, but not by MariaDB; a join is by both.
                let _ = write!(script, "SELECT STRAIGHT_JOIN {names} FROM (");
                for (index, row) in part.chunks(keys.width()).enumerate() {
                    script.push_str(if index == 0 { "SELECT " } else { " UNION ALL SELECT " });
                    for (index, ((column, _), value)) in columns.iter().zip(row).enumerate() {
                        script.push_str(if index == 0 { "" } else { "," });
                        literal(script, value);
                        let _ = write!(script, " AS {column}");
                    }
                }
                let _ = write!(script, ") k JOIN {name} t ON {}", text::joined(columns));
            }
            let _ = write!(self.script, " ORDER BY {order}{lock};");
            found.extend(self.send().await?);
        }
        Ok(found)
    }

    async fn insert(&mut self, table: &'static Table, rows: Rows) -> Result<(), Failure> {
        self.collect(table, &rows, "").await
    }

    async fn upsert(&mut self, table: &'static Table, rows: Rows) -> Result<(), Failure> {
        let set: Vec<String> =
            table.other_columns().iter().map(|(name, _)| format!("{name} = VALUES({name})")).collect();
        self.collect(table, &rows, &format!(" ON DUPLICATE KEY UPDATE {}", set.join(", "))).await
    }

    async fn delete(&mut self, table: &'static Table, keys: &Rows) -> Result<(), Failure> {
        let columns = table.columns.get(..keys.width()).unwrap_or_default();
        for part in keys.chunks(1_024) {
            let script = &mut self.script;
            let _ = write!(script, "DELETE FROM {} WHERE ", table.name);
            for (index, row) in part.chunks(keys.width()).enumerate() {
                script.push_str(if index == 0 { "(" } else { " OR (" });
                for (index, ((column, _), value)) in columns.iter().zip(row).enumerate() {
                    let _ = write!(script, "{}{column} = ", if index == 0 { "" } else { " AND " });
                    literal(script, value);
                }
                script.push(')');
            }
            script.push(';');
        }
        Ok(())
    }

    async fn advance(&mut self, levels: &Rows, absent: &Rows) -> Result<(), Failure> {
        let columns: Vec<&str> = LEVEL.columns.iter().map(|(name, _)| *name).chain(AFTER).collect();
        let script = &mut self.script;
        script.push_str("UPDATE (");
        for (index, row) in levels.iter().enumerate() {
            script.push_str(if index == 0 { "SELECT " } else { " UNION ALL SELECT " });
            for (index, (column, value)) in columns.iter().zip(row).enumerate() {
                script.push_str(if index == 0 { "" } else { "," });
                literal(script, value);
                let _ = write!(script, " AS {column}");
            }
        }
        // A version of 0 is forbidden by a constraint of the table.
        let unchanged = unchanged();
        let _ = write!(
            script,
            ") d STRAIGHT_JOIN stock_level t ON t.sku = d.sku AND t.location = d.location \
             SET t.version = IF({unchanged}"
        );
        if !absent.is_empty() {
            script.push_str(" AND NOT EXISTS (SELECT 1 FROM stock_reservation r WHERE r.id IN ");
            tuple(script, absent.values());
            script.push(')');
        }
        // MySQL sets from left to right, and compares with what was set: the version first, as it compares the others.
        script.push_str(", d.new_version, 0), t.reserved = d.new_reserved, t.backordered = d.new_backordered;");
        Ok(())
    }

    async fn now(&mut self) -> Result<Timestamp, Failure> {
        let rows = self.query("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS signed)", &[]).await?;
        let now = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(Timestamp::from_micros(now))
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        self.send().await?;
        Ok(())
    }

    async fn commit(mut self) -> Result<(), Failure> {
        if !self.transaction {
            return Ok(());
        }
        if self.open || !self.script.is_empty() {
            self.script.push_str("COMMIT");
            if let Err(failure) = self.send().await {
                if failure.class != Class::Gone {
                    self.rollback().await;
                }
                return Err(failure);
            }
            self.open = false;
        }
        Ok(())
    }

    async fn rollback(mut self) {
        self.script = "ROLLBACK".to_owned();
        if self.open && self.send().await.is_ok() {
            self.open = false;
        }
    }
}

fn bind<'q>(mut query: MySqlQuery<'q>, args: &[Value]) -> MySqlQuery<'q> {
    for arg in args {
        query = match arg {
            Value::Null => query.bind(None::<i64>),
            Value::Int(int) => query.bind(*int),
            Value::Bool(bool) => query.bind(i64::from(*bool)),
            Value::Id(id) => query.bind(id.into_bytes().to_vec()),
            Value::Text(text) => query.bind(text.clone().into_bytes()),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
        };
    }
    query
}

impl Cells for MySqlRow {
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Failure> {
        self.try_get_unchecked(column).map_err(failure)
    }

    fn maybe_id(&self, column: usize) -> Result<Option<Uuid>, Failure> {
        let Some(bytes) = self.maybe_bytes(column)? else { return Ok(None) };
        let id = Uuid::from_slice(&bytes);
        id.map(Some).map_err(|_| Failure::corrupt(format!("column {column} holds no id")))
    }

    fn maybe_text(&self, column: usize) -> Result<Option<String>, Failure> {
        let Some(bytes) = self.maybe_bytes(column)? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| Failure::corrupt(format!("column {column} is no UTF-8")))
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Failure> {
        self.try_get_unchecked(column).map_err(failure)
    }
}
