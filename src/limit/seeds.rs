//! The keyed hash that spreads clients over fixed tables.

use std::hash::{BuildHasher, RandomState};

/// What a table's hash is keyed with: unknown outside, so that nobody can choose keys that collide.
#[derive(Clone, Copy, Debug)]
pub struct Seeds([u64; 3]);

impl Seeds {
    /// Fresh ones from the system's randomness.
    pub fn random() -> Self {
        let state = RandomState::new();
        Self([state.hash_one(1u8), state.hash_one(2u8), state.hash_one(3u8)])
    }

    /// Always the same for the same `number`: for simulations and tests, which must repeat.
    pub const fn fixed(number: u64) -> Self {
        let a = fold(number ^ 0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9);
        let b = fold(a ^ 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93);
        Self([a, b, fold(b ^ a, 0xa076_1d64_78bd_642f)])
    }

    /// The seeds as numbers, to be kept beside what was hashed with them.
    pub(crate) const fn words(&self) -> [u64; 3] {
        self.0
    }

    /// The seeds that [`words`](Self::words) gave.
    pub(crate) const fn from_words(words: [u64; 3]) -> Self {
        Self(words)
    }

    /// Two multiply-folds: all bits of the key reach all bits of the result.
    #[inline]
    pub(crate) const fn hash(&self, key: u128) -> u64 {
        let [a, b, c] = self.0;
        fold(fold(key as u64 ^ a, (key >> 64) as u64 ^ b) ^ c, 0xa076_1d64_78bd_642f)
    }
}

/// The product's halves, folded into one.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chi-squared of the hash's bits `shift..shift+10` over `keys`, with 1023 degrees of freedom.
    fn unevenness(keys: &[u128], shift: u32) -> f64 {
        let seeds = Seeds::fixed(7);
        let mut counts = [0u32; 1024];
        for &key in keys {
            counts[(seeds.hash(key) >> shift) as usize & 1023] += 1;
        }
        let expected = keys.len() as f64 / 1024.0;
        counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn keys_as_clients_have_them_spread_evenly() {
        let mapped = |n: u128| 0xffff_0000_0000 | n;
        let sets: [Vec<u128>; 4] = [
            (0..100_000).map(mapped).collect(),
            (0..100_000).map(|n| mapped(n << 8 & 0xffff_ffff)).collect(),
            (0..100_000).map(|n| 0x2001_0db8 << 96 | n << 64).collect(),
            (0..100_000).map(|n| 0x2001_0db8 << 96 | n).collect(),
        ];
        for (set, keys) in sets.iter().enumerate() {
            for shift in [0, 14, 32, 54] {
                // 1023 + 6 standard deviations; the set is fixed, so this passes always or never. An even spread
                // that is too even (a plain sequence) would do as well for a table.
                assert!(unevenness(keys, shift) < 1023.0 + 6.0 * 45.2, "set {set}, bits from {shift}");
            }
        }
    }

    #[test]
    fn random_seeds_differ_and_fixed_ones_repeat() {
        assert_ne!(Seeds::random().0, Seeds::random().0);
        assert_eq!(Seeds::fixed(1).0, Seeds::fixed(1).0);
        assert_ne!(Seeds::fixed(1).0, Seeds::fixed(2).0);
    }
}
