//! StockPulse
pub mod engine;
pub mod error;
pub mod model;
pub use error::{Error, ErrorKind, Result, Retry};
