//! One endpoint: its address, and what is known about how well it does.

use crate::base::clock::Time;
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::config::settings;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;

/// Which of the two groups an endpoint is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Serves while it can.
    Primary,
    /// Serves while no primary can.
    Fallback,
}

/// What a check has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthChange {
    /// Nothing, or not yet.
    None,
    /// The endpoint is healthy again.
    Up,
    /// The endpoint is no longer healthy.
    Down,
}

/// An ejection may last this many doublings longer than the first: eight times.
const MAX_DOUBLINGS: u32 = 3;

/// `ejected_until` of an endpoint that is in service.
pub(super) const IN_SERVICE: u64 = 0;

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) addr: SocketAddr,
    /// The configured name, where the address came from one.
    pub(super) host: Option<Arc<str>>,
    in_flight: AtomicU32,
    requests: AtomicU64,
    failures: AtomicU64,
    failures_in_row: AtomicU32,
    /// Nanoseconds of [`Time`]; [`IN_SERVICE`] when not ejected. Past means: waiting for its trial.
    ejected_until: AtomicU64,
    /// When the last ejection ends or ended; with `doublings` it decides how long the next one lasts.
    last_ejection_end: AtomicU64,
    doublings: AtomicU32,
    /// 1 while active checks are bad.
    unhealthy: AtomicU32,
    /// Checks in a row that contradict `unhealthy`.
    contrary_checks: AtomicU32,
}

// Relaxed throughout: each field is an independent figure and nothing else is published through it (see the module).
// Where two fields are written one after the other, a reader between the two sees an endpoint a moment too good or too
// bad, as it would have a moment earlier or later.
impl Endpoint {
    pub(super) fn new(addr: SocketAddr, host: Option<Arc<str>>) -> Self {
        Self {
            addr,
            host,
            in_flight: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            failures_in_row: AtomicU32::new(0),
            ejected_until: AtomicU64::new(IN_SERVICE),
            last_ejection_end: AtomicU64::new(0),
            doublings: AtomicU32::new(0),
            unhealthy: AtomicU32::new(0),
            contrary_checks: AtomicU32::new(0),
        }
    }

    pub(super) fn begin(&self) {
        // Relaxed: a lone counter.
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        // Relaxed: a lone counter.
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        // Relaxed: a lone counter; every `end` follows its own `begin`, so it never goes below zero.
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn in_flight(&self) -> u32 {
        // Relaxed: a choice by a figure a moment old is as good.
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self) -> u64 {
        // Relaxed: shown, not acted on.
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> u64 {
        // Relaxed: shown, not acted on.
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn is_healthy(&self) -> bool {
        // Relaxed: a lone flag.
        self.unhealthy.load(Ordering::Relaxed) == 0
    }

    pub(super) fn ejected_until(&self) -> u64 {
        // Relaxed: a lone figure.
        self.ejected_until.load(Ordering::Relaxed)
    }

    /// Healthy and in service.
    pub(super) fn is_usable(&self) -> bool {
        self.is_healthy() && self.ejected_until() == IN_SERVICE
    }

    /// Takes the one trial that is due when an ejection is over, and returns the token to end it with. Until the trial
    /// has an outcome, or for as long as an ejection lasts if it never gets one, the endpoint stays out for others.
    pub(super) fn take_trial(&self, now: Time, rules: &settings::Eject) -> Option<u64> {
        let until = self.ejected_until();
        if until == IN_SERVICE || until > now.nanos() || !self.is_healthy() {
            return None;
        }
        let token = (now + rules.duration).nanos().max(until + 1);
        self.swap_ejection(until, token).then_some(token)
    }

    /// A request sent here went well. `token` is what `ejected_until` was when it was sent: success brings the endpoint
    /// back, unless it was ejected anew meanwhile.
    pub(super) fn succeeded(&self, token: u64) {
        // Relaxed: a lone counter; read first so that the usual case leaves the cache line shared.
        if self.failures_in_row.load(Ordering::Relaxed) != 0 {
            // Relaxed: as above; a failure counted in between is forgotten, as if it had come before the success.
            self.failures_in_row.store(0, Ordering::Relaxed);
        }
        if token != IN_SERVICE {
            self.swap_ejection(token, IN_SERVICE);
        }
    }

    /// Counts a failure and returns how many there were in a row.
    pub(super) fn failed(&self) -> u32 {
        // Relaxed: a lone counter.
        self.failures.fetch_add(1, Ordering::Relaxed);
        // Relaxed: a lone counter; wraps after 4 billion failures in a row, which costs one ejection.
        self.failures_in_row.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Ejects, if `ejected_until` is still `token`: of many failures at once only one counts.
    pub(super) fn eject(&self, token: u64, now: Time, rules: &settings::Eject) -> bool {
        // Relaxed: only the winner of the previous ejection wrote these, and at worst the length is the previous one's.
        let last_end = Time::from_nanos(self.last_ejection_end.load(Ordering::Relaxed));
        // Relaxed: as above.
        let last = self.doublings.load(Ordering::Relaxed);
        let length = |doublings: u32| rules.duration.saturating_mul(1 << doublings);
        // An endpoint that has done well for as long as it was out starts anew; one that fails its trial does not.
        let served = token == IN_SERVICE && now.since(last_end) >= length(last);
        let first = last_end == Time::default();
        let doublings = if first || served { 0 } else { (last + 1).min(MAX_DOUBLINGS) };
        let until = now + length(doublings);
        if !self.swap_ejection(token, until.nanos().max(1)) {
            return false;
        }
        // Relaxed: read only by the next ejection, see above.
        self.last_ejection_end.store(until.nanos(), Ordering::Relaxed);
        // Relaxed: as above.
        self.doublings.store(doublings, Ordering::Relaxed);
        // Relaxed: a lone counter; the endpoint comes back with a clean record.
        self.failures_in_row.store(0, Ordering::Relaxed);
        true
    }

    fn swap_ejection(&self, from: u64, to: u64) -> bool {
        // Relaxed: that exactly one swap wins is the exchange's own doing and needs no order with other memory.
        self.ejected_until.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn forget_ejection(&self) {
        // Relaxed: a lone figure.
        self.ejected_until.store(IN_SERVICE, Ordering::Relaxed);
        // Relaxed: a lone counter.
        self.failures_in_row.store(0, Ordering::Relaxed);
    }

    pub(super) fn forget_health(&self) {
        // Relaxed: a lone flag.
        self.unhealthy.store(0, Ordering::Relaxed);
        // Relaxed: a lone counter.
        self.contrary_checks.store(0, Ordering::Relaxed);
    }

    /// Takes in a check's result. One caller at a time.
    pub(super) fn checked(&self, good: bool, rules: &settings::Health) -> HealthChange {
        if good == self.is_healthy() {
            // Relaxed: a lone counter with one writer.
            self.contrary_checks.store(0, Ordering::Relaxed);
            return HealthChange::None;
        }
        // Relaxed: a lone counter with one writer.
        let in_row = self.contrary_checks.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if in_row < if good { rules.healthy_after } else { rules.unhealthy_after } {
            return HealthChange::None;
        }
        self.forget_health();
        if good {
            // Several good checks are better evidence than an ejection that doubled while the endpoint was down.
            self.forget_ejection();
            return HealthChange::Up;
        }
        // Relaxed: a lone flag.
        self.unhealthy.store(1, Ordering::Relaxed);
        HealthChange::Down
    }
}
