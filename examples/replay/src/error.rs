//! What can end a run early, and with which exit code.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use stockpulse_core::ErrorKind;
use thiserror::Error;

/// Why a replay ended without a report. `Display` is always one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// An input file that cannot be used, wholly: missing, unreadable, truncated, no invoices.
    #[error("{}: {reason}", one_line(&file.display().to_string()))]
    Input {
        /// The file as it was named on the command line.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// `--store`, `--bus`, `--cache` or `--gate` names something that this build does not have.
    #[error("{option} {}: unknown; this build has: {known}", one_line(value))]
    UnknownBackend {
        /// The option as it is typed.
        option: &'static str,
        /// What was asked for.
        value: String,
        /// What there is, separated by commas.
        known: &'static str,
    },

    /// Options that do not go together.
    #[error("{0}")]
    Options(&'static str),

    /// The store cannot be opened.
    #[error("--store {}: {}", one_line(store), one_line(&error.to_string()))]
    Store {
        /// The store, without secrets.
        store: String,
        /// What is wrong.
        #[source]
        error: stockpulse_core::Error,
    },

    /// The bus cannot be opened.
    #[error("--bus {}: {}", one_line(bus), one_line(&error.to_string()))]
    Bus {
        /// The bus, without secrets.
        bus: String,
        /// What is wrong.
        #[source]
        error: stockpulse_core::Error,
    },

    /// The cache or the gate does not answer.
    #[error("{option} {}: {}", one_line(front), one_line(&error.to_string()))]
    Front {
        /// The option as it is typed.
        option: &'static str,
        /// What it names, without secrets.
        front: String,
        /// What is wrong.
        #[source]
        error: stockpulse_core::Error,
    },

    /// The bus carried another replay than the one in the store.
    #[error("--bus {}: {reason}; name another replay: kafka://host:port/NAME or redis://host:port#NAME", one_line(bus))]
    AnotherBus {
        /// The bus, without secrets.
        bus: String,
        /// What does not fit.
        reason: &'static str,
    },

    /// The store is not empty, and nobody said that the replay in it is to be resumed.
    #[error("--store {}: holds a replay already; --resume goes on with it, or name an empty store", one_line(.0))]
    Occupied(String),

    /// The store holds the replay of other files, or with another opening stock or policy.
    #[error("--store {}: holds another replay: it can be resumed with the same files and options only", one_line(.0))]
    Another(String),

    /// The services, the workers or the bus failed while the invoices were replayed.
    #[error("the replay failed: {}", one_line(&.0.to_string()))]
    Drive(#[source] Box<dyn Error + Send + Sync>),

    /// The report or the rejections could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
}

impl ReplayError {
    /// An unusable input file.
    pub fn input(file: &Path, reason: impl Into<String>) -> Self {
        Self::Input { file: file.to_owned(), reason: reason.into() }
    }

    /// A failure of what is being driven.
    pub fn drive(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Drive(source.into())
    }

    /// 2 for what the caller can put right on the command line, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input { .. }
            | Self::UnknownBackend { .. }
            | Self::Options(_)
            | Self::AnotherBus { .. }
            | Self::Occupied(_)
            | Self::Another(_) => 2,
            Self::Store { error, .. } | Self::Bus { error, .. } | Self::Front { error, .. } => {
                1 + u8::from(error.kind() == ErrorKind::Config)
            }
            Self::Drive(_) | Self::Output(_) => 1,
        }
    }
}

/// Control characters escaped, so that no name or message can break out of its line.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_line() {
        let error = ReplayError::input(Path::new("a\nb.csv"), "no such file");
        assert_eq!(error.to_string(), "a\\nb.csv: no such file");
        assert_eq!(ReplayError::drive("one\ntwo").to_string(), "the replay failed: one\\ntwo");
    }

    #[test]
    fn what_the_caller_can_put_right_exits_with_2() {
        let unknown = ReplayError::UnknownBackend { option: "--bus", value: "pigeon".into(), known: "memory" };
        assert_eq!(ReplayError::input(Path::new("f"), "r").exit_code(), 2);
        assert_eq!(unknown.exit_code(), 2);
        assert_eq!(ReplayError::drive("x").exit_code(), 1);
        assert_eq!(ReplayError::Output(io::ErrorKind::StorageFull.into()).exit_code(), 1);
    }
}
