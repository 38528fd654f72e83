//! What a flood has taught about single clients: who was asked for a cookie and when, and how a client with a cookie
//! behaves. Fixed memory, lock-free; a client that loses its place is asked again.

use crate::base::clock::Time;
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::limit::seeds::Seeds;

const WAYS: usize = 8;
const MARK_BITS: u32 = 22;
const TIME_BITS: u32 = 20;
const TIME: u64 = (1 << TIME_BITS) - 1;
/// Nanoseconds in a step of an entry's clock; it goes round in 12 days.
const STEP: u64 = 1 << 30;
/// Counts of pages and assets stop here.
const MOST: u64 = 127;
const WAITING: u64 = 1 << 14;
const BURNT: u64 = 1 << 15;

/// Steps that must pass before a client is asked again, and after which silence is an answer.
const ASK_AGAIN: u64 = 10;
const SILENCE: u64 = 4;
/// In steps: an entry that is older counts for nothing.
const FORGET: u64 = 3_600;

/// Sets of eight words: mark 22 bits, time of the last question 20, burnt 1, waiting 1, pages 7, assets 7.
pub struct Ledger {
    sets: Box<[Set]>,
    seeds: Seeds,
    /// How many are waited for, at most.
    waiting: AtomicU32,
}

#[repr(align(64))]
struct Set([AtomicU64; WAYS]);

/// What came of looking a client up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was not waited for.
    None,
    /// It was waited for, and has brought the cookie.
    Solved,
    /// It was waited for, and has come without the cookie.
    Unsolved,
}

impl Ledger {
    /// Room for `clients`, rounded up to whole sets.
    pub fn new(clients: u32, seeds: Seeds) -> Self {
        let sets = (clients as usize).div_ceil(WAYS).max(1);
        let set = |_| Set(std::array::from_fn(|_| AtomicU64::new(0)));
        Self { sets: (0..sets).map(set).collect(), seeds, waiting: AtomicU32::new(0) }
    }

    /// Whether `client` was not asked for a cookie a short time ago.
    pub fn may_ask(&self, client: u128, now: Time) -> bool {
        let word = self.load(&self.place(client));
        word >> 22 & TIME == 0 || age(word, steps(now)) >= ASK_AGAIN
    }

