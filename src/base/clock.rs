//! Time as a plain number, so that the core can be handed any clock: the machine's, a test's, a simulation's.

use nix::time::{ClockId, clock_gettime};
use std::ops::{Add, Sub};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: nanoseconds on a monotonic scale that one process, or one simulation, shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The point `nanos` nanoseconds after the scale's zero.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the scale's zero.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Where the monotonic scale starts: a day before the machine, so that looking back never saturates.
const HEAD_START: u64 = 86_400_000_000_000;

/// The machine's monotonic clock (one vDSO read, about 20 ns).
///
/// Read as two numbers and not as an `Instant`, whose subtraction costs as much again.
pub fn now() -> Time {
    let read = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every POSIX system has this clock");
    Time(HEAD_START + read.tv_sec() as u64 * 1_000_000_000 + read.tv_nsec() as u64)
}

/// CPU time of this thread since it began: what a piece of work takes, whatever else the machine does.
pub fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has this clock").into()
}

/// The wall-clock time of a point on this process's scale, in nanoseconds since 1970.
pub fn unix_nanos(at: Time) -> u64 {
    /// Wall clock and scale, read together.
    static ANCHOR: OnceLock<(u64, Time)> = OnceLock::new();
    let (unix, scale) =
        ANCHOR.get_or_init(|| (SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64), now()));
    (unix + at.0).saturating_sub(scale.0)
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct FakeClock(AtomicU64);

impl FakeClock {
    /// A clock that reads `start`.
    pub fn new(start: Time) -> Self {
        Self(AtomicU64::new(start.0))
    }

    /// What the clock reads.
    pub fn now(&self) -> Time {
        // Relaxed: a lone counter, nothing else is published through it.
        Time(self.0.load(Ordering::Relaxed))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        // Relaxed: as in `now`.
        self.0.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
    }
}
