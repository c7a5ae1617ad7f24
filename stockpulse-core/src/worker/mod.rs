//! The workers: what runs beside the services.

mod backoff;
mod expiry_sweeper;
mod handler;
mod outbox_relay;
mod processor;
mod reconciler;
mod supervisor;

pub use backoff::Backoff;
pub use expiry_sweeper::{ExpirySweeper, SweepOptions};
pub use handler::{CacheHandler, InventoryHandler, NotificationHandler, OrderHandler};
pub use outbox_relay::{OutboxRelay, RelayOptions};
pub use processor::{Handled, Handler, Incoming, Processor, ProcessorOptions};
pub use reconciler::{Drift, ReconcileReport, Reconciler, Repair};
pub use supervisor::{ShutdownReport, Stage, Supervisor};
