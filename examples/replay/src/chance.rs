//! A seeded source of yes and no, for choosing which events to deliver twice.

/// Says yes with a fixed probability, and with the same seed always in the same places.
///
/// The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014, <https://doi.org/10.1145/2660193.2660195>).
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
    probability: f64,
}

impl Chance {
    /// `probability` from 0 (never) to 1 (always).
    #[must_use]
    pub fn new(probability: f64, seed: u64) -> Self {
        Self { state: seed, probability }
    }

    /// The next answer.
    pub fn strikes(&mut self) -> bool {
        // The upper 53 bits as a fraction in [0, 1): `<` never holds at 0 and always holds at 1.
        let fraction = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        fraction < self.probability
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(probability: f64, seed: u64) -> Vec<bool> {
        let mut chance = Chance::new(probability, seed);
        (0..10_000).map(|_| chance.strikes()).collect()
    }

    #[test]
    fn the_first_numbers_are_those_of_the_reference_implementation() {
        let mut chance = Chance::new(0.0, 1_234_567);
        assert_eq!(chance.next(), 6_457_827_717_110_365_317);
        assert_eq!(chance.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn never_and_always_are_exact() {
        assert!(answers(0.0, 1).iter().all(|yes| !yes));
        assert!(answers(1.0, 1).iter().all(|yes| *yes));
    }

    #[test]
    fn a_probability_is_kept_about() {
        let hits = answers(0.25, 1).iter().filter(|yes| **yes).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(answers(0.5, 7), answers(0.5, 7));
        assert_ne!(answers(0.5, 7), answers(0.5, 8));
    }
}