    /// Notes that `client` is asked for a cookie now; false where it was asked a short time ago.
    pub fn ask(&self, client: u128, now: Time) -> bool {
        if !self.may_ask(client, now) {
            return false;
        }
        let (at, now) = (self.place(client), steps(now));
        let word = self.load(&at);
        self.store(&at, pack(at.mark, now, (word | WAITING) & 0xffff));
        // Relaxed: a hint that a sweep is worth its while.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Takes notice of a request: whether it answers the question.
    pub fn answer(&self, client: u128, proven: bool, now: Time) -> Answer {
        let (at, now) = (self.place(client), steps(now));
        let word = self.load(&at);
        if word & WAITING == 0 {
            return Answer::None;
        }
        if proven {
            self.store(&at, word & !WAITING);
            return Answer::Solved;
        }
        // The question may still be on its way to the client.
        if age(word, now) < 1 {
            return Answer::None;
        }
        self.store(&at, word & !WAITING);
        Answer::Unsolved
    }

    /// Waits no longer for this client; false where nobody did.
    pub fn close(&self, client: u128) -> bool {
        let at = self.place(client);
        let word = self.load(&at);
        let waited = word & WAITING != 0;
        if waited {
            self.store(&at, word & !WAITING);
        }
        waited
    }

    /// Counts a request of a client with a cookie; true once it has fetched many pages and hardly an asset.
    pub fn behave(&self, client: u128, hard: bool, now: Time) -> bool {
        let at = self.place(client);
        let mut word = self.load(&at);
        if word == 0 {
            word = pack(at.mark, steps(now), 0);
        }
        let (pages, assets) = (word & MOST, word >> 7 & MOST);
        let grown = match hard {
            true if pages < MOST => word + 1,
            false if assets < MOST => word + (1 << 7),
            _ => word,
        };
        self.store(&at, grown);
        pages >= 6 && assets * 3 < pages
    }

    /// From now on this client's cookie is worth nothing.
    pub fn burn(&self, client: u128, now: Time) {
        let at = self.place(client);
        let word = self.load(&at);
        self.store(&at, pack(at.mark, steps(now), word & 0xffff | BURNT));
    }

    /// Whether its cookie is worth nothing.
    pub fn is_burnt(&self, client: u128) -> bool {
        self.load(&self.place(client)) & BURNT != 0
    }

    /// Ends the waiting for clients that have not come back; how many there were. Call it every second.
    pub fn end_waiting(&self, now: Time) -> u32 {
        // Relaxed: as in `ask`; one that is missed now is found in a second.
        if self.waiting.swap(0, Ordering::Relaxed) == 0 {
            return 0;
        }
        let (now, mut silent, mut still) = (steps(now), 0, 0);
        self.rewrite(|word| {
            if word & WAITING == 0 {
                return None;
            }
            if age(word, now) < SILENCE {
                still += 1;
                return None;
            }
            silent += 1;
            Some(word & !WAITING)
        });
        // Relaxed: as above.
        self.waiting.fetch_add(still, Ordering::Relaxed);
        silent
    }

    /// Forgets what is an hour old. Call it more often than the entries' clock goes round.
    pub fn forget(&self, now: Time) {
        let now = steps(now);
        self.rewrite(|word| (age(word, now) > FORGET).then_some(0));
    }

    fn rewrite(&self, mut new: impl FnMut(u64) -> Option<u64>) {
        for cell in self.sets.iter().flat_map(|set| &set.0) {
            // Relaxed, both: an entry is whole in its one word and publishes nothing else. Where two write at once one
            // is lost: a client is asked once more or counted once less.
            let word = cell.load(Ordering::Relaxed);
            if word != 0
                && let Some(new) = new(word)
            {
                let _ = cell.compare_exchange(word, new, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    /// The ledger's memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.sets)
    }

    fn place(&self, client: u128) -> Place<'_> {
        let hash = self.seeds.hash(client);
        let set = ((hash >> 32) * self.sets.len() as u64) >> 32;
        Place { set: &self.sets[set as usize], mark: (hash & ((1 << MARK_BITS) - 1)).max(1) }
    }

    fn load(&self, at: &Place<'_>) -> u64 {
        // Relaxed: see `rewrite`.
        let words = at.set.0.iter().map(|cell| cell.load(Ordering::Relaxed));
        words.into_iter().find(|word| word >> (64 - MARK_BITS) == at.mark).unwrap_or(0)
    }

    /// Writes the client's word: over its own, an empty one, or the one asked longest ago.
    fn store(&self, at: &Place<'_>, word: u64) {
        if word == 0 {
            return;
        }
        let mut target = &at.set.0[0];
        let mut oldest = u64::MAX;
        for cell in &at.set.0 {
            // Relaxed: see `rewrite`.
            let old = cell.load(Ordering::Relaxed);
            if old >> (64 - MARK_BITS) == at.mark {
                target = cell;
                break;
            }
            let time = if old == 0 { 0 } else { 1 + (old >> 22 & TIME) };
            if time < oldest {
                (oldest, target) = (time, cell);
            }
        }
        // Relaxed: see `rewrite`.
        target.store(word | at.mark << (64 - MARK_BITS), Ordering::Relaxed);
    }
}

struct Place<'a> {
    set: &'a Set,
    mark: u64,
}

const fn steps(now: Time) -> u64 {
    (now.nanos() / STEP) & TIME
}

const fn age(word: u64, now: u64) -> u64 {
    now.wrapping_sub(word >> 22 & TIME) & TIME
}

const fn pack(mark: u64, now: u64, low: u64) -> u64 {
    mark << (64 - MARK_BITS) | now << 22 | low
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const START: Time = Time::from_nanos(86_400_000_000_000);

    fn at(seconds: u64) -> Time {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_is_asked_once_and_its_answer_counts_once() {
        let ledger = Ledger::new(64, Seeds::fixed(1));
        assert!(ledger.ask(7, START));
        assert!(!ledger.ask(7, at(3)));
        assert_eq!(ledger.answer(7, false, START), Answer::None, "it can't have the cookie yet");
        assert_eq!(ledger.answer(7, true, at(1)), Answer::Solved);
        assert_eq!(ledger.answer(7, true, at(1)), Answer::None);
        assert!(!ledger.ask(7, at(5)));
        assert!(ledger.ask(7, at(20)));
        assert_eq!(ledger.answer(7, false, at(23)), Answer::Unsolved);
        assert_eq!(ledger.answer(7, false, at(23)), Answer::None);
        assert_eq!(ledger.answer(8, false, at(23)), Answer::None);
    }

    #[test]
    fn silence_is_an_answer_too() {
        let ledger = Ledger::new(1_024, Seeds::fixed(1));
        let asked = (0..100).filter(|client| ledger.ask(*client, START)).count();
        assert_eq!(asked, 100);
        assert_eq!(ledger.end_waiting(at(2)), 0);
        assert_eq!(ledger.end_waiting(at(8)), 100);
        assert_eq!(ledger.end_waiting(at(9)), 0);
    }

    #[test]
    fn pages_without_assets_burn_a_cookie_until_it_is_forgotten() {
        let ledger = Ledger::new(64, Seeds::fixed(1));
        assert!((0..6).all(|_| !ledger.behave(1, true, START)));
        assert!(ledger.behave(1, true, START));
        ledger.burn(1, START);
        assert!(ledger.is_burnt(1) && !ledger.is_burnt(2));
        let reads = (0..50).any(|n| ledger.behave(2, n % 3 == 0, START));
        assert!(!reads, "a page with two assets each time is a reader");
        ledger.forget(at(10_000));
        assert!(!ledger.is_burnt(1));
    }

    #[test]
    fn a_flood_of_clients_only_makes_it_forget() {
        let ledger = Ledger::new(64, Seeds::fixed(1));
        assert!((0..100_000u128).all(|client| ledger.ask(client, START)));
        assert_eq!(ledger.bytes(), 64 * 8);
        assert_eq!(ledger.end_waiting(at(9)), 64);
    }
}
