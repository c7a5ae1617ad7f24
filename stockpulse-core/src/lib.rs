//! StockPulse
pub mod codec;
pub mod engine;
pub mod error;
pub mod model;
pub mod port;
#[cfg(feature = "memory")]
pub mod memory;
pub mod service;
mod system;
pub mod worker;
pub use error::{Error, ErrorKind, Result, Retry};
pub use system::{RandomIds, SystemClock};
