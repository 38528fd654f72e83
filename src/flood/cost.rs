//! What a request costs the origin, as far as its path tells: the mean of the origin's times, by path.
//!
//! A few requests for a search of three seconds do the harm of hundreds for a page. Fixed memory, no lock: a path is
//! kept in one cell of either row and has the lesser of the two, so that another path in one of them can't make it
//! dear. It is learnt from good answers while all is normal, slowly and clipped: who wants a path to seem cheap, or a
//! neighbour's to seem dear, must send most of its requests for many minutes.

use crate::base::clock::Time;
use crate::limit::seeds::Seeds;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Cells in either row.
const CELLS: usize = 4_096;
/// How much of a path is looked at.
const LONGEST: usize = 128;
/// Answers that are needed before a path has a cost of its own.
const ENOUGH: u64 = 4;
/// Over so many answers, one of each span of time at most, the mean follows.
const MEMORY: u64 = 1_024;
/// An answer counts at most so many times the mean, and at least that part of it.
const CLIP: f32 = 4.0;
/// A mean below this many milliseconds counts as this: nothing is dear beside next to nothing.
const LEAST: f32 = 25.0;
/// What costs up to so many times the mean, weighs as any other.
const USUAL: f32 = 2.0;
/// The most that a request weighs.
const HEAVIEST: f32 = 16.0;
/// From this weight on a request is dear.
const DEAR: f32 = 4.0;
/// Marks a part of a path that is an id.
const ID: u8 = 0xff;

/// A path, as far as its cost goes. Its lowest bit says whether it is a page, or what else the origin works for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route(u64);

impl Route {
    /// Of a request whose cost is nobody's business.
    pub const UNKNOWN: Self = Self(0);
}

/// What is known of costs.
pub struct Costs {
    rows: [Box<[Cell]>; 2],
    /// Of all that the origin works for, assets left out.
    overall: Cell,
    seeds: Seeds,
}

impl Costs {
    /// Nothing is known.
    pub fn new(seeds: Seeds) -> Self {
        let row = || (0..CELLS).map(|_| Cell::default()).collect();
        Self { rows: [row(), row()], overall: Cell::default(), seeds }
    }

    /// The route of a request; ids in its path, which are parts with a digit, are all one. `hard`: it is no asset.
    #[inline]
    pub fn route(&self, path: &[u8], reads: bool, hard: bool) -> Route {
        let mut hash = self.seeds.hash(u128::from(reads)) | 1;
        let (mut before, mut id) = (hash, false);
        for byte in path.iter().take(LONGEST) {
            if *byte == b'/' {
                hash = mix(if id { mix(before, ID) } else { hash }, b'/');
                (before, id) = (hash, false);
            } else {
                id |= byte.is_ascii_digit();
                hash = mix(hash, *byte);
            }
        }
        let hash = if id { mix(before, ID) } else { hash };
        Route((self.seeds.hash(u128::from(hash)) & !1) | u64::from(hard))
    }

    /// Milliseconds that the origin will likely take.
    #[inline]
    pub fn expected(&self, route: Route) -> f32 {
        let [a, b] = self.cells(route).map(Cell::read);
        let known = if a.count < ENOUGH || b.count < ENOUGH { self.overall.read() } else { a.lesser(b) };
        known.mean
    }

    /// How many requests of the usual cost one weighs that is expected to take so long, 1 to 16.
    #[inline]
    pub fn weight(&self, expected: f32) -> f32 {
        let usual = self.overall.read().mean.max(LEAST);
        (expected / (USUAL * usual)).clamp(1.0, HEAVIEST)
    }

    /// Whether a request of this weight is dear.
    pub fn is_dear(weight: f32) -> bool {
        weight >= DEAR
    }

    /// The origin took so long over a good answer.
    pub fn learn(&self, route: Route, took: Duration, now: Time) {
        let (took, tick) = (took.as_secs_f32() * 1e3, tick_of(now));
        for cell in self.cells(route) {
            cell.learn(took, tick);
        }
        if route.0 & 1 == 1 {
            self.overall.learn(took, tick);
        }
    }

    /// All memory, which does not grow.
    pub const fn bytes() -> usize {
        2 * CELLS * size_of::<Cell>()
    }

    fn cells(&self, route: Route) -> [&Cell; 2] {
        let at = |row: usize, shift: u32| &self.rows[row][(route.0 >> shift) as usize % CELLS];
        [at(0, 1), at(1, 32)]
    }
}

