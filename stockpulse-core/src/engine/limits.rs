//! Bounds on what one command may carry.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Bounds on what one command may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Lines of one command; 1,000 unless set. A public interface is wise to ask for less.
    pub max_lines: usize,
    /// Locations that one request may name; 64 unless set.
    pub max_locations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_lines: 1_000, max_locations: 64 }
    }
}

impl Limits {
    /// Sets the most lines of one command.
    #[must_use]
    pub const fn with_max_lines(mut self, lines: usize) -> Self {
        self.max_lines = lines;
        self
    }

    pub(crate) fn check_lines(&self, lines: usize) -> Result<()> {
        match lines {
            0 => Err(Error::invalid("no lines")),
            lines if lines > self.max_lines => {
                Err(Error::invalid(format!("{lines} lines are more than {}", self.max_lines)))
            }
            _ => Ok(()),
        }
    }
}
