//! Who came most often lately, in fixed memory: Space-Saving in sets of one cache line, lock-free.
//!
//! Every slot counts for one client. A newcomer to a full set takes the slot with the least count and goes on from
//! there, and the slot notes how much of its count was inherited. So whoever has more than an eighth of what its set
//! counted has a slot, and its count less what it inherited is sure: never more than it came.

use super::memory::{Lines, SLOTS};
use super::seeds::Seeds;
use crate::base::sync::{AtomicU64, Ordering};
use crate::client::key::ClientKey;
use std::cmp::Reverse;
use std::net::{IpAddr, Ipv6Addr};

const COUNT_BITS: u32 = 40;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
/// Somebody writes the slot's key: others may count for it, but not take it.
const BUSY: u64 = 1 << COUNT_BITS;
const FINGERPRINT_AT: u32 = COUNT_BITS + 1;
/// Counted up to here, so that one more addition never reaches the next field.
const FULL: u64 = COUNT - u32::MAX as u64;
/// How often a slot is read anew that is counted up at the same time.
const TRIES: usize = if cfg!(loom) { 2 } else { 16 };
/// Lines of a set: words, both halves of keys, and what was inherited.
const LINES: usize = 4;

/// The clients that came most often. Any thread may add.
pub struct Top {
    lines: Lines,
    seeds: Seeds,
}

/// The four lines of a set: a word `fingerprint 23 | busy 1 | count 40` a slot, and what belongs to it.
struct Set<'a> {
    words: &'a [AtomicU64; SLOTS],
    high: &'a [AtomicU64; SLOTS],
    low: &'a [AtomicU64; SLOTS],
    inherited: &'a [AtomicU64; SLOTS],
}

impl Top {
    /// Room for `slots` clients, rounded up to sets of eight; 32 bytes each.
    pub fn new(slots: u32, seeds: Seeds) -> Self {
        Self { lines: Lines::new((slots as usize).div_ceil(SLOTS).max(1) * LINES), seeds }
    }

    /// Counts `by` more of `client`.
    #[inline]
    pub fn add(&self, client: ClientKey, by: u32) {
        let (set, fingerprint) = self.locate(client);
        let set = self.set(set);
        loop {
            let (slot, word) = match set.look(fingerprint) {
                Look::Own(slot, word) => {
                    let new = word + u64::from(by);
                    // Relaxed, here and below, unless said: a word is whole, and its key is guarded by the busy bit.
                    // A failure means that somebody else got on, so the loop ends.
                    if word & COUNT >= FULL || set.swap(slot, word, new, Ordering::Relaxed) {
                        return;
                    }
                    continue;
                }
                Look::Least(slot, word) => (slot, word),
                // Another newcomer takes the slot this very moment: one request goes uncounted.
                Look::Busy => return,
            };
            let least = word & COUNT;
            let new = fingerprint | BUSY | (least + u64::from(by)).min(FULL);
            // Acquire: who wrote this key before has finished.
            if set.swap(slot, word, new, Ordering::Acquire) {
                set.write(slot, client, least);
                return;
            }
        }
    }

    /// The `count` clients that surely came most often, with how often, most first; less by half for each
    /// [`decay`](Self::decay) since.
    ///
    /// Slots that are just being taken are left out. Not for the hot path.
    pub fn worst(&self, count: usize) -> Vec<(ClientKey, u64)> {
        let sets = 0..self.lines.len() / LINES;
        let mut all: Vec<_> = sets.flat_map(|set| (0..SLOTS).filter_map(move |slot| self.read(set, slot))).collect();
        // Threads that bring in the same newcomer at once may give it two slots.
        all.sort_unstable();
        all.dedup_by(|again, kept| {
            let same = again.0 == kept.0;
            kept.1 += if same { again.1 } else { 0 };
            same
        });
        all.sort_by_key(|&(_, sure)| Reverse(sure));
        all.truncate(count);
        all
    }

    /// Halves every count, and forgets who has none left. A minute apart by custom, from one thread.
    pub fn decay(&self) {
        for set in (0..self.lines.len() / LINES).map(|set| self.set(set)) {
            for slot in 0..SLOTS {
                set.halve(slot);
            }
        }
    }

