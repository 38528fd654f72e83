//! Filters to compare with: none, a fixed limit per address, and a blind cap on the total besides.

use super::{Answer, Outcome, State};
use crate::simulate::scenario::Event;
use std::collections::HashMap;
use std::net::IpAddr;

/// Requests a second that the fixed limit allows an address, and at once.
const RATE: f64 = 10.0;
const BURST: f64 = 100.0;
/// What the cap lets pass at once, in seconds of the capacity.
const DEPTH: f64 = 0.05;

/// A filter without a notion of who is who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Everything passes.
    NoFilter,
    /// 10 requests a second per address, 100 at once.
    FixedLimit,
    /// The same, and no more than the origin's capacity in all.
    BlindCap,
}

impl Baseline {
    /// All of them, the simplest first.
    pub const ALL: [Self; 3] = [Self::NoFilter, Self::FixedLimit, Self::BlindCap];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFilter => "no filter",
            Self::FixedLimit => "fixed limit",
            Self::BlindCap => "blind cap",
        }
    }

    /// The filter in front of an origin of `capacity` requests a second.
    pub fn filter(self, capacity: f64) -> Filter {
        let cap = Bucket { rate: capacity, depth: DEPTH * capacity, tokens: DEPTH * capacity, last: f64::NEG_INFINITY };
        Filter { kind: self, clients: HashMap::new(), cap }
    }
}

/// A baseline at work.
#[derive(Debug)]
pub struct Filter {
    kind: Baseline,
    clients: HashMap<IpAddr, Bucket>,
    cap: Bucket,
}

impl Filter {
    /// What becomes of `event`; events come in the order of their times.
    pub fn judge(&mut self, event: &Event) -> Outcome {
        let passes = match self.kind {
            Baseline::NoFilter => true,
            Baseline::FixedLimit => self.within_limit(event),
            Baseline::BlindCap => self.within_limit(event) && self.cap.take(event.t),
        };
        let answer = if passes { Answer::Forward } else { Answer::Refuse };
        Outcome { answer, state: State::Normal, delay: 0.0 }
    }

    fn within_limit(&mut self, event: &Event) -> bool {
        let full = Bucket { rate: RATE, depth: BURST, tokens: BURST, last: event.t };
        self.clients.entry(event.client).or_insert(full).take(event.t)
    }
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: f64,
    depth: f64,
    tokens: f64,
    last: f64,
}

impl Bucket {
    fn take(&mut self, now: f64) -> bool {
        self.tokens = (self.tokens + (now - self.last) * self.rate).min(self.depth);
        self.last = now;
        let passes = self.tokens >= 1.0;
        if passes {
            self.tokens -= 1.0;
        }
        passes
    }
}
