//! The origin's budget: one bucket for all requests, of which some may use more than others.

use super::gcra::{Decision, Quota};
use crate::base::clock::Time;
use crate::base::sync::{AtomicU64, Ordering};
use crate::base::units::Share;
use std::time::Duration;

/// One bucket, whose debt is kept as the time at which it is over.
///
/// It counts in nanoseconds, so that a reload may change the rate at any time (rounding an interval costs 0.005 % at
/// 100,000/s).
#[derive(Debug)]
pub struct Budget(AtomicU64);

impl Budget {
    /// A full bucket.
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Admits one request if `reserve` of the burst is left after it, or refuses and charges nothing.
    ///
    /// Who comes with no reserve gets what others had to leave: strict priority, while the total stays in capacity.
    /// A reserve never locks its caller out of a full bucket.
    pub fn take(&self, quota: &Quota, now: Time, reserve: Share) -> Decision {
        let (now, terms) = (now.nanos(), Terms::of(quota, reserve));
        // Relaxed, here and below: the cell is whole in its one word and publishes nothing else.
        let mut over_at = self.0.load(Ordering::Relaxed);
        loop {
            let owed = over_at.saturating_sub(now);
            let debt = owed.min(terms.full);
            let (new, decision) = match terms.decide(debt) {
                refusal @ Decision::Refuse { .. } if owed <= terms.full => return refusal,
                // A reload made the bucket smaller; no bucket is emptier than empty, and its debt must shrink again.
                refusal @ Decision::Refuse { .. } => (now + debt, refusal),
                admitted => (now + debt + terms.interval, admitted),
            };
            match self.0.compare_exchange_weak(over_at, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return decision,
                Err(current) => over_at = current,
            }
        }
    }

    /// As [`take`](Self::take), for a bucket of which only the first `depth` requests may go at once: the others wait
    /// in line, at the quota's rate. For how long, or after how long to come again.
    ///
    /// # Errors
    /// Where the line is full.
    pub fn enter(&self, quota: &Quota, now: Time, reserve: Share, depth: u32) -> Result<Duration, Duration> {
        match self.take(quota, now, reserve) {
            Decision::Refuse { retry_after } => Err(retry_after),
            Decision::Admit { .. } => {
                // Read after the charge: who came between only makes the wait longer.
                // Relaxed: as in `take`.
                let debt = self.0.load(Ordering::Relaxed).saturating_sub(now.nanos());
                let at_once = (quota.rate().interval_nanos() * f64::from(depth)) as u64;
                Ok(Duration::from_nanos(debt.saturating_sub(at_once)))
            }
        }
    }