    /// The memory, all of it.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.lines)
    }

    /// The client's set, and its fingerprint in place; never 0, which means empty.
    #[inline]
    fn locate(&self, client: ClientKey) -> (usize, u64) {
        let hash = self.seeds.hash(client.bits());
        let sets = (self.lines.len() / LINES) as u64;
        ((((hash >> 32) * sets) >> 32) as usize, (hash << FINGERPRINT_AT).max(1 << FINGERPRINT_AT))
    }

    #[inline]
    fn set(&self, set: usize) -> Set<'_> {
        let [words, high, low, inherited] = std::array::from_fn(|i| &self.lines[set * LINES + i].0);
        Set { words, high, low, inherited }
    }

    /// A slot's client with its sure count, if it has one and is not being written.
    fn read(&self, at: usize, slot: usize) -> Option<(ClientKey, u64)> {
        let set = self.set(at);
        let (word, high, low, inherited) = (0..TRIES).find_map(|_| {
            // Acquire: pairs with the Release that ends the writing of the key.
            let word = set.words[slot].load(Ordering::Acquire);
            // Acquire: these come before the second look at the word, which tells whether anything changed.
            let [high, low, inherited] = [set.high, set.low, set.inherited].map(|l| l[slot].load(Ordering::Acquire));
            // Relaxed: after the loads above.
            let same = set.words[slot].load(Ordering::Relaxed) == word;
            (same && word & BUSY == 0).then_some((word, high, low, inherited))
        })?;
        let client = ClientKey::new(IpAddr::V6(Ipv6Addr::from(u128::from(high) << 64 | u128::from(low))), 128);
        // Halves of two keys would have the fingerprint of neither; an empty slot has none.
        let whole = self.locate(client) == (at, word & !COUNT);
        whole.then(|| (client, (word & COUNT).saturating_sub(inherited))).filter(|&(_, sure)| sure > 0)
    }
}

/// What a set holds for a fingerprint.
enum Look {
    /// Its slot and word.
    Own(usize, u64),
    /// The slot with the least count, and its word.
    Least(usize, u64),
    /// That slot is being taken. The next best is none to take: it may be the worst offender's.
    Busy,
}

