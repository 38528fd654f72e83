//! weir in virtual time: the very `decide`, detector and tables of the proxy, fed with a log's requests at the log's
//! own times. Deterministic: the same requests and seed give the same verdicts.

use super::bans::Bans;
use crate::access::path::{self, Buffer};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::config::settings::Settings;
use crate::flood::challenge::Proof;
use crate::flood::cost::Route;
use crate::flood::history::{History, Sizes};
use crate::flood::state::Change;
use crate::limit::seeds::Seeds;
use crate::verdict::facts::Method;
use crate::verdict::offence::{note_answer, note_verdict};
use crate::verdict::policy::Networks;
use crate::verdict::{Facts, Fate, Policy, State, Verdict, decide};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long the origin takes over a request whose log does not say.
pub const SERVICE: Duration = Duration::from_millis(50);
/// How often debts that are over are forgotten, and how often clients are.
const SWEEP: Duration = Duration::from_secs(20 * 60);
const FORGET: Duration = Duration::from_secs(60 * 60);
const _: () = assert!(FORGET.as_secs() < History::SWEEP_PERIOD.as_secs());

/// A longer pause in a log is passed over in one step.
const PAUSE: Duration = Duration::from_secs(86_400);

/// One request of a log.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// When, in seconds since 1970.
    pub t: f64,
    /// Who.
    pub client: IpAddr,
    /// Method.
    pub method: &'a str,
    /// Path without its query.
    pub path: &'a str,
    /// Whether there was a query.
    pub query: bool,
    /// What the origin answered, or would have.
    pub status: u16,
    /// User-Agent.
    pub user_agent: &'a str,
    /// Whether this client would pass a challenge.
    pub solves: bool,
}

/// Challenges of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Challenges {
    /// How often a request was answered with one.
    pub asked: u64,
    /// How often its client passed it.
    pub passed: u64,
}

/// An answer on its way back.
type Pending = Reverse<(Time, u64, ClientKey, u16, Route, Duration)>;

/// A weir in virtual time.
pub struct Engine {
    policy: Policy,
    state: State,
    pending: BinaryHeap<Pending>,
    sent: u64,
    /// Cookies that clients hold: by address and agent, as browsers do.
    cookies: HashMap<(ClientKey, u32), u32>,
    changes: Vec<Change>,
    challenges: Challenges,
    bans: Bans,
    now: Time,
    next_tick: Time,
    next_sweep: Time,
    next_forget: Time,
}

impl Engine {
    /// A weir with nothing in it. Names and files of the config are not looked at; its lists come as `networks`.
    pub fn new(settings: Arc<Settings>, networks: &Networks, seed: u64) -> Self {
        let mut number = seed;
        let seeds = move || {
            number = number.wrapping_add(1);
            Seeds::fixed(number)
        };
        let state = State::with(History::new(Sizes::default(), Seeds::fixed(!seed), 0), seeds);
        let policy = Policy::compile(settings, networks, &state, Time::default());
        Self {
            policy,
            state,
            pending: BinaryHeap::new(),
            sent: 0,
            cookies: HashMap::new(),
            changes: Vec::new(),
            challenges: Challenges::default(),
            bans: Bans::default(),
            now: Time::default(),
            next_tick: Time::default(),
            next_sweep: Time::default(),
            next_forget: Time::default(),
        }
    }

    /// Traffic seen before: it is known, not judged.
    pub fn learn(&mut self, request: &Request<'_>) {
        let now = at(request.t).max(self.now);
        self.now = now;
        if History::good_status(request.status) {
            self.state.flood.history.good(self.key(request.client), now);
        }
        self.forget_until(now);
    }

    /// Decides one request. A log that goes back in time is taken as standing still.
    pub fn step(&mut self, request: &Request<'_>) -> Verdict {
        self.step_taking(request, SERVICE)
    }

