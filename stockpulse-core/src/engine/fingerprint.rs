//! Fingerprints: whether two commands with one id ask for the same.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

/// A 64-bit fingerprint of what a command asks, the same on every machine.
///
/// SipHash-1-3 with a fixed key (Aumasson and Bernstein, 2012) over the derived `Hash`, with integers written in
/// little-endian order and lengths as 64 bits.
pub(crate) fn fingerprint<T: Hash>(value: &T) -> u64 {
    let mut written = Portable(SmallVec::new());
    value.hash(&mut written);
    written.finish()
}

/// Gathers the many small pieces of a derived `Hash`, because SipHash takes one large piece much faster.
struct Portable(SmallVec<[u8; 256]>);

impl Hasher for Portable {
    fn finish(&self) -> u64 {
        SipHasher13::new_with_keys(0x7374_6f63_6b70_756c, 0x6669_6e67_6572_3031).hash(&self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn write_u16(&mut self, value: u16) {
        self.write(&value.to_le_bytes());
    }

    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }

    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }

    fn write_u128(&mut self, value: u128) {
        self.write(&value.to_le_bytes());
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_i64(&mut self, value: i64) {
        self.write(&value.to_le_bytes());
    }

    fn write_isize(&mut self, value: isize) {
        self.write_i64(value as i64);
    }
}
