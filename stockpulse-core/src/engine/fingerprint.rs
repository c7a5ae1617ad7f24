//! Fingerprints: whether two commands with one id ask for the same.

use std::hash::{Hash, Hasher};

/// A 64-bit fingerprint of what a command asks, the same on every machine and in every release.
///
/// It folds the words of the derived `Hash` into one by multiplication, the core of wyhash (Wang Yi, 2019). It tells a
/// retry from a mistake, and guards against nobody: who wants the first answer again may have it.
pub(crate) fn fingerprint<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut words = Words(SEED);
    value.hash(&mut words);
    words.finish()
}

struct Words(u64);

/// Numbers without structure: from pi, from the golden ratio, and one of wyhash's.
const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
const END: u64 = 0xa076_1d64_78bd_642f;

/// Both halves of the product, folded: every bit of either number changes about half of the result's.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

impl Hasher for Words {
    #[inline]
    fn finish(&self) -> u64 {
        fold(self.0 ^ END, MIX)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, byte) in last.iter_mut().zip(rest) {
            *to = *byte;
        }
        self.write_u64(u64::from_le_bytes(last));
        // Trailing zeros count.
        self.write_u64(bytes.len() as u64);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.write_u64(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = fold(self.0 ^ value, MIX);
    }

    #[inline]
    fn write_u128(&mut self, value: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
        let (low, high) = (value as u64, (value >> 64) as u64);
        self.write_u64(low);
        self.write_u64(high);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_i64(value as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected figures come from a few lines of Python.
    #[test]
    fn the_algorithm_is_pinned() {
        assert_eq!(fingerprint(&42_u64), 0x0e88_b12d_1683_0461);
        assert_eq!(fingerprint("85123A"), 0xa1f9_e734_efb1_5c77);
        assert_eq!(fingerprint("0123456789"), 0xf72a_9727_63f8_6b27);
    }

    #[test]
    fn a_number_of_any_width_is_one_word() {
        let word = fingerprint(&42_u64);
        assert_eq!(
            [fingerprint(&42_u8), fingerprint(&42_u16), fingerprint(&42_u32), fingerprint(&42_usize)],
            [word; 4]
        );
        assert_eq!([fingerprint(&42_i64), fingerprint(&42_isize)], [word; 2]);
    }

    #[test]
    fn trailing_zeros_and_where_a_text_ends_count() {
        assert_ne!(fingerprint(&("a", "b")), fingerprint(&("ab", "")));
        assert_ne!(fingerprint("a\0"), fingerprint("a"));
    }
}
