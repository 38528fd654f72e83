//! What is told about the fleet: for `/api/status` and the metrics.

use crate::base::clock::{self, Time};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Upper bounds of the buckets of delays but the last.
pub const DELAY_BOUNDS_MS: [u64; 9] = [5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

/// The fleet, as this task sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FleetStatus {
    /// The fleet's name.
    pub name: String,
    /// This task's.
    pub task: String,
    /// Whether the store answers.
    pub connected: bool,
    /// For how many seconds it has answered, or has not.
    pub since_s: f64,
    /// Why it does not; empty where it does.
    pub fault: String,
    /// Tasks that live, as the leader counts them.
    pub tasks: u64,
    /// Of these, how many carry load.
    pub busy: u64,
    /// How many see an attack.
    pub in_attack: u64,
    /// How many see an overload.
    pub in_overload: u64,
    /// Who leads, as far as is known.
    pub leader: String,
    /// Whether this task does.
    pub leads: bool,
    /// News sent, and heard of others.
    pub sent: u64,
    /// News heard of others.
    pub heard: u64,
    /// News that found no room and went out late.
    pub dropped: u64,
    /// News of clients that can't be banned here.
    pub spared: u64,
    /// News that made no sense.
    pub faulty: u64,
    /// Clients with credit, told to others and heard of.
    pub clients_sent: u64,
    /// Clients with credit that were heard of.
    pub clients_heard: u64,
    /// The age of the newest thing heard, in seconds; null before the first.
    pub heard_age_s: Option<f64>,
    /// From the sender's clock to being in force here.
    pub delay: Delay,
}

/// Delays of news.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// News by bucket, not cumulative; the last has no upper bound.
    pub counts: Vec<u64>,
    /// Upper bounds of the buckets but the last.
    pub bounds_ms: Vec<u64>,
    /// The sum.
    pub sum_ms: u64,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: AtomicU64,
    pub(super) heard: AtomicU64,
    pub(super) spared: AtomicU64,
    pub(super) faulty: AtomicU64,
    pub(super) clients_sent: AtomicU64,
    pub(super) clients_heard: AtomicU64,
    /// When something was heard last, in nanoseconds of the process's scale.
    heard_at: AtomicU64,
    delays: [AtomicU64; DELAY_BOUNDS_MS.len() + 1],
    delay_sum: AtomicU64,
    fault_told: AtomicBool,
}

impl Tally {
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        // Relaxed: a lone counter.
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Something came.
    pub(super) fn fresh(&self, now: Time) {
        // Relaxed: a lone number.
        self.heard_at.store(now.nanos(), Ordering::Relaxed);
    }

    /// One piece of news that took so long.
    pub(super) fn delayed(&self, ms: u64) {
        let bucket = DELAY_BOUNDS_MS.iter().position(|bound| ms <= *bound).unwrap_or(DELAY_BOUNDS_MS.len());
        Self::add(&self.delays[bucket], 1);
        Self::add(&self.delay_sum, ms);
    }

    /// Something in the store makes no sense: counted, and told once.
    pub(super) fn fault(&self, count: u64, why: &str) {
        Self::add(&self.faulty, count);
        // Relaxed: a flag of its own.
        if count > 0 && !self.fault_told.swap(true, Ordering::Relaxed) {
            tracing::warn!("the fleet's store holds what no weir wrote, and it is passed over: {why} (said once)");
        }
    }

    /// Writes what was counted into `status`.
    pub(super) fn tell(&self, status: &mut FleetStatus) {
        // Relaxed: for display.
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        status.sent = read(&self.sent);
        status.heard = read(&self.heard);
        status.spared = read(&self.spared);
        status.faulty = read(&self.faulty);
        status.clients_sent = read(&self.clients_sent);
        status.clients_heard = read(&self.clients_heard);
        let at = read(&self.heard_at);
        status.heard_age_s = (at > 0).then(|| clock::now().since(Time::from_nanos(at)).as_secs_f64());
        status.delay = Delay {
            counts: self.delays.iter().map(read).collect(),
            bounds_ms: DELAY_BOUNDS_MS.to_vec(),
            sum_ms: read(&self.delay_sum),
        };
    }
}

/// A fleet with something in every part, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> FleetStatus {
    FleetStatus {
        name: "production".into(),
        task: "task-1".into(),
        connected: true,
        tasks: 8,
        leader: "task-2".into(),
        heard_age_s: Some(0.5),
        delay: Delay { counts: vec![3, 1], bounds_ms: vec![5], sum_ms: 40 },
        ..FleetStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_fall_into_buckets_and_the_age_is_of_the_newest() {
        let (tally, mut status) = (Tally::default(), FleetStatus::default());
        tally.tell(&mut status);
        assert_eq!(status.heard_age_s, None);
        [0, 5, 6, 9_999].iter().for_each(|ms| tally.delayed(*ms));
        tally.fresh(clock::now());
        tally.tell(&mut status);
        assert_eq!(status.delay.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(status.delay.sum_ms, 10_010);
        assert!(status.heard_age_s.is_some_and(|age| age < 60.0));
    }
}
