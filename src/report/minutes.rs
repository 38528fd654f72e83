//! The log minute by minute, or in longer steps where it is long.

/// The most steps.
const MOST: u64 = 1_440;
/// The steps there are, in milliseconds.
const STEPS: [u64; 6] = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];
/// Latencies are told apart by a quarter of an octave, from a tenth of a millisecond on.
const PER_OCTAVE: f64 = 4.0;
const LATENCIES: usize = 96;

/// What happened in one step.
#[derive(Clone, Debug)]
pub struct Minute {
    /// Lines of requests passed on.
    pub forwarded: u64,
    /// Lines of refusals.
    pub refused: u64,
    /// Lines of requests that the origin failed.
    pub failed: u64,
    /// Lines of requests passed on that the origin answered with 5xx.
    pub errors: u64,
    /// The gravest state of the flood: 0 normal, 1 elevated, 2 overload, 3 attack.
    pub state: u8,
    latency: [u32; LATENCIES],
}

impl Default for Minute {
    fn default() -> Self {
        Self { forwarded: 0, refused: 0, failed: 0, errors: 0, state: 0, latency: [0; LATENCIES] }
    }
}

impl Minute {
    /// Counts the origin's first byte after so many milliseconds.
    pub fn took(&mut self, ms: f64) {
        let at = ((ms.max(0.1) / 0.1).log2() * PER_OCTAVE) as usize;
        self.latency[at.min(LATENCIES - 1)] += 1;
    }

    /// Takes another's counts in.
    pub fn add(&mut self, other: &Self) {
        self.forwarded += other.forwarded;
        self.refused += other.refused;
        self.failed += other.failed;
        self.errors += other.errors;
        self.state = self.state.max(other.state);
        for (mine, theirs) in self.latency.iter_mut().zip(other.latency) {
            *mine += theirs;
        }
    }

    /// The latency, in milliseconds, that this share of requests stayed below; to a tenth.
    pub fn latency(&self, share: f64) -> Option<f64> {
        let all: u64 = self.latency.iter().map(|n| u64::from(*n)).sum();
        let wanted = (all as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let at = self.latency.iter().position(|n| {
            seen += u64::from(*n);
            seen >= wanted
        })?;
        (all > 0).then(|| 0.1 * ((at as f64 + 0.5) / PER_OCTAVE).exp2())
    }
}

/// How grave a state is.
pub fn gravity(state: &str) -> u8 {
    match state {
        "elevated" => 1,
        "overload" => 2,
        "attack" => 3,
        _ => 0,
    }
}

/// The steps of a span of time.
#[derive(Debug)]
pub struct Minutes {
    /// When it begins: milliseconds since 1970.
    pub from: u64,
    /// How long a step is.
    pub step: u64,
    /// All steps.
    pub all: Vec<Minute>,
}

impl Minutes {
    /// Those from `from` to `to`.
    pub fn new(from: u64, to: u64) -> Self {
        let length = to.saturating_sub(from);
        let step = STEPS.into_iter().find(|s| length.div_ceil(*s) <= MOST).unwrap_or(length.div_ceil(MOST));
        let count = length.div_ceil(step).max(1) as usize;
        Self { from, step, all: vec![Minute::default(); count] }
    }

    /// The step that a time of the span lies in.
    pub fn at(&mut self, ms: u64) -> &mut Minute {
        let at = (ms.saturating_sub(self.from) / self.step) as usize;
        let last = self.all.len() - 1;
        &mut self.all[at.min(last)]
    }

    /// When a step begins.
    pub fn start(&self, at: usize) -> u64 {
        self.from + at as u64 * self.step
    }

    /// The sum of a range of steps.
    pub fn sum(&self, range: std::ops::Range<usize>) -> Minute {
        let mut sum = Minute::default();
        self.all[range].iter().for_each(|m| sum.add(m));
        sum
    }

    /// How many minutes a step is.
    pub fn per_step(&self) -> f64 {
        self.step as f64 / 60_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_few_however_long_the_span() {
        for (hours, step) in [(1, 60_000), (24, 60_000), (25, 300_000), (24 * 365, 21_600_000 * 4)] {
            let minutes = Minutes::new(5, 5 + hours * 3_600_000);
            assert!(minutes.all.len() <= 1_440 && minutes.step <= step, "{hours} h: {}", minutes.step);
        }
        let mut minutes = Minutes::new(1_000, 121_000);
        minutes.at(60_999).refused += 1;
        minutes.at(61_000).refused += 2;
        minutes.at(999_999).refused += 4;
        assert_eq!(minutes.all.iter().map(|m| m.refused).collect::<Vec<_>>(), [1, 6]);
    }

    #[test]
    fn latencies_are_right_to_a_tenth() {
        let mut minute = Minute::default();
        assert_eq!(minute.latency(0.5), None);
        (1..=1_000).for_each(|ms| minute.took(f64::from(ms)));
        for (share, wanted) in [(0.5, 500.0), (0.95, 950.0), (0.01, 10.0)] {
            let found = minute.latency(share).unwrap();
            assert!((found / wanted - 1.0).abs() < 0.1, "{share}: {found}");
        }
        minute.took(f64::INFINITY);
        minute.took(-1.0);
    }
}
