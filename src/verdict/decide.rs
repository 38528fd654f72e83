//! The decision: one function for the proxy, the simulator, the benches and the tests.

use super::counters::MAX_LIMITS;
use super::facts::Facts;
use super::policy::{CompiledKey, CompiledLimit, Policy};
use super::reason::Reason;
use super::sharing::Part;
use super::state::State;
use crate::base::clock::Time;
use crate::base::units::Share;
use crate::client::key::ClientKey;
use crate::config::settings::Action;
use crate::flood::Flood;
use crate::flood::challenge::Proof;
use crate::flood::cost::Route;
use crate::flood::history::Spots;
use crate::flood::judge::{Ask, Course, Held, Judgement};
use crate::flood::rank::Rank;
use crate::flood::state::FloodState;
use crate::flood::tally::Outcome;
use crate::flood::view::View;
use crate::flood::window::Signal;
use crate::limit::gcra::Decision;
use crate::limit::share::Parts;
use crate::limit::table::Spot;
use arc_swap::Guard;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes to the origin; the caller tells `State::in_flight` when it is over.
    Forward,
    /// It gets a reply from weir.
    Refuse,
    /// Its client is to prove itself, and may then ask again.
    Challenge,
    /// It is for weir itself, which answers it.
    Own,
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
    /// The state in which it was decided.
    pub state: FloodState,
    /// The client's rank, where it was asked for.
    pub rank: Option<Rank>,
    /// With `Fate::Challenge`: the client passes without proof too, if it asks again.
    pub soft: bool,
    /// The path, as far as its cost goes; not known where the client has no rank.
    pub route: Route,
    /// The answer is to bring the client a cookie, so that it can be told from programs and from its neighbours.
    pub probe: bool,
}

/// The share of the budget's depth that only clients on the allow list may use where there are no ranks: under
/// pressure they come first, while all together stay inside the capacity.
const RESERVE: Share = Share(1_000);

/// How long a client that met a full origin is asked to wait.
const ORIGIN_RETRY: Duration = Duration::from_secs(1);

/// Decides one request. Allocates nothing, locks nothing, reads no clock.
///
/// The order: allow list, bans, deny list, protocol, limits by client, by prefix and by route, the flood's state and the
/// client's rank, then what the origin can bear. A request that a limit refuses is charged to none; one that the flood
/// or the origin's capacity turns away is charged, as its client did send it.
pub fn decide(policy: &Policy, state: &State, facts: &Facts<'_>, now: Time) -> Verdict {
    let verdict = examine(policy, state, facts, now);
    if matches!(verdict.fate, Fate::Refuse | Fate::Challenge | Fate::Close) && !verdict.soft {
        state.flood.offenders.refused(facts.client, now);
    }
    verdict
}

fn examine(policy: &Policy, state: &State, facts: &Facts<'_>, now: Time) -> Verdict {
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
    if facts.own {
        return own(policy, state, facts, allowed, now);
    }
    if allowed {
        return enter(policy, state, facts, u32::MAX)
            .and_then(|()| bear(policy, state, facts, now, Share(0)))
            .map_or_else(|refused| refused, |delay| Verdict { delay, ..Verdict::forward(Reason::AllowList, 0) });
    }
    let flood = policy.settings.flood.enabled.then(|| (state.flood.locate(facts.client), state.flood.view()));
    let mut limits = Limits::find(policy, state, facts);
    let charged = limits.charge(policy, state, facts, now);
    let verdict = match (charged, &flood) {
        (Err(refused), _) => refused,
        (Ok(()), Some((spots, view))) => by_rank(policy, state, facts, *spots, view, now),
        (Ok(()), None) => match bear(policy, state, facts, now, RESERVE) {
            Ok(delay) => Verdict { delay, ..Verdict::forward(Reason::Forwarded, 0) },
            Err(refused) => refused,
        },
    };
    let probe = verdict.probe || (limits.crowded && verdict.fate == Fate::Forward);
    let state = flood.map_or(FloodState::Normal, |(_, view)| view.state);
    Verdict { probe, observed: limits.observed, state, ..verdict }
}

/// A request for weir itself, behind the client's limits: it costs the origin nothing, and takes no place in flight.
fn own(policy: &Policy, state: &State, facts: &Facts<'_>, allowed: bool, now: Time) -> Verdict {
    let mut limits = Limits::find(policy, state, facts);
    let within = if allowed { Ok(()) } else { limits.peek(state, now, facts).and_then(|()| limits.take(now, facts)) };
    let verdict = within.err().unwrap_or(Verdict::of(Fate::Own, Reason::ChallengePassed));
    Verdict { observed: limits.observed, ..verdict }
}

