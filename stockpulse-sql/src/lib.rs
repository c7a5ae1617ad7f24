//! StockPulse on SQL databases: PostgreSQL, MySQL and MariaDB, SQLite.

mod context;
mod database;
mod failure;
mod frame;
mod inventory;
mod migrate;
#[cfg(feature = "mysql")]
mod mysql;
mod notifications;
mod orders;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod prune;
mod records;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod table;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod text;
mod value;

pub use context::Context;
#[cfg(feature = "mysql")]
pub use mysql::{MySqlOptions, MySqlStore};
pub use outbox::SqlOutbox;
#[cfg(feature = "postgres")]
pub use postgres::{PgOptions, PgStore};
pub use prune::{Pruned, Pruner, Retention};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};
pub use store::{RetryOptions, SqlStore};
