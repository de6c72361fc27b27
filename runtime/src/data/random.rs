//! Stateless randomness: a generator a purpose, seeded by a hash.
//!
//! [`hash`] folds 64-bit words with the SplitMix64 finaliser: `h = 0`, then for each word `h = mix(h + GOLDEN + word)`. A draw is
//! seeded by the words `[seed, purpose, ...what it is for]`, so no draw depends on the ones before it, on a thread or on a
//! resumed step. Ranges are drawn by [`below`] and [`unit()`] rather than by `rand`'s distributions, whose streams may change
//! with its versions.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a draw is for; the second word of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// A procedural clip; further words: index.
    Scene = 1,
    /// Window and flip of a training clip; further words: epoch, index.
    Window = 2,
    /// The order of an epoch; further words: epoch.
    Order = 3,
    /// Clips drawn again for a confidence interval; further words: their number.
    Bootstrap = 4,
}

/// Hash of some words.
pub fn hash(words: &[u64]) -> u64 {
    words.iter().fold(0, |h: u64, word| mix(h.wrapping_add(GOLDEN).wrapping_add(*word)))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Hash of a text: the first 8 bytes of its SHA-256, big-endian.
pub fn hash_text(text: &str) -> u64 {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(0, |h, byte| (h << 8) | u64::from(*byte))
}

/// The generator for one purpose.
pub fn generator(seed: u64, purpose: Purpose, words: &[u64]) -> ChaCha8Rng {
    let mut all = vec![seed, purpose as u64];
    all.extend_from_slice(words);
    ChaCha8Rng::seed_from_u64(hash(&all))
}

/// Uniform in `0..bound` (0 where `bound` is 0).
pub fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

/// Uniform in `[low, high)`.
pub fn unit(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    let u = (rng.next_u32() >> 8) as f32 / (1u32 << 24) as f32;
    low + u * (high - low)
}

/// A permutation of `0..len` (Fisher-Yates).
pub fn permutation(seed: u64, epoch: u64, len: usize) -> Vec<usize> {
    let mut rng = generator(seed, Purpose::Order, &[epoch]);
    let mut order: Vec<usize> = (0..len).collect();
    for i in (1..len).rev() {
        order.swap(i, below(&mut rng, i + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        // pinned: a change would silently change every data set and every split
        assert_eq!(hash(&[0]), 0xE220_A839_7B1D_CDAF);
        assert_eq!(hash_text("a/b.mp4"), hash_text("a/b.mp4"));
        assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    }

    #[test]
    fn permutation_holds_every_index_once_and_differs_by_epoch() {
        let mut order = permutation(7, 0, 100);
        assert_ne!(order, permutation(7, 1, 100));
        assert_eq!(order, permutation(7, 0, 100));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
