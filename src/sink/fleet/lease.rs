//! The lease: who leads the fleet and writes to AWS WAF. One task at a time, also when clocks differ and tasks freeze.
//!
//! The store lets it run out by its own clock, counted from when it got the request; the holder counts by its own from
//! when it sent it, which is earlier, and stops before that. So there is a time without a holder and none with two.

use crate::base::clock::Time;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long the store holds it for a task.
pub(super) const LASTS: Duration = Duration::from_secs(5);
/// How often it is renewed, or asked for.
pub(super) const RENEW: Duration = Duration::from_millis(1_500);
/// How long before its end the holder stops: what it began by then must be over.
const MARGIN: Duration = Duration::from_secs(1);

/// The lease as this task sees it.
#[derive(Debug)]
pub struct Lease {
    /// Nanoseconds on the process's scale until which it is held; 0 where it is not.
    until: AtomicU64,
    held: watch::Sender<bool>,
}

impl Lease {
    /// One that nobody holds yet.
    pub(super) fn new() -> Self {
        Self { until: AtomicU64::new(0), held: watch::Sender::new(false) }
    }

    /// One that is always held: a weir that has no fleet writes alone.
    pub fn always() -> Self {
        Self { until: AtomicU64::new(u64::MAX), held: watch::Sender::new(true) }
    }

    /// Tells when it is won and lost.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.held.subscribe()
    }

    /// Whether it is held now. To be asked just before each step that only one may take: a task that was frozen learns
    /// by it what no message could tell it in time.
    pub fn is_held(&self, now: Time) -> bool {
        // Relaxed: a number on its own.
        self.until.load(Ordering::Relaxed) > now.nanos()
    }

    /// The store's answer to what was asked at `sent`.
    pub(super) fn answered(&self, granted: bool, sent: Time, now: Time) {
        let until = if granted { (sent + (LASTS - MARGIN)).nanos() } else { 0 };
        // Relaxed: as in `is_held`.
        self.until.store(until, Ordering::Relaxed);
        self.check(now);
    }

    /// Notices that it is over; whether it is held.
    pub(super) fn check(&self, now: Time) -> bool {
        let held = self.is_held(now);
        self.held.send_if_modified(|was| std::mem::replace(was, held) != held);
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    /// The store, with its own clock.
    #[derive(Default)]
    struct Store {
        holder: Option<(usize, u64)>,
    }

    impl Store {
        fn lead(&mut self, task: usize, now: u64) -> bool {
            let free = self.holder.is_none_or(|(who, until)| who == task || until <= now);
            if free {
                self.holder = Some((task, now + LASTS.as_millis() as u64));
            }
            free
        }
    }

    #[test]
    fn it_ends_before_the_store_lets_it_go() {
        let lease = Lease::new();
        let watch = lease.watch();
        lease.answered(true, at(1_000), at(1_200));
        assert!(lease.is_held(at(4_999)) && *watch.borrow());
        assert!(!lease.is_held(at(5_000)), "one second early");
        assert!(!lease.check(at(5_000)) && !*watch.borrow());
        lease.answered(true, at(6_000), at(6_000));
        lease.answered(false, at(7_500), at(7_500));
        assert!(!lease.is_held(at(7_500)) && !*watch.borrow(), "another has it");
        assert!(Lease::always().is_held(at(u64::MAX / 2_000_000)));
    }

    proptest! {
        /// Requests and answers take their time, tasks freeze, answers are lost: there are never two.
        #[test]
        fn never_two_hold_it(steps in prop::collection::vec((0usize..4, 0u64..3_000, 0u64..8_000, any::<bool>()), 1..300)) {
            let (mut store, leases) = (Store::default(), [(); 4].map(|()| Lease::new()));
            let mut now = 0;
            // Answers on their way: when they come, to whom, what, and when it was asked.
            let mut coming: Vec<(u64, usize, bool, u64)> = Vec::new();
            for (task, wait, way, lost) in steps {
                now += wait;
                let sent = now.saturating_sub(way / 2);
                let granted = store.lead(task, now);
                if !lost {
                    coming.push((now + way, task, granted, sent));
                }
                coming.retain(|(when, task, granted, sent)| {
                    if *when <= now {
                        leases[*task].answered(*granted, at(*sent), at(now));
                    }
                    *when > now
                });
                let holders = leases.iter().filter(|lease| lease.is_held(at(now))).count();
                prop_assert!(holders <= 1, "{holders} at {now}");
            }
        }
    }
}
