//! How well a filter did in a scenario, from its outcome for every request.

pub mod baseline;
pub mod goals;
pub mod summary;

use crate::simulate::scenario::{Event, Kind, Scenario};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// The share of the capacity from which detection of a growing attack counts.
const PRESSURE: f64 = 0.8;
/// A crowd is still there while people ask for more than this share of the capacity.
const CROWDED: f64 = 0.95;
/// Seconds after the end from which nobody should be refused.
const AFTERMATH: f64 = 5.0;
/// The share of a client's requests that must be served for it to count as served whole.
const WHOLE: f64 = 0.95;

/// What a filter thinks of the traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As always.
    #[default]
    Normal,
    /// More than usual; nobody is refused for it.
    Elevated,
    /// More people than can be served.
    Overload,
    /// An attack.
    Attack,
}

/// What a filter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The request goes to the origin.
    Forward,
    /// It is refused.
    Refuse,
    /// The client has to pass a challenge; one that does counts as served there and then.
    Challenge,
    /// The connection is closed.
    Close,
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// The state in which it was given.
    pub state: State,
    /// Seconds that the request waited for its turn at the origin.
    pub delay: f64,
}

/// One second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Second {
    /// Requests of people, crawlers and monitors.
    pub legitimate: u32,
    /// Requests of attackers.
    pub attack: u32,
    /// Requests that reached the origin in this second.
    pub forwarded: u32,
    /// Requests refused though no attacker sent them.
    pub refused: u32,
    /// The gravest state.
    pub state: State,
}

/// The figures of one run. Shares are in percent, times in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Seconds until the attack was declared; none if it never was, or if there was none.
    pub detect: Option<f64>,
    /// Share of the attack's requests that were served, from onset to end.
    pub leak: f64,
    /// How many these were.
    pub leaked: u64,
    /// Seconds from the attack's onset to its end.
    pub length: f64,
    /// Share of requests refused from onset to end: of clients that the history knows.
    pub known: f64,
    /// The same of all that do not attack.
    pub all: f64,
    /// Share refused before the onset, of all that do not attack.
    pub before: f64,
    /// Share refused from five seconds after the end on (of a crowd: after it could be served), of all that do not
    /// attack.
    pub after: f64,
    /// The most that reached the origin in one second, in units of its capacity.
    pub peak: f64,
    /// Share of clients, attackers aside, of whom at least 95 % of the requests from onset to end were served.
    pub whole: f64,
    /// How often an attack was declared where there was none.
    pub false_attacks: u32,
    /// How often the normal state was left though there was no attack.
    pub alarms: u32,
    /// Seconds from the end until the state was normal.
    pub recovery: f64,
    /// The run, second by second.
    pub seconds: Vec<Second>,
}

/// The score of a filter that judges all events of `scenario` in turn, before an origin of `capacity` a second.
pub fn run(scenario: &Scenario, capacity: f64, mut filter: impl FnMut(&Event) -> Outcome) -> Score {
    let mut scorer = Scorer::new(scenario, capacity);
    for event in &scenario.events {
        let outcome = filter(event);
        scorer.add(event, outcome);
    }
    scorer.finish()
}

/// Requests seen and refused.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    seen: u64,
    refused: u64,
}

impl Tally {
    fn add(&mut self, served: bool) {
        self.seen += 1;
        self.refused += u64::from(!served);
    }

    fn refused(self) -> f64 {
        percent(self.refused, self.seen)
    }
}

/// Takes the outcomes of one run, in the order of the scenario's events.
#[derive(Debug)]
pub struct Scorer {
    capacity: f64,
    onset: f64,
    end: f64,
    /// When people ask for no more than can be served again.
    settled: f64,
    /// From when on an attack should be noticed, and from when it is there at all; none if there is none.
    due: Option<f64>,
    first_attack: Option<f64>,
    /// Seconds of the whole scenario.
    last: f64,
    state: State,
    detected: Option<f64>,
    recovered: Option<f64>,
    attack: Tally,
    known: Tally,
    all: Tally,
    before: Tally,
    after: Tally,
    clients: HashMap<IpAddr, Tally>,
    false_attacks: u32,
    alarms: u32,
    seconds: Vec<Second>,
}

impl Scorer {
    /// For a run of `scenario` against an origin of `capacity` requests a second.
    pub fn new(scenario: &Scenario, capacity: f64) -> Self {
        let attacks = |e: &&Event| e.kind == Kind::Attacker;
        let first_attack = scenario.events.iter().find(attacks).map(|e| e.t);
        let due = match scenario.grows {
            true => first_attack.and_then(|first| pressed(&scenario.events, first, PRESSURE * capacity)),
            false => first_attack.map(|_| scenario.onset),
        };
        Self {
            capacity,
            onset: scenario.onset,
            end: scenario.end,
            settled: settled(scenario, CROWDED * capacity),
            due,
            first_attack,
            last: scenario.events.last().map_or(0.0, |e| e.t),
            state: State::Normal,
            detected: None,
            recovered: None,
            attack: Tally::default(),
            known: Tally::default(),
            all: Tally::default(),
            before: Tally::default(),
            after: Tally::default(),
            clients: HashMap::new(),
            false_attacks: 0,
            alarms: 0,
            seconds: vec![],
        }
    }

