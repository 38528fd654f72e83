//! What was decided, counted: one shard a worker, so that counting never makes two cores share a cache line.

use super::reason::Reason;
use crate::base::shard::{self, SHARDS};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most limits a config may have.
pub const MAX_LIMITS: usize = 64;

/// Upper bounds of the latency buckets, in milliseconds; the last bucket has no bound.
pub const LATENCY_BOUNDS_MS: [u64; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000];

/// All counts since the process began; a reload resets none.
#[derive(Debug)]
pub struct Counters {
    shards: Box<[Shard; SHARDS]>,
}

/// Aligned to two cache lines, as neighbouring lines are prefetched together.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    reasons: [AtomicU64; Reason::COUNT],
    refused_by_limit: [AtomicU64; MAX_LIMITS],
    observed_by_limit: [AtomicU64; MAX_LIMITS],
    latency: [AtomicU64; LATENCY_BOUNDS_MS.len() + 1],
    latency_sum_us: AtomicU64,
    answered: [AtomicU64; 5],
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    connections: AtomicU64,
}

/// The counts at one moment, all shards together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Requests by reason, in the order of [`Reason::ALL`].
    pub reasons: [u64; Reason::COUNT],
    /// Refusals by limit index.
    pub refused_by_limit: [u64; MAX_LIMITS],
    /// What an observed limit, or one not enforced for this client, would have refused, by limit index.
    pub observed_by_limit: [u64; MAX_LIMITS],
    /// Origin's time to its first byte, requests by bucket (not cumulative).
    pub latency: [u64; LATENCY_BOUNDS_MS.len() + 1],
    /// Sum of those times in microseconds.
    pub latency_sum_us: u64,
    /// The origin's answers by the first digit of their status, less one.
    pub answered: [u64; 5],
    /// Request body bytes passed on.
    pub bytes_in: u64,
    /// Response body bytes passed back.
    pub bytes_out: u64,
    /// Connections ever accepted.
    pub connections: u64,
}

fn zeros<const N: usize>() -> [AtomicU64; N] {
    [const { AtomicU64::new(0) }; N]
}

/// Every ordering here is Relaxed: counters order nothing, and a reader needs no moment that all shards share.
fn bump(cell: &AtomicU64, by: u64) {
    // Relaxed: see above.
    cell.fetch_add(by, Ordering::Relaxed);
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

impl Counters {
    /// All zero.
    pub fn new() -> Self {
        Self {
            shards: Box::new(std::array::from_fn(|_| Shard {
                reasons: zeros(),
                refused_by_limit: zeros(),
                observed_by_limit: zeros(),
                latency: zeros(),
                latency_sum_us: AtomicU64::new(0),
                answered: zeros(),
                bytes_in: AtomicU64::new(0),
                bytes_out: AtomicU64::new(0),
                connections: AtomicU64::new(0),
            })),
        }
    }

    /// The counters' memory.
    pub const fn memory() -> usize {
        size_of::<[Shard; SHARDS]>()
    }

    /// One request ended so.
    pub fn ended(&self, reason: Reason) {
        bump(&self.shard().reasons[reason as usize], 1);
    }

    /// `limit` refused one.
    pub fn refused_by(&self, limit: usize) {
        bump(&self.shard().refused_by_limit[limit], 1);
    }

    /// The limits in this bit mask would have refused one.
    pub fn observed_by(&self, mut limits: u64) {
        while limits != 0 {
            bump(&self.shard().observed_by_limit[limits.trailing_zeros() as usize], 1);
            limits &= limits - 1;
        }
    }

    /// The origin took this long to its first byte.
    pub fn origin_latency(&self, took: Duration) {
        let ms = took.as_millis() as u64;
        let bucket = LATENCY_BOUNDS_MS.iter().position(|b| ms < *b).unwrap_or(LATENCY_BOUNDS_MS.len());
        bump(&self.shard().latency[bucket], 1);
        bump(&self.shard().latency_sum_us, took.as_micros() as u64);
    }

    /// The origin answered with `status`.
    pub fn answered(&self, status: u16) {
        if let Some(cell) = self.shard().answered.get(usize::from(status / 100).wrapping_sub(1)) {
            bump(cell, 1);
        }
    }

    /// Body bytes of one request.
    pub fn bytes(&self, bytes_in: u64, bytes_out: u64) {
        bump(&self.shard().bytes_in, bytes_in);
        bump(&self.shard().bytes_out, bytes_out);
    }

    /// One connection was accepted.
    pub fn connected(&self) {
        bump(&self.shard().connections, 1);
    }

    /// A limit's slot passes to another limit: its counts start again.
    pub fn forget_limit(&self, limit: usize) {
        for s in self.shards.iter() {
            // Relaxed: see `bump`.
            s.refused_by_limit[limit].store(0, Ordering::Relaxed);
            s.observed_by_limit[limit].store(0, Ordering::Relaxed);
        }
    }

    /// The sums over all shards.
    pub fn snapshot(&self) -> Snapshot {
        let sum = |cell: &dyn Fn(&Shard) -> &AtomicU64| -> u64 {
            // Relaxed: see `bump`.
            self.shards.iter().map(|s| cell(s).load(Ordering::Relaxed)).sum()
        };
        Snapshot {
            reasons: std::array::from_fn(|i| sum(&|s| &s.reasons[i])),
            refused_by_limit: std::array::from_fn(|i| sum(&|s| &s.refused_by_limit[i])),
            observed_by_limit: std::array::from_fn(|i| sum(&|s| &s.observed_by_limit[i])),
            latency: std::array::from_fn(|i| sum(&|s| &s.latency[i])),
            latency_sum_us: sum(&|s| &s.latency_sum_us),
            answered: std::array::from_fn(|i| sum(&|s| &s.answered[i])),
            bytes_in: sum(&|s| &s.bytes_in),
            bytes_out: sum(&|s| &s.bytes_out),
            connections: sum(&|s| &s.connections),
        }
    }

    fn shard(&self) -> &Shard {
        &self.shards[shard::mine()]
    }
}

impl Snapshot {
    /// Requests that ended with `reason`.
    pub fn ended(&self, reason: Reason) -> u64 {
        self.reasons[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_add_up() {
        let counters = Counters::new();
        std::thread::scope(|s| {
            for _ in 0..20 {
                s.spawn(|| {
                    for _ in 0..1_000 {
                        counters.ended(Reason::Limit);
                        counters.observed_by(0b101);
                        counters.origin_latency(Duration::from_millis(3));
                        [0, 204, 503, 600].iter().for_each(|status| counters.answered(*status));
                    }
                });
            }
        });
        let seen = counters.snapshot();
        assert_eq!(seen.ended(Reason::Limit), 20_000);
        assert_eq!(
            (seen.observed_by_limit[0], seen.observed_by_limit[1], seen.observed_by_limit[2]),
            (20_000, 0, 20_000)
        );
        assert_eq!(seen.latency[2], 20_000);
        assert_eq!(seen.answered, [0, 20_000, 0, 0, 20_000]);
    }
}
