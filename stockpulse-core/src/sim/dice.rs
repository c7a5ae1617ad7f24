//! The one source of chance in a simulation.

use std::time::Duration;

use crate::memory::SplitMix64;

/// Numbers that look random and follow from the seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(SplitMix64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(SplitMix64(seed))
    }

    /// A number below `sides`; 0 if that is 0.
    pub(super) const fn roll(&mut self, sides: u64) -> u64 {
        match sides {
            0 => 0,
            sides => self.0.next() % sides,
        }
    }

    /// Yes with this probability. Neither 0 nor 1 uses a number up, so that a fault that is switched off does not
    /// move the others.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        if probability <= 0.0 {
            return false;
        }
        if probability >= 1.0 {
            return true;
        }
        // The upper 53 bits as a fraction in [0, 1).
        let fraction = (self.0.next() >> 11) as f64 / (1_u64 << 53) as f64;
        fraction < probability
    }

    /// A duration of whole milliseconds between two.
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let span = millis(most).saturating_sub(millis(least)).saturating_add(1);
        least + Duration::from_millis(self.roll(span))
    }

    /// One of several, `None` if there are none.
    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(usize::try_from(self.roll(among.len() as u64)).unwrap_or(0))
    }
}
