//! Chance that can be repeated.

use super::rule::Violation;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): small, and the same
/// on every machine.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap_or(0)
    }

    /// Whether something happens that happens once in so many times.
    pub(super) fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(u32::try_from(items.len()).unwrap_or(u32::MAX));
        items.get(usize::try_from(index).unwrap_or(0))
    }
}

/// The seeds of random histories: the one in `STOCKPULSE_SEED`, otherwise a few that never change.
pub(super) fn seeds() -> Result<Vec<u64>, Violation> {
    match std::env::var("STOCKPULSE_SEED") {
        Ok(seed) => match seed.parse() {
            Ok(seed) => Ok(vec![seed]),
            Err(_) => Err(Violation::new(format!("STOCKPULSE_SEED is no number: {seed}"))),
        },
        Err(_) => Ok((1..=6).collect()),
    }
}
