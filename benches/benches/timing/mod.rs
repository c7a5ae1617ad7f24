//! Measuring a part of what a benchmark does.

use std::time::{Duration, Instant};

/// How long it took.
#[expect(clippy::disallowed_methods, reason = "this is a benchmark")]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    drop(work());
    begun.elapsed()
}
