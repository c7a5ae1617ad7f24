//! StockPulse
pub mod codec;
pub mod engine;
pub mod error;
pub mod model;
pub mod port;
mod system;
pub use error::{Error, ErrorKind, Result, Retry};
pub use system::{RandomIds, SystemClock};