    /// What became of `event`.
    pub fn add(&mut self, event: &Event, outcome: Outcome) {
        let served = match outcome.answer {
            Answer::Forward => true,
            Answer::Challenge => event.solves,
            Answer::Refuse | Answer::Close => false,
        };
        self.follow(event.t, outcome.state);
        self.draw(event, outcome, served);
        let during = (self.onset..self.end).contains(&event.t);
        if event.kind == Kind::Attacker {
            if during {
                self.attack.add(served);
            }
            return;
        }
        if during {
            self.all.add(served);
            self.clients.entry(event.client).or_default().add(served);
            if event.kind == Kind::Known {
                self.known.add(served);
            }
        } else if event.t < self.onset {
            self.before.add(served);
        } else if event.t >= self.settled + AFTERMATH {
            self.after.add(served);
        }
    }

    /// Takes the state at `t` into account.
    fn follow(&mut self, t: f64, state: State) {
        let attacked = self.first_attack.is_some_and(|first| t >= first && t < self.settled + AFTERMATH);
        if !attacked && state == State::Attack && self.state != State::Attack {
            self.false_attacks += 1;
        }
        if !attacked && state != State::Normal && self.state == State::Normal {
            self.alarms += 1;
        }
        if state == State::Attack && self.detected.is_none() {
            self.detected = self.due.filter(|due| t >= *due).map(|due| t - due);
        }
        if state == State::Normal && self.recovered.is_none() && t >= self.settled {
            self.recovered = Some(t);
        }
        self.state = state;
    }

    /// Takes the outcome into the run's curves.
    fn draw(&mut self, event: &Event, outcome: Outcome, served: bool) {
        let attacks = event.kind == Kind::Attacker;
        let now = self.second(event.t);
        now.attack += u32::from(attacks);
        now.legitimate += u32::from(!attacks);
        now.refused += u32::from(!attacks && !served);
        now.state = now.state.max(outcome.state);
        if served {
            self.second(event.t + outcome.delay).forwarded += 1;
        }
    }

    fn second(&mut self, t: f64) -> &mut Second {
        let at = t.max(0.0) as usize;
        if at >= self.seconds.len() {
            self.seconds.resize(at + 1, Second::default());
        }
        &mut self.seconds[at]
    }

    /// The figures.
    pub fn finish(self) -> Score {
        let whole = |t: &&Tally| (t.seen - t.refused) as f64 >= WHOLE * t.seen as f64;
        let served_whole = self.clients.values().filter(whole).count() as u64;
        let most = self.seconds.iter().map(|s| s.forwarded).max().unwrap_or(0);
        Score {
            detect: self.detected,
            leak: percent(self.attack.seen - self.attack.refused, self.attack.seen),
            leaked: self.attack.seen - self.attack.refused,
            length: self.end - self.onset,
            known: self.known.refused(),
            all: self.all.refused(),
            before: self.before.refused(),
            after: self.after.refused(),
            peak: f64::from(most) / self.capacity,
            whole: if self.clients.is_empty() { 100.0 } else { percent(served_whole, self.clients.len() as u64) },
            false_attacks: self.false_attacks,
            alarms: self.alarms,
            recovery: (self.recovered.unwrap_or(self.last) - self.settled).max(0.0),
            seconds: self.seconds,
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// The first moment from `start` on at which the last second held more than `limit` requests.
fn pressed(events: &[Event], start: f64, limit: f64) -> Option<f64> {
    let mut recent = VecDeque::new();
    events.iter().map(|e| e.t).filter(|&t| more_than(limit, &mut recent, t)).find(|t| *t >= start)
}

/// The last moment at which people asked for more than `limit` a second, if that was after the end, else the end.
fn settled(scenario: &Scenario, limit: f64) -> f64 {
    let mut recent = VecDeque::new();
    let people = scenario.events.iter().filter(|e| e.kind != Kind::Attacker).map(|e| e.t);
    people.filter(|&t| more_than(limit, &mut recent, t)).fold(scenario.end, f64::max)
}

/// Whether the second before `t`, which is later than all of `recent`, holds more than `limit` moments; adds `t`.
fn more_than(limit: f64, recent: &mut VecDeque<f64>, t: f64) -> bool {
    recent.push_back(t);
    while recent.front().is_some_and(|first| *first <= t - 1.0) {
        recent.pop_front();
    }
    recent.len() as f64 > limit
}

#[cfg(test)]
mod tests;
