//! StockPulse on SQL databases: PostgreSQL, MySQL and MariaDB, SQLite.
//!
//! A store (`PgStore`, `MySqlStore`, `SqliteStore`) is every store port of `stockpulse-core` on one database, with an
//! outbox for each [`Context`]. It holds no rule: it loads the rows that a batch of commands needs, under lock and in one
//! order, lets the engine decide, and saves what changed with its ledger entries and events, in one transaction of a
//! handful of statements, however large the batch.
//!
//! ```
//! use std::sync::Arc;
//!
//! use stockpulse_core::engine::stock::Reserve;
//! use stockpulse_core::model::Sku;
//! use stockpulse_core::service::Inventory;
//! use stockpulse_sql::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> stockpulse_core::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("shop.db");
//! // One file, made with its tables if it does not exist; what was answered survives a power cut.
//! let store = SqliteStore::open(&path).await?;
//! let inventory = Inventory::builder(Arc::new(store)).start();
//!
//! let mug = Sku::new("MUG")?;
//! inventory.receive(mug.clone(), 6).await?;
//! let request = Reserve::new(inventory.new_reservation_id()).with_line(mug.clone(), 2);
//! assert!(inventory.reserve(request).await?.is_accepted());
//! inventory.close().await;
//!
//! let reopened = SqliteStore::open(&path).await?;
//! let inventory = Inventory::builder(Arc::new(reopened)).start();
//! let level = inventory.levels(&[mug.into()]).await?.remove(0);
//! assert_eq!(level.map(|level| level.available()), Some(4));
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//! - What a store answered is committed, and durable as far as the database is set to be.
//! - Commands that were decided are known by their ids: asked again, also after `Indeterminate` (the answer to COMMIT was
//!   lost), they get the first answer, until [`Pruner`] deletes it after a stated time.
//! - Transactions run in tasks of their own: a caller that goes away splits nothing. Those that lose against others (a
//!   deadlock, a serialization failure, a row that somebody else inserted first) are tried again inside.
//! - Constraints of the tables are the last guard: a program that is wrong fails, and oversells nothing.
//!
//! # Within the application's own transaction
//! `execute_stock_in` and `execute_orders_in` of each store decide on a connection of the application's, so that what it
//! writes itself is committed with the decision, or not at all.
//!
//! # Features
//! `sqlite` (default, with SQLite built in), `postgres`, `mysql`, and `tls` for connections to servers.

#![cfg_attr(
    not(any(feature = "mysql", feature = "postgres", feature = "sqlite")),
    expect(
        dead_code,
        unreachable_pub,
        unused_imports,
        unused_macros,
        reason = "without a database there is nobody to use it"
    )
)]

mod bus;
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

pub use bus::{BusOptions, DeadLetter, DeadLetterId, SqlBus};
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
