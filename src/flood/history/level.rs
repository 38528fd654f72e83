//! One level of the history: entries of clients, or of networks of one size, in a table of its own.

use super::entry::{Entry, FINGERPRINT_BITS, fingerprint_of};
use crate::base::sync::Ordering;
use crate::limit::memory::{Line, Lines, SLOTS, prefetch};

/// The most slots of a level, 512 MiB: a bound for what a file may ask for.
pub(super) const MAX_SLOTS: u32 = 1 << 26;

/// A set-associative table of entries, lock-free: a slot is whole in its one word and is changed by CAS.
pub(super) struct Level {
    lines: Lines,
}

/// Where a key lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    line: u32,
    fingerprint: u32,
}

/// What became of a good response.
pub(super) enum Noted {
    /// There was no room.
    Nowhere,
    /// It is remembered.
    Kept,
    /// It earned credit.
    Credited(Entry),
}

/// What a sweep counted.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) filled: u32,
    pub(super) credited: u32,
}

impl Level {
    /// Room for `slots` entries, rounded up to whole lines.
    pub(super) fn new(slots: u32) -> Self {
        Self { lines: Lines::new((slots.min(MAX_SLOTS) as usize).div_ceil(SLOTS)) }
    }

    /// Where the key with this hash lives: the high half picks the line, the low bits are the fingerprint, never 0.
    #[inline]
    pub(super) fn locate(&self, hash: u64) -> Spot {
        let line = ((hash >> 32) * self.lines.len() as u64) >> 32;
        Spot { line: line as u32, fingerprint: ((hash & ((1 << FINGERPRINT_BITS) - 1)) as u32).max(1) }
    }

    #[inline]
    pub(super) fn prefetch(&self, spot: Spot) {
        prefetch(&self.lines[spot.line as usize]);
    }

    /// The spot's entry, unless there is none or it is over at `now`. Stamps are read as of `read_at`.
    #[inline]
    pub(super) fn find(&self, spot: Spot, read_at: u64, now: u64) -> Option<Entry> {
        let line = &self.lines[spot.line as usize];
        // Relaxed: a slot publishes nothing else.
        let words = line.0.iter().map(|slot| slot.load(Ordering::Relaxed));
        let own = words.filter(|&word| fingerprint_of(word) == spot.fingerprint);
        own.filter_map(|word| Entry::unpack(word, read_at)).find_map(|entry| entry.at(now))
    }

    /// Counts a good response.
    pub(super) fn good(&self, spot: Spot, now: u64) -> Noted {
        let again = |own: Option<Entry>| own.map_or(Entry::new(spot.fingerprint, now), |entry| entry.again(now));
        self.change(spot, now, again)
    }

    /// Joins what is known with what another vouches for.
    pub(super) fn merge(&self, spot: Spot, first: u64, last: u64, credited: Option<u64>, now: u64) -> bool {
        let heard = Entry::heard(spot.fingerprint, first, last, credited);
        !matches!(self.change(spot, now, |own| own.map_or(heard, |entry| entry.with(heard))), Noted::Nowhere)
    }

    fn change(&self, spot: Spot, now: u64, to: impl Fn(Option<Entry>) -> Entry) -> Noted {
        let line = &self.lines[spot.line as usize];
        loop {
            let words = read(line);
            let own = words.iter().position(|&word| fingerprint_of(word) == spot.fingerprint);
            let Some(slot) = own.or_else(|| victim(&words, now)) else { return Noted::Nowhere };
            let word = words[slot];
            let own = Entry::unpack(word, now).filter(|entry| entry.fingerprint == spot.fingerprint);
            let entry = to(own);
            let new = entry.pack();
            // Who is known and busy changes nothing for five minutes, and writes nothing.
            // Relaxed: as in `find`. A failure means that somebody else got on, so the loop ends; it looks again, as
            // the key may have got a slot meanwhile.
            if new == word || line.0[slot].compare_exchange(word, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                let earned = entry.credited.is_some() && own.is_none_or(|own| own.credited.is_none());
                return if earned { Noted::Credited(entry) } else { Noted::Kept };
            }
        }
    }

    /// Puts an entry read from elsewhere into a line, as a newcomer; `false` where there is no room.
    pub(super) fn place(&self, line: usize, entry: &Entry, now: u64) -> bool {
        let line = &self.lines[line];
        let Some(slot) = victim(&read(line), now) else { return false };
        // Relaxed: who hands the level to other threads publishes it.
        line.0[slot].store(entry.pack(), Ordering::Relaxed);
        true
    }

    /// Clears what is over at `now` and cuts what is older than can be said. Stamps are read as of `read_at`, so any
    /// time may have passed since.
    pub(super) fn sweep(&self, read_at: u64, now: u64) -> Count {
        let mut count = Count::default();
        for slot in self.lines.iter().flat_map(|line| &line.0) {
            // Relaxed, here and below: as in `find`. Where the CAS fails the slot is in use and needs no sweeping.
            let word = slot.load(Ordering::Relaxed);
            if word == 0 {
                continue;
            }
            let entry = Entry::unpack(word, read_at).and_then(|entry| entry.at(now));
            count.filled += u32::from(entry.is_some());
            count.credited += u32::from(entry.is_some_and(|entry| entry.credited.is_some()));
            let new = entry.map_or(0, |entry| entry.pack());
            if new != word {
                let _ = slot.compare_exchange(word, new, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
        count
    }

    /// The words of every line.
    pub(super) fn words(&self) -> impl Iterator<Item = [u64; SLOTS]> {
        self.lines.iter().map(read)
    }

    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.lines)
    }
}

/// All slots as they are, each read once: who looked twice could miss its own entry and then take a second slot.
fn read(line: &Line) -> [u64; SLOTS] {
    // Relaxed: a CAS that follows notices a stale word.
    std::array::from_fn(|slot| line.0[slot].load(Ordering::Relaxed))
}

/// The slot that a newcomer may take: one that is free or over, then the uncredited, then the credited, each the longest
/// unseen first. Nothing where all are protected.
///
/// Of equals the first in place: two threads that bring in the same newcomer choose the same slot, so that one of them
/// fails and finds the other's.
fn victim(words: &[u64; SLOTS], now: u64) -> Option<usize> {
    let mut best = None;
    for (slot, &word) in words.iter().enumerate() {
        let Some(entry) = Entry::unpack(word, now) else { return Some(slot) };
        let rank = (entry.credited.is_some(), entry.last);
        if !entry.is_protected(now) && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, slot));
        }
    }
    best.map(|(_, slot)| slot)
}
