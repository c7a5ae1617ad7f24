//! The progress bar, on standard error and only where somebody is watching.

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{bar:40} {pos}/{len} documents, {per_sec}, {eta} left";

/// How far the replay has come, in documents. Draws nothing unless standard error is a terminal,
/// and clears itself away when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for `documents` documents.
    #[must_use]
    pub fn new(documents: u64) -> Self {
        let bar = ProgressBar::new(documents);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// `documents` more are done.
    pub fn advance(&self, documents: u64) {
        self.bar.inc(documents);
    }

    /// How many documents are done.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.bar.position()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_it_is_told() {
        let progress = Progress::new(10);
        progress.advance(3);
        progress.advance(4);
        assert_eq!(progress.done(), 7);
    }

    #[test]
    fn its_template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
