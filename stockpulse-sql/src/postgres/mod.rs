//! PostgreSQL.

mod at_once;
mod columns;
mod connect;
mod join;
mod session;

use sqlx::PgPool;
use sqlx::error::DatabaseError;

pub use self::connect::PgOptions;
use self::session::PgSession;
use crate::database::{Access, Database};
use crate::failure::{Class, Failure};
use crate::inventory::AtOnce;
use crate::store::SqlStore;

/// All store ports on PostgreSQL.
pub type PgStore = SqlStore<Postgres>;

/// PostgreSQL, as a pool of connections.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
}

impl Database for Postgres {
    type Session = PgSession;

    async fn begin(&self, access: Access) -> Result<PgSession, Failure> {
        let connection = self.pool.acquire().await.map_err(failure)?;
        PgSession::begin(connection, access).await
    }

    async fn write_at_once(&self, written: AtOnce) -> Result<(), Failure> {
        let mut connection = self.pool.acquire().await.map_err(failure)?;
        at_once::write(&mut connection, written).await
    }
}

/// What `sqlx` reports.
pub(super) fn failure(error: sqlx::Error) -> Failure {
    Failure::classify(error, class)
}

/// Codes of the SQL standard and of PostgreSQL's appendix A.
fn class(error: &dyn DatabaseError) -> Class {
    match error.code().as_deref() {
        // Serialization failure, deadlock, lock not available, unique violation.
        Some("40001" | "40P01" | "55P03" | "23505") => Class::Lost,
        // The server shuts down, crashed, or cannot take connections yet.
        Some("57P01" | "57P02" | "57P03") => Class::Gone,
        Some(code) if code.starts_with("08") => Class::Gone,
        _ => Class::Final,
    }
}
