//! What came in of late, by signal: counted by the hot path in a shard of its thread, taken by the detector at every
//! tick, and kept for five seconds.

use crate::base::shard::{self, SHARDS};
use std::sync::atomic::{AtomicU32, Ordering};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Signal {
    /// All that was offered: what passed the limits, whatever became of it.
    Total,
    /// Of that: what the origin must work for, assets left out.
    Hard,
    /// Of that: by clients of whom neither address nor /24 is known, or only since yesterday.
    HardNew,
    /// What changes something, logins above all, by clients whose address is not known.
    WriteNew,
    /// Scripts, pictures, fonts.
    Assets,
    /// By clients of whom neither address nor /24 is known.
    New,
    /// Of those: scripts, pictures, fonts.
    NewAssets,
    /// By known addresses, seen before yesterday.
    OldAddress,
    /// By addresses or /24s first seen since yesterday.
    Young,
    /// By unknown addresses of a /24 seen before yesterday.
    OldNet,
    /// By clients with a valid cookie.
    Proven,
    /// Passed on to the origin.
    Forwarded,
    /// Refused because of the flood, or for want of capacity.
    Refused,
    /// Clients that brought the cookie they were asked for.
    Solved,
    /// Clients that did not.
    Unsolved,
    /// Answers of the origin.
    Answers,
    /// Answers of the origin of 500 and above, and none at all.
    Errors,
    /// Milliseconds to the first byte of all answers.
    Latency,
    /// Milliseconds that the origin will likely take over all that was offered.
    Cost,
}

/// How many signals there are.
pub const SIGNALS: usize = Signal::Cost as usize + 1;

/// Agents that are told apart by their rate.
pub const AGENTS: usize = 1_024;

/// One tick's counts, as floating point numbers to reckon with.
pub type Tick = [f64; SIGNALS];

/// Where the hot path counts.
pub struct Counts {
    shards: Box<[Shard; SHARDS]>,
    agents: Box<[AtomicU32; AGENTS]>,
}

#[repr(align(128))]
struct Shard([AtomicU32; SIGNALS]);

impl Default for Counts {
    fn default() -> Self {
        let shard = |_| Shard([const { AtomicU32::new(0) }; SIGNALS]);
        Self { shards: Box::new(std::array::from_fn(shard)), agents: Box::new([const { AtomicU32::new(0) }; AGENTS]) }
    }
}

impl Counts {
    /// Counts one.
    #[inline]
    pub fn one(&self, signal: Signal) {
        self.add(signal, 1);
    }

    /// Counts several.
    #[inline]
    pub fn add(&self, signal: Signal, by: u32) {
        // Relaxed, here and below: lone counters; a count that a tick misses is in the next.
        self.shards[shard::mine()].0[signal as usize].fetch_add(by, Ordering::Relaxed);
    }

    /// Counts a request of an agent that is no browser.
    #[inline]
    pub fn agent(&self, hash: u32) {
        // Relaxed: as above.
        self.agents[agent_cell(hash)].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted since the last call.
    pub fn take(&self) -> Tick {
        let mut tick = [0.0; SIGNALS];
        for shard in self.shards.iter() {
            for (sum, cell) in tick.iter_mut().zip(&shard.0) {
                // Relaxed: as above. Most cells are zero most of the time: reading them spares the write.
                if cell.load(Ordering::Relaxed) != 0 {
                    *sum += f64::from(cell.swap(0, Ordering::Relaxed));
                }
            }
        }
        tick
    }

    /// Hands every agent cell's count since the last call to `each`.
    pub fn take_agents(&self, mut each: impl FnMut(usize, u32)) {
        for (i, cell) in self.agents.iter().enumerate() {
            // Relaxed: as above; a hidden zero is taken the next time.
            let seen = cell.load(Ordering::Relaxed);
            each(i, if seen == 0 { 0 } else { cell.swap(0, Ordering::Relaxed) });
        }
    }

    /// The counters' memory.
    pub const fn bytes() -> usize {
        size_of::<[Shard; SHARDS]>() + size_of::<[AtomicU32; AGENTS]>()
    }
}

/// The cell that an agent is counted in.
pub const fn agent_cell(hash: u32) -> usize {
    hash as usize % AGENTS
}

/// Ticks in the long window.
pub const LONG: usize = 50;
/// Ticks in the short window: one second.
pub const SHORT: usize = 10;
/// Ticks for which outcomes of challenges count.
const OUTCOMES: usize = 100;

/// The last ten seconds of ticks, with their sums.
pub struct Window {
    ring: Box<[Tick; OUTCOMES]>,
    at: usize,
    filled: usize,
    short: Tick,
    long: Tick,
    outcomes: (f64, f64),
    totals: Tick,
}

impl Default for Window {
    fn default() -> Self {
        let none = [0.0; SIGNALS];
        let outcomes = (0.0, 0.0);
        Self { ring: Box::new([none; OUTCOMES]), at: 0, filled: 0, short: none, long: none, outcomes, totals: none }
    }
}

impl Window {
    /// Adds a tick.
    pub fn push(&mut self, tick: &Tick) {
        let old = |ago: usize| self.ring[(self.at + OUTCOMES - ago) % OUTCOMES];
        let (leaves_short, leaves_long, leaves) = (old(SHORT), old(LONG), self.ring[self.at]);
        for i in 0..SIGNALS {
            self.totals[i] += tick[i];
            self.short[i] += tick[i] - leaves_short[i];
            self.long[i] += tick[i] - leaves_long[i];
        }
        let (solved, unsolved) = (Signal::Solved as usize, Signal::Unsolved as usize);
        self.outcomes.0 += tick[solved] - leaves[solved];
        self.outcomes.1 += tick[unsolved] - leaves[unsolved];
        self.ring[self.at] = *tick;
        self.at = (self.at + 1) % OUTCOMES;
        self.filled = (self.filled + 1).min(OUTCOMES);
    }

