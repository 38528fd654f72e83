//! When a call may go out: the quota of the account, and the pause after a failure.

use crate::base::units::Rate;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;
use tokio::time::Instant;

/// Updates start a little further apart than the quota wants: they travel unevenly.
const MARGIN: f64 = 1.05;

/// Reads: the quota is 5 a second.
const READ_EVERY: Duration = Duration::from_millis(250);

/// The first pause after a failure, at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// tokio's clock, so that tests can run it.
#[derive(Clone, Debug)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

/// The pace of all calls of one kind.
pub(super) struct Pace {
    limiter: Limiter,
    ticks: Ticks,
    /// When the last call was let go, and how far apart they are.
    last: Duration,
    every: Duration,
}

impl Pace {
    /// At most `rate` updates. The first waits as if one had just gone out: another process may have sent it.
    pub(super) fn updates(rate: Rate) -> Self {
        let each = rate.period.as_secs_f64() / f64::from(rate.count.max(1));
        let pace = Self::every(Duration::from_secs_f64((each * MARGIN).clamp(0.001, 1e6)));
        // Nothing was let go before, so this can't fail.
        let _ = pace.limiter.check();
        pace
    }

    /// Reads and lists.
    pub(super) fn reads() -> Self {
        Self::every(READ_EVERY)
    }

    fn every(every: Duration) -> Self {
        let ticks = Ticks(Instant::now());
        // One at a time: a burst is a breach.
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(std::num::NonZeroU32::MIN));
        let limiter = RateLimiter::direct_with_clock(quota, ticks.clone());
        Self { limiter, last: ticks.now(), ticks, every }
    }

    /// Takes a turn, or says how long it is until there may be one.
    pub(super) fn take(&mut self) -> Result<(), Duration> {
        let taken = self.limiter.check().map_err(|early| early.wait_time_from(self.ticks.now()));
        if taken.is_ok() {
            self.last = self.ticks.now();
        }
        taken.map_err(|wait| wait.max(Duration::from_millis(1)))
    }

    /// When the next turn is, as far as can be told.
    pub(super) fn next(&self) -> Instant {
        self.ticks.0 + self.last + self.every
    }
}

/// A pause that doubles, of which a random part is waited, so that many who failed together come back one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// One more failure.
    pub(super) fn failed(&mut self, now: Instant) {
        let most = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + most.mul_f64(fraction()));
    }

    /// Not before `pause` is over.
    pub(super) fn wait(&mut self, now: Instant, pause: Duration) {
        self.until = Some(now + pause);
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// How often in a row it failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Until when nothing is to be tried, if that lies ahead.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

/// From 0 to 1.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the whole pause is waited.
    SystemRandom::new().fill(&mut bytes).map_or(1.0, |()| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn updates_keep_the_quota_from_the_first_on() {
        let mut pace = Pace::updates(Rate::per_second(1));
        let (begin, mut sent) = (Instant::now(), 0);
        while begin.elapsed() < Duration::from_secs(100) {
            match pace.take() {
                Ok(()) => sent += 1,
                Err(wait) => tokio::time::advance(wait).await,
            }
        }
        assert!((94..=95).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_bound_and_end_with_success() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let mut longest = Duration::ZERO;
        for _ in 0..200 {
            backoff.failed(now);
            longest = longest.max(backoff.until(now).map_or(Duration::ZERO, |until| until - now));
        }
        assert!(longest > LONGEST_PAUSE / 2 && longest <= LONGEST_PAUSE, "{longest:?}");
        backoff.reset();
        assert_eq!((backoff.until(now), backoff.failures()), (None, 0));
    }
}