    /// What [`take`](Self::take) would answer. Charges nothing.
    pub fn peek(&self, quota: &Quota, now: Time, reserve: Share) -> Decision {
        let terms = Terms::of(quota, reserve);
        // Relaxed: as in `take`.
        terms.decide(self.0.load(Ordering::Relaxed).saturating_sub(now.nanos()).min(terms.full))
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// A quota in nanoseconds.
struct Terms {
    interval: u64,
    full: u64,
    reserve: u64,
}

impl Terms {
    fn of(quota: &Quota, reserve: Share) -> Self {
        let interval = (quota.rate().interval_nanos().round() as u64).max(1);
        let full = interval.saturating_mul(u64::from(quota.burst()));
        let reserve = (u128::from(full) * u128::from(reserve.0) / u128::from(Share::ALL.0)) as u64;
        Self { interval, full, reserve: reserve.min(full - interval) }
    }

    fn decide(&self, debt: u64) -> Decision {
        let after = debt + self.interval + self.reserve;
        if after <= self.full {
            Decision::Admit { remaining: u32::try_from((self.full - after) / self.interval).unwrap_or(u32::MAX) }
        } else {
            Decision::Refuse { retry_after: Duration::from_nanos(after - self.full) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::Rate;
    use proptest::prelude::*;

    const START: Time = Time::from_nanos(86_400_000_000_000);
    const NONE: Share = Share(0);
    const QUARTER: Share = Share(2_500);

    fn takes(budget: &Budget, quota: &Quota, now: Time, reserve: Share, count: u32) -> u32 {
        (0..count).map(|_| u32::from(budget.take(quota, now, reserve).admits())).sum()
    }

    #[test]
    fn a_reserve_is_left_for_who_has_none() {
        let (budget, quota) = (Budget::new(), Quota::new(Rate::per_second(100), 100));
        assert_eq!(takes(&budget, &quota, START, QUARTER, 200), 75);
        assert_eq!(takes(&budget, &quota, START, NONE, 200), 25);
        let Decision::Refuse { retry_after } = budget.peek(&quota, START, QUARTER) else { panic!("admitted") };
        assert_eq!(retry_after, Duration::from_millis(260));
        assert!(budget.peek(&quota, START + retry_after, QUARTER).admits());
        assert_eq!(takes(&budget, &quota, START + Duration::from_millis(100), NONE, 200), 10);
    }

    #[test]
    fn under_pressure_the_first_class_goes_first_and_the_total_holds() {
        let (budget, quota) = (Budget::new(), Quota::new(Rate::per_second(100), 100));
        let (mut first, mut second) = (0, 0);
        for ms in 0..10_000u64 {
            let now = START + Duration::from_millis(ms);
            second += takes(&budget, &quota, now, QUARTER, 5);
            first += takes(&budget, &quota, now, NONE, u32::from(ms % 20 == 0));
        }
        assert_eq!(first, 500, "50/s asked for, 50/s given");
        assert!(first + second <= 100 + 10 * 100, "{first} + {second}");
        assert!(second >= 10 * 50, "{second}");
    }

    #[test]
    fn a_reserve_never_locks_out_of_a_full_bucket() {
        let (budget, quota) = (Budget::new(), Quota::new(Rate::per_second(10), 1));
        assert_eq!(takes(&budget, &quota, START, Share::ALL, 3), 1);
    }

    #[test]
    fn who_comes_behind_the_depth_waits_in_line() {
        let (budget, quota) = (Budget::new(), Quota::new(Rate::per_second(100), 15));
        let waits: Vec<_> = (0..17).map(|_| budget.enter(&quota, START, NONE, 5).map(|d| d.as_millis())).collect();
        assert_eq!(waits[..5], [Ok(0); 5]);
        assert_eq!(waits[5..15], [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map(Ok));
        assert_eq!(waits[15], Err(10));
    }

    #[test]
    fn a_raised_capacity_counts_at_once() {
        let (old, new) = (Quota::new(Rate::per_second(1), 60), Quota::new(Rate::per_second(100), 50));
        let budget = Budget::new();
        assert_eq!(takes(&budget, &old, START, NONE, 100), 60);
        assert_eq!(takes(&budget, &new, START, NONE, 100), 0, "empty, not emptier");
        assert_eq!(takes(&budget, &new, START + Duration::from_millis(200), NONE, 100), 20);
    }

    proptest! {
        #[test]
        fn no_more_than_the_burst_and_the_rate(
            count in 1u32..100_000, burst in 1u32..100, reserve in 0u16..=10_000,
            gaps in prop::collection::vec(0.0..2.0f64, 1..300),
        ) {
            let (budget, quota) = (Budget::new(), Quota::new(Rate::per_second(count), burst));
            let (mut now, mut admitted) = (START, 0u32);
            for gap in gaps {
                now = now + Duration::from_nanos((gap * quota.rate().interval_nanos()) as u64);
                let peeked = budget.peek(&quota, now, Share(reserve));
                let taken = budget.take(&quota, now, Share(reserve));
                prop_assert_eq!(peeked, taken);
                admitted += u32::from(taken.admits());
                let filled = now.since(START).as_nanos() as f64 / quota.rate().interval_nanos();
                prop_assert!(f64::from(admitted) <= f64::from(burst) + filled * 1.000_1 + 1e-6);
            }
        }
    }
}