    /// All that was ever pushed.
    pub const fn totals(&self) -> Tick {
        self.totals
    }

    /// The last second's count.
    pub fn second(&self, signal: Signal) -> f64 {
        self.short[signal as usize]
    }

    /// The rate a second over the last five.
    pub fn rate(&self, signal: Signal) -> f64 {
        self.long[signal as usize] * 10.0 / self.filled.clamp(1, LONG) as f64
    }

    /// Challenges whose outcome became known within ten seconds: how many, and the share that was solved.
    pub fn outcomes(&self) -> (f64, f64) {
        let (solved, unsolved) = self.outcomes;
        let all = solved + unsolved;
        (all, if all > 0.0 { solved / all } else { 1.0 })
    }

    /// Forgets all outcomes.
    pub fn forget_outcomes(&mut self) {
        for tick in self.ring.iter_mut() {
            tick[Signal::Solved as usize] = 0.0;
            tick[Signal::Unsolved as usize] = 0.0;
        }
        for sums in [&mut self.short, &mut self.long] {
            sums[Signal::Solved as usize] = 0.0;
            sums[Signal::Unsolved as usize] = 0.0;
        }
        self.outcomes = (0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(signal: Signal, count: f64) -> Tick {
        let mut tick = [0.0; SIGNALS];
        tick[signal as usize] = count;
        tick
    }

    #[test]
    fn windows_are_a_second_five_and_ten() {
        let mut window = Window::default();
        (0..7).for_each(|_| window.push(&tick(Signal::Total, 2.0)));
        assert_eq!((window.second(Signal::Total), window.rate(Signal::Total)), (14.0, 20.0));
        (0..200).for_each(|_| window.push(&tick(Signal::Total, 3.0)));
        assert_eq!((window.second(Signal::Total), window.rate(Signal::Total)), (30.0, 30.0));
        (0..10).for_each(|_| window.push(&tick(Signal::Total, 0.0)));
        assert_eq!((window.second(Signal::Total), window.rate(Signal::Total)), (0.0, 24.0));
    }

    #[test]
    fn outcomes_count_for_ten_seconds_or_until_they_are_forgotten() {
        let mut window = Window::default();
        assert_eq!(window.outcomes(), (0.0, 1.0));
        window.push(&tick(Signal::Solved, 1.0));
        window.push(&tick(Signal::Unsolved, 3.0));
        assert_eq!(window.outcomes(), (4.0, 0.25));
        (0..99).for_each(|_| window.push(&tick(Signal::Total, 1.0)));
        assert_eq!(window.outcomes(), (3.0, 0.0));
        window.forget_outcomes();
        assert_eq!(window.outcomes(), (0.0, 1.0));
        (0..200).for_each(|_| window.push(&tick(Signal::Total, 1.0)));
        assert_eq!(window.outcomes(), (0.0, 1.0));
    }

    #[test]
    fn what_threads_count_is_taken_once() {
        let counts = Counts::default();
        std::thread::scope(|s| {
            (0..20).for_each(|_| {
                s.spawn(|| (0..1_000).for_each(|_| counts.one(Signal::Hard)));
            });
        });
        assert_eq!(counts.take()[Signal::Hard as usize], 20_000.0);
        assert_eq!(counts.take(), [0.0; SIGNALS]);
    }
}
