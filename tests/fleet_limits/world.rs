//! Several weirs in virtual time, a store between them that is late or away, and clients.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::flood::history::{History, Sizes};
use weir::limit::seeds::Seeds;
use weir::verdict::facts::Method;
use weir::verdict::policy::Networks;
use weir::verdict::{Facts, Fate, Policy, State, decide};

/// How long a step is.
pub(crate) const STEP: Duration = Duration::from_millis(10);
/// A task that has said nothing for so long is dead.
const DEAD: Duration = Duration::from_secs(3);

/// A sequence of numbers that looks like chance, and repeats.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Evenly from 0 to 1.
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.roll() * n as f64) as usize
    }
}

/// One weir.
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) policy: Policy,
    beats_at: Time,
    /// Digests on their way, in order.
    inbox: VecDeque<(Time, Vec<u8>)>,
}

/// A fleet.
pub(crate) struct Fleet {
    pub(crate) tasks: Vec<Task>,
    pub(crate) now: Time,
    pub(crate) start: Time,
    pub(crate) store_up: bool,
    /// The longest that a message is under way, in seconds.
    pub(crate) latest: f64,
    pub(crate) dice: Dice,
    /// Heartbeats on their way, and as they lie in the store.
    sent: Vec<(Time, String, Vec<u8>)>,
    beats: HashMap<String, (Time, Vec<u8>)>,
    leader: Option<String>,
    leads_at: Time,
    config: String,
    born: usize,
    turns: HashMap<u32, usize>,
    next: HashMap<u32, f64>,
    /// When whose requests were admitted.
    pub(crate) admitted: HashMap<u32, Vec<Time>>,
    pub(crate) asked: HashMap<u32, u64>,
}

/// To which task a request goes.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    /// To each in turn.
    RoundRobin,
    /// To any.
    Random,
    /// To this one, as far as there is one.
    Sticky(usize),
    /// To the first mostly, to the second half as often, and so on.
    Zipf,
}

impl Fleet {
    /// `count` tasks that have been there for ten seconds; `limit` is the text of one limit without its head and scope.
    pub(crate) fn new(count: usize, limit: &str, seed: u64) -> Self {
        let config = format!(
            "[origin]\naddresses = [\"127.0.0.1:9000\"]\ncapacity = \"100000/s\"\nmax_in_flight = 100000\n\
             [flood]\nenabled = false\n[ban]\nenabled = false\n[fleet]\nenabled = true\n\
             [[limit]]\nname = \"per-client\"\nslots = 4096\nscope = \"fleet\"\n{limit}\n"
        );
        let now = Time::from_nanos(1 << 50);
        let mut fleet = Self {
            tasks: vec![],
            now,
            start: now,
            store_up: true,
            latest: 1.5,
            dice: Dice::new(seed),
            sent: vec![],
            beats: HashMap::new(),
            leader: None,
            leads_at: now,
            config,
            born: 0,
            turns: HashMap::new(),
            next: HashMap::new(),
            admitted: HashMap::new(),
            asked: HashMap::new(),
        };
        (0..count).for_each(|_| fleet.join());
        fleet.run(10.0, &mut |_| ());
        fleet.start = fleet.now;
        fleet
    }

    pub(crate) fn join(&mut self) {
        self.born += 1;
        let name = format!("task-{}", self.born);
        let settings = weir::config::load_str(&self.config, "test.toml").unwrap_or_else(|e| panic!("{e}")).settings;
        let mut seed = self.born as u64 * 1_000;
        let seeds = move || {
            seed += 1;
            Seeds::fixed(seed)
        };
        let state = State::with(History::new(Sizes { clients: 1, net24: 1, net16: 1 }, Seeds::fixed(1), 0), seeds);
        let policy = Policy::compile(Arc::new(settings), &Networks::default(), &state, self.now);
        // It sees who is there before it hears a digest.
        let live = if self.store_up { self.beats.len() } else { 0 };
        state.sharing.hear(&policy, None, (live, &name), self.now).unwrap();
        let beats_at = self.now + Duration::from_secs_f64(self.dice.roll());
        self.tasks.push(Task { name, state, policy, beats_at, inbox: VecDeque::new() });
    }

    /// A task goes: with a word, or without.
    pub(crate) fn leave(&mut self, at: usize, says_so: bool) {
        let gone = self.tasks.remove(at);
        if says_so && self.store_up {
            self.beats.remove(&gone.name);
            self.sent.retain(|(_, name, _)| *name != gone.name);
        }
    }

    fn under_way(&mut self) -> Duration {
        Duration::from_secs_f64(self.dice.roll() * self.latest)
    }

