//! Layers: wrappers around a port that are the same port.
//!
//! [`Layered`] puts a [`Layer`] around any asynchronous port. A layer is written once and serves every port; it sees of
//! each [`Call`] its name, how many items it is about and what came of it, and never what is in it.
//!
//! | layer | what it does |
//! |---|---|
//! | [`RetryLayer`] | makes calls again whose error says that this is safe |
//! | [`TimeoutLayer`] | gives a call up that takes too long |
//! | [`CircuitLayer`] | fails calls at once after several have failed, until a trial is answered |
//! | [`ObserveLayer`] | a span and [metrics] for every call |
//!
//! They nest, and the order says what they mean: with a timeout inside a retry each try has its own time, with a retry
//! inside a timeout all tries share it.
//!
//! Two wrappers are for one port each, and no layers: readers of a [`CoalescedCache`] and callers of a [`CoalescedGate`]
//! share calls.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use stockpulse_core::layer::{Layered, ObserveLayer, RetryLayer, TimeoutLayer};
//! use stockpulse_core::{memory::MemoryInventoryStore, model::Sku, service::Inventory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> stockpulse_core::Result<()> {
//! let store = MemoryInventoryStore::default();
//! let store = Layered::new(store, TimeoutLayer::after(Duration::from_secs(2)));
//! let store = Layered::new(store, RetryLayer::default());
//! let store = Layered::new(store, ObserveLayer::default());
//! let inventory = Inventory::builder(Arc::new(store)).start();
//! inventory.receive(Sku::new("MUG-RED")?, 10).await?;
//! # Ok(())
//! # }
//! ```

mod call;
mod circuit;
mod coalesce;
mod layered;
pub mod metrics;
mod observe;
mod ports;
mod retry;
mod subscription;
mod timeout;

pub use call::{Call, CallKind};
pub use circuit::{CircuitLayer, FailFast, fail_fast};
pub use coalesce::{CoalescedCache, CoalescedGate};
pub use layered::{Layer, Layered};
pub use observe::ObserveLayer;
pub use retry::RetryLayer;
pub use timeout::TimeoutLayer;
