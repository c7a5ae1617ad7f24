//! What a database has to be able to do: the few set-based operations that all stores are made of.

use std::fmt::Debug;
use std::future::Future;
use std::ops::DerefMut;

use sqlx::pool::PoolConnection;

use stockpulse_core::model::Timestamp;

use crate::failure::Failure;
use crate::inventory::AtOnce;
use crate::table::{Rows, Table};
use crate::value::{Cells, Value};

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Statements that need no transaction: each is one.
    Read,
    /// Several that read one and the same state.
    Snapshot,
    /// Reading under lock, and writing.
    Write,
    /// The same, of what is done again if the server forgets it in a crash. Nothing waits for the disk where the database
    /// can do without: on PostgreSQL.
    Relaxed,
}

/// Rows to be read by their keys.
#[derive(Clone, Copy, Debug)]
pub struct Select {
    pub table: &'static Table,
    /// Whether the rows are locked, in the order of their keys.
    pub lock: bool,
}

/// A database, as a pool of connections to it.
pub trait Database: Clone + Debug + Send + Sync + 'static {
    type Session: Session + 'static;

    /// Takes a connection and begins.
    fn begin(&self, access: Access) -> impl Future<Output = Result<Self::Session, Failure>> + Send;

    /// Writes reservations in one round trip, if the levels have the versions that they must have and nothing of it is
    /// there yet; otherwise it fails, and nothing is written.
    fn write_at_once(&self, written: AtOnce) -> impl Future<Output = Result<(), Failure>> + Send {
        written.in_transaction(self)
    }
}

/// A connection with, unless it only reads, an open transaction. Dropped without [`Session::commit`] or
/// [`Session::rollback`] it is closed and not used again.
///
/// Statements are written in the SQL that all three have in common, with `?` for what is bound.
pub trait Session: Send {
    type Row: Cells;

    /// What a query ends with that locks what it reads.
    const FOR_UPDATE: &'static str;

    /// What a cast to a 64-bit integer names.
    const BIG_INTEGER: &'static str;

    /// Answers a query.
    fn query(&mut self, sql: &str, args: &[Value]) -> impl Future<Output = Result<Vec<Self::Row>, Failure>> + Send;

    /// Runs a statement and answers how many rows it changed.
    fn execute(&mut self, sql: &str, args: &[Value]) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Reads the rows with these keys, which are sorted: all columns of the table, in the order of its description.
    /// `keys` may have fewer columns than the table's key; then they are the beginning of it.
    fn select(&mut self, select: Select, keys: &Rows) -> impl Future<Output = Result<Vec<Self::Row>, Failure>> + Send;

    /// Writes new rows. One that exists already is [`Class::Lost`](crate::failure::Class::Lost).
    fn insert(&mut self, table: &'static Table, rows: Rows) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Writes rows, new or not: of those that exist all columns but the key are replaced.
    fn upsert(&mut self, table: &'static Table, rows: Rows) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes the rows with these keys.
    fn delete(&mut self, table: &'static Table, keys: &Rows) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Gives levels new counters and versions. If one is not as it must be, or one of the reservations `absent` is there, it
    /// fails.
    fn advance(&mut self, levels: &Rows, absent: &Rows) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The database's own time.
    fn now(&mut self) -> impl Future<Output = Result<Timestamp, Failure>> + Send;

    /// Sends what was not sent yet; without it nothing is written in a transaction that somebody else commits.
    fn flush(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    fn commit(self) -> impl Future<Output = Result<(), Failure>> + Send;

    fn rollback(self) -> impl Future<Output = ()> + Send;
}

/// The connection that a session works on: one of a pool, or the application's own.
pub trait Held: DerefMut<Target = Self::Connection> + Debug + Send {
    type Connection;

    /// A transaction was left open on it: it must not be used again.
    fn abandon(&mut self);
}

impl<DB: sqlx::Database> Held for PoolConnection<DB> {
    type Connection = DB::Connection;

    fn abandon(&mut self) {
        self.close_on_drop();
    }
}