impl Set<'_> {
    #[inline]
    fn look(&self, fingerprint: u64) -> Look {
        let (mut least, mut least_count) = (Look::Busy, u64::MAX);
        for (slot, word) in self.words.iter().enumerate() {
            // Relaxed: the CAS that follows notices a stale word.
            let word = word.load(Ordering::Relaxed);
            if word >> FINGERPRINT_AT == fingerprint >> FINGERPRINT_AT {
                return Look::Own(slot, word);
            }
            if word & COUNT < least_count {
                least_count = word & COUNT;
                least = if word & BUSY == 0 { Look::Least(slot, word) } else { Look::Busy };
            }
        }
        least
    }

    #[inline]
    fn swap(&self, slot: usize, old: u64, new: u64, success: Ordering) -> bool {
        // Relaxed on failure: nothing was taken.
        self.words[slot].compare_exchange(old, new, success, Ordering::Relaxed).is_ok()
    }

    /// Writes what belongs to a slot that this thread has made busy, and gives it free.
    #[inline]
    fn write(&self, slot: usize, client: ClientKey, inherited: u64) {
        let key = client.bits();
        // Release, all: who reads one of these and then the word again finds the word at least busy.
        self.high[slot].store((key >> 64) as u64, Ordering::Release);
        self.low[slot].store(key as u64, Ordering::Release);
        self.inherited[slot].store(inherited, Ordering::Release);
        // Release: the key is whole before the slot is free. What others counted meanwhile stays.
        self.words[slot].fetch_and(!BUSY, Ordering::Release);
    }

    /// Halves a slot's count and what it inherited, the latter rounded up, so that what is sure stays sure.
    fn halve(&self, slot: usize) {
        // Relaxed: the CAS notices a stale word.
        let mut word = self.words[slot].load(Ordering::Relaxed);
        // One that is just being taken is left for the next time; an empty one has nothing.
        while word != 0 && word & BUSY == 0 {
            let count = (word & COUNT) / 2;
            let new = if count == 0 { 0 } else { word & !COUNT | BUSY | count };
            // Acquire: as in `add`. Relaxed: a failure has taken nothing.
            match self.words[slot].compare_exchange(word, new, Ordering::Acquire, Ordering::Relaxed) {
                Err(current) => word = current,
                Ok(_) if new == 0 => return,
                Ok(_) => {
                    // Relaxed: written by whoever was busy before, which the Acquire above has seen.
                    let inherited = self.inherited[slot].load(Ordering::Relaxed).div_ceil(2);
                    // Release, both: as in `write`.
                    self.inherited[slot].store(inherited, Ordering::Release);
                    self.words[slot].fetch_and(!BUSY, Ordering::Release);
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn top(slots: u32) -> Top {
        Top::new(slots, Seeds::fixed(1))
    }

    fn client(n: u32) -> ClientKey {
        let address = match n % 2 {
            0 => IpAddr::V4(n.into()),
            _ => IpAddr::V6((0x2001_0db8_0000_0000 << 64 | u128::from(n) << 64 | u128::from(!n)).into()),
        };
        ClientKey::new(address, 128)
    }

    #[test]
    fn with_room_for_all_counts_are_exact() {
        let top = top(1024);
        for n in 0..100 {
            (0..=n).for_each(|_| top.add(client(n), 3));
        }
        let found = top.worst(5);
        assert_eq!(found, [99, 98, 97, 96, 95].map(|n| (client(n), u64::from(n + 1) * 3)));
        assert_eq!((top.worst(0).len(), top.worst(1000).len(), top.bytes()), (0, 100, 1024 * 32));
    }

    #[test]
    fn counts_halve_and_are_forgotten() {
        let top = top(8);
        top.add(client(1), 100);
        top.add(client(2), 3);
        top.decay();
        assert_eq!(top.worst(9), [(client(1), 50), (client(2), 1)]);
        top.decay();
        assert_eq!(top.worst(9), [(client(1), 25)]);
        top.add(client(2), 1);
        assert_eq!(top.worst(9), [(client(1), 25), (client(2), 1)]);
    }

    #[test]
    fn what_was_inherited_is_not_reported() {
        let top = top(8);
        (0..8).for_each(|n| top.add(client(n), 100));
        top.add(client(8), 5);
        assert_eq!(top.worst(8).last(), Some(&(client(8), 5)));
        top.decay();
        assert_eq!(top.worst(8).last(), Some(&(client(8), 2)));
    }

    #[test]
    fn halving_never_overstates() {
        let top = top(8);
        (0..8).for_each(|n| top.add(client(n), 101));
        top.add(client(8), 1);
        top.decay();
        assert!(top.worst(8).iter().all(|&(who, _)| who != client(8)), "half of one is none");
    }

    #[test]
    fn counters_stop_before_they_overflow() {
        let top = top(8);
        (0..300).for_each(|_| top.add(client(1), u32::MAX));
        (2..9).for_each(|n| top.add(client(n), u32::MAX));
        assert_eq!(top.worst(1), [(client(1), (FULL / u64::from(u32::MAX) + 1) * u64::from(u32::MAX))]);
    }

    #[test]
    fn an_offender_is_found_in_a_flood_of_strangers() {
        let top = top(1024);
        for n in 0..200_000u32 {
            top.add(client(1_000 + n), 1);
            if n % 50 == 0 {
                top.add(client(n / 50 % 8), 1);
            }
        }
        let worst = top.worst(8);
        let mut found: Vec<_> = worst.iter().map(|&(found, _)| found).collect();
        found.sort_unstable();
        let mut wanted: Vec<_> = (0..8).map(client).collect();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "each has 500 of 204,000, every set counted 1,600");
        assert!(worst.iter().all(|&(_, sure)| (300..=500).contains(&sure)), "{worst:?}");
    }

    #[test]
    fn threads_lose_nothing_and_invent_nobody() {
        let top = top(16);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let top = &top;
                scope.spawn(move || {
                    for n in 0..20_000 {
                        top.add(client(n % 4), 1);
                        top.add(client(1_000 + n * 4 + thread), 1);
                        if n % 1_000 == 0 {
                            assert!(top.worst(16).iter().all(|&(who, _)| (0..81_000).any(|n| client(n) == who)));
                        }
                    }
                });
            }
        });
        let worst = top.worst(4);
        assert!(worst.iter().all(|&(_, sure)| (15_000..=20_000).contains(&sure)), "{worst:?}");
    }

    /// Zipf: the `n`th client comes in proportion to `n` to the power of `-skew`.
    fn zipf(skew: f64) -> impl Strategy<Value = u32> {
        (0.0..1.0f64).prop_map(move |share| ((1.0 - share).powf(-1.0 / skew) as u32).min(100_000))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        /// Nobody is said to have come more often than he did; who has more than a set's eighth is found, and short by
        /// at most that.
        #[test]
        fn errors_are_bounded(
            slots in 1u32..200,
            (clients, weights) in (1u8..20).prop_flat_map(|skew| {
                let clients = prop::collection::vec(zipf(f64::from(skew) / 10.0), 1..2000);
                (clients, prop::collection::vec(1u32..50, 2000))
            }),
        ) {
            let top = top(slots);
            let mut exact = HashMap::<ClientKey, u64>::new();
            let mut sets = HashMap::<usize, u64>::new();
            for (&n, &by) in clients.iter().zip(&weights) {
                top.add(client(n), by);
                *exact.entry(client(n)).or_default() += u64::from(by);
                *sets.entry(top.locate(client(n)).0).or_default() += u64::from(by);
            }
            let found: HashMap<_, _> = top.worst(usize::MAX).into_iter().collect();
            for (client, &true_count) in &exact {
                let eighth = sets[&top.locate(*client).0] / SLOTS as u64;
                let sure = found.get(client).copied().unwrap_or(0);
                prop_assert!(sure <= true_count);
                prop_assert!(sure + eighth >= true_count, "{client}: {sure} of {true_count}, eighth {eighth}");
            }
            prop_assert!(found.keys().all(|client| exact.contains_key(client)));
        }
    }
}
