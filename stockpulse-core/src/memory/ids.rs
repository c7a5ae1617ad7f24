//! Ids that are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::model::Timestamp;
use crate::port::IdGenerator;

/// Makes UUIDs of version 7 from the time and a counter instead of chance: the same calls give the same ids. Within
/// a millisecond they sort in the order in which they were made. Clones count on together.
#[derive(Clone, Debug)]
pub struct SequentialIds {
    next: Arc<AtomicU64>,
}

impl SequentialIds {
    /// Counts from 1.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(1)
    }

    /// Counts from this number. Generators that must not make the same ids start far from each other.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self { next: Arc::new(AtomicU64::new(first)) }
    }
}

impl Default for SequentialIds {
    fn default() -> Self {
        Self::new()
    }
}

impl IdGenerator for SequentialIds {
    fn next_id(&self, now: Timestamp) -> Uuid {
        let number = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        let millis = u128::try_from(now.as_micros() / 1_000).unwrap_or(0);
        // RFC 9562, section 5.7: 48 bits of time, the version, 12 bits, the variant, 62 bits.
        let (high, low) = (number >> 62, number & ((1 << 62) - 1));
        Uuid::from_u128(((millis & 0xffff_ffff_ffff) << 80) | (7 << 76) | (high << 64) | (2 << 62) | low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_carry_the_time() {
        let now = Timestamp::from_micros(1_700_000_000_123_456);
        let id = SequentialIds::new().next_id(now);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.get_timestamp().map(|time| time.to_unix()), Some((1_700_000_000, 123_000_000)));
        assert_eq!(id.to_string(), "018bcfe5-687b-7000-8000-000000000001");
    }

    #[test]
    fn ids_repeat_from_run_to_run_and_sort_as_they_were_made() {
        let now = Timestamp::from_secs(1_700_000_000);
        let make = |first: u64| {
            let ids = SequentialIds::starting_at(first);
            (0..100).map(|_| ids.clone().next_id(now)).collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        for first in [1, (1 << 62) - 50] {
            assert!(make(first).is_sorted_by(|one, other| one < other));
        }
        assert!(make(1).iter().all(|id| !make(1_000).contains(id)));
    }

    #[test]
    fn a_time_before_the_epoch_is_the_epoch() {
        assert_eq!(SequentialIds::new().next_id(Timestamp::from_secs(-1)).as_u128() >> 80, 0);
    }
}
