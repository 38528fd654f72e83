//! What the flood has to say about one request, on the hot path: who is it, does it go on, must it prove itself?

use super::challenge::Proof;
use super::class::{Class, among, place};
use super::cost::{Costs, Route};
use super::detector::PAGE_RATE;
use super::history::{Known, Spots};
use super::ledger::Answer;
use super::rank::Rank;
use super::state::FloodState;
use super::view::{Group, View};
use super::window::Signal;
use super::{CLIENT_BURST, Flood};
use crate::base::clock::Time;
use crate::base::units::Share;
use crate::client::key::ClientKey;
use crate::limit::budget::Budget;
use crate::limit::gcra::{Decision, Quota};

/// The share of unknown clients that a probe asks for a cookie.
const PROBED: Share = Share(2_500);
/// How many cookies of one address count as clients of their own.
const BROWSERS: u32 = 8;
/// A client that may send fewer than this at once in an attack, may be several people.
const CROWDED: u32 = 30;
/// Every so many requests of programs count for their agent's usual rate.
pub(super) const SAMPLE: u32 = 8;

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The client.
    pub client: ClientKey,
    /// What it wants.
    pub class: Class,
    /// GET or HEAD.
    pub reads: bool,
    /// Its User-Agent.
    pub user_agent: &'a [u8],
    /// What its cookie says.
    pub proof: Proof,
    /// The least strength of a cookie that counts as proof.
    pub strength: u8,
    /// What it is likely to cost.
    pub route: Route,
    /// May be asked for proof, as far as the config goes.
    pub askable: bool,
}

/// What holds a request back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The client's own rate, tightened in an attack.
    Client,
    /// The client's own rate of pages, tightened in an attack.
    Pages,
    /// The budget of unknown clients' logins and other writes.
    Logins,
    /// The budget of programs.
    Agents,
    /// The budget of unknown clients.
    Newcomers,
    /// The budget of known networks.
    Networks,
    /// Not among the clients that are admitted in an overload.
    Overload,
    /// The client's own rate, or what is left of the origin, for requests that cost it many times the usual.
    Costly,
}

/// What becomes of it, as far as the flood goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// On to the origin, if that has room.
    Pass,
    /// Refused.
    Hold(Held),
    /// It must prove itself first.
    Challenge,
    /// It is asked for a cookie, and passes without it too.
    Probe,
}

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What becomes of it.
    pub course: Course,
    /// The client's rank.
    pub rank: Rank,
    /// Its answer is to bring a cookie: it may be one of several behind its address.
    pub probe: bool,
    /// It costs the origin many times the usual.
    pub dear: bool,
}

/// One request, as far as it is known already.
struct Case<'a> {
    ask: &'a Ask<'a>,
    view: &'a View,
    now: Time,
    known: Known,
    /// The client, or one browser of several behind its address.
    bits: u128,
    proven: bool,
    burnt: bool,
    browser: bool,
    agent: u32,
    /// How many requests of the usual cost it weighs.
    weight: f32,
}

/// The number that a client's own limits count by: browsers behind one address, once they have proven themselves, are
/// clients of their own, as far as there are eight of them.
pub fn identity(client: ClientKey, proof: Proof) -> u128 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    match proof {
        Proof::Valid { id, .. } => client.bits() ^ u128::from(1 + id % BROWSERS).wrapping_mul(ODD),
        Proof::None | Proof::Forged => client.bits(),
    }
}

impl Flood {
    /// Where the client's history lies; starts to load it.
    pub fn locate(&self, client: ClientKey) -> Spots {
        let spots = self.history.locate(client);
        self.history.prefetch(spots);
        spots
    }

    /// Judges a request that has passed all limits, and counts it as offered.
    pub fn judge(&self, view: &View, ask: &Ask<'_>, spots: Spots, now: Time) -> Judgement {
        let known = self.history.known(spots, view.onset.unwrap_or(now));
        let valid = matches!(ask.proof, Proof::Valid { .. });
        let standing = Rank::from(known.standing);
        let expected = self.costs.expected(ask.route);
        let weight = self.costs.weight(expected);
        let dear = Costs::is_dear(weight);
        self.counts.add(Signal::Cost, expected as u32);
        self.count(view, ask, &known, valid);
        self.offenders.offered(ask.client, ask.class, standing, now);
        let rank = if valid { standing.min(Rank::Proven) } else { standing };
        if view.state == FloodState::Normal {
            self.sample_agent(ask, now);
            return Judgement { course: Course::Pass, rank, dear, probe: false };
        }
        let bits = identity(ask.client, ask.proof);
        let burnt = valid && self.ledger.is_burnt(bits);
        let agent = self.agents.read(ask.user_agent);
        let strong = matches!(ask.proof, Proof::Valid { strength, .. } if strength >= ask.strength);
        let proven = strong && !burnt;
        let (browser, agent) = (agent.browser, agent.hash);
        let case = Case { ask, view, now, known, bits, proven, burnt, browser, agent, weight };
        match self.ledger.answer(ask.client.bits(), valid && !burnt, now) {
            Answer::Solved => self.counts.one(Signal::Solved),
            Answer::Unsolved => self.counts.one(Signal::Unsolved),
            Answer::None => {}
        }
        let judged = match view.state {
            FloodState::Attack => self.in_attack(&case),
            _ => self.under_watch(&case),
        };
        Judgement { dear, ..judged }
    }

