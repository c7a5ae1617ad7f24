//! What some work took: time, and of it the processor's in this process.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Begun when it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    begun: Instant,
    processor: Duration,
}

/// What some work took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) per_second: f64,
    /// Microseconds of the processors' time for each piece of work.
    pub(crate) micros: f64,
}

impl Meter {
    pub(crate) fn begin() -> Self {
        Self { begun: now(), processor: processor() }
    }

    /// What so many pieces of work took.
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    pub(crate) fn end(self, pieces: usize) -> Took {
        let (time, processor) = (self.begun.elapsed(), processor().saturating_sub(self.processor));
        let pieces = pieces as f64;
        Took { per_second: pieces / time.as_secs_f64(), micros: processor.as_secs_f64() * 1e6 / pieces }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The processors' time that this process has taken.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The middle one by rate.
pub(crate) fn median(mut all: Vec<Took>) -> Took {
    all.sort_unstable_by(|one, other| one.per_second.total_cmp(&other.per_second));
    all[all.len() / 2]
}
