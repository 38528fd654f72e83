//! Lines of a log in the order of their times, as far as bounded memory goes: some logs are written by the time of the
//! answer.

use std::collections::{BTreeSet, VecDeque};

/// How far a line may stand behind a later one, in seconds, and still be put into its place.
pub const SECONDS: f64 = 60.0;
/// The most lines that are held for that.
pub const LINES: usize = 100_000;
/// The most bytes of lines that are held for that.
pub const BYTES: usize = 64 << 20;

/// A line whose turn it is.
#[derive(Debug, PartialEq)]
pub struct Due<T> {
    /// Its place in the input, from 0.
    pub place: u64,
    /// When it is to be taken, in seconds: never before the one given before.
    pub at: f64,
    /// The line.
    pub line: T,
}

#[derive(Debug)]
struct Slot<T> {
    line: T,
    size: usize,
    time: u64,
}

/// The latest lines, waiting for what may come before them.
#[derive(Debug)]
pub struct Window<T> {
    /// Lines and their sizes in the order of the input; gaps are lines that were given.
    slots: VecDeque<Option<Slot<T>>>,
    /// The place of the first slot.
    first: u64,
    held: usize,
    bytes: usize,
    /// Times, as bits, which sort as the times do since none is negative, and places.
    by_time: BTreeSet<(u64, u64)>,
    /// What follows at once: places, times as written, and times to take them at.
    ready: VecDeque<(u64, f64, f64)>,
    newest: f64,
    /// The last time that was given, as written and as taken.
    now: (f64, f64),
    late: u64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self {
            slots: VecDeque::new(),
            first: 0,
            held: 0,
            bytes: 0,
            by_time: BTreeSet::new(),
            ready: VecDeque::new(),
            newest: 0.0,
            now: (0.0, 0.0),
            late: 0,
        }
    }
}

impl<T> Window<T> {
    /// Adds the input's next line, of time `t` and of about `size` bytes.
    pub fn push(&mut self, t: f64, line: T, size: usize) {
        let t = t.max(0.0);
        let time = t.to_bits();
        self.by_time.insert((time, self.first + self.slots.len() as u64));
        self.slots.push_back(Some(Slot { line, size, time }));
        self.held += 1;
        self.bytes += size;
        self.newest = self.newest.max(t);
    }

    /// Whether lines have to go before another may come.
    pub fn is_full(&self) -> bool {
        let spans = self.earliest().is_some_and(|t| self.newest - t > SECONDS);
        spans || self.held >= LINES || self.bytes >= BYTES || self.slots.len() > 2 * LINES || !self.ready.is_empty()
    }

    /// The earliest line; none where there is none.
    pub fn pop(&mut self) -> Option<Due<T>> {
        // A clock that was far ahead for one line: nothing since was as late, so it can't be right.
        if self.slots.len() > 2 * LINES
            && let place = self.first
            && let Some(line) = self.take(place)
        {
            self.late += 1;
            return Some(Due { place, at: self.now.1, line });
        }
        loop {
            if self.ready.is_empty() {
                self.gather()?;
            }
            let (place, written, at) = self.ready.pop_front()?;
            let Some(line) = self.take(place) else { continue };
            self.late += u64::from(written < self.now.0);
            self.now = (self.now.0.max(written), self.now.1.max(at));
            return Some(Due { place, at: self.now.1, line });
        }
    }

    /// The time of the earliest line, as written.
    pub fn earliest(&self) -> Option<f64> {
        self.by_time.first().map(|(t, _)| f64::from_bits(*t))
    }

    /// All lines that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten().map(|slot| &slot.line)
    }

    /// Lines that came too late, or too early, for their place: they were taken at the time of those before.
    pub fn late(&self) -> u64 {
        self.late
    }

    fn take(&mut self, place: u64) -> Option<T> {
        let at = usize::try_from(place.checked_sub(self.first)?).ok()?;
        let Slot { line, size, time } = self.slots.get_mut(at)?.take()?;
        self.by_time.remove(&(time, place));
        self.held -= 1;
        self.bytes -= size;
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.first += 1;
        }
        Some(line)
    }

    /// Makes the earliest line ready. Where a log has whole seconds only, all lines of that second, spread evenly over
    /// it: else each second would look like a burst.
    fn gather(&mut self) -> Option<()> {
        let (bits, place) = self.by_time.pop_first()?;
        let t = f64::from_bits(bits);
        self.ready.push_back((place, t, t));
        if t.fract() != 0.0 {
            return Some(());
        }
        while let Some((next, place)) = self.by_time.first().copied()
            && next == bits
        {
            self.by_time.pop_first();
            self.ready.push_back((place, t, t));
        }
        if self.earliest().is_none_or(|next| next >= t + 1.0) {
            let count = self.ready.len() as f64;
            self.ready.iter_mut().enumerate().for_each(|(n, (_, _, at))| *at += n as f64 / count);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of `times`: places, and the times at which they are taken.
    fn ordered(times: &[f64]) -> (Vec<u64>, Vec<f64>, u64) {
        let mut window = Window::default();
        let mut out = vec![];
        for t in times {
            window.push(*t, (), 1);
            while window.is_full() {
                out.extend(window.pop());
            }
        }
        out.extend(std::iter::from_fn(|| window.pop()));
        (out.iter().map(|d| d.place).collect(), out.iter().map(|d| d.at).collect(), window.late())
    }

    #[test]
    fn lines_are_put_into_their_place_within_a_minute() {
        let (places, times, late) = ordered(&[5.5, 3.25, 4.75, 60.5, 3.5]);
        assert_eq!((places, late), (vec![1, 4, 2, 0, 3], 0));
        assert_eq!(times, [3.25, 3.5, 4.75, 5.5, 60.5]);
    }

    #[test]
    fn what_is_further_behind_is_taken_at_once_and_counted() {
        let (places, times, late) = ordered(&[10.5, 100.25, 9.5, 101.5]);
        assert_eq!((places, late), (vec![0, 2, 1, 3], 1));
        assert_eq!(times, [10.5, 10.5, 100.25, 101.5]);
    }

    #[test]
    fn whole_seconds_are_spread() {
        assert_eq!(ordered(&[7.0, 7.0, 7.0, 7.0, 8.0]).1, [7.0, 7.25, 7.5, 7.75, 8.0]);
        // With fractions the times are what they say.
        assert_eq!(ordered(&[7.0, 7.0, 7.5]).1, [7.0, 7.0, 7.5]);
    }

    #[test]
    fn a_line_of_the_far_future_moves_nobody() {
        let count = 3 * LINES as u64;
        let times: Vec<f64> = (0..count).map(|n| if n == 5 { 1e10 } else { 1000.5 + n as f64 * 0.001 }).collect();
        let (places, taken, late) = ordered(&times);
        assert_eq!((places.len() as u64, late), (count, 1));
        assert!(taken.iter().all(|t| *t < 2000.0) && taken.is_sorted());
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut window = Window::default();
        for n in 0..10 * LINES as u64 {
            window.push(if n % 7 == 0 { 1e9 + n as f64 } else { n as f64 * 1e-6 }, (), 1);
            while window.is_full() {
                window.pop();
            }
            assert!(window.held <= LINES && window.slots.len() <= 2 * LINES, "{} {}", window.held, window.slots.len());
            assert!(window.by_time.len() <= LINES);
        }
    }
}
