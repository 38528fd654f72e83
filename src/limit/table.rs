//! The limit table: one per limit, of a fixed size, lock-free, one cache line and one CAS a decision.
//!
//! A slot is one atomic word: a 24-bit fingerprint of the key and its 40-bit theoretical arrival time (TAT), the
//! tick at which its debt is over. A key whose debt is over is exactly as good as an absent one, so the table needs
//! room for keys in debt only. A newcomer takes the slot with the least debt **and inherits that debt**: a key that
//! loses its slot finds, when it comes back, at least the debt it left. So the table errs on one side only: an
//! offender never gets more than its limit, a newcomer to an overfull line may be treated more strictly.
//!
//! TAT wraps. [`Table::sweep`] clears what has been over for long before it could be read as debt again.

use super::gcra::{Decision, INTERVAL, Quota, Terms};
use super::memory::{Line, Lines, SLOTS, prefetch};
use super::seeds::Seeds;
use crate::base::clock::Time;
use crate::base::sync::{AtomicU64, Ordering};
use std::ops::Range;
use std::time::Duration;

const TAT_BITS: u32 = 40;
const TAT: u64 = (1 << TAT_BITS) - 1;
const FINGERPRINT: u64 = (1 << (64 - TAT_BITS)) - 1;
/// What has been over for so many ticks is swept away: an eighth of the range.
const STALE: i64 = 1 << (TAT_BITS - 3);

/// Buckets of many keys under one quota.
pub struct Table {
    lines: Lines,
    seeds: Seeds,
    /// Whose ticks the slots count in.
    ticks_of: Quota,
    /// When all lines were swept last, in nanoseconds.
    swept: AtomicU64,
}

/// Where a key lives in the table that located it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    line: u32,
    fingerprint: u32,
}

/// What a key owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debt {
    /// Of the burst: how much is used up, rounded up.
    pub used: u32,
    /// When nothing will be used up any more, if nothing else comes.
    pub over_after: Duration,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Slots whose key is in debt.
    pub in_debt: usize,
    /// Slots cleared.
    pub cleared: usize,
    /// Slots whose debt was more than an empty bucket's, as after a reload, and was cut to that.
    pub cut: usize,
}

/// A slot as read: the key's own, or the one that a newcomer would take.
struct Seen {
    slot: usize,
    word: u64,
    debt: u64,
}

impl Table {
    /// Room for `slots` keys in debt, rounded up to whole lines. Memory is zeroed and paged in when touched.
    pub fn new(slots: u32, quota: &Quota, seeds: Seeds) -> Self {
        Self { lines: Lines::new((slots as usize).div_ceil(SLOTS)), seeds, ticks_of: *quota, swept: AtomicU64::new(0) }
    }

    /// Where `key` lives. Touches no memory of the table.
    #[inline]
    pub fn locate(&self, key: u128) -> Spot {
        let hash = self.seeds.hash(key);
        // The high half picks the line, the low bits are the fingerprint, which is never 0: that means empty.
        let line = ((hash >> 32) * self.lines.len() as u64) >> 32;
        Spot { line: line as u32, fingerprint: ((hash & FINGERPRINT) as u32).max(1) }
    }

    /// Starts to load the spot's line.
    #[inline]
    pub fn prefetch(&self, spot: Spot) {
        prefetch(self.line(spot));
    }

    /// What [`take`](Self::take) would answer. Writes nothing.
    #[inline]
    pub fn peek(&self, spot: Spot, quota: &Quota, now: Time) -> Decision {
        quota.decide(self.look(spot, quota.ticks(now)).debt)
    }

    /// As [`peek`](Self::peek), on the terms of a part of the bucket; also whether the key is in debt at all.
    #[inline]
    pub fn peek_part(&self, spot: Spot, quota: &Quota, now: Time, terms: Terms) -> (Decision, bool) {
        let debt = self.look(spot, quota.ticks(now)).debt;
        (quota.decide_on(debt, terms), debt > 0)
    }

    /// Admits one request and charges it, or refuses and writes nothing.
    #[inline]
    pub fn take(&self, spot: Spot, quota: &Quota, now: Time) -> Decision {
        self.charge(spot, quota, now, INTERVAL, |debt| quota.decide(debt))
    }

    /// As [`take`](Self::take), on the terms of a part of the bucket.
    #[inline]
    pub fn take_part(&self, spot: Spot, quota: &Quota, now: Time, terms: Terms) -> Decision {
        self.charge(spot, quota, now, terms.price(), |debt| quota.decide_on(debt, terms))
    }

