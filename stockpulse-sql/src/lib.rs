//! StockPulse on SQL databases: PostgreSQL, MySQL and MariaDB, SQLite.

mod bus;
mod context;
mod database;
mod failure;
mod frame;
mod inventory;
mod migrate;
#[cfg(feature = "mysql")]
mod mysql;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod prune;
mod store;
mod table;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod text;
mod value;

pub use bus::{BusOptions, DeadLetter, DeadLetterId, SqlBus};
pub use context::Context;
#[cfg(feature = "mysql")]
pub use mysql::{MySqlOptions, MySqlStore};
pub use outbox::SqlOutbox;
#[cfg(feature = "postgres")]
pub use postgres::{PgOptions, PgStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};
pub use prune::{Pruned, Pruner, Retention};
pub use store::{RetryOptions, SqlStore};
