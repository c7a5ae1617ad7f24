//! Delivering events again, on purpose and reproducibly.

use crate::model::EventId;

/// How many later events of a partition a copy lets pass at most.
const FARTHEST: u64 = 16;

/// Chooses which events are appended a second time. The choice depends on the seed and the event's id alone, so
/// that it does not change with the order in which tasks happen to publish.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duplicates {
    /// Compared with 64 random bits.
    threshold: u64,
    seed: u64,
}

impl Duplicates {
    /// Chooses an event with this probability.
    pub(super) fn new(probability: f64, seed: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates: 1.0 is all")]
        let threshold = (probability * 2_f64.powi(64)) as u64;
        Self { threshold, seed }
    }

    /// After how many further events of its partition a copy of this one is appended, if one is.
    pub(super) fn copy_after(&self, event: EventId) -> Option<u64> {
        let (high, low) = event.as_uuid().as_u64_pair();
        let mut random = SplitMix64(self.seed ^ high.rotate_left(32) ^ low);
        // `threshold` saturates at u64::MAX, which must mean "always".
        let chosen = self.threshold == u64::MAX || random.next() < self.threshold;
        chosen.then(|| 1 + random.next() % FARTHEST)
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The reference implementation's first outputs for seed 1234567 (prng.di.unimi.it/splitmix64.c).
        let mut random = SplitMix64(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn the_share_that_is_chosen_is_the_probability() {
        let chosen = |probability: f64, seed: u64| {
            let duplicates = Duplicates::new(probability, seed);
            (0..10_000).filter(|id| duplicates.copy_after(EventId::from_u128(*id)).is_some()).count()
        };
        assert_eq!(chosen(0.0, 1), 0);
        assert_eq!(chosen(-1.0, 1), 0);
        assert_eq!(chosen(f64::NAN, 1), 0);
        assert_eq!(chosen(1.0, 1), 10_000);
        assert!((2_800..3_200).contains(&chosen(0.3, 1)));
        assert_eq!(chosen(0.3, 7), chosen(0.3, 7));
    }
}
