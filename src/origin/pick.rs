//! A choice made for one request, counted while it lasts.

use super::endpoint::Endpoint;
use super::list::{Chosen, List};
use crate::base::clock::Time;
use std::net::SocketAddr;
use std::sync::Arc;

/// The endpoints that one request has been sent to already. Fixed in size; what does not fit is not remembered, so it
/// could be tried again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    addrs: [Option<SocketAddr>; Self::MAX],
}

impl Tried {
    /// How many are remembered.
    pub const MAX: usize = 4;

    /// Remembers an endpoint.
    pub fn add(&mut self, addr: SocketAddr) {
        if let Some(free) = self.addrs.iter_mut().find(|a| a.is_none()) {
            *free = Some(addr);
        }
    }

    /// Whether the endpoint has been tried.
    pub fn contains(&self, addr: SocketAddr) -> bool {
        self.addrs.contains(&Some(addr))
    }

    /// Whether this is the first attempt.
    pub fn is_empty(&self) -> bool {
        self.addrs[0].is_none()
    }
}

/// An endpoint for one request. The request counts as in flight there until this is dropped. Say once how it went:
/// [`succeeded`](Self::succeeded) or [`failed`](Self::failed); neither, where it was not the endpoint's doing.
#[derive(Debug)]
pub struct Pick {
    /// Where to connect.
    pub addr: SocketAddr,
    /// The configured name, where the address came from one.
    pub host: Option<Arc<str>>,
    list: Arc<List>,
    chosen: Chosen,
}

impl Pick {
    pub(super) fn new(list: Arc<List>, chosen: Chosen) -> Self {
        let endpoint = &list.members(chosen.group).endpoints[chosen.index];
        endpoint.begin();
        Self { addr: endpoint.addr, host: endpoint.host.clone(), list, chosen }
    }

    fn endpoint(&self) -> &Endpoint {
        &self.list.members(self.chosen.group).endpoints[self.chosen.index]
    }

    /// The endpoint gave a whole answer, whatever its status.
    pub fn succeeded(&self) {
        self.endpoint().succeeded(self.chosen.token);
    }

    /// No connection, no answer, or a broken one. Returns whether this ejected the endpoint, so that it can be logged.
    pub fn failed(&self, now: Time) -> bool {
        let rules = &self.list.settings.eject;
        let in_row = self.endpoint().failed();
        if rules.after == 0 {
            return false;
        }
        if self.chosen.trial {
            return self.endpoint().eject(self.chosen.token, now, rules);
        }
        // Sent despite an ejection, for want of anything better: failing was expected, and must not prolong it.
        let expected = self.chosen.token != super::endpoint::IN_SERVICE;
        !expected
            && in_row >= rules.after
            && self.list.may_eject(self.chosen)
            && self.endpoint().eject(self.chosen.token, now, rules)
    }
}

impl Drop for Pick {
    fn drop(&mut self) {
        self.endpoint().end();
    }
}
