//! Who was here before: clients, and networks, that good responses went to within the last four weeks.
//!
//! A fixed table for each of three levels: the client, its /24 (IPv6 /56) and its /16 (IPv6 /48). A table rather than
//! rotating filters, as it forgets where a filter that is filled makes everybody known (decision 15). What a newcomer
//! can push out is what nobody relied on lately: a credited entry that was good within a day keeps its slot.
//!
//! Times are kept in steps of five minutes and rounded so that an entry never counts as older, and so as better, than
//! it is.

mod entry;
#[cfg(not(loom))]
mod file;
mod level;
#[cfg(not(loom))]
mod share;

use crate::base::clock::Time;
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::client::key::ClientKey;
use crate::limit::seeds::Seeds;
use entry::{DAY, STEP};
use level::{Level, Noted, Spot};
use std::time::Duration;

#[cfg(not(loom))]
pub use file::{LoadError, read, unpack};
#[cfg(not(loom))]
pub use share::Credit;

const NANOS: u64 = 1_000_000_000;
/// What is younger than this is no history yet, in seconds: a flood must not vouch for itself.
const SETTLED: u64 = 15 * 60;

/// How many entries each level has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Clients.
    pub clients: u32,
    /// IPv4 /24 and IPv6 /56 networks.
    pub net24: u32,
    /// IPv4 /16 and IPv6 /48 networks.
    pub net16: u32,
}

impl Default for Sizes {
    /// 10.5 MiB in all.
    fn default() -> Self {
        Self { clients: 1 << 20, net24: 1 << 18, net16: 1 << 16 }
    }
}

/// How well a client is known; the numbers are ranks (2, a passed challenge, is not the history's to give).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Standing {
    /// Three good responses or more, in two ten-minute slots or more.
    Credited = 0,
    /// A good response.
    Seen = 1,
    /// A good response to somebody in its /24 (IPv6 /56).
    Net24 = 3,
    /// A good response, a day ago or more, to somebody in its /16 (IPv6 /48).
    Net16 = 4,
    /// None of these.
    Unknown = 5,
}

/// What the history says of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its standing.
    pub standing: Standing,
    /// Whether that rests on an entry made within a day: such a standing may have been bought for the occasion.
    pub young: bool,
}

/// Where a client and its networks live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spots([Spot; 3]);

/// How many entries there were at the last sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Clients.
    pub clients: u32,
    /// Of these with credit.
    pub credited: u32,
    /// IPv4 /24 and IPv6 /56 networks.
    pub net24: u32,
    /// IPv4 /16 and IPv6 /48 networks.
    pub net16: u32,
}

/// The history. Any thread may use all of it; nothing blocks.
pub struct History {
    levels: [Level; 3],
    seeds: Seeds,
    /// Unix seconds at the zero of the scale of `Time`.
    unix_zero: u64,
    /// The latest step that anybody came with: what stamps are read against.
    latest: AtomicU64,
    dropped: AtomicU64,
    filled: [AtomicU32; 4],
    #[cfg(not(loom))]
    exports: share::Exports,
}

impl History {
    /// The longest time between two sweeps.
    pub const SWEEP_PERIOD: Duration = Duration::from_secs(2 * 60 * 60);

    /// An empty history, where `unix_zero` is the Unix time in seconds at the zero of the scale of `Time`.
    ///
    /// Sizes are rounded up to whole cache lines, and cut to 2^26. Memory is zeroed and paged in when touched.
    pub fn new(sizes: Sizes, seeds: Seeds, unix_zero: u64) -> Self {
        Self {
            levels: [sizes.clients, sizes.net24, sizes.net16].map(Level::new),
            seeds,
            unix_zero,
            latest: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            filled: std::array::from_fn(|_| AtomicU32::new(0)),
            #[cfg(not(loom))]
            exports: share::Exports::default(),
        }
    }

    /// Whether a response with this status speaks for the client: an answer, and no failed login or refusal.
    pub const fn good_status(status: u16) -> bool {
        matches!(status, 100..500) && !matches!(status, 401 | 403 | 429)
    }

    /// Where `client` lives. Touches no memory of the tables.
    #[inline]
    pub fn locate(&self, client: ClientKey) -> Spots {
        let keys = [client, client.prefix(24, 56), client.prefix(16, 48)];
        Spots(std::array::from_fn(|i| self.levels[i].locate(self.seeds.hash(keys[i].bits()))))
    }