    /// The same for a request over which the origin takes so long.
    pub fn step_taking(&mut self, request: &Request<'_>, took: Duration) -> Verdict {
        let now = at(request.t).max(self.now);
        self.advance(now);
        let client = self.key(request.client);
        let browser = (client, self.state.flood.agents.read(request.user_agent.as_bytes()).hash);
        let mut buffer = Buffer::new();
        let path = path::normalise(request.path.as_bytes(), &mut buffer);
        let mut facts = Facts::new(request.client, client, Method::parse(request.method.as_bytes()), path);
        facts.query = request.query;
        facts.user_agent = request.user_agent.as_bytes();
        if !self.cookies.is_empty() {
            facts.proof = self.cookies.get(&browser).map_or(Proof::None, |id| Proof::Valid { id: *id, strength: 1 });
        }
        let mut verdict = decide(&self.policy, &self.state, &facts, now);
        self.challenges.asked += u64::from(verdict.fate == Fate::Challenge);
        if verdict.fate == Fate::Challenge && request.solves && facts.proof == Proof::None {
            self.challenges.passed += 1;
            facts.proof = self.give_cookie(browser);
            verdict = decide(&self.policy, &self.state, &facts, now);
        } else if verdict.soft {
            self.state.flood.came_without(client);
            verdict = decide(&self.policy, &self.state, &facts, now);
        }
        note_verdict(&self.policy, &self.state, &facts, &verdict, now);
        if verdict.fate == Fate::Forward {
            if verdict.probe && request.solves {
                self.give_cookie(browser);
            }
            self.sent += 1;
            let status = if request.status == 0 { 200 } else { request.status };
            note_answer(&self.policy, &self.state, &facts, status, now);
            self.pending.push(Reverse((now + verdict.delay + took, self.sent, client, status, verdict.route, took)));
        }
        verdict
    }

    /// Lets virtual time pass.
    pub fn advance(&mut self, now: Time) {
        // A log that begins, or pauses for a day: the detector need not look at every tenth of a second of that.
        if now.since(self.next_tick) > PAUSE {
            self.next_tick = now;
        }
        loop {
            let answer = self.pending.peek().map_or(Time::from_nanos(u64::MAX), |Reverse((at, ..))| *at);
            let due = answer.min(self.next_tick);
            if due > now {
                break;
            }
            if answer <= self.next_tick {
                let Some(Reverse((at, _, client, status, route, took))) = self.pending.pop() else { break };
                self.state.in_flight.leave(client.bits());
                self.state.flood.answered(client, route, status, took, at);
            } else {
                let readings = self.policy.readings(&self.state);
                self.changes.extend(self.state.flood.tick(&readings, due));
                self.bans.tick(&self.policy, &self.state, due);
                self.next_tick = due + crate::flood::detector::TICK;
            }
        }
        self.sweep_until(now);
        self.now = now;
    }

    /// All changes of state so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Challenges so far.
    pub fn challenges(&self) -> Challenges {
        self.challenges
    }

    /// Steps of the ban ladder taken so far.
    pub fn bans(&self) -> u64 {
        self.bans.taken()
    }

    /// What is decided by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is known.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn key(&self, address: IpAddr) -> ClientKey {
        ClientKey::new(address, self.policy.settings.client.ipv6_prefix)
    }

    fn give_cookie(&mut self, browser: (ClientKey, u32)) -> Proof {
        let mut hasher = DefaultHasher::new();
        (browser.0.bits(), browser.1).hash(&mut hasher);
        let id = hasher.finish() as u32;
        self.cookies.insert(browser, id);
        Proof::Valid { id, strength: 1 }
    }

    fn sweep_until(&mut self, now: Time) {
        if now >= self.next_sweep {
            self.state.tables.sweep(now);
            self.state.flood.sweep(now);
            self.next_sweep = now + SWEEP;
        }
        self.forget_until(now);
    }

    fn forget_until(&mut self, now: Time) {
        if now >= self.next_forget {
            self.state.flood.history.sweep(now);
            self.next_forget = now + FORGET;
        }
    }
}

/// Seconds since 1970 as a point in virtual time.
pub fn at(seconds: f64) -> Time {
    Time::from_nanos((seconds.max(0.0) * 1e9) as u64)
}
