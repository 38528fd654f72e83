//! A small seeded generator of random numbers (SplitMix64): the same numbers on every machine.

use std::f64::consts::LN_2;

/// A stream of random numbers that its seed alone decides.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream that belongs to `seed` and `name`.
    pub fn named(seed: u64, name: &str) -> Self {
        Self(mix(seed) ^ hash(name.as_bytes()))
    }

    /// A number, each equally likely.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from 0 to below `n`; 0 where `n` is 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        ((self.next() as u128 * n as u128) >> 64) as u64
    }

    /// A place in a list of `len` items.
    pub const fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// From 0 to below 1.
    pub const fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From `low` to below `high`.
    pub const fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True in `share` of the calls.
    pub const fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// The time to the next of events that come at random `rate` times a second.
    pub fn wait(&mut self, rate: f64) -> f64 {
        -ln(1.0 - self.unit()) / rate
    }

    /// One of `items`; none where there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// `count` different ones of `items`, in random order; all of them where there are fewer.
    pub fn sample<T: Clone>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut items = items.to_vec();
        let count = count.min(items.len());
        for i in 0..count {
            let j = i + self.index(items.len() - i);
            items.swap(i, j);
        }
        items.truncate(count);
        items
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stable hash of `bytes` (FNV-1a, mixed).
pub(super) fn hash(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)))
}

/// The natural logarithm of a positive normal number, by additions, products and one quotient only: the one of the
/// standard library may differ in its last bit from platform to platform.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | (1023 << 52));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // ln m = 2 artanh s, |s| ≤ 1/3: 17 terms leave less than the last bit.
    let series = (0..17).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    exponent as f64 * LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        // The reference sequence of SplitMix64 for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn the_logarithm_is_the_one_of_the_library() {
        for x in [1e-300, 1e-9, 0.1, 0.5, 0.999_999, 1.0, 1.5, 2.0, 3.0, 1e9] {
            assert!((ln(x) - f64::ln(x)).abs() <= 1e-13 * f64::ln(x).abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn waits_have_their_mean() {
        let mut random = Random::new(7);
        let mean = (0..20_000).map(|_| random.wait(4.0)).sum::<f64>() / 20_000.0;
        assert!((mean - 0.25).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_sample_has_no_item_twice() {
        let items: Vec<u32> = (0..100).collect();
        let mut taken = Random::new(3).sample(&items, 60);
        assert_eq!(taken.len(), 60);
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 60);
        assert_eq!(Random::new(3).sample(&items, 1000).len(), 100);
        assert!(Random::new(3).sample(&[0u8; 0], 5).is_empty());
    }
}
