//! Replays a real shop's invoices through StockPulse.
//!
//! The library behind the `stockpulse-replay` command, in the order in which a run passes through
//! it: [`args`] says what to do, [`source`] reads a file, plain or `.xz`, [`invoice`] turns its rows
//! into documents, and [`report`] is what comes out. [`chance`] and [`progress`] help on the way,
//! [`output`] alone writes to the terminal, and [`error`] knows the exit codes.
//!
//! Every file is read and checked before the first order is placed, so a run either reports on all
//! of its input or says in one line why it cannot.

pub mod args;
pub mod chance;
pub mod error;
pub mod invoice;
pub mod output;
pub mod progress;
pub mod report;
pub mod source;

pub use args::Args;
pub use error::ReplayError;
pub use invoice::Invoices;
pub use report::Report;
