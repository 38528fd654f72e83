//! Whether a request gets a record at all: asked before one is built, so that a flood pays for its refusals only.

use crate::base::clock::Time;
use crate::base::units::{Rate, Share};
use std::cell::Cell;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What may pass in one go after a pause.
const BURST: Duration = Duration::from_secs(1);

/// Lets refusals pass up to a rate and forwarded requests by a share, and counts what it held back.
#[derive(Debug)]
pub struct LogGate {
    /// Nanoseconds between two logged refusals.
    interval: AtomicU64,
    /// When the next refusal would be due if they came evenly (GCRA's theoretical arrival time).
    due: AtomicU64,
    sample: AtomicU16,
    suppressed: [Count; SHARDS],
}

const SHARDS: usize = 16;

/// On a cache line of its own (two, as neighbours are prefetched): every request of a flood comes here.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicU64);

impl LogGate {
    /// A gate for at most `refused` refusals (and a second's worth at once) and the `forwarded` share of the others.
    pub fn new(refused: Rate, forwarded: Share) -> Self {
        let gate = Self {
            interval: AtomicU64::new(0),
            due: AtomicU64::new(0),
            sample: AtomicU16::new(0),
            suppressed: Default::default(),
        };
        gate.set(refused, forwarded);
        gate
    }

    /// Takes new settings, as after a reload.
    pub fn set(&self, refused: Rate, forwarded: Share) {
        // Relaxed: each value stands alone; a request between the two stores is logged by a mix for that once.
        self.interval.store((refused.interval_nanos() as u64).max(1), Ordering::Relaxed);
        // Relaxed: as above.
        self.sample.store(forwarded.0, Ordering::Relaxed);
        // Relaxed: as above. What a slower rate had put off is forgotten, or it would hold back the new one.
        self.due.store(0, Ordering::Relaxed);
    }

    /// Whether this refusal is to be recorded.
    pub fn refused(&self, now: Time) -> bool {
        // Relaxed: as in `set`.
        let interval = self.interval.load(Ordering::Relaxed);
        let room = (BURST.as_nanos() as u64).max(interval);
        // Relaxed: the cell publishes nothing but itself.
        let mut due = self.due.load(Ordering::Relaxed);
        loop {
            let next = due.max(now.nanos()).saturating_add(interval);
            if next.saturating_sub(now.nanos()) > room {
                self.suppress();
                return false;
            }
            // Relaxed: as above.
            match self.due.compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => due = seen,
            }
        }
    }

    /// Whether this forwarded request is to be recorded; `hash` is any well-mixed number of the request's own.
    pub fn forwarded(&self, hash: u64) -> bool {
        // Relaxed: as in `set`.
        let share = u64::from(self.sample.load(Ordering::Relaxed));
        let logged = ((hash >> 32) * 10_000) >> 32 < share;
        if !logged {
            self.suppress();
        }
        logged
    }

    /// How many requests got no record since the start.
    pub fn suppressed(&self) -> u64 {
        // Relaxed: lone counters.
        self.suppressed.iter().map(|c| c.0.load(Ordering::Relaxed)).sum()
    }

    fn suppress(&self) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! { static MINE: Cell<Option<usize>> = const { Cell::new(None) } }
        let mine = MINE.get().unwrap_or_else(|| {
            // Relaxed: hands out numbers, orders nothing.
            let mine = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
            MINE.set(Some(mine));
            mine
        });
        // Relaxed: as in `suppressed`.
        self.suppressed[mine].0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(gate: &LogGate, from: Time, every: Duration, times: u32) -> u32 {
        (0..times).filter(|n| gate.refused(from + every * *n)).count() as u32
    }

    #[test]
    fn refusals_pass_up_to_the_rate_and_the_rest_is_counted() {
        let gate = LogGate::new(Rate::per_second(100), Share::ALL);
        let start = Time::from_nanos(1_000_000_000_000);
        // 10 s of 10,000 a second: the burst of a second and 10 s of the rate.
        let logged = passed(&gate, start, Duration::from_micros(100), 100_000);
        assert!((1_099..=1_100).contains(&logged), "{logged}");
        assert_eq!(gate.suppressed(), u64::from(100_000 - logged));
    }

    #[test]
    fn a_rate_below_one_a_second_lets_one_pass_at_a_time() {
        let gate = LogGate::new(Rate { count: 1, period: Duration::from_secs(60) }, Share::ALL);
        assert_eq!(passed(&gate, Time::from_nanos(5), Duration::from_secs(1), 600), 10);
    }

    #[test]
    fn a_new_rate_counts_at_once() {
        let gate = LogGate::new(Rate { count: 1, period: Duration::from_secs(86_400) }, Share(0));
        let start = Time::from_nanos(1_000_000_000_000);
        assert_eq!(passed(&gate, start, Duration::ZERO, 50), 1);
        gate.set(Rate::per_second(1_000), Share::ALL);
        assert_eq!(passed(&gate, start, Duration::ZERO, 5_000), 1_000);
        assert!(gate.forwarded(u64::MAX));
    }

    #[test]
    fn the_share_of_forwarded_requests_is_kept() {
        let mixed = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (share, expected) in [(0, 0..=0), (100, 950..=1_050), (10_000, 100_000..=100_000)] {
            let gate = LogGate::new(Rate::per_second(1), Share(share));
            let logged = (1..=100_000).filter(|n| gate.forwarded(mixed(*n))).count() as u64;
            assert!(expected.contains(&logged), "{share}: {logged}");
            assert_eq!(gate.suppressed(), 100_000 - logged);
        }
    }
}
