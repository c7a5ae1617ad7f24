//! What happened, as text and as a digest of the text.

use std::fmt::{self, Write};
use std::hash::Hasher;
use std::time::Duration;

use siphasher::sip128::{Hasher128, SipHasher13};

/// Every port call and what came of it. The digest is of the whole text, kept or not.
#[derive(Debug)]
pub(super) struct Trace {
    digest: SipHasher13,
    text: Option<String>,
    line: String,
    steps: u64,
}

impl Trace {
    pub(super) fn new(keep: bool) -> Self {
        Self { digest: SipHasher13::new(), text: keep.then(String::new), line: String::new(), steps: 0 }
    }

    pub(super) fn line(&mut self, at: Duration, line: fmt::Arguments<'_>) {
        self.steps += 1;
        self.line.clear();
        // Writing into a string cannot fail.
        let _ = writeln!(self.line, "{:>10} {line}", at.as_millis());
        // In one piece, because that is much faster than in the many small ones of a formatted value.
        self.digest.write(self.line.as_bytes());
        if let Some(text) = &mut self.text {
            text.push_str(&self.line);
        }
    }

    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn digest(&self) -> u128 {
        self.digest.finish128().as_u128()
    }

    pub(super) fn take_text(&mut self) -> Option<String> {
        self.text.take()
    }
}
