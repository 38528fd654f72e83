//! Bounds on a request body while it streams: how much, and how slow at the least.

use crate::base::clock::Time;
use crate::config::settings::Listen;
use crate::verdict::reason::Reason;

/// Follows one request body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    started: Time,
    bytes: u64,
}

impl Meter {
    pub(super) const fn new(started: Time) -> Self {
        Self { started, bytes: 0 }
    }

    /// Bytes so far.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts a piece of the body.
    pub(super) fn add(&mut self, bytes: usize, now: Time, listen: &Listen) -> Result<(), Reason> {
        self.bytes += bytes as u64;
        if self.bytes > listen.max_body_size.0 {
            return Err(Reason::BodyTooLarge);
        }
        let took = now.since(self.started);
        let floor = listen.min_body_rate.0 as f64 * took.saturating_sub(listen.body_grace).as_secs_f64();
        if (self.bytes as f64) < floor { Err(Reason::BodyTooSlow) } else { Ok(()) }
    }
}
