//! Growing pauses between tries.

use std::time::Duration;

use uuid::Uuid;

use crate::engine::fingerprint;

/// How long to wait between tries: twice as long each time, between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; 50 ms unless set.
    pub first: Duration,
    /// The longest pause; 30 s unless set.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), longest: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The pause after so many failures.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        self.first.saturating_mul(doubled).min(self.longest)
    }

    /// A part of the pause after so many failures, anything from nothing to all of it: which, the hash of a new id says.
    #[must_use]
    pub fn jittered(&self, failures: u32, chance: Uuid) -> Duration {
        let pause = self.pause(failures).as_micros();
        // A 64-bit fraction of it: a pause of 2^64 µs is half a million years.
        let micros = pause.saturating_mul(fingerprint(&chance.as_u128()).into()) >> u64::BITS;
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(1) };
        let pauses: Vec<u128> = (1..8).map(|failures| backoff.pause(failures).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.pause(u32::MAX), Duration::from_secs(1));
    }

    #[test]
    fn jitter_spreads_over_the_whole_pause_and_is_the_same_for_the_same_id() {
        let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1) };
        let pauses: Vec<Duration> = (0..1_000).map(|id| backoff.jittered(2, Uuid::from_u128(id))).collect();
        assert!(pauses.iter().all(|pause| *pause < Duration::from_millis(200)));
        for fifth in 0..5 {
            let (from, to) = (Duration::from_millis(fifth * 40), Duration::from_millis(fifth * 40 + 40));
            let hits = pauses.iter().filter(|pause| (from..to).contains(pause)).count();
            assert!((120..280).contains(&hits), "{hits} of 1,000 between {from:?} and {to:?}");
        }
        assert_eq!(pauses[7], backoff.jittered(2, Uuid::from_u128(7)));
    }
}
