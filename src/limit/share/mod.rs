//! Limits that count over the whole fleet: each task holds a part of the rate and of the burst, and all parts together
//! are never more than the limit.
//!
//! Once a second each task says what it was asked for ([`TaskDemand`]), the leader makes of all that who has which
//! part ([`Digest`]), and each task takes its own part from it ([`Parts`]). No request waits for any of this: it finds
//! its part in its task's memory, and an answer that comes late, or never, leaves the parts as they are.
//!
//! A limit is divided by live tasks and by what the load balancer sends to each. Keys that ask for more than their part
//! of it are divided by where they ask: one that comes through one task alone has nearly the whole limit there.
//!
//! Three rules keep the sum: a part gets smaller at once but larger one digest later, when the others have heard; a part
//! that gets larger fills up from what it held; and who is far over its limit is lent nothing.

mod aggregate;
mod asked;
mod demand;
mod digest;
mod parts;

pub use asked::Asked;
pub use demand::{KeyDemand, LimitDemand, TaskDemand};
pub use digest::{Digest, HotKey, LimitDigest};
pub use parts::{LimitParts, Parts, Shared};

use super::gcra::Quota;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of what tasks tell each other; another one is not understood.
const VERSION: u8 = 1;

/// The most limits of a task.
const MAX_LIMITS: usize = 64;

/// The most tasks that share.
const MAX_TASKS: usize = 4_096;

/// Which limit: tasks share one only where name, rate and burst are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LimitId {
    /// Its name.
    #[serde(rename = "n")]
    pub name: String,
    /// How many requests in how many nanoseconds.
    #[serde(rename = "r")]
    pub rate: (u32, u64),
    /// How many at once.
    #[serde(rename = "b")]
    pub burst: u32,
}

impl LimitId {
    /// The limit `name` with this quota.
    pub fn new(name: &str, quota: &Quota) -> Self {
        let rate = quota.rate();
        let nanos = u64::try_from(rate.period.as_nanos()).unwrap_or(u64::MAX);
        Self { name: name.to_owned(), rate: (rate.count, nanos), burst: quota.burst() }
    }

    /// Requests a second.
    fn per_second(&self) -> f64 {
        f64::from(self.rate.0.max(1)) / (self.rate.1.max(1) as f64 / 1e9)
    }

    /// How long what was asked for counts half: a second, or longer where requests are further apart.
    fn half_life(&self) -> Duration {
        Duration::from_secs_f64((5.0 / self.per_second()).clamp(1.0, 15.0))
    }

    fn is_sound(&self) -> bool {
        (1..=256).contains(&self.name.len()) && self.rate.0 > 0 && self.rate.1 > 0 && self.burst > 0
    }
}

/// Why something that another task wrote was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than any task writes.
    #[error("{0} bytes are more than the {1} of the largest")]
    TooLarge(usize, usize),
    /// Not what JSON or its fields should be.
    #[error("not of the expected form: {0}")]
    Form(String),
    /// Another version.
    #[error("version {0} is not known; this weir speaks version {VERSION}")]
    Version(u8),
    /// More of something, or larger, than any task writes.
    #[error("{0} is out of bounds")]
    Bounds(&'static str),
}

/// Reads JSON of at most `most` bytes.
fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8], most: usize) -> Result<T, Malformed> {
    if bytes.len() > most {
        return Err(Malformed::TooLarge(bytes.len(), most));
    }
    serde_json::from_slice(bytes).map_err(|e| Malformed::Form(e.to_string()))
}

/// Keys in hexadecimal, without leading zeros: half as long for IPv4.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(key: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{key:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(|_| D::Error::custom("a key is no hexadecimal number of 128 bits"))
    }
}

/// The `most` first of `sorted`, of which neither side of `over` may have more than half while the other has some left.
fn both_sides<T>(sorted: Vec<T>, most: usize, over: impl Fn(&T) -> bool) -> Vec<T> {
    if sorted.len() <= most {
        return sorted;
    }
    let above = sorted.iter().filter(|x| over(x)).count();
    let below = sorted.len() - above;
    let mut of_above = above.min(most - below.min(most / 2));
    let mut of_below = most - of_above;
    let mut keep = |x: &T| {
        let left = if over(x) { &mut of_above } else { &mut of_below };
        let keeps = *left > 0;
        *left -= usize::from(keeps);
        keeps
    };
    sorted.into_iter().filter(|x| keep(x)).collect()
}
