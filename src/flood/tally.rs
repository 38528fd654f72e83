//! What became of requests by the rank of their clients, what they asked for, and how the last two minutes went:
//! for people and for metrics, never for a decision.

use super::class::Class;
use super::rank::Rank;
use super::view::View;
use crate::base::shard::{self, SHARDS};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Outcome {
    /// It went on to the origin.
    Forwarded,
    /// It was turned away because of the flood, or for want of capacity.
    Refused,
    /// Its client was asked for proof.
    Challenged,
}

impl Outcome {
    /// All.
    pub const ALL: [Self; 3] = [Self::Forwarded, Self::Refused, Self::Challenged];

    /// One word for people and metrics.
    pub const fn name(self) -> &'static str {
        ["forwarded", "refused", "challenged"][self as usize]
    }
}

/// How many outcomes there are.
pub const OUTCOMES: usize = Outcome::ALL.len();
const CELLS: usize = Rank::COUNT * OUTCOMES + Class::ALL.len();
/// Seconds that are kept.
pub const KEPT: usize = 120;
/// Seconds that a rate is a mean of.
const MEAN: usize = 5;

/// Counts since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Totals([f64; CELLS]);

/// Counts, and the last seconds.
pub struct Tally {
    shards: Box<[Shard; SHARDS]>,
    seconds: Mutex<VecDeque<(Second, Totals)>>,
}

#[repr(align(128))]
struct Shard([AtomicU64; CELLS]);

/// How one second went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Second {
    /// Requests offered in it.
    pub offered: f32,
    /// Passed on a second, over the last five.
    pub forwarded: f32,
    /// What is usual.
    pub usual: f32,
}

impl Default for Tally {
    fn default() -> Self {
        let shard = |_| Shard([const { AtomicU64::new(0) }; CELLS]);
        Self { shards: Box::new(std::array::from_fn(shard)), seconds: Mutex::new(VecDeque::with_capacity(KEPT)) }
    }
}

impl Tally {
    /// A request of a client of this rank ended so.
    #[inline]
    pub fn ended(&self, rank: Rank, outcome: Outcome) {
        self.one(rank as usize * OUTCOMES + outcome as usize);
    }

    /// A request asks for this.
    #[inline]
    pub fn asked(&self, class: Class) {
        self.one(Rank::COUNT * OUTCOMES + class as usize);
    }

    #[inline]
    fn one(&self, cell: usize) {
        // Relaxed: lone counters.
        self.shards[shard::mine()].0[cell].fetch_add(1, Ordering::Relaxed);
    }

    /// All counts since the start.
    pub fn totals(&self) -> Totals {
        let sum = |cell: usize| {
            // Relaxed: as in `one`.
            self.shards.iter().map(|shard| shard.0[cell].load(Ordering::Relaxed)).sum::<u64>() as f64
        };
        Totals(std::array::from_fn(sum))
    }

    /// Counts a second, over the last five; nothing before the first of them is over.
    pub fn rates(&self) -> Totals {
        let seconds = self.seconds();
        let Some((_, last)) = seconds.back() else { return Totals([0.0; CELLS]) };
        let before = seconds.len().saturating_sub(1 + MEAN);
        let (passed, first) = ((seconds.len() - 1 - before).max(1) as f64, seconds[before].1);
        Totals(std::array::from_fn(|i| (last.0[i] - first.0[i]) / passed))
    }

    /// The last two minutes, oldest first.
    pub fn last_seconds(&self) -> Vec<Second> {
        self.seconds().iter().map(|(second, _)| *second).collect()
    }

    /// A second is over.
    pub fn end_second(&self, view: &View) {
        let second = Second {
            offered: view.evidence.offered as f32,
            forwarded: view.forwarded as f32,
            usual: view.evidence.usual as f32,
        };
        let totals = self.totals();
        let mut seconds = self.seconds();
        if seconds.len() == KEPT {
            seconds.pop_front();
        }
        seconds.push_back((second, totals));
    }

    /// The memory.
    pub const fn bytes() -> usize {
        size_of::<[Shard; SHARDS]>() + KEPT * size_of::<(Second, Totals)>()
    }

    fn seconds(&self) -> MutexGuard<'_, VecDeque<(Second, Totals)>> {
        self.seconds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    /// How many requests of clients of this rank ended so.
    pub const fn ended(&self, rank: Rank, outcome: Outcome) -> f64 {
        self.0[rank as usize * OUTCOMES + outcome as usize]
    }

    /// How many asked for this.
    pub const fn asked(&self, class: Class) -> f64 {
        self.0[Rank::COUNT * OUTCOMES + class as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;

    #[test]
    fn counts_are_by_rank_outcome_and_class_and_rates_over_five_seconds() {
        let (tally, view) = (Tally::default(), View::quiet(Time::default(), 100.0));
        tally.end_second(&view);
        for second in 0..200 {
            (0..10).for_each(|_| tally.ended(Rank::Unknown, Outcome::Refused));
            (0..second).for_each(|_| tally.ended(Rank::Seen, Outcome::Forwarded));
            tally.asked(Class::Action);
            tally.end_second(&view);
        }
        let (totals, rates) = (tally.totals(), tally.rates());
        assert_eq!(totals.ended(Rank::Unknown, Outcome::Refused), 2_000.0);
        assert_eq!((totals.ended(Rank::Seen, Outcome::Refused), totals.asked(Class::Action)), (0.0, 200.0));
        assert_eq!(rates.ended(Rank::Unknown, Outcome::Refused), 10.0);
        assert_eq!(rates.ended(Rank::Seen, Outcome::Forwarded), 197.0);
        assert_eq!((rates.asked(Class::Action), rates.asked(Class::Page)), (1.0, 0.0));
        assert_eq!(tally.last_seconds().len(), KEPT);
    }

    #[test]
    fn the_first_seconds_have_rates_too() {
        let (tally, view) = (Tally::default(), View::quiet(Time::default(), 100.0));
        assert_eq!(tally.rates().asked(Class::Page), 0.0);
        tally.end_second(&view);
        tally.asked(Class::Page);
        tally.end_second(&view);
        assert_eq!(tally.rates().asked(Class::Page), 1.0);
    }
}
