//! What the demo service can bear: a fixed number of workers, each busy for a while with every request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What the demo service can bear. The default serves 800 light requests a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Requests worked on at once.
    pub workers: usize,
    /// Work of most requests.
    pub light: Duration,
    /// Work of a search.
    pub search: Duration,
    /// Work of a login, as a password hash would be.
    pub login: Duration,
    /// The longest wait for a worker. Whoever would wait longer gets a 503, after this time: a service in trouble does
    /// not even refuse quickly.
    pub patience: Duration,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            workers: 8,
            light: Duration::from_millis(10),
            search: Duration::from_millis(15),
            login: Duration::from_millis(20),
            patience: Duration::from_secs(1),
        }
    }
}

/// The most requests whose 503 is delayed; beyond, it comes at once, so that memory stays bounded.
const MAX_DELAYED: u64 = 4096;

/// No worker was free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overloaded;

/// The workers, as the times at which each is free again. Working is waiting here: it takes the time of real work and
/// leaves the machine to what is being demonstrated. Reckoning with times rather than holding permits keeps the
/// capacity exact however coarse timers are, and a request that its client gave up still costs its work, as it does in
/// most services.
#[derive(Debug)]
pub(super) struct Workers {
    free_at: Mutex<Vec<Instant>>,
    patience: Duration,
    delayed: AtomicU64,
    served: AtomicU64,
    queued: AtomicU64,
    rejected: AtomicU64,
}

/// Totals, for `/stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Stats {
    /// Requests worked on.
    pub(super) served: u64,
    /// How many of them had to wait for a worker.
    pub(super) queued: u64,
    /// Requests answered with 503.
    pub(super) rejected: u64,
    /// How long a request that came now would wait for a worker.
    pub(super) wait_ms: u64,
}

impl Workers {
    pub(super) fn new(capacity: &Capacity) -> Self {
        Self {
            free_at: Mutex::new(vec![Instant::now(); capacity.workers.max(1)]),
            patience: capacity.patience,
            delayed: AtomicU64::new(0),
            served: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        }
    }

    /// Waits for a worker and then for its work.
    pub(super) async fn work(&self, work: Duration) -> Result<(), Overloaded> {
        let Some(done) = self.book(Instant::now(), work) else {
            // Relaxed: a lone counter.
            self.rejected.fetch_add(1, Ordering::Relaxed);
            self.delay().await;
            return Err(Overloaded);
        };
        tokio::time::sleep_until(done).await;
        // Relaxed: a lone counter.
        self.served.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// When work that is asked for now will be done, by the worker that is free first.
    fn book(&self, now: Instant, work: Duration) -> Option<Instant> {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let first = free_at.iter_mut().min()?;
        let start = now.max(*first);
        if start - now > self.patience {
            return None;
        }
        if start > now {
            // Relaxed: a lone counter.
            self.queued.fetch_add(1, Ordering::Relaxed);
        }
        *first = start + work;
        Some(*first)
    }

    async fn delay(&self) {
        // Relaxed: a lone counter; a few too many do no harm.
        if self.delayed.fetch_add(1, Ordering::Relaxed) < MAX_DELAYED {
            let _end = Countdown(&self.delayed);
            tokio::time::sleep(self.patience).await;
        } else {
            drop(Countdown(&self.delayed));
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let now = Instant::now();
        let free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = free_at.iter().min().map_or(Duration::ZERO, |first| first.saturating_duration_since(now));
        Stats {
            // Relaxed: shown, not acted on.
            served: self.served.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed), // Relaxed: as above.
            rejected: self.rejected.load(Ordering::Relaxed), // Relaxed: as above.
            wait_ms: wait.as_millis() as u64,
        }
    }
}

/// Counts down also when its request is given up.
struct Countdown<'a>(&'a AtomicU64);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        // Relaxed: a lone counter.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(workers: usize) -> Capacity {
        Capacity { workers, patience: Duration::from_millis(100), ..Capacity::default() }
    }

    #[test]
    fn the_default_bears_800_light_requests_a_second() {
        let workers = Workers::new(&Capacity::default());
        let start = Instant::now() + Duration::from_secs(1);
        let done: Vec<_> = (0..800).map_while(|_| workers.book(start, Capacity::default().light)).collect();
        assert_eq!(done.len(), 800);
        assert_eq!(done.into_iter().max(), Some(start + Duration::from_secs(1)));
    }

    #[test]
    fn who_would_wait_too_long_is_rejected_and_costs_nothing() {
        let workers = Workers::new(&capacity(2));
        let now = Instant::now() + Duration::from_secs(1);
        let work = Duration::from_millis(100);
        for done_after in [100, 100, 200, 200] {
            assert_eq!(workers.book(now, work), Some(now + Duration::from_millis(done_after)));
        }
        assert_eq!(workers.book(now, work), None);
        assert_eq!(workers.book(now + work, work), Some(now + work * 3));
        assert_eq!(workers.stats().queued, 3);
    }

    #[test]
    fn no_workers_count_as_one() {
        assert!(Workers::new(&capacity(0)).book(Instant::now(), Duration::ZERO).is_some());
    }
}
