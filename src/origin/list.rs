//! The endpoints of one moment, immutable, and the choice among them.

use super::endpoint::{Endpoint, Group, IN_SERVICE};
use super::pick::Tried;
use crate::base::clock::Time;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::config::settings::{self, Balance};
use std::sync::Arc;

/// A group's endpoints in the order of the config.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    /// Whose turn it is: round robin, and ties of least connections.
    turn: AtomicUsize,
}

/// Both groups, and the settings they were made from.
#[derive(Debug)]
pub(super) struct List {
    pub(super) settings: Arc<settings::Origin>,
    pub(super) primary: Members,
    pub(super) fallback: Members,
}

/// An endpoint chosen, and how it came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) group: Group,
    pub(super) index: usize,
    /// `ejected_until` of the endpoint at this moment.
    pub(super) token: u64,
    /// Whether this request is the trial that ends an ejection.
    pub(super) trial: bool,
}

impl List {
    pub(super) fn members(&self, group: Group) -> &Members {
        match group {
            Group::Primary => &self.primary,
            Group::Fallback => &self.fallback,
        }
    }

    pub(super) fn choose(&self, tried: &Tried, now: Time) -> Option<Chosen> {
        const GROUPS: [Group; 2] = [Group::Primary, Group::Fallback];
        for group in GROUPS {
            let chosen = self.trial(group, tried, now).or_else(|| self.usable(group, tried));
            if chosen.is_some() {
                return chosen;
            }
        }
        // Fail open, but only when nothing at all is usable: a second attempt at what is known to be down, while the
        // first went to what is up, would only make the client wait.
        if GROUPS.into_iter().any(|group| self.members(group).any_usable()) {
            return None;
        }
        GROUPS.into_iter().find_map(|group| {
            let members = self.members(group);
            let index = members.least_connections(|e| !tried.contains(e.addr))?;
            let token = members.endpoints[index].ejected_until();
            Some(Chosen { group, index, token, trial: false })
        })
    }

    /// A trial that is due. Never with a request that has failed once already: it deserves a better chance.
    fn trial(&self, group: Group, tried: &Tried, now: Time) -> Option<Chosen> {
        if !tried.is_empty() {
            return None;
        }
        let mut endpoints = self.members(group).endpoints.iter().enumerate();
        endpoints.find_map(|(index, endpoint)| {
            let token = endpoint.take_trial(now, &self.settings.eject)?;
            Some(Chosen { group, index, token, trial: true })
        })
    }

    fn usable(&self, group: Group, tried: &Tried) -> Option<Chosen> {
        let members = self.members(group);
        let eligible = |e: &Endpoint| e.is_usable() && !tried.contains(e.addr);
        let index = match self.settings.balance {
            Balance::LeastConnections => members.least_connections(eligible),
            Balance::RoundRobin => members.round_robin(eligible),
        }?;
        Some(Chosen { group, index, token: IN_SERVICE, trial: false })
    }

    /// Whether ejecting the endpoint leaves enough in service (see the module). Ejections at the very same moment can
    /// exceed this by one another; failing open covers that.
    pub(super) fn may_eject(&self, chosen: Chosen) -> bool {
        let other = match chosen.group {
            Group::Primary => Group::Fallback,
            Group::Fallback => Group::Primary,
        };
        if self.members(other).any_usable() {
            return true;
        }
        let endpoints = &self.members(chosen.group).endpoints;
        let ejected = endpoints.iter().filter(|e| e.ejected_until() != IN_SERVICE).count();
        let another = endpoints.iter().enumerate().any(|(i, e)| i != chosen.index && e.is_usable());
        another && ejected < endpoints.len().div_ceil(2)
    }
}

impl Members {
    pub(super) fn new(endpoints: Vec<Arc<Endpoint>>) -> Self {
        Self { endpoints, turn: AtomicUsize::new(0) }
    }

    fn any_usable(&self) -> bool {
        self.endpoints.iter().any(|e| e.is_usable())
    }

    fn next_turn(&self) -> usize {
        // Relaxed: a lone counter; tickets are unique whatever the order.
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The turn goes round the eligible ones alone: going round all and skipping would give what is out to its
    /// neighbour.
    fn round_robin(&self, eligible: impl Fn(&Endpoint) -> bool) -> Option<usize> {
        let count = self.endpoints.iter().filter(|e| eligible(e)).count();
        if count == 0 {
            return None;
        }
        let turn = self.next_turn() % count;
        let mut indices = (0..self.endpoints.len()).filter(|&i| eligible(&self.endpoints[i]));
        // One may have gone out since the count: then the last that is left.
        let mut last = None;
        for _ in 0..=turn {
            last = indices.next().or(last);
        }
        last
    }

    /// All are looked at, not two at random: exact, and cheap at the sizes that services have. Those that share the
    /// minimum take turns.
    fn least_connections(&self, eligible: impl Fn(&Endpoint) -> bool) -> Option<usize> {
        let (mut least, mut first, mut ties) = (u32::MAX, None, 0);
        for (i, endpoint) in self.endpoints.iter().enumerate().filter(|(_, e)| eligible(e)) {
            let load = endpoint.in_flight();
            if first.is_none() || load < least {
                (least, first, ties) = (load, Some(i), 1);
            } else if load == least {
                ties += 1;
            }
        }
        if ties < 2 {
            return first;
        }
        let turn = self.next_turn() % ties;
        let mut tied = (0..self.endpoints.len()).filter(|&i| {
            let endpoint = &self.endpoints[i];
            eligible(endpoint) && endpoint.in_flight() <= least
        });
        // Others choose at the same time: where the tie is gone, its first is still a good choice.
        tied.nth(turn).or(first)
    }
}
