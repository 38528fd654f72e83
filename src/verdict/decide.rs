//! The decision: one function for the proxy, the simulator, the benches and the tests.

use super::counters::MAX_LIMITS;
use super::facts::Facts;
use super::policy::{CompiledLimit, Policy};
use super::reason::Reason;
use super::state::State;
use crate::base::clock::Time;
use crate::base::units::Share;
use crate::client::key::ClientKey;
use crate::config::settings::Action;
use crate::limit::gcra::Decision;
use crate::limit::table::Spot;
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes to the origin; the caller tells `State::in_flight` when it is over.
    Forward,
    /// It gets a reply from weir.
    Refuse,
    /// Its connection is closed without a reply.
    Close,
}

/// What was decided, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the request.
    pub fate: Fate,
    /// Why.
    pub reason: Reason,
    /// The limit that refused: an index into [`Policy::limits`].
    pub limit: Option<u8>,
    /// Counter indices of limits that would have refused, had they been enforced: a bit mask.
    pub observed: u64,
    /// After how long the client may come again.
    pub retry_after: Duration,
    /// How long the request waits in line for the origin, which gets no more than its capacity at any moment.
    pub delay: Duration,
}

/// The share of the budget's depth that only clients on the allow list may use: under pressure they come first,
/// while all together stay inside the capacity.
const RESERVE: Share = Share(1_000);

/// How long a client that met a full origin is asked to wait.
const ORIGIN_RETRY: Duration = Duration::from_secs(1);

/// Decides one request. Allocates nothing, locks nothing, reads no clock.
///
/// The order: allow list, bans, deny list, protocol, limits by client, by prefix and by route, then what the origin can
/// bear. A refused request is charged to no limit.
pub fn decide(policy: &Policy, state: &State, facts: &Facts<'_>, now: Time) -> Verdict {
    let allowed = policy.allow.contains(facts.address);
    if !allowed && let Some(ban) = state.bans.check(ClientKey::new(facts.address, 128), now) {
        return Verdict::banned(&ban, now);
    }
    if !allowed && policy.deny.contains(facts.address) {
        return Verdict::refuse(Reason::DenyList);
    }
    if let Some(fault) = facts.fault {
        return Verdict::refuse(fault);
    }
    if allowed {
        let delay = match bear(policy, state, facts, now, Share(0)) {
            Ok(delay) => delay,
            Err(refused) => return refused,
        };
        return Verdict { delay, ..Verdict::forward(Reason::AllowList, 0) };
    }
    let mut limits = Limits::find(policy, facts);
    if let Err(refused) = limits.peek(now, facts) {
        return refused;
    }
    let delay = match bear(policy, state, facts, now, RESERVE) {
        Ok(delay) => delay,
        Err(refused) => return Verdict { observed: limits.observed, ..refused },
    };
    match limits.take(now, facts) {
        Ok(()) => Verdict { delay, ..Verdict::forward(Reason::Forwarded, limits.observed) },
        Err(refused) => {
            state.in_flight.leave(facts.client.bits());
            refused
        }
    }
}

/// Whether the origin can bear one more, this client's share of its attention included; and after what wait.
fn bear(policy: &Policy, state: &State, facts: &Facts<'_>, now: Time, reserve: Share) -> Result<Duration, Verdict> {
    use crate::limit::in_flight::Full;
    let (all, own) = (policy.settings.origin.max_in_flight, policy.settings.listen.max_in_flight_per_client);
    let own = if reserve == Share(0) { u32::MAX } else { own };
    match state.in_flight.try_enter(facts.client.bits(), all, own) {
        Ok(()) => {}
        Err(Full::Total) => {
            return Err(Verdict { retry_after: ORIGIN_RETRY, ..Verdict::refuse(Reason::OriginInFlight) });
        }
        Err(Full::Client) => {
            return Err(Verdict { retry_after: ORIGIN_RETRY, ..Verdict::refuse(Reason::ClientInFlight) });
        }
    }
    state.budget.enter(&policy.capacity, now, reserve, policy.capacity_depth).map_err(|retry_after| {
        state.in_flight.leave(facts.client.bits());
        Verdict { retry_after: retry_after.max(ORIGIN_RETRY), ..Verdict::refuse(Reason::OriginCapacity) }
    })
}

/// The limits that cover one request. All their lines are fetched before the first is read, so that the waits
/// for memory overlap.
struct Limits<'a> {
    policy: &'a Policy,
    spots: [Spot; MAX_LIMITS],
    /// Bit per policy limit: covers the request, and is to be charged.
    charged: u64,
    observed: u64,
}

impl<'a> Limits<'a> {
    fn find(policy: &'a Policy, facts: &Facts<'_>) -> Self {
        let mut found = Self { policy, spots: [Spot::default(); MAX_LIMITS], charged: 0, observed: 0 };
        for (i, limit) in policy.limits.iter().enumerate() {
            if limit.covers(facts) {
                let spot = limit.table.locate(limit.key_of(facts));
                limit.table.prefetch(spot);
                found.spots[i] = spot;
                found.charged |= 1 << i;
            }
        }
        found
    }

    /// Asks every limit without charging any; the first that refuses decides.
    fn peek(&mut self, now: Time, facts: &Facts<'_>) -> Result<(), Verdict> {
        let policy = self.policy;
        for i in bits(self.charged) {
            let limit = &policy.limits[i];
            let Decision::Refuse { retry_after } = limit.table.peek(self.spots[i], &limit.quota, now) else { continue };
            match limit.action_for(facts.client.bits()) {
                Action::Observe => {
                    self.observed |= 1 << limit.index;
                    self.charged &= !(1 << i);
                }
                action => return Err(self.over(i, action, retry_after)),
            }
        }
        Ok(())
    }

    /// Charges them all. Another request of the same key may have come between: then this one is over after all.
    fn take(&self, now: Time, facts: &Facts<'_>) -> Result<(), Verdict> {
        for i in bits(self.charged) {
            let limit = &self.policy.limits[i];
            let Decision::Refuse { retry_after } = limit.table.take(self.spots[i], &limit.quota, now) else { continue };
            match limit.action_for(facts.client.bits()) {
                Action::Observe => {}
                action => return Err(self.over(i, action, retry_after)),
            }
        }
        Ok(())
    }

    fn over(&self, i: usize, action: Action, retry_after: Duration) -> Verdict {
        let fate = if action == Action::Close { Fate::Close } else { Fate::Refuse };
        Verdict {
            fate,
            reason: Reason::Limit,
            limit: Some(i as u8),
            observed: self.observed,
            retry_after,
            delay: Duration::ZERO,
        }
    }
}

/// The positions of the ones of `mask`.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let i = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            i
        })
    })
}

impl Verdict {
    /// Passed on.
    pub const fn forward(reason: Reason, observed: u64) -> Self {
        Self { fate: Fate::Forward, reason, limit: None, observed, retry_after: Duration::ZERO, delay: Duration::ZERO }
    }

    /// Refused, by no limit.
    pub const fn refuse(reason: Reason) -> Self {
        Self {
            fate: Fate::Refuse,
            reason,
            limit: None,
            observed: 0,
            retry_after: Duration::ZERO,
            delay: Duration::ZERO,
        }
    }

    /// The limit that refused.
    pub fn limit<'a>(&self, policy: &'a Policy) -> Option<&'a CompiledLimit> {
        self.limit.map(|i| &policy.limits[usize::from(i)])
    }
}
