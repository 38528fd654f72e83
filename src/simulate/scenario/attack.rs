//! Floods: bots that each send requests at random moments.

use super::attackers::AGENTS;
use super::background::Background;
use super::random::Random;
use super::{Event, Kind, LENGTH, ONSET};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// What bots ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A handful of pages, and the search.
    Pages,
    /// Password guesses.
    Login,
    /// The search alone.
    Search,
    /// What people ask for, in the same proportions, under their agents.
    Mimic,
}

/// Where a bot's requests come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// One address.
    Address(IpAddr),
    /// Another /64 of this /48 each time.
    Rotating(Ipv6Addr),
}

/// How a botnet attacks.
#[derive(Clone, Debug)]
pub(super) struct Flood {
    pub(super) bots: Vec<Source>,
    /// Requests a second of each bot.
    pub(super) rate: f64,
    pub(super) start: f64,
    pub(super) end: f64,
    /// Seconds over which the bots join, one after the other.
    pub(super) ramp: f64,
    /// Seconds of attack and seconds of pause in turn; 0 for no pause.
    pub(super) pulse: f64,
    pub(super) target: Target,
    /// The share of bots that pass a challenge.
    pub(super) solvers: f64,
}

impl Flood {
    /// `bots` that ask for pages `rate` times a second each, for as long as attacks last.
    pub(super) fn new(bots: Vec<Source>, rate: f64) -> Self {
        let (start, end) = (ONSET, ONSET + LENGTH);
        Self { bots, rate, start, end, ramp: 0.0, pulse: 0.0, target: Target::Pages, solvers: 0.0 }
    }

    /// Adds the flood's requests to `out`.
    pub(super) fn run(&self, background: &Background, random: &mut Random, out: &mut Vec<Event>) {
        let requests = Requests::new(self.target, background);
        for (number, bot) in self.bots.iter().enumerate() {
            let solves = random.chance(self.solvers);
            let agent = requests.agent(number, random);
            let joins = self.start + self.ramp * number as f64 / self.bots.len() as f64;
            let mut t = joins + random.wait(self.rate);
            while t < self.end {
                let paused = self.pulse > 0.0 && (t - self.start) % (2.0 * self.pulse) >= self.pulse;
                if !paused {
                    let event = requests.draw(random);
                    out.push(Event { t, client: bot.draw(random), user_agent: agent.clone(), solves, ..event });
                }
                t += random.wait(self.rate);
            }
        }
    }
}

impl Source {
    fn draw(self, random: &mut Random) -> IpAddr {
        match self {
            Self::Address(address) => address,
            Self::Rotating(network) => {
                let low = u128::from(random.next()) | u128::from(random.next() & 0xffff) << 64;
                Ipv6Addr::from(u128::from(network) & !(u128::MAX >> 48) | low).into()
            }
        }
    }
}

/// The requests that bots draw from.
struct Requests {
    choices: Vec<Event>,
    agents: Vec<Arc<str>>,
    mimic: bool,
}

impl Requests {
    fn new(target: Target, background: &Background) -> Self {
        let mimic = target == Target::Mimic;
        let rows = || background.sessions.iter().flat_map(|s| &s.rows);
        let choices = match target {
            Target::Pages => {
                let mut pages: Vec<Event> = ["/", "/blog/", "/about-us/", "/contact/"].map(|p| page(p.into())).into();
                pages.push(Event { has_query: true, ..page(background.search.clone()) });
                pages
            }
            Target::Login => vec![Event { method: Arc::from("POST"), ..page(background.login.clone()) }],
            Target::Search => vec![Event { has_query: true, ..page(background.search.clone()) }],
            Target::Mimic => {
                let like = |row: &Event| Event { t: 0.0, kind: Kind::Attacker, ..row.clone() };
                rows().filter(|row| &*row.method == "GET").map(like).collect()
            }
        };
        let mut agents: Vec<Arc<str>> = match mimic {
            true => rows().filter(|row| row.solves).map(|row| row.user_agent.clone()).collect(),
            false => AGENTS.map(Arc::from).into(),
        };
        if mimic {
            agents.sort_unstable();
            agents.dedup();
        }
        Self { choices, agents, mimic }
    }

    fn agent(&self, number: usize, random: &mut Random) -> Arc<str> {
        let drawn = if self.mimic { random.choose(&self.agents) } else { self.agents.get(number % self.agents.len()) };
        drawn.cloned().unwrap_or_else(|| Arc::from(AGENTS[0]))
    }

    fn draw(&self, random: &mut Random) -> Event {
        random.choose(&self.choices).cloned().unwrap_or_else(|| page("/".into()))
    }
}

/// An attacker's GET of `path`, without a time and a client yet.
pub(super) fn page(path: Arc<str>) -> Event {
    Event {
        t: 0.0,
        client: Ipv6Addr::UNSPECIFIED.into(),
        method: Arc::from("GET"),
        path,
        has_query: false,
        status: 200,
        bytes: 5000,
        user_agent: Arc::from(AGENTS[0]),
        solves: false,
        kind: Kind::Attacker,
    }
}
