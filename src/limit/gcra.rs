//! The arithmetic of GCRA (the generic cell rate algorithm), apart from where its state is kept.
//!
//! A bucket is one number, its debt: how long until it is full again. A request adds one interval to the debt and
//! is admitted while the debt stays within `burst` intervals. Debt is counted in ticks of 1/1024 interval, so that
//! the interval, and with it the rate, has no rounding error; only `now` is rounded, to a tick.

use crate::base::clock::Time;
use crate::base::units::Rate;
use std::time::Duration;

/// Ticks in one interval.
pub const INTERVAL: u64 = 1 << 10;

/// The largest burst; a larger one counts as this. It keeps every debt below a quarter of a slot's range.
pub const MAX_BURST: u32 = 1 << 28;

/// The outcome of one request against one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Within the quota.
    Admit {
        /// How many more would be admitted at once.
        remaining: u32,
    },
    /// Over the quota.
    Refuse {
        /// When the same request would be admitted, if nothing else came before.
        retry_after: Duration,
    },
}

impl Decision {
    /// Whether the request is within the quota.
    pub const fn admits(self) -> bool {
        matches!(self, Self::Admit { .. })
    }
}

/// What a request costs and what debt is let be, both in ticks: those of a whole bucket, or of one part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    price: u64,
    full: u64,
}

impl Terms {
    /// How many requests go at once after a pause.
    pub const fn depth(&self) -> u32 {
        (self.full / self.price) as u32
    }

    /// What one request costs.
    pub(super) const fn price(&self) -> u64 {
        self.price
    }

    /// The most debt, in intervals, rounded up.
    pub(super) const fn most(&self) -> u32 {
        self.full.div_ceil(INTERVAL) as u32
    }
}

/// The smallest part of a bucket; a smaller one counts as this.
const LEAST_PART: f64 = 1e-5;

/// The least depth of a part, in requests: with one alone a request that comes a moment late wastes what came meanwhile.
const LEAST_DEPTH: f64 = 1.25;

/// A rate and a burst, ready for arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    rate: Rate,
    burst: u32,
    /// Ticks in a nanosecond, as a fraction of 2^64.
    scale: u64,
    /// Nanoseconds in a tick, times 2^16, rounded up.
    tick: u64,
}

impl Quota {
    /// `rate` in the long run, `burst` at once after a pause (at least 1, at most [`MAX_BURST`]).
    ///
    /// Rates up to 976,562 a second are exact to 10^-8; a higher one counts as that.
    pub fn new(rate: Rate, burst: u32) -> Self {
        let ticks = u128::from(INTERVAL) * u128::from(rate.count.max(1));
        // Rounded up: a client that sends at exactly its rate must never be a tick early.
        let scale = (ticks << 64).div_ceil(rate.period.as_nanos().max(1));
        let scale = u64::try_from(scale).unwrap_or(u64::MAX);
        let tick = (1u128 << 80).div_ceil(u128::from(scale.max(1)));
        let tick = u64::try_from(tick).unwrap_or(u64::MAX);
        Self { rate, burst: burst.clamp(1, MAX_BURST), scale, tick }
    }

    /// The rate as it was given.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The most requests at once.
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// The same rate with another burst.
    #[must_use]
    pub fn with_burst(self, burst: u32) -> Self {
        Self { burst: burst.clamp(1, MAX_BURST), ..self }
    }

    /// The terms of the part `share` of the bucket: a request costs so much more, and so the part's rate is exact, while
    /// its burst is the same part of the whole one.
    ///
    /// Several parts together are not one bucket: what comes by chance finds one empty while another is full. With
    /// `lends` a part goes into debt by one deviation of such a chance, and one more; to be paid back before it admits
    /// again without.
    pub fn part(&self, share: f64, lends: bool) -> Terms {
        let share = if share.is_finite() { share.clamp(LEAST_PART, 1.0) } else { LEAST_PART };
        let price = (INTERVAL as f64 / share).ceil();
        let own = f64::from(self.burst) * share;
        let depth = if lends { own + own.sqrt() + 1.0 } else { own.max(LEAST_DEPTH) };
        Terms { price: price as u64, full: ((depth * price) as u64).min(u64::from(MAX_BURST) * INTERVAL) }
    }

    /// Whether both count time in the same ticks, that is, have the same rate.
    pub const fn same_ticks(&self, other: &Self) -> bool {
        self.scale == other.scale
    }

    /// The tick that `now` falls in.
    #[inline]
    pub(super) const fn ticks(&self, now: Time) -> u64 {
        ((now.nanos() as u128 * self.scale as u128) >> 64) as u64
    }

    /// The debt of an empty bucket, in ticks.
    #[inline]
    pub(super) const fn full(&self) -> u64 {
        self.burst as u64 * INTERVAL
    }

