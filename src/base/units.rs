//! Quantities as people write them: "10s", "32KiB", "30/m", "25%". Every one carries its unit.

mod parse;

pub use parse::{
    BYTE_RATE_PATTERN, BYTES_PATTERN, DURATION_PATTERN, MAX_RATE_PER_SECOND, QuantityError, RATE_PATTERN,
    SHARE_PATTERN, parse_byte_rate, parse_duration, show_duration,
};
use std::time::Duration;

/// So many events in a period, such as "30/m".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub count: u32,
    /// In which time: a second, a minute, an hour or a day.
    pub period: Duration,
}

impl Rate {
    /// `count` a second.
    pub const fn per_second(count: u32) -> Self {
        Self { count, period: Duration::from_secs(1) }
    }

    /// Nanoseconds between two events at exactly this rate.
    pub fn interval_nanos(self) -> f64 {
        self.period.as_nanos() as f64 / f64::from(self.count)
    }
}

/// A number of bytes, such as "32KiB".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// A share in hundredths of a percent: 10,000 is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u16);

impl Share {
    /// 100 %.
    pub const ALL: Self = Self(10_000);
}
