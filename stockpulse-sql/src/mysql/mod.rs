//! MySQL and MariaDB.

mod connect;
mod join;
mod literal;
mod session;

use sqlx::MySqlPool;
use sqlx::error::DatabaseError;

pub use self::connect::MySqlOptions;
use self::session::MySqlSession;
use crate::database::{Access, Database};
use crate::failure::{Class, Failure};
use crate::store::SqlStore;

/// All store ports on MySQL or MariaDB.
pub type MySqlStore = SqlStore<MySql>;

/// MySQL or MariaDB, as a pool of connections.
#[derive(Clone, Debug)]
pub struct MySql {
    pool: MySqlPool,
}

impl Database for MySql {
    type Session = MySqlSession;

    async fn begin(&self, access: Access) -> Result<MySqlSession, Failure> {
        let connection = self.pool.acquire().await.map_err(failure)?;
        Ok(MySqlSession::begin(connection, access))
    }
}

/// What `sqlx` reports.
pub(super) fn failure(error: sqlx::Error) -> Failure {
    Failure::classify(error, class)
}

/// Numbers of the server's error reference.
fn class(error: &dyn DatabaseError) -> Class {
    let number = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|error| error.number());
    match number {
        // Duplicate entry, deadlock, lock wait timeout, and what MariaDB calls a record that has changed.
        Some(1062 | 1213 | 1205 | 1020) => Class::Lost,
        // The server shuts down, or has ended the connection.
        Some(1053 | 1927 | 1152 | 4031) => Class::Gone,
        _ => Class::Final,
    }
}