/// What becomes of a request that has passed all limits and has its place in flight, by what the flood says of it.
fn by_rank(policy: &Policy, state: &State, facts: &Facts<'_>, spots: Spots, view: &View, now: Time) -> Verdict {
    let (class, reads) = (policy.class_of(facts), facts.method.reads());
    let ask = Ask {
        client: facts.client,
        class,
        reads,
        route: state.flood.costs.route(facts.path, reads, class.is_hard()),
        user_agent: facts.user_agent,
        proof: facts.proof,
        strength: policy.settings.flood.challenge.form.strength(),
        askable: view.state != FloodState::Normal && policy.askable(facts),
    };
    let judged = state.flood.judge(view, &ask, spots, now);
    let course = if crowds_out(policy, state, &judged) { Course::Hold(Held::Costly) } else { judged.course };
    // A flood asks for pages; what they are made of is for people who have one before them.
    let rank = if ask.class.is_hard() { judged.rank } else { judged.rank.min(Rank::Net24) };
    let verdict = match course {
        Course::Pass => match bear(policy, state, facts, now, policy.reserves[rank as usize]) {
            Ok(delay) => Verdict { delay, probe: judged.probe, ..Verdict::forward(Reason::Forwarded, 0) },
            // Who can show a browser has another chance, of a better rank.
            Err(refused)
                if judged.rank >= Rank::Net16
                    && can_be_asked(policy, &state.flood, facts)
                    && state.flood.ask(facts.client, now) =>
            {
                Verdict { fate: Fate::Challenge, reason: Reason::Challenge, ..refused }
            }
            Err(refused) => refused,
        },
        Course::Challenge | Course::Probe => {
            state.in_flight.leave(facts.client.bits());
            let soft = course == Course::Probe;
            let reason = if soft { Reason::Probe } else { Reason::Challenge };
            Verdict { fate: Fate::Challenge, soft, ..Verdict::refuse(reason) }
        }
        Course::Hold(held) => {
            state.in_flight.leave(facts.client.bits());
            Verdict { retry_after: ORIGIN_RETRY, ..Verdict::refuse(reason_of(held)) }
        }
    };
    let outcome = match verdict.fate {
        Fate::Forward => Outcome::Forwarded,
        Fate::Challenge => Outcome::Challenged,
        Fate::Refuse | Fate::Close | Fate::Own => Outcome::Refused,
    };
    state.flood.offenders.tally.ended(judged.rank, outcome);
    match verdict.fate {
        Fate::Forward => state.flood.counts.one(Signal::Forwarded),
        _ if verdict.soft => {}
        _ => state.flood.counts.one(Signal::Refused),
    }
    Verdict { rank: Some(judged.rank), route: ask.route, ..verdict }
}

/// Requests that cost many times the usual, of clients that nobody knows, leave a quarter of the places in flight to
/// others: at any time, as there is none to lose once the places are taken.
fn crowds_out(policy: &Policy, state: &State, judged: &Judgement) -> bool {
    let most = policy.settings.origin.max_in_flight;
    judged.dear
        && judged.course == Course::Pass
        && judged.rank > Rank::Seen
        && state.in_flight.total() > most - most / 4
}

const fn reason_of(held: Held) -> Reason {
    match held {
        Held::Client => Reason::FloodClient,
        Held::Pages => Reason::FloodPages,
        Held::Logins => Reason::FloodLogins,
        Held::Agents => Reason::FloodAgents,
        Held::Newcomers => Reason::FloodNewcomers,
        Held::Networks => Reason::FloodNetworks,
        Held::Overload => Reason::Overload,
        Held::Costly => Reason::FloodCostly,
    }
}

/// Takes a place among the requests in flight, of which this client may have `own`.
fn enter(policy: &Policy, state: &State, facts: &Facts<'_>, own: u32) -> Result<(), Verdict> {
    use crate::limit::in_flight::Full;
    state.in_flight.try_enter(facts.client.bits(), policy.settings.origin.max_in_flight, own).map_err(|full| {
        let reason = match full {
            Full::Total => Reason::OriginInFlight,
            Full::Client => Reason::ClientInFlight,
        };
        Verdict { retry_after: ORIGIN_RETRY, ..Verdict::refuse(reason) }
    })
}

/// Whether the origin can bear one more, and after what wait. A request that it can't bear leaves its place in flight.
fn bear(policy: &Policy, state: &State, facts: &Facts<'_>, now: Time, reserve: Share) -> Result<Duration, Verdict> {
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
    /// A page load of a client that has used up half of its own limit and may be several people: a cookie would tell.
    crowded: bool,
    /// What this task holds of limits that count over the whole fleet, if there are such.
    parts: Option<Guard<Arc<Parts>>>,
}

