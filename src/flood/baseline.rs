//! What is usual: an exponentially weighted mean and variance, and a CUSUM of what exceeds them.
//!
//! CUSUM (Page, 1954) with drift k = 1 and threshold h = 8 standard deviations; the mean follows over 300 s, clipped
//! at 3 standard deviations, so that a burst can't teach it much, and stands still outside of the normal state, so
//! that an attack can't teach it at all.

/// In ticks: how fast the mean follows.
const MEMORY: f64 = 3_000.0;
/// In ticks: how long it only learns.
const WARM_UP: f64 = 300.0;
/// In standard deviations: what may exceed the mean without being counted.
const DRIFT: f64 = 1.0;
/// In standard deviations: the sum of excesses that is an alarm.
const ALARM: f64 = 8.0;
/// The sum is cut here, so that an alarm ends soon after what caused it.
const MOST: f64 = 40.0;
/// A standard deviation below this many a tick counts as this.
const LEAST_DEVIATION: f64 = 0.5;
/// In standard deviations: how much of an outlier the mean learns.
const CLIP: f64 = 3.0;

/// What is usual of one signal, counted by tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Baseline {
    mean: f64,
    variance: f64,
    ticks: f64,
    sum: f64,
}

impl Baseline {
    /// Takes a tick's count. When `frozen`, nothing is learnt.
    pub fn step(&mut self, count: f64, frozen: bool) {
        let deviation = self.deviation();
        let warm = self.is_warm();
        if warm {
            self.sum = (self.sum + (count - self.mean) / deviation - DRIFT).clamp(0.0, MOST);
        }
        if frozen {
            return;
        }
        self.ticks += 1.0;
        let weight = (1.0 / self.ticks).max(1.0 / MEMORY);
        let clipped = if warm { count.min(self.mean + CLIP * deviation) } else { count };
        let off = clipped - self.mean;
        self.mean += weight * off;
        self.variance = (1.0 - weight) * (self.variance + weight * off * off);
    }

    /// Whether what came of late is more than chance explains.
    pub fn alarmed(&self) -> bool {
        self.sum > ALARM
    }

    /// Whether enough was seen to judge by.
    pub fn is_warm(&self) -> bool {
        self.ticks > WARM_UP
    }

    /// What is usual a second, at ten ticks a second.
    pub fn per_second(&self) -> f64 {
        self.mean * 10.0
    }

    /// Forgets the alarm, not the mean.
    pub fn calm(&mut self) {
        self.sum = 0.0;
    }

    fn deviation(&self) -> f64 {
        self.variance.sqrt().max(LEAST_DEVIATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warm(count: f64) -> Baseline {
        let mut baseline = Baseline::default();
        for tick in 0..6_000 {
            baseline.step(count + f64::from(tick % 3) - 1.0, false);
        }
        baseline
    }

    #[test]
    fn the_mean_is_learnt_and_noise_is_no_alarm() {
        let mut baseline = warm(3.0);
        assert!((baseline.per_second() - 30.0).abs() < 1.0);
        for tick in 0..100_000 {
            baseline.step(3.0 + f64::from(tick % 3) - 1.0, false);
            assert!(!baseline.alarmed());
        }
    }

    #[test]
    fn a_jump_is_an_alarm_within_ticks_and_ends() {
        let mut baseline = warm(3.0);
        baseline.step(30.0, true);
        assert!(baseline.alarmed());
        (0..50).for_each(|_| baseline.step(3.0, true));
        assert!(!baseline.alarmed());
        assert!((baseline.per_second() - 30.0).abs() < 1.0, "frozen");
    }

    #[test]
    fn an_outlier_teaches_little() {
        let (mut clipped, mut usual) = (warm(3.0), warm(3.0));
        clipped.step(10_000.0, false);
        usual.step(3.0, false);
        assert!(clipped.per_second() - usual.per_second() < 0.1);
    }

    #[test]
    fn nothing_alarms_before_it_is_warm() {
        let mut baseline = Baseline::default();
        for _ in 0..250 {
            baseline.step(50.0, false);
            assert!(!baseline.alarmed() && !baseline.is_warm());
        }
    }
}
