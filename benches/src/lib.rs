//! What the benchmarks of StockPulse share: the commands they send, and the baseline they are compared with. See
//! `benches/`, and `docs/reference/performance.md` for the figures.

#![expect(clippy::unwrap_used, reason = "a benchmark stops when its set-up is wrong")]

mod plain;
mod table;
mod workload;

pub use plain::Plain;
pub use table::Table;
pub use workload::{Skus, Workload};
