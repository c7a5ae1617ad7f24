//! The suite that proves a backend: one rule per promise of a port, one named test per rule.
//!
//! Write a [`Harness`] that opens your backend, and add one line to an integration test:
//!
//! ```text
//! stockpulse_core::inventory_store_conformance!(MyHarness::new());
//! ```
//!
//! Each rule becomes a `#[test]` of its own name, on a runtime of its own. [`run`] tries the same rules from code and
//! answers with a [`Report`].
//!
//! The rules know a backend by its port alone. They ask for nothing that a database on another machine could not do:
//! several processes, slow answers, events that are published twice. Nothing is measured in time; what has to happen
//! is waited for, and what must not happen is looked for where it would be seen at once.

#[macro_use]
mod macros;
mod backend;
pub mod bus;
pub mod cache;
pub mod catalog_store;
pub mod customer_store;
mod events;
pub mod gate;
mod harness;
pub mod inventory_store;
pub mod notification_log;
pub mod order_store;
pub mod outbox;
mod random;
mod records;
mod rule;
pub mod scenarios;
mod support;

pub use backend::{BusBackend, CatalogBackend, CustomerBackend, InventoryBackend, NotificationBackend, OrderBackend};
pub use harness::{Harness, Mapped};
pub use rule::{Report, Rule, Violation, run, test};
