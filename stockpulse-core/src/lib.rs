//! Orders and stock reservation that never oversells.
//!
//! StockPulse decides about stock and orders in a pure [`engine`], keeps the result in a store behind a
//! [`port`], and tells others by events that are written in the same transaction. This crate holds the
//! [`model`], the engine, the ports, the [`service`]s an application calls, the [`worker`]s that run beside them,
//! [`layer`]s around any port (retry, timeout, observe), what backends of the [`bus`] share, and reference backends in
//! [`memory`]. It does no I/O itself;
//! other crates bring databases, brokers and caches.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use stockpulse_core::engine::stock::{Decision, Parts, Reserve};
//! use stockpulse_core::{memory::MemoryInventoryStore, model::Sku, service::Inventory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> stockpulse_core::Result<()> {
//! let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
//! let mug = Sku::new("MUG-RED")?;
//! inventory.receive(mug.clone(), 10).await?;
//!
//! let cart = inventory.new_reservation_id();
//! let request = Reserve::new(cart).with_line(mug.clone(), 4).with_hold(Duration::from_secs(15 * 60));
//! match inventory.reserve(request).await? {
//!     Decision::Accepted(held) => assert!(held.is_complete()),
//!     Decision::Refused(why) => panic!("there were ten: {why}"),
//! }
//! assert_eq!(inventory.sellable(mug.clone()).await?, 6.into());
//!
//! inventory.allocate(cart).await?;              // the order is confirmed
//! inventory.fulfil(cart, Parts::All).await?;    // and ships
//! let level = inventory.levels(&[mug.into()]).await?.remove(0);
//! assert_eq!(level.map(|level| level.on_hand), Some(6.into()));
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//! - No tracked level ever promises more than lies there, apart from backorders within the limit that was set.
//! - A command is decided once. Asked again with the same id, it gets the first answer, refusals included; the same
//!   id with other contents is refused.
//! - A decision, its ledger entries and its events are stored together or not at all. Events are published at least
//!   once, in order for each order and SKU.
//! - An order that was accepted ends: shipped, rejected, cancelled or expired.
//!
//! # Features
//! - `memory` (default): the reference backends.
//! - `near-cache`: stock levels and products kept ready in the process, for availability and details.
//! - `mock`: `mockall` mocks of every port.
//! - `conformance`: the suite that proves a backend, one named test per rule of each port.
//! - `sim`: the simulator, a whole shop under a seeded scheduler with injected faults.

pub mod bus;
pub mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod engine;
mod error;
pub mod layer;
#[cfg(feature = "memory")]
pub mod memory;
pub mod model;
pub mod port;
pub mod service;
#[cfg(feature = "sim")]
pub mod sim;
mod system;
pub mod worker;

pub use error::{Error, ErrorKind, Result, Retry};
pub use system::{RandomIds, SystemClock};
