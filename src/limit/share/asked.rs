//! What this task was asked for under one limit of the fleet's.

use super::demand::MAX_KEYS;
use super::{KeyDemand, LimitDemand, LimitId, both_sides};
use crate::base::clock::Time;
use crate::base::shard::{self, SHARDS};
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::client::key::ClientKey;
use crate::limit::seeds::Seeds;
use crate::limit::top::Top;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Keys that are told apart: 256 KiB a limit, touched when there are so many.
const SLOTS: u32 = 8_192;

/// All tasks together tell of about so many keys.
const KEYS_OF_ALL: usize = 1 << 16;

/// A key that asks for less than so much of its part is not reported.
const WORTH_TELLING: f64 = 0.5;

/// What this task was asked for under one limit. Any thread may count.
pub struct Asked {
    covered: Box<[Shard; SHARDS]>,
    top: Top,
    /// The most debt that a part of the limit lets be, in intervals.
    most: AtomicU32,
    told: Mutex<Told>,
}

/// Aligned to two cache lines, as neighbouring lines are prefetched together.
#[repr(align(128))]
struct Shard(AtomicU64);

/// When it was last told, and how much it had been then.
struct Told {
    halved: Time,
    covered: u64,
}

impl Asked {
    /// Nothing yet.
    pub fn new(seeds: Seeds, now: Time) -> Self {
        Self {
            covered: Box::new([const { Shard(AtomicU64::new(0)) }; SHARDS]),
            top: Top::new(SLOTS, seeds),
            most: AtomicU32::new(0),
            told: Mutex::new(Told { halved: now, covered: 0 }),
        }
    }

    /// The limit covered a request.
    #[inline]
    pub fn covered(&self) {
        // Relaxed: a count, that orders nothing.
        self.covered[shard::mine()].0.fetch_add(1, Ordering::Relaxed);
    }

    /// A key that is in debt, or has a part of its own, asked.
    #[inline]
    pub fn by(&self, key: u128) {
        self.top.add(ClientKey::from_bits(key), 1);
    }

    /// What to tell. `part_of` says which part of the limit a key has here, `own` whether that is the key's own.
    ///
    /// Once a second; counts lose half of their weight each half-life. The more tasks, the fewer keys each tells of.
    pub fn tell(&self, limit: &LimitId, part_of: impl Fn(u128) -> (f64, bool), tasks: usize, now: Time) -> LimitDemand {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // Relaxed: as in `covered`.
        let covered = self.covered.iter().map(|s| s.0.load(Ordering::Relaxed)).sum::<u64>();
        let since = covered - told.covered;
        told.covered = covered;
        let (half_life, age) = (limit.half_life(), now.since(told.halved));
        // Steady counts are this many seconds' worth: what is left of all before, and what came since.
        let seconds = (half_life + age).as_secs_f64();
        let rate = limit.per_second();
        let telling = |(client, count): (ClientKey, u64)| {
            let (key, asked) = (client.bits(), count as f64 / seconds);
            let (part, own) = part_of(key);
            let worth = own || asked >= WORTH_TELLING * part * rate;
            worth.then_some(KeyDemand(key, (asked * 1e3).min(4e9) as u32))
        };
        let keys: Vec<_> = self.top.worst(SLOTS as usize).into_iter().filter_map(telling).collect();
        // A second that was a little short is one.
        if age + Duration::from_millis(100) >= half_life {
            self.top.decay();
            told.halved = now;
        }
        let most = (KEYS_OF_ALL / tasks.max(1)).clamp(32, MAX_KEYS);
        let keys = both_sides(keys, most, |key| f64::from(key.1) / 1e3 > rate);
        LimitDemand { limit: limit.clone(), covered: u32::try_from(since).unwrap_or(u32::MAX), keys }
    }

    /// The most debt that a part of the limit lets be, in intervals.
    pub fn most(&self) -> u32 {
        // Relaxed: a number by itself; the next sweep sees it.
        self.most.load(Ordering::Relaxed)
    }

    /// Debts up to `most` intervals are let be from now on.
    pub(super) fn set_most(&self, most: u32) {
        // Relaxed: as in `most`.
        self.most.store(most, Ordering::Relaxed);
    }

    /// The memory, all of it.
    pub fn bytes(&self) -> usize {
        self.top.bytes() + size_of::<[Shard; SHARDS]>()
    }
}