const fn mix(hash: u64, byte: u8) -> u64 {
    // FNV-1a (Fowler, Noll, Vo), keyed by where it starts.
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The span of time that a moment lies in, of an eighth of a second or so.
const fn tick_of(now: Time) -> u64 {
    (now.nanos() >> 27) & TICKS
}

const COUNT_SHIFT: u32 = 20;
const TICKS: u64 = (1 << COUNT_SHIFT) - 1;

/// A mean (32 bits), how many answers it is of (12), and the span in which the last of them came (20).
#[derive(Default)]
struct Cell(AtomicU64);

/// What a cell says.
#[derive(Clone, Copy)]
struct Known {
    mean: f32,
    count: u64,
}

impl Known {
    fn lesser(self, other: Self) -> Self {
        if self.mean < other.mean { self } else { other }
    }
}

impl Cell {
    fn read(&self) -> Known {
        // Relaxed: the word stands for itself.
        Self::unpack(self.0.load(Ordering::Relaxed))
    }

    const fn unpack(word: u64) -> Known {
        Known { mean: f32::from_bits((word >> 32) as u32), count: (word >> COUNT_SHIFT) & 0xfff }
    }

    fn learn(&self, took: f32, tick: u64) {
        // Relaxed: as in `read`.
        let word = self.0.load(Ordering::Relaxed);
        let Known { mean, count } = Self::unpack(word);
        if count > 0 && word & TICKS == tick {
            return;
        }
        let clipped = if count < ENOUGH { took } else { took.clamp(mean / CLIP, mean.max(1.0) * CLIP) };
        let count = (count + 1).min(MEMORY);
        let mean = mean + (clipped - mean) / count as f32;
        let word = (u64::from(mean.to_bits()) << 32) | (count << COUNT_SHIFT) | tick;
        // Relaxed: of two that race, one answer is lost, as most are anyway.
        self.0.store(word, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Pages of 40 ms and, rarely, a search of 1 s: a thousand seconds of them.
    fn site() -> (Costs, Time) {
        let costs = Costs::new(Seeds::fixed(1));
        let mut now = Time::from_nanos(1) + SECOND;
        for n in 0..1_000 {
            now = now + SECOND;
            costs.learn(costs.route(b"/page", true, true), ms(40), now);
            if n % 20 == 0 {
                costs.learn(costs.route(b"/search", true, true), ms(1_000), now + ms(500));
            }
        }
        (costs, now)
    }

    #[test]
    fn what_costs_much_weighs_much_and_what_is_unknown_as_usual() {
        let (costs, _) = site();
        let weight = |path: &[u8], reads| costs.weight(costs.expected(costs.route(path, reads, true)));
        assert_eq!((weight(b"/page", true), weight(b"/never", true), weight(b"/search", false)), (1.0, 1.0, 1.0));
        assert!((5.0..16.0).contains(&weight(b"/search", true)), "{}", weight(b"/search", true));
        assert!(Costs::is_dear(weight(b"/search", true)) && !Costs::is_dear(1.0));
        let expected = costs.expected(costs.route(b"/search", true, true));
        assert!((expected - 1_000.0).abs() < 1.0, "{expected}");
    }

    #[test]
    fn ids_are_one_route_and_methods_are_two() {
        let costs = Costs::new(Seeds::fixed(2));
        let route = |path: &[u8]| costs.route(path, true, true);
        assert_eq!(route(b"/item/17/parts"), route(b"/item/a9-b/parts"));
        assert_eq!(route(b"/item/17"), route(b"/item/4"));
        assert_ne!(route(b"/item/17"), route(b"/item/17/parts"));
        assert_ne!(route(b"/item/x"), route(b"/item/y"));
        assert_ne!(route(b"/item"), costs.route(b"/item", false, true));
        assert_eq!(route(&b"/x".repeat(64)), route(&b"/x".repeat(4_000)), "only the beginning counts");
    }

    #[test]
    fn who_sends_ever_so_much_teaches_little_in_a_minute() {
        let (costs, begun) = site();
        let route = costs.route(b"/search", true, true);
        let before = costs.weight(costs.expected(route));
        // Ten thousand requests a second, all answered at once.
        for n in 0..600_000 {
            costs.learn(route, ms(0), begun + Duration::from_micros(100) * n);
        }
        assert!(costs.weight(costs.expected(route)) > before / 8.0);
        let page = costs.route(b"/page", true, true);
        for n in 0..600_000 {
            costs.learn(page, ms(60_000), begun + SECOND * 60 + Duration::from_micros(100) * n);
        }
        assert!(!Costs::is_dear(costs.weight(costs.expected(page))), "{}", costs.weight(costs.expected(page)));
    }

    #[test]
    fn a_site_that_answers_at_once_has_nothing_dear() {
        let costs = Costs::new(Seeds::fixed(3));
        for n in 0..200 {
            costs.learn(costs.route(b"/a", true, true), ms(1), Time::default() + SECOND * n);
            costs.learn(costs.route(b"/b", true, true), ms(40), Time::default() + SECOND * n + ms(500));
        }
        assert_eq!(costs.weight(costs.expected(costs.route(b"/b", true, true))), 1.0);
    }

    #[test]
    fn ten_thousand_cheap_paths_do_not_make_a_dear_one_cheap() {
        let (costs, now) = site();
        for n in 0..10_000u32 {
            let letters: Vec<u8> = n.to_le_bytes().iter().flat_map(|b| [b'a' + (b & 15), b'a' + (b >> 4)]).collect();
            let path = [b"/".as_slice(), &letters].concat();
            costs.learn(costs.route(&path, true, true), ms(40), now + ms(u64::from(n)) * 10);
        }
        assert!(Costs::is_dear(costs.weight(costs.expected(costs.route(b"/search", true, true)))));
    }
}