    /// A client that was asked has come back without the cookie.
    pub fn came_without(&self, client: ClientKey) {
        if self.ledger.close(client.bits()) {
            self.counts.one(Signal::Unsolved);
        }
    }

    /// Notes that a client is asked for a cookie, unless it was a short time ago.
    pub fn ask(&self, client: ClientKey, now: Time) -> bool {
        self.ledger.ask(client.bits(), now)
    }

    /// Counts some requests of programs, for what is usual of their agent.
    fn sample_agent(&self, ask: &Ask<'_>, now: Time) {
        let mixed = (now.nanos() ^ ask.client.bits() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        if mixed.is_multiple_of(u64::from(SAMPLE)) {
            let agent = self.agents.read(ask.user_agent);
            if !agent.browser {
                self.counts.agent(agent.hash);
            }
        }
    }

    fn count(&self, view: &View, ask: &Ask<'_>, known: &Known, valid: bool) {
        let counts = &self.counts;
        let rank = Rank::from(known.standing);
        counts.one(Signal::Total);
        if ask.class.is_hard() {
            counts.one(Signal::Hard);
            if rank >= Rank::Net16 || (known.young && view.state != FloodState::Normal) {
                counts.one(Signal::HardNew);
            }
            if rank >= Rank::Net24 && !ask.reads {
                counts.one(Signal::WriteNew);
            }
        } else {
            counts.one(Signal::Assets);
        }
        let group = group(known);
        if group.is_none() && !ask.class.is_hard() {
            counts.one(Signal::NewAssets);
        }
        counts.one(match group {
            None => Signal::New,
            Some(Group::OldAddress) => Signal::OldAddress,
            Some(Group::Young) => Signal::Young,
            Some(Group::OldNet) => Signal::OldNet,
        });
        if valid {
            counts.one(Signal::Proven);
        }
    }

    /// Elevated or Overload: probes, and in an overload admits whole clients.
    fn under_watch(&self, case: &Case<'_>) -> Judgement {
        let Case { ask, view, now, .. } = *case;
        let rank = case.rank();
        let overload = view.state == FloodState::Overload;
        let page = case.is_askable_page();
        let suspect = case.suspect();
        let unknown = rank >= Rank::Net16 && !case.proven;
        let chosen = suspect || (unknown && among(ask.client.bits(), view.lottery[0], PROBED));
        let shed = is_shed(view, ask.client, rank);
        let asked = page && (chosen || (shed && unknown)) && self.ledger.ask(ask.client.bits(), now);
        let course = match (asked, shed) {
            // Who is shed and proves itself has another chance; it is not let in without.
            (true, true) => Course::Challenge,
            (true, false) => Course::Probe,
            (false, true) => Course::Hold(Held::Overload),
            (false, false) if overload && rank >= Rank::Seen && !self.pays(case, case.weight) => {
                Course::Hold(Held::Costly)
            }
            (false, false) => Course::Pass,
        };
        Judgement { course, rank, dear: false, probe: false }
    }

    /// In an attack: limits tighten by rank, newcomers prove themselves or share small budgets.
    fn in_attack(&self, case: &Case<'_>) -> Judgement {
        let Case { ask, view, now, .. } = *case;
        let mut rank = case.rank();
        let suspect = case.suspect();
        let held = |rank, held| Judgement { course: Course::Hold(held), rank, dear: false, probe: false };
        let page = case.is_askable_page();
        let mut crowded = false;
        if rank >= Rank::Seen {
            match self.tightened(case) {
                Ok(left) => crowded = page && !case.proven && left < CROWDED,
                // Perhaps one of several behind an address: a cookie tells.
                Err(Held::Client) if page && !case.proven && !case.burnt => return self.challenge(case, rank),
                Err(reason) => return held(rank, reason),
            }
            if case.proven && self.ledger.behave(case.bits, ask.class.is_hard(), now) && view.pressed {
                self.ledger.burn(case.bits, now);
                rank = Rank::Unknown;
            }
        }
        if suspect && group(&case.known) != Some(Group::OldAddress) {
            rank = Rank::Unknown;
        }
        let course = if rank >= Rank::Net16 || (suspect && page) {
            self.newcomer(case, page)
        } else if rank == Rank::Net24 {
            self.within(&self.budgets.networks, &view.budgets.networks, Share(0), Held::Networks, now)
        } else {
            Course::Pass
        };
        let probe = crowded && course == Course::Pass && self.ledger.may_ask(ask.client.bits(), now);
        Judgement { course, rank, dear: false, probe }
    }

    fn challenge(&self, case: &Case<'_>, rank: Rank) -> Judgement {
        self.ledger.ask(case.ask.client.bits(), case.now);
        Judgement { course: Course::Challenge, rank, dear: false, probe: false }
    }

    /// The client's own limits in an attack: 2/s burst 60 for all, and pages. How many more it may send at once.
    fn tightened(&self, case: &Case<'_>) -> Result<u32, Held> {
        let own = &self.clients;
        let taken = own.table.take(own.table.locate(case.bits), &own.quota, case.now);
        let Decision::Admit { remaining } = taken else { return Err(Held::Client) };
        if !self.pays(case, case.weight - 1.0) {
            return Err(Held::Costly);
        }
        if case.ask.class.is_hard() && Rank::from(case.known.standing) >= Rank::Net24 {
            let rate = case.view.page_rate;
            let price = PAGE_RATE / rate;
            let burst = (40.0 * rate).clamp(6.0, 40.0) * price;
            let own = &self.pages;
            if !own.table.take_at(own.table.locate(case.bits), &own.quota, case.now, price, burst) {
                return Err(Held::Pages);
            }
        }
        Ok(remaining)
    }

    /// Charges a request of more than the usual cost to its client's own limit.
    fn pays(&self, case: &Case<'_>, price: f32) -> bool {
        let own = &self.clients;
        case.weight <= 1.0
            || own.table.take_at(own.table.locate(case.bits), &own.quota, case.now, price.into(), CLIENT_BURST.into())
    }

    /// A client of whom nothing is known, or whose group has grown suspiciously.
    fn newcomer(&self, case: &Case<'_>, page: bool) -> Course {
        let Case { ask, view, now, .. } = *case;
        let (own, shared) = (&self.budgets, &view.budgets);
        if page {
            if case.burnt {
                return self.within(&own.burnt, &shared.burnt, Share(0), Held::Newcomers, now);
            }
            if case.proven {
                return Course::Pass;
            }
            self.ledger.ask(ask.client.bits(), now);
            return Course::Challenge;
        }
        if !ask.reads {
            return self.within(&own.writes, &shared.writes, Share(0), Held::Logins, now);
        }
        if !case.browser {
            let usual = view.quota_of_agent(case.agent);
            let cell = &own.agents_own[super::window::agent_cell(case.agent)];
            return match usual {
                Some(usual) if cell.take(&usual, now, Share(0)).admits() => {
                    self.within(&own.agents, &shared.agents, Share(0), Held::Agents, now)
                }
                _ => self.within(&own.strangers, &shared.strangers, Share(0), Held::Agents, now),
            };
        }
        if ask.class == Class::Asset {
            return self.within(&own.assets, &shared.assets, Share(0), Held::Newcomers, now);
        }
        self.within(&own.newcomers, &shared.newcomers, Share(0), Held::Newcomers, now)
    }

    fn within(&self, budget: &Budget, quota: &Quota, reserve: Share, held: Held, now: Time) -> Course {
        if budget.take(quota, now, reserve).admits() { Course::Pass } else { Course::Hold(held) }
    }
}

impl Case<'_> {
    fn rank(&self) -> Rank {
        let standing = Rank::from(self.known.standing);
        match (self.proven, self.burnt) {
            (true, _) => standing.min(Rank::Proven),
            (false, true) => Rank::Unknown,
            (false, false) => standing,
        }
    }

    /// Of a group that has grown far beyond what is usual, and without proof.
    fn suspect(&self) -> bool {
        !self.proven && group(&self.known).is_some_and(|g| self.view.surging[g as usize])
    }

    /// A browser's page load: it can be asked for proof.
    fn is_askable_page(&self) -> bool {
        self.view.challenge && self.ask.askable && self.ask.reads && self.browser && self.ask.class.is_page()
    }
}

/// Whether an overload leaves this client out: the same clients each time, as many as do not fit.
pub fn is_shed(view: &View, client: ClientKey, rank: Rank) -> bool {
    let overload = view.state == FloodState::Overload;
    overload && rank > Rank::Seen && place(client.bits(), view.lottery[1]) > view.admitted
}

/// The group that a client belongs to by its history; none where nothing near is known.
fn group(known: &Known) -> Option<Group> {
    match Rank::from(known.standing) {
        Rank::Net16 | Rank::Unknown => None,
        _ if known.young => Some(Group::Young),
        Rank::Credited | Rank::Seen => Some(Group::OldAddress),
        _ => Some(Group::OldNet),
    }
}
