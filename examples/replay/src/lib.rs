//! Replays a real shop's invoices through StockPulse.
//!
//! The library behind the `stockpulse-replay` command, in the order in which a run passes through it: [`args`] says
//! what to do, [`source`] reads a file, plain or `.xz`, [`invoice`] turns its rows into documents, [`commands`] turns
//! those into commands, [`drive`] sends them through the [`shop`] on its [`backends`], which an [`address`] names, whose
//! [`shipping`] department ships what is confirmed, with a cache and a gate in [`front`], [`resume`] finds where a replay that was killed goes on, [`tally`] reads
//! what the stores hold at the end, [`counting`] what went over the bus, and [`report`] is what comes out.
//! [`publisher`] and [`chance`] make events come twice, [`progress`] shows how far it is, [`output`] alone writes to
//! the terminal, and [`error`] knows the exit codes.
//!
//! Every file is read and checked before the first order is placed, so a run either reports on all
//! of its input or says in one line why it cannot.

pub mod address;
pub mod args;
pub mod backends;
pub mod chance;
pub mod commands;
pub mod counting;
pub mod drive;
pub mod error;
pub mod front;
pub mod invoice;
#[cfg(feature = "kafka")]
pub(crate) mod kafka;
pub mod output;
pub mod progress;
pub mod publisher;
#[cfg(feature = "redis")]
pub(crate) mod redis;
pub mod report;
pub mod resume;
pub mod shipping;
pub mod shop;
pub mod source;
pub mod tally;

pub use args::Args;
pub use error::ReplayError;
pub use invoice::Invoices;
pub use report::Report;