impl<'a> Limits<'a> {
    fn find(policy: &'a Policy, state: &State, facts: &Facts<'_>) -> Self {
        let parts = policy.shares.then(|| state.sharing.parts());
        let spots = [Spot::default(); MAX_LIMITS];
        let mut found = Self { policy, spots, charged: 0, observed: 0, crowded: false, parts };
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

    /// Charges every limit and takes a place in flight, or does neither.
    fn charge(&mut self, policy: &Policy, state: &State, facts: &Facts<'_>, now: Time) -> Result<(), Verdict> {
        self.peek(state, now, facts)?;
        enter(policy, state, facts, policy.settings.listen.max_in_flight_per_client)?;
        self.take(now, facts).inspect_err(|_| state.in_flight.leave(facts.client.bits()))
    }

    /// Asks every limit without charging any; the first that refuses decides.
    fn peek(&mut self, state: &State, now: Time, facts: &Facts<'_>) -> Result<(), Verdict> {
        let policy = self.policy;
        let one_of_several = || can_be_asked(policy, &state.flood, facts);
        for i in bits(self.charged) {
            let limit = &policy.limits[i];
            let (decision, burst) = match self.part(limit, facts) {
                None => (limit.table.peek(self.spots[i], &limit.quota, now), limit.burst),
                Some(part) => (part.peek(self.spots[i], now), part.terms.depth()),
            };
            let retry_after = match decision {
                Decision::Admit { remaining } => {
                    let half_used = limit.key == CompiledKey::Client && remaining < burst / 2;
                    self.crowded |= half_used && one_of_several();
                    continue;
                }
                Decision::Refuse { retry_after } => retry_after,
            };
            match limit.action_for(facts.client.bits()) {
                Action::Observe => {
                    self.observed |= 1 << limit.index;
                    self.charged &= !(1 << i);
                }
                Action::Refuse if limit.key == CompiledKey::Client && one_of_several() => {
                    return Err(Verdict { fate: Fate::Challenge, ..self.over(i, Action::Refuse, retry_after) });
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
            let decision = match self.part(limit, facts) {
                None => limit.table.take(self.spots[i], &limit.quota, now),
                Some(part) => limit.table.take_part(self.spots[i], &limit.quota, now, part.terms),
            };
            let Decision::Refuse { retry_after } = decision else { continue };
            match limit.action_for(facts.client.bits()) {
                Action::Observe => {}
                action => return Err(self.over(i, action, retry_after)),
            }
        }
        Ok(())
    }

    /// This task's part of a limit; none of one that it has whole.
    #[inline]
    fn part(&self, limit: &'a CompiledLimit, facts: &Facts<'_>) -> Option<Part<'a>> {
        let (shared, parts) = (limit.shared.as_deref()?, self.parts.as_ref()?);
        Part::of(shared, parts, limit.key_of(facts))
    }

    fn over(&self, i: usize, action: Action, retry_after: Duration) -> Verdict {
        let fate = if action == Action::Close { Fate::Close } else { Fate::Refuse };
        Verdict { limit: Some(i as u8), observed: self.observed, retry_after, ..Verdict::of(fate, Reason::Limit) }
    }
}

/// Whether this is a browser's page load without a good cookie, that can be asked for one.
fn can_be_asked(policy: &Policy, flood: &Flood, facts: &Facts<'_>) -> bool {
    policy.challenges()
        && !matches!(facts.proof, Proof::Valid { .. })
        && !facts.user_agent.is_empty()
        && flood.agents.read(facts.user_agent).browser
        && policy.class_of(facts).is_page()
        && policy.askable(facts)
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
        Self { observed, ..Self::of(Fate::Forward, reason) }
    }

    /// Refused, by no limit.
    pub const fn refuse(reason: Reason) -> Self {
        Self::of(Fate::Refuse, reason)
    }

    const fn of(fate: Fate, reason: Reason) -> Self {
        Self {
            fate,
            reason,
            limit: None,
            observed: 0,
            retry_after: Duration::ZERO,
            delay: Duration::ZERO,
            state: FloodState::Normal,
            rank: None,
            soft: false,
            route: Route::UNKNOWN,
            probe: false,
        }
    }

    /// The limit that refused.
    pub fn limit<'a>(&self, policy: &'a Policy) -> Option<&'a CompiledLimit> {
        self.limit.map(|i| &policy.limits[usize::from(i)])
    }
}
