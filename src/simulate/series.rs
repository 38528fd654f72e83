//! A run over time in bounded memory: what was offered and what was forwarded, the busiest seconds, the states.

use crate::flood::state::FloodState;
use std::collections::VecDeque;

/// The most bins; where more would be needed, each covers twice the time.
pub const MOST_BINS: usize = 4096;
/// The longest wait of a request for its turn that is told apart, in seconds.
const LONGEST_WAIT: usize = 64;

/// Some seconds taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Requests.
    pub offered: u64,
    /// Requests that reached the origin.
    pub forwarded: u64,
    /// The busiest second of it.
    pub most_offered: u32,
    /// The second of it in which most reached the origin.
    pub most_forwarded: u32,
    /// The gravest state.
    pub state: FloodState,
}

impl Bin {
    fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.forwarded += other.forwarded;
        self.most_offered = self.most_offered.max(other.most_offered);
        self.most_forwarded = self.most_forwarded.max(other.most_forwarded);
        self.state = graver(self.state, other.state);
    }
}

/// The graver of two states.
pub fn graver(a: FloodState, b: FloodState) -> FloodState {
    let weight = |state| match state {
        FloodState::Normal => 0,
        FloodState::Elevated => 1,
        FloodState::Overload => 2,
        FloodState::Attack => 3,
    };
    if weight(b) > weight(a) { b } else { a }
}

/// The busiest second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Peak {
    /// Requests.
    pub count: u32,
    /// When, in seconds since 1970.
    pub at: f64,
}

/// A second that is not over.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    offered: u32,
    forwarded: u32,
    state: FloodState,
}

/// A run over time.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The first second, since 1970.
    start: Option<u64>,
    /// Seconds a bin.
    width: u64,
    bins: Vec<Bin>,
    /// Seconds from `current` on.
    open: VecDeque<Second>,
    current: u64,
    offered: Peak,
    forwarded: Peak,
}

impl Series {
    /// A request at `t`; `forwarded` says after what wait it reached the origin, if it did.
    pub fn add(&mut self, t: f64, forwarded: Option<f64>, state: FloodState) {
        let second = t as u64;
        if self.start.is_none() {
            (self.start, self.width, self.current) = (Some(second), 1, second);
        }
        self.close_until(second);
        let now = self.second(second);
        now.offered += 1;
        now.state = graver(now.state, state);
        if let Some(wait) = forwarded {
            self.second((t + wait) as u64).forwarded += 1;
        }
    }

    /// Nothing more comes.
    pub fn finish(&mut self) {
        self.close_until(u64::MAX);
    }

    /// Seconds since 1970 at which the first bin begins.
    pub fn start(&self) -> u64 {
        self.start.unwrap_or(0)
    }

    /// Seconds that each bin covers.
    pub fn width(&self) -> u64 {
        self.width.max(1)
    }

    /// The bins.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// The second in which most was asked for.
    pub fn most_offered(&self) -> Peak {
        self.offered
    }

    /// The second in which most reached the origin.
    pub fn most_forwarded(&self) -> Peak {
        self.forwarded
    }

    fn second(&mut self, second: u64) -> &mut Second {
        let at = (second.saturating_sub(self.current) as usize).min(LONGEST_WAIT);
        if at >= self.open.len() {
            self.open.resize(at + 1, Second::default());
        }
        &mut self.open[at]
    }

    fn close_until(&mut self, second: u64) {
        while self.current < second {
            let Some(Second { offered, forwarded, state }) = self.open.pop_front() else {
                self.current = second;
                return;
            };
            let at = self.current;
            self.current += 1;
            if offered == 0 && forwarded == 0 {
                continue;
            }
            for (peak, count) in [(&mut self.offered, offered), (&mut self.forwarded, forwarded)] {
                if count > peak.count {
                    *peak = Peak { count, at: at as f64 };
                }
            }
            let bin = Bin {
                offered: offered.into(),
                forwarded: forwarded.into(),
                most_offered: offered,
                most_forwarded: forwarded,
                state,
            };
            self.bin(at).add(&bin);
        }
    }

    fn bin(&mut self, second: u64) -> &mut Bin {
        let since = second - self.start();
        while since / self.width >= MOST_BINS as u64 {
            self.width *= 2;
            let halves = std::mem::take(&mut self.bins);
            self.bins = halves.chunks(2).map(|pair| pair.iter().fold(Bin::default(), sum)).collect();
        }
        let at = (since / self.width) as usize;
        if at >= self.bins.len() {
            self.bins.resize(at + 1, Bin::default());
        }
        &mut self.bins[at]
    }
}

/// Two bins taken together.
fn sum(mut a: Bin, b: &Bin) -> Bin {
    a.add(b);
    a
}

/// `bins` taken together into at most `count`.
pub fn fewer(bins: &[Bin], count: usize) -> Vec<Bin> {
    let each = bins.len().div_ceil(count.max(1)).max(1);
    bins.chunks(each).map(|some| some.iter().fold(Bin::default(), sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_counted_when_requests_come_and_when_they_reach_the_origin() {
        let mut series = Series::default();
        for t in [100.0, 100.5, 100.9] {
            series.add(t, Some(0.2), FloodState::Normal);
        }
        series.add(102.5, None, FloodState::Attack);
        series.finish();
        let counts: Vec<_> = series.bins().iter().map(|b| (b.offered, b.forwarded, b.state)).collect();
        assert_eq!(counts, [(3, 2, FloodState::Normal), (0, 1, FloodState::Normal), (1, 0, FloodState::Attack)]);
        assert_eq!(series.most_offered(), Peak { count: 3, at: 100.0 });
        assert_eq!(series.most_forwarded(), Peak { count: 2, at: 100.0 });
    }

    #[test]
    fn a_year_fits_as_well_as_a_minute() {
        let mut series = Series::default();
        for day in 0..366_u32 {
            for _ in 0..=day {
                series.add(f64::from(day) * 86_400.0, Some(0.0), FloodState::Normal);
            }
        }
        series.finish();
        assert!(series.bins().len() <= MOST_BINS && series.width().is_power_of_two());
        assert_eq!(series.bins().iter().map(|b| b.offered).sum::<u64>(), 366 * 367 / 2);
        assert_eq!(series.most_offered().count, 366);
        let few = fewer(series.bins(), 80);
        assert!(few.len() <= 80 && few.iter().map(|b| b.offered).sum::<u64>() == 366 * 367 / 2);
    }
}
