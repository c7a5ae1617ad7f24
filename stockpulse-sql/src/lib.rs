//! StockPulse on SQL databases: **nothing is implemented yet**.
//!
//! This crate has its place in the workspace and its name; depending on it brings no code. What it will hold:
//!
//! - stores for Postgres, MySQL and MariaDB, and SQLite: the ports `InventoryStore`, `OrderStore`, `CatalogStore` and
//!   `CustomerStore` of `stockpulse-core`. Each loads the rows that a batch of commands needs, under lock, lets the
//!   engine decide, and saves what changed with its ledger entries and events, in one transaction;
//! - the outbox of each store, and the notification log;
//! - a bus that is a log in the same database, for a deployment without a broker;
//! - `execute_in`, which joins a transaction of the application's own;
//! - the migrations.
//!
//! No rule lives here: the engine decides for every backend alike.
//!
//! Until then, `stockpulse_core::memory` has reference stores, outboxes and a bus, without durability.
