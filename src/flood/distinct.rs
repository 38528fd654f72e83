//! How many different clients came lately, in two kilobytes: HyperLogLog (Flajolet et al., 2007) of two epochs.
//!
//! 2,048 registers: the standard error is 2.3 %, and far less while there are few clients (linear counting).

use crate::limit::seeds::Seeds;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Bits of the hash that choose a register.
const BITS: u32 = 11;
const REGISTERS: usize = 1 << BITS;

/// Registers of the current epoch and of the one before.
pub struct Distinct {
    epochs: Box<[[AtomicU8; REGISTERS]; 2]>,
    current: AtomicUsize,
    seeds: Seeds,
}

impl Distinct {
    /// Nobody came.
    pub fn new(seeds: Seeds) -> Self {
        let none = || [const { AtomicU8::new(0) }; REGISTERS];
        Self { epochs: Box::new([none(), none()]), current: AtomicUsize::new(0), seeds }
    }

    /// This one came.
    #[inline]
    pub fn add(&self, key: u128) {
        let hash = self.seeds.hash(key);
        let zeros = (hash << BITS | 1 << (BITS - 1)).leading_zeros() as u8 + 1;
        // Relaxed, here and below: registers only grow within an epoch, and order nothing.
        let cell = &self.epochs[self.current.load(Ordering::Relaxed)][(hash >> (64 - BITS)) as usize];
        if cell.load(Ordering::Relaxed) < zeros {
            cell.fetch_max(zeros, Ordering::Relaxed);
        }
    }

    /// How many came in an epoch: in the last one, or in the current one if that is more already.
    pub fn estimate(&self) -> f64 {
        let [a, b] = &*self.epochs;
        estimate(a).max(estimate(b))
    }

    /// Ends the epoch. One thread calls this, regularly.
    pub fn rotate(&self) {
        // Relaxed: this thread alone writes it; who adds to the epoch before for another moment is counted there.
        let next = 1 - self.current.load(Ordering::Relaxed);
        for cell in &self.epochs[next] {
            // Relaxed: as above.
            cell.store(0, Ordering::Relaxed);
        }
        // Relaxed: as above.
        self.current.store(next, Ordering::Relaxed);
    }

    /// The registers' memory.
    pub const fn bytes() -> usize {
        2 * REGISTERS
    }
}

fn estimate(registers: &[AtomicU8; REGISTERS]) -> f64 {
    let m = REGISTERS as f64;
    let (mut sum, mut empty) = (0.0, 0u32);
    for cell in registers {
        // Relaxed: see `add`.
        let zeros = cell.load(Ordering::Relaxed);
        sum += (-f64::from(zeros)).exp2();
        empty += u32::from(zeros == 0);
    }
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    if raw <= 2.5 * m && empty > 0 { m * (m / f64::from(empty)).ln() } else { raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_within_four_standard_errors_at_every_size() {
        for (clients, error) in [(0u32, 0.0), (1, 0.01), (50, 0.03), (2_000, 0.06), (10_000, 0.1), (1_000_000, 0.1)] {
            let distinct = Distinct::new(Seeds::fixed(7));
            (0..clients).for_each(|n| distinct.add(0xffff_0000_0000 | u128::from(n)));
            (0..clients.min(1_000)).for_each(|n| distinct.add(0xffff_0000_0000 | u128::from(n)));
            let off = (distinct.estimate() - f64::from(clients)).abs();
            assert!(off <= error * f64::from(clients) + 1e-9, "{clients}: {}", distinct.estimate());
        }
    }

    #[test]
    fn an_epoch_counts_until_the_next_is_over() {
        let distinct = Distinct::new(Seeds::fixed(7));
        (0..500).for_each(|n| distinct.add(n));
        let all = distinct.estimate();
        distinct.rotate();
        distinct.add(1);
        assert_eq!(distinct.estimate(), all);
        distinct.rotate();
        assert!((distinct.estimate() - 1.0).abs() < 0.01);
    }
}