    /// How long `ticks` last, rounded up: waiting that long is always enough.
    #[inline]
    pub(super) fn duration(&self, ticks: u64) -> Duration {
        let nanos = ((u128::from(ticks) * u128::from(self.tick)) >> 16) + 1;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Whether a bucket with this debt admits one more. A debt beyond the empty bucket's counts as that.
    #[inline]
    pub(super) fn decide(&self, debt: u64) -> Decision {
        self.decide_on(debt.min(self.full()), Terms { price: INTERVAL, full: self.full() })
    }

    /// As [`decide`](Self::decide), on other terms. A debt beyond them counts whole: it is to be paid back.
    #[inline]
    pub(super) fn decide_on(&self, debt: u64, Terms { price, full }: Terms) -> Decision {
        let after = debt + price;
        if after <= full {
            Decision::Admit { remaining: ((full - after) / price) as u32 }
        } else {
            Decision::Refuse { retry_after: self.duration(after - full) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per(count: u32, seconds: u64) -> Rate {
        Rate { count, period: Duration::from_secs(seconds) }
    }

    #[test]
    fn an_interval_is_1024_ticks_at_every_rate() {
        for rate in [per(1, 86_400), per(1, 3600), per(7, 60), per(333, 1), per(99_999, 1), per(100_000, 1)] {
            let quota = Quota::new(rate, 1);
            for n in [1u64, 10, 1000] {
                let after = (f64::from(n as u32) * rate.interval_nanos()).ceil() as u64;
                let ticks = quota.ticks(Time::from_nanos(after));
                // A nanosecond is 0.1 tick at the highest rate: the rounding of `after` may show, nothing more.
                assert_eq!(ticks, n * INTERVAL, "{rate:?}");
            }
        }
    }

    #[test]
    fn waiting_as_told_is_enough() {
        for rate in [per(1, 86_400), per(7, 60), per(333, 1), per(99_999, 1)] {
            let quota = Quota::new(rate, 1);
            for start in [0u64, 1, 12_345_678_901, 86_400_000_000_000] {
                let now = Time::from_nanos(start);
                for ticks in [1, 500, INTERVAL] {
                    let later = now + quota.duration(ticks);
                    assert!(quota.ticks(later) >= quota.ticks(now) + ticks, "{rate:?} {start} {ticks}");
                }
            }
        }
    }

    #[test]
    fn the_burst_is_what_a_full_bucket_admits() {
        let quota = Quota::new(per(10, 1), 3);
        assert_eq!(quota.decide(0), Decision::Admit { remaining: 2 });
        assert_eq!(quota.decide(2 * INTERVAL), Decision::Admit { remaining: 0 });
        let Decision::Refuse { retry_after } = quota.decide(3 * INTERVAL) else { panic!("admitted") };
        assert!(retry_after.as_micros() == 100_000, "{retry_after:?}");
        assert_eq!(quota.decide(u64::MAX), quota.decide(3 * INTERVAL), "emptier than empty");
    }

    #[test]
    fn parts_have_their_part_of_rate_and_burst() {
        let quota = Quota::new(per(10, 1), 100);
        let eighth = quota.part(0.125, false);
        assert_eq!((eighth.price, eighth.full, eighth.depth()), (8 * INTERVAL, 100 * INTERVAL, 12));
        assert_eq!(quota.part(0.125, true).depth(), 17, "12.5, its root, and one");
        assert_eq!(quota.part(1.0, false), Terms { price: INTERVAL, full: 100 * INTERVAL });
        let sliver = quota.part(0.001, false);
        assert_eq!((sliver.depth(), sliver.full), (1, 1_250 * INTERVAL), "one request from a full part");
        let Decision::Refuse { retry_after } = quota.decide_on(sliver.price, sliver) else { panic!("admitted") };
        assert_eq!(retry_after.as_millis(), 75_000, "of the 100 s between two");
    }

    #[test]
    fn senseless_numbers_are_bounded() {
        assert_eq!(Quota::new(per(10, 1), 0).burst(), 1);
        assert_eq!(Quota::new(per(10, 1), u32::MAX).burst(), MAX_BURST);
        let fastest = Quota::new(per(u32::MAX, 1), 1);
        assert_eq!(fastest.ticks(Time::from_nanos(1_000_000)), 999_999);
        assert!(Quota::new(Rate { count: 0, period: Duration::ZERO }, 1).decide(0).admits());
        for share in [f64::NAN, f64::INFINITY, -1.0, 0.0, 2.0] {
            for (burst, lends) in [(1, false), (u32::MAX, true), (u32::MAX, false), (1_000_000, true)] {
                let quota = Quota::new(per(10, 1), burst);
                let part = quota.part(share, lends);
                assert!(quota.decide_on(0, part).admits() && part.most() <= MAX_BURST, "{share} {burst} {part:?}");
            }
        }
    }
}