    /// Starts to load what [`known`](Self::known) reads.
    #[inline]
    pub fn prefetch(&self, spots: Spots) {
        for (level, spot) in self.levels.iter().zip(spots.0) {
            level.prefetch(spot);
        }
    }

    /// Counts a good response (see [`good_status`](Self::good_status)) for the client and its networks.
    pub fn good(&self, client: ClientKey, now: Time) {
        let now = self.advance(now);
        for (n, (level, spot)) in self.levels.iter().zip(self.locate(client).0).enumerate() {
            match level.good(spot, now) {
                // Relaxed: for display.
                Noted::Nowhere => {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                }
                Noted::Credited(entry) if n == 0 => self.tell(client, &entry),
                _ => {}
            }
        }
    }

    #[cfg(loom)]
    fn tell(&self, _: ClientKey, _: &entry::Entry) {}

    /// What was known of the client at `before`: now, or the onset of an attack, so that nobody earns a standing
    /// during it. What was first seen later counts for nothing.
    #[inline]
    pub fn known(&self, spots: Spots, before: Time) -> Known {
        let at = self.unix_seconds(before);
        // An entry's step is over before these begin, wherever in its step it was made.
        let (settled, day) = (at.saturating_sub(SETTLED) / STEP, (at / STEP).saturating_sub(DAY));
        // Relaxed: a reader that is a little late is reckoned with.
        let latest = self.latest.load(Ordering::Relaxed);
        let find = |level: usize| {
            let entry = self.levels[level].find(spots.0[level], latest, latest.max(at / STEP));
            entry.filter(|entry| entry.first < settled)
        };
        if let Some(entry) = find(0) {
            let credited = entry.credited.is_some_and(|at| at < settled);
            let standing = if credited { Standing::Credited } else { Standing::Seen };
            return Known { standing, young: entry.first >= day };
        }
        if let Some(entry) = find(1) {
            return Known { standing: Standing::Net24, young: entry.first >= day };
        }
        let standing = if find(2).is_some_and(|entry| entry.first < day) { Standing::Net16 } else { Standing::Unknown };
        Known { standing, young: false }
    }

    /// Forgets what is over 28 days old. Call it at least every [`SWEEP_PERIOD`](Self::SWEEP_PERIOD), off the hot
    /// path (a few milliseconds): later, an old stamp would be read as a new one.
    pub fn sweep(&self, now: Time) -> Filled {
        let now = self.unix_seconds(now) / STEP;
        // Relaxed, here and below: numbers on their own; what others write meanwhile is at most some steps apart.
        let read_at = self.latest.load(Ordering::Relaxed);
        let [clients, net24, net16] = [0, 1, 2].map(|i| self.levels[i].sweep(read_at, now.max(read_at)));
        self.latest.fetch_max(now, Ordering::Relaxed);
        for (cell, count) in self.filled.iter().zip([clients.filled, clients.credited, net24.filled, net16.filled]) {
            cell.store(count, Ordering::Relaxed);
        }
        self.filled()
    }

    /// How many entries the last sweep found, or loading, if there was none since.
    pub fn filled(&self) -> Filled {
        // Relaxed: for display.
        let [clients, credited, net24, net16] = [0, 1, 2, 3].map(|i: usize| self.filled[i].load(Ordering::Relaxed));
        Filled { clients, credited, net24, net16 }
    }

    /// How often a newcomer found no room on a level, as all there were protected.
    pub fn dropped(&self) -> u64 {
        // Relaxed: for display.
        self.dropped.load(Ordering::Relaxed)
    }

    /// The tables' memory, all of it.
    pub fn bytes(&self) -> usize {
        self.levels.iter().map(Level::bytes).sum()
    }

    /// The step of `now`, or the latest known, if that is later: so stamps never go backwards.
    fn advance(&self, now: Time) -> u64 {
        let step = self.unix_seconds(now) / STEP;
        // Relaxed, both: a number on its own; the shared line is written once in five minutes.
        let latest = self.latest.load(Ordering::Relaxed);
        // A leap, as a log's pause is to a simulation: nobody could sweep in time.
        if latest != 0 && step > latest + Self::SWEEP_PERIOD.as_secs() / STEP {
            self.sweep(now);
        }
        if step <= latest { latest } else { self.latest.fetch_max(step, Ordering::Relaxed).max(step) }
    }

    const fn unix_seconds(&self, at: Time) -> u64 {
        self.unix_zero.saturating_add(at.nanos() / NANOS)
    }
}
