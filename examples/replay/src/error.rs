//! What can end a run early, and with which exit code.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

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

    /// `--store` or `--bus` names something that this build does not have.
    #[error("{option} {}: unknown; this build has: {known}", one_line(value))]
    UnknownBackend {
        /// The option as it is typed.
        option: &'static str,
        /// What was asked for.
        value: String,
        /// What there is, separated by commas.
        known: &'static str,
    },

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
            Self::Input { .. } | Self::UnknownBackend { .. } => 2,
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