    /// Charges `price` ticks where `decide` admits.
    #[inline(always)]
    fn charge(&self, spot: Spot, quota: &Quota, now: Time, price: u64, decide: impl Fn(u64) -> Decision) -> Decision {
        debug_assert!(!self.needs_retick(quota), "the quota counts in other ticks than the table");
        let now = quota.ticks(now);
        loop {
            let seen = self.look(spot, now);
            let decision = decide(seen.debt);
            if !decision.admits() {
                return decision;
            }
            let word = pack(spot.fingerprint, now.wrapping_add(seen.debt + price));
            let slot = &self.line(spot).0[seen.slot];
            // Relaxed: a slot is whole in its one word and publishes nothing else. A failure means that somebody
            // else got on, so the loop ends; it looks again, as the key may have got a slot meanwhile.
            if slot.compare_exchange(seen.word, word, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return decision;
            }
        }
    }

    /// As [`take`](Self::take), at another price and with another burst, both in intervals of the quota.
    #[inline]
    pub fn take_at(&self, spot: Spot, quota: &Quota, now: Time, price: f64, burst: f64) -> bool {
        let ticks = |intervals: f64| (intervals * INTERVAL as f64) as u64;
        let (now, price, full) = (quota.ticks(now), ticks(price), ticks(burst).min(quota.full()));
        loop {
            let seen = self.look(spot, now);
            let debt = seen.debt.min(quota.full());
            if debt + price > full {
                return false;
            }
            let word = pack(spot.fingerprint, now.wrapping_add(debt + price));
            let slot = &self.line(spot).0[seen.slot];
            // Relaxed: as in `take`.
            if slot.compare_exchange(seen.word, word, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
    }

    /// The key's part of the bucket goes from `old` to `new`, and what is left in it stays the same number of requests:
    /// a larger part fills up by and by, so that no client gains a burst by moving its weight between parts. Nobody
    /// comes to owe more than `most` intervals.
    pub fn rescale(&self, spot: Spot, quota: &Quota, now: Time, (old, new): (f64, f64), most: u32) {
        let (now, full) = (quota.ticks(now), quota.full() as f64);
        loop {
            let seen = self.look(spot, now);
            let debt = full - (full - seen.debt as f64) * (old / new);
            let debt = (debt.max(0.0) as u64).min(u64::from(most) * INTERVAL);
            if debt.abs_diff(seen.debt) < INTERVAL {
                return;
            }
            let word = pack(spot.fingerprint, now.wrapping_add(debt));
            let slot = &self.line(spot).0[seen.slot];
            // Relaxed: as in `take`.
            if slot.compare_exchange(seen.word, word, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }

    /// What the spot's key owes; nothing where it has no slot.
    pub fn debt(&self, spot: Spot, quota: &Quota, now: Time) -> Option<Debt> {
        let seen = self.look(spot, quota.ticks(now));
        let own = seen.word >> TAT_BITS == u64::from(spot.fingerprint) && seen.debt > 0;
        own.then(|| {
            let ticks = seen.debt.min(quota.full());
            Debt { used: ticks.div_ceil(INTERVAL) as u32, over_after: quota.duration(ticks) }
        })
    }

    /// Clears, in some of the lines, slots whose debt has long been over, and cuts debts larger than an empty
    /// bucket's.
    ///
    /// Call it on all lines at least every [`sweep_period`](Self::sweep_period), a few thousand at a time, and on
    /// all of them at once after a reload that lowered the burst: until then a debt beyond the new bucket is read
    /// as an empty bucket, but does not shrink.
    pub fn sweep(&self, quota: &Quota, now: Time, lines: Range<usize>) -> Swept {
        let now = quota.ticks(now);
        let mut swept = Swept::default();
        let end = lines.end.min(self.lines.len());
        for slot in self.lines[lines.start.min(end)..end].iter().flat_map(|line| &line.0) {
            // Relaxed, here and below: as in `take`. Where the CAS fails, the slot is in use and needs no sweeping.
            let word = slot.load(Ordering::Relaxed);
            if word == 0 {
                continue;
            }
            let debt = signed_debt(word, now);
            swept.in_debt += usize::from(debt > 0);
            let (new, count) = if debt < -STALE {
                (0, &mut swept.cleared)
            } else if debt > quota.full() as i64 {
                (pack((word >> TAT_BITS) as u32, now.wrapping_add(quota.full())), &mut swept.cut)
            } else {
                continue;
            };
            *count += usize::from(slot.compare_exchange(word, new, Ordering::Relaxed, Ordering::Relaxed).is_ok());
        }
        swept
    }

    /// Sweeps all lines where half of the [`sweep_period`](Self::sweep_period) is over since that was done last.
    pub fn sweep_when_due(&self, quota: &Quota, now: Time) {
        // Relaxed, both: a table that two sweep at once is swept twice, nothing worse.
        let swept = Time::from_nanos(self.swept.load(Ordering::Relaxed));
        if now.since(swept) >= self.sweep_period() / 2 {
            self.swept.store(now.nanos(), Ordering::Relaxed);
            self.sweep(quota, now, 0..self.lines());
        }
    }

    /// The longest time between two sweeps of a line: 45 minutes at 100,000/s, longer the lower the rate.
    pub fn sweep_period(&self) -> Duration {
        self.ticks_of.duration(1 << (TAT_BITS - 2))
    }

    /// Whether `quota` counts in other ticks than this table, which then must be copied by [`retick`](Self::retick).
    pub const fn needs_retick(&self, quota: &Quota) -> bool {
        !self.ticks_of.same_ticks(quota)
    }

    /// A copy for another rate: every key keeps its place and the number of requests it has used up, cut to the new
    /// burst. What is taken from the old table meanwhile is not carried over.
    pub fn retick(&self, quota: &Quota, now: Time) -> Self {
        let (old, new) = (self.ticks_of.ticks(now), quota.ticks(now));
        let lines = Lines::new(self.lines.len());
        for (from, to) in self.lines.iter().flat_map(|l| &l.0).zip(lines.iter().flat_map(|l| &l.0)) {
            // Relaxed, both: the copy is published by whatever hands the new table to other threads.
            let word = from.load(Ordering::Relaxed);
            let debt = signed_debt(word, old);
            if word != 0 && debt > 0 {
                let debt = (debt as u64).min(quota.full());
                to.store(pack((word >> TAT_BITS) as u32, new.wrapping_add(debt)), Ordering::Relaxed);
            }
        }
        // Relaxed: as in `sweep_when_due`.
        let swept = AtomicU64::new(self.swept.load(Ordering::Relaxed));
        Self { lines, seeds: self.seeds, ticks_of: *quota, swept }
    }

    /// How many lines there are to sweep.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// How many keys in debt the table has room for.
    pub fn slots(&self) -> usize {
        self.lines.len() * SLOTS
    }

    /// The table's memory, all of it.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.lines)
    }

    #[inline]
    fn line(&self, spot: Spot) -> &Line {
        &self.lines[spot.line as usize]
    }

    /// The key's own slot, or the slot with the least debt (an empty one counts as least).
    ///
    /// The least by TAT, then by place: two threads that bring in the same newcomer choose the same slot, whatever
    /// their clocks, so that one of them fails and finds the other's.
    ///
    /// It stops at the key's own slot: reading all eight first, to spare the guess where that is, takes twice as long.
    #[inline]
    fn look(&self, spot: Spot, now: u64) -> Seen {
        let mut least = Seen { slot: 0, word: 0, debt: 0 };
        let mut least_debt = i64::MAX;
        for (slot, word) in self.line(spot).0.iter().enumerate() {
            // Relaxed: as in `take`, whose CAS notices a stale word.
            let word = word.load(Ordering::Relaxed);
            let debt = signed_debt(word, now);
            if word >> TAT_BITS == u64::from(spot.fingerprint) {
                return Seen { slot, word, debt: debt.max(0) as u64 };
            }
            let rank = if word == 0 { i64::MIN } else { debt };
            if rank < least_debt {
                least_debt = rank;
                least = Seen { slot, word, debt: 0 };
            }
        }
        least.debt = least_debt.max(0) as u64;
        least
    }
}

/// Ticks until the slot's debt is over, negative if it is: the shortest way round the circle of TATs.
#[inline]
const fn signed_debt(word: u64, now: u64) -> i64 {
    const UP: u32 = 64 - TAT_BITS;
    (word.wrapping_sub(now) << UP) as i64 >> UP
}

#[inline]
const fn pack(fingerprint: u32, tat: u64) -> u64 {
    (fingerprint as u64) << TAT_BITS | tat & TAT
}