    /// One step of what tasks tell each other.
    fn talk(&mut self) {
        let now = self.now;
        for at in 0..self.tasks.len() {
            if self.tasks[at].beats_at <= now {
                self.tasks[at].beats_at = now + Duration::from_secs(1);
                let delay = self.under_way();
                let task = &self.tasks[at];
                if self.store_up {
                    let demand = task.state.sharing.demand(&task.policy, now).encode();
                    self.sent.push((now + delay, task.name.clone(), demand));
                }
                task.state.sharing.silence(&task.policy, self.beats.len().saturating_sub(1), now);
                task.state.tables.sweep(now);
            }
        }
        let (arrived, sent) = std::mem::take(&mut self.sent).into_iter().partition(|(at, ..)| *at <= now);
        self.sent = sent;
        let arrived: Vec<_> = arrived;
        for (_, name, demand) in arrived {
            self.beats.insert(name, (now, demand));
        }
        if self.store_up && self.leads_at <= now {
            self.leads_at = now + Duration::from_secs(1);
            self.lead();
        }
        for task in &mut self.tasks {
            while task.inbox.front().is_some_and(|(at, _)| *at <= now) {
                let (_, digest) = task.inbox.pop_front().unwrap();
                task.state.sharing.hear(&task.policy, Some(&digest), (0, &task.name), now).unwrap();
            }
        }
    }

    fn lead(&mut self) {
        let now = self.now;
        self.beats.retain(|_, (at, _)| now.since(*at) < DEAD);
        let known =
            |fleet: &Self, name: &Option<String>| fleet.tasks.iter().position(|t| Some(&t.name) == name.as_ref());
        let Some(at) = known(self, &self.leader).or((!self.tasks.is_empty()).then_some(0)) else { return };
        self.leader = Some(self.tasks[at].name.clone());
        let told: Vec<_> = self.beats.iter().map(|(name, (_, demand))| (name.clone(), demand.clone())).collect();
        if told.is_empty() {
            return;
        }
        let Some((digest, faults)) = self.tasks[at].state.sharing.aggregate(&told, now) else { return };
        assert!(faults.is_empty(), "{faults:?}");
        let bytes = digest.encode();
        for at in 0..self.tasks.len() {
            let due = now + self.under_way();
            let inbox = &mut self.tasks[at].inbox;
            let due = inbox.back().map_or(due, |(last, _)| due.max(*last));
            inbox.push_back((due, bytes.clone()));
        }
    }

    /// Runs for so many seconds; `clients` sends in each step.
    pub(crate) fn run(&mut self, seconds: f64, clients: &mut dyn FnMut(&mut Self)) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now = self.now + STEP;
            self.talk();
            clients(self);
        }
    }

    /// `client` sends at `rate` a second, evenly in time.
    pub(crate) fn send(&mut self, client: u32, rate: f64, route: Route) {
        let due = self.next.entry(client).or_insert(0.0);
        *due += rate * STEP.as_secs_f64();
        let count = due.floor();
        *due -= count;
        for _ in 0..count as u32 {
            self.one(client, route);
        }
    }

    /// `client` sends at `rate` a second on the average, by chance.
    pub(crate) fn send_by_chance(&mut self, client: u32, rate: f64, route: Route) {
        let parts = 20;
        let chance = rate * STEP.as_secs_f64() / f64::from(parts);
        assert!(chance < 0.2, "a finer step is needed");
        for _ in 0..parts {
            if self.dice.roll() < chance {
                self.one(client, route);
            }
        }
    }

    pub(crate) fn one(&mut self, client: u32, route: Route) -> bool {
        let tasks = self.tasks.len();
        let turn = self.turns.entry(client).or_default();
        *turn += 1;
        let at = match route {
            Route::RoundRobin => *turn % tasks,
            Route::Random => self.dice.below(tasks),
            Route::Sticky(at) => at % tasks,
            Route::Zipf => {
                let whole: f64 = (1..=tasks).map(|n| 1.0 / n as f64).sum();
                let mut left = self.dice.roll() * whole;
                let hit = (1..tasks).position(|n| {
                    left -= 1.0 / n as f64;
                    left < 0.0
                });
                hit.unwrap_or(tasks - 1)
            }
        };
        let address = IpAddr::V4(Ipv4Addr::from(0xc633_6400 + client));
        let facts = Facts::new(address, ClientKey::new(address, 64), Method::Get, b"/");
        let task = &self.tasks[at];
        let passed = decide(&task.policy, &task.state, &facts, self.now).fate == Fate::Forward;
        *self.asked.entry(client).or_default() += 1;
        if passed {
            task.state.in_flight.leave(facts.client.bits());
            self.admitted.entry(client).or_default().push(self.now);
        }
        passed
    }

    /// How many of the client's requests were admitted from `from` seconds after the start, for `seconds`.
    pub(crate) fn count(&self, client: u32, from: f64, seconds: f64) -> f64 {
        let from = self.start + Duration::from_secs_f64(from);
        let to = from + Duration::from_secs_f64(seconds);
        self.admitted.get(&client).map_or(0.0, |all| all.iter().filter(|t| (from..to).contains(t)).count() as f64)
    }

    /// The most and the least that were admitted in any ten seconds, from `from` seconds after the start until now.
    pub(crate) fn ten_seconds(&self, client: u32, from: f64) -> (f64, f64) {
        let windows = ((self.now.since(self.start).as_secs_f64() - from - 10.0) * 2.0) as u32;
        let counts = (0..windows).map(|n| self.count(client, from + f64::from(n) / 2.0, 10.0));
        counts.fold((0.0, f64::INFINITY), |(most, least): (f64, f64), n| (most.max(n), least.min(n)))
    }
}
