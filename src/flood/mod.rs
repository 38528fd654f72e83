//! Layer 2: floods that no single limit sees.
//!
//! The hot path counts every request by what it is and by what history says of its client (`judge`, `window`). Ten
//! times a second the `detector` compares that with what is usual, and publishes a [`View`]: the state, and how far
//! limits tighten. History is written by good answers and never in an attack.

pub mod baseline;
pub mod challenge;
pub mod class;
pub mod cost;
pub mod detector;
pub mod distinct;
pub mod history;
pub mod judge;
pub mod ledger;
pub mod offenders;
pub mod rank;
pub mod signs;
pub mod sketch;
pub mod state;
pub mod tally;
pub mod view;
pub mod window;

use crate::base::clock::Time;
use crate::base::units::Rate;
use crate::client::key::ClientKey;
use crate::limit::budget::Budget;
use crate::limit::gcra::Quota;
use crate::limit::seeds::Seeds;
use crate::limit::table::Table;
use arc_swap::ArcSwap;
use class::Agents;
use cost::{Costs, Route};
use detector::{Detector, Readings};
use history::History;
use ledger::Ledger;
use offenders::Offenders;
use state::{Cause, Change, Changes, FloodState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use view::View;
use window::{AGENTS, Counts, Signal, Tick};

/// Clients that an attack's own limits can tell apart, 8 bytes each, twice.
const CLIENTS: u32 = 1 << 19;
/// What a client may send at once in an attack.
const CLIENT_BURST: u32 = 60;
/// Clients that can be remembered as asked, 8 bytes each.
const ASKED: u32 = 1 << 17;

/// Everything that is known about floods. One for a process, or for a simulation.
pub struct Flood {
    /// What came in since the last tick.
    pub counts: Counts,
    /// Good clients of the last four weeks.
    pub history: History,
    /// Who it is that comes, for people.
    pub offenders: Offenders,
    /// What requests cost the origin.
    pub costs: Costs,
    /// Agents seen before.
    pub agents: Agents,
    view: ArcSwap<View>,
    detector: Mutex<Detector>,
    changes: Mutex<Changes>,
    ledger: Ledger,
    clients: Own,
    pages: Own,
    budgets: Shared,
}

/// A limit of each client's own, in an attack.
struct Own {
    quota: Quota,
    table: Table,
}

impl Own {
    fn new(rate: u32, burst: u32, seeds: Seeds) -> Self {
        let quota = Quota::new(Rate::per_second(rate), burst);
        Self { table: Table::new(CLIENTS, &quota, seeds), quota }
    }

    fn sweep(&self, now: Time) {
        self.table.sweep_when_due(&self.quota, now);
    }
}

/// What the shared budgets of an attack have given out.
struct Shared {
    writes: Budget,
    newcomers: Budget,
    assets: Budget,
    burnt: Budget,
    networks: Budget,
    agents: Budget,
    strangers: Budget,
    agents_own: Box<[Budget; AGENTS]>,
}

impl Flood {
    /// Nothing is known yet. `seeds` gives a fresh hash key at each call.
    pub fn new(history: History, mut seeds: impl FnMut() -> Seeds) -> Self {
        let lottery = [1, 2].map(|number| seeds().hash(number));
        let view = View { lottery, ..View::quiet(Time::default(), f64::from(u32::MAX)) };
        Self {
            counts: Counts::default(),
            history,
            offenders: Offenders::new(&mut seeds),
            agents: Agents::default(),
            view: ArcSwap::from_pointee(view),
            detector: Mutex::new(Detector::default()),
            changes: Mutex::default(),
            ledger: Ledger::new(ASKED, seeds()),
            clients: Own::new(2, CLIENT_BURST, seeds()),
            // The burst leaves room for dearer pages.
            pages: Own::new(4, 4_096, seeds()),
            budgets: Shared {
                writes: Budget::new(),
                newcomers: Budget::new(),
                assets: Budget::new(),
                burnt: Budget::new(),
                networks: Budget::new(),
                agents: Budget::new(),
                strangers: Budget::new(),
                agents_own: Box::new(std::array::from_fn(|_| Budget::new())),
            },
            costs: Costs::new(seeds()),
        }
    }

    /// What the detector has found out.
    pub fn view(&self) -> arc_swap::Guard<std::sync::Arc<View>> {
        self.view.load()
    }

    /// Does the ticks that are due; what changed.
    pub fn tick(&self, readings: &Readings, now: Time) -> Vec<Change> {
        let mut detector = self.detector();
        if now < detector.next() {
            return Vec::new();
        }
        let second = detector.starts_second();
        if second {
            self.counts.add(Signal::Unsolved, self.ledger.end_waiting(now));
        }
        let changes = detector.tick(&self.counts, readings, now);
        let view = detector.view(readings, &self.view.load());
        if second {
            self.offenders.tick(&view, now);
        }
        self.view.store(std::sync::Arc::new(view));
        drop(detector);
        let mut kept = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        for change in &changes {
            kept.add(*change);
        }
        changes
    }

    /// When the next tick is due.
    pub fn next_tick(&self) -> Time {
        self.detector().next()
    }

    /// Ticks that came so late that they were left out.
    pub fn missed_ticks(&self) -> u64 {
        self.detector().missed()
    }

    /// Holds a state, or lets go of it: for tests and for operators.
    pub fn pin(&self, state: Option<FloodState>) {
        self.detector().pin(state);
    }

    /// Whether most tasks of the fleet see an attack.
    pub fn peers_attack(&self, attack: bool) {
        self.detector().peers_attack(attack);
    }

    /// Draws its lotteries by other keys: those of the fleet, so that all tasks leave out the same clients.
    pub fn draw_by(&self, lottery: [u64; 2]) {
        // Held, so that no tick carries the old ones on.
        let _detector = self.detector();
        let view = View { lottery, ..View::clone(&self.view.load()) };
        self.view.store(std::sync::Arc::new(view));
    }

    /// The latest changes of state, oldest first.
    pub fn changes(&self) -> Vec<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).latest().copied().collect()
    }

    /// How often each state was entered for each cause.
    pub fn change_counts(&self) -> Vec<(FloodState, Cause, u64)> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).counts()
    }

    /// All that was counted since the start, as far as ticks have taken it.
    pub fn totals(&self) -> Tick {
        self.detector().totals()
    }

    /// The origin has answered a client's request for `route`.
    pub fn answered(&self, client: ClientKey, route: Route, status: u16, took: Duration, now: Time) {
        self.counts.one(Signal::Answers);
        self.counts.add(Signal::Latency, u32::try_from(took.as_millis()).unwrap_or(u32::MAX));
        // 500 is what a broken page answers; these say that there was nobody to answer it.
        if matches!(status, 502..=504) {
            self.counts.one(Signal::Errors);
        }
        let state = self.view().state;
        if History::good_status(status) && state != FloodState::Attack {
            self.history.good(client, now);
        }
        if matches!(status, 200..400) && state == FloodState::Normal && route != Route::UNKNOWN {
            self.costs.learn(route, took, now);
        }
    }

    /// Forgets debts that are over: at least every half hour.
    pub fn sweep(&self, now: Time) {
        self.clients.sweep(now);
        self.pages.sweep(now);
        self.ledger.forget(now);
    }

    /// All memory, which does not grow.
    pub fn bytes(&self) -> usize {
        let tables = self.clients.table.bytes() + self.pages.table.bytes();
        self.history.bytes()
            + self.offenders.bytes()
            + Counts::bytes()
            + Costs::bytes()
            + self.ledger.bytes()
            + tables
            + AGENTS * size_of::<Budget>()
    }

    fn detector(&self) -> MutexGuard<'_, Detector> {
        self.detector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Sizes;
    use judge::is_shed;
    use rank::Rank;

    /// Which of 1,000 strangers half an overload leaves out.
    fn left_out(number: u64) -> Vec<u32> {
        let mut next = number;
        let seeds = move || {
            next += 1;
            Seeds::fixed(next)
        };
        let sizes = Sizes { clients: 8, net24: 8, net16: 8 };
        let flood = Flood::new(History::new(sizes, Seeds::fixed(1), 0), seeds);
        let view = View { state: FloodState::Overload, admitted: 0.5, ..View::clone(&flood.view()) };
        let client = |n: u32| ClientKey::new(std::net::Ipv4Addr::from(0xc612_0000 + n).into(), 64);
        (0..1_000).filter(|n| is_shed(&view, client(*n), Rank::Unknown)).collect()
    }

    #[test]
    fn nobody_can_tell_beforehand_which_addresses_an_overload_leaves_out() {
        let (one, other) = (left_out(1), left_out(100));
        assert_eq!(one, left_out(1), "whole clients: the same each time");
        assert!((400..600).contains(&one.len()) && (400..600).contains(&other.len()));
        let both = one.iter().filter(|n| other.contains(n)).count();
        assert!((150..350).contains(&both), "{both} of {}: as chance has it", one.len());
    }
}
