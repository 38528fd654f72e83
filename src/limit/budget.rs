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
