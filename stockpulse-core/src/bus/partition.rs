//! Which partition a key is in.

/// The partition of a key, the same that Kafka's Java clients choose: 32-bit MurmurHash2, made positive, modulo the
/// number of partitions (`org.apache.kafka.common.utils.Utils.murmur2`). It never changes, or keys would lose their order.
#[must_use]
pub fn partition_of(key: &str, partitions: u32) -> u32 {
    (murmur2(key.as_bytes()) & 0x7fff_ffff) % partitions.max(1)
}

/// MurmurHash2 (Austin Appleby, 2008) with the seed of Kafka.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (words, tail) = data.as_chunks::<4>();
    for word in words {
        let mut mixed = u32::from_le_bytes(*word).wrapping_mul(M);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(M) ^ mixed.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (place, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_java_client() {
        // From Kafka's own UtilsTest.testMurmur2.
        let known: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (text, hash) in known {
            assert_eq!(murmur2(text.as_bytes()), u32::from_ne_bytes(hash.to_ne_bytes()), "{text}");
        }
    }

    #[test]
    fn a_key_is_in_one_partition_and_keys_spread() {
        let mut seen = [0; 8];
        for number in 0..800 {
            let key = format!("order-{number}");
            assert_eq!(partition_of(&key, 8), partition_of(&key, 8));
            seen[partition_of(&key, 8) as usize] += 1;
        }
        assert!(seen.iter().all(|keys| *keys > 50), "{seen:?}");
        assert_eq!([partition_of("", 16), partition_of("order-1", 16)], [9, 6], "for ever");
        assert_eq!(partition_of("any", 1), 0);
        assert_eq!(partition_of("any", 0), 0);
    }
}
