//! SQLite.

mod at_once;
mod connect;
mod join;
mod session;
mod statement;

use sqlx::SqlitePool;
use sqlx::error::DatabaseError;

pub use self::connect::{SqliteOptions, Synchronous};
use self::session::SqliteSession;
use crate::database::{Access, Database};
use crate::failure::{Class, Failure};
use crate::inventory::AtOnce;
use crate::store::SqlStore;

/// All store ports on SQLite: one file, no server.
pub type SqliteStore = SqlStore<Sqlite>;

/// SQLite, as one connection that writes and some that read.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database for Sqlite {
    type Session = SqliteSession;

    async fn begin(&self, access: Access) -> Result<SqliteSession, Failure> {
        let pool = match access {
            Access::Write | Access::Relaxed => &self.writer,
            Access::Read | Access::Snapshot => &self.readers,
        };
        let connection = pool.acquire().await.map_err(failure)?;
        SqliteSession::begin(connection, access).await
    }

    async fn write_at_once(&self, written: AtOnce) -> Result<(), Failure> {
        if at_once::is_little(&written) {
            return at_once::write(&self.writer, written).await;
        }
        written.in_transaction(self).await
    }
}

/// What `sqlx` reports.
pub(super) fn failure(error: sqlx::Error) -> Failure {
    Failure::classify(error, class)
}

/// Extended result codes, as `https://sqlite.org/rescode.html` lists them.
fn class(error: &dyn DatabaseError) -> Class {
    let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default();
    match code {
        // A unique key or primary key that exists.
        1_555 | 2_067 => Class::Lost,
        // Busy or locked, in any of their forms.
        code if matches!(code & 0xff, 5 | 6) => Class::Lost,
        _ => Class::Final,
    }
}
