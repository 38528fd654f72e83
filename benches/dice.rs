//! Numbers that look random and are the same in every run.

/// A linear congruential generator (Knuth's MMIX).
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Always the same numbers for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, of 31 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// The next number, of 64 bits.
    pub fn wide(&mut self) -> u64 {
        self.roll() ^ (self.0 << 31)
    }
}
