//! The detector: every 100 ms it takes what was counted, compares it with what is usual, and moves between the states.
//!
//! It runs off the hot path, in the thread that ticks, or in virtual time; it reads no clock.

use super::baseline::Baseline;
use super::judge::SAMPLE;
use super::signs::{Signs, excess};
use super::state::{Cause, Change, FloodState};
use super::view::{Budgets, GROUPS, Usual, View};
use super::window::{AGENTS, Counts, SIGNALS, Signal, Tick, Window};
use crate::base::clock::Time;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks.
pub const TICK: Duration = Duration::from_millis(100);

/// Ticks that it makes up for after a pause; what lies further back is counted as missed and let go.
const MOST_AT_ONCE: u64 = 20;
/// Offered above this share of the capacity is harm.
const HARM: f64 = 0.8;
/// Offered below this share of the capacity is calm.
const CALM: f64 = 0.6;
/// Below this share of the capacity nothing is unusual enough to look into.
pub const NOTICE: f64 = 0.3;
/// As `NOTICE`, for logins and other writes of unknown clients.
const NOTICE_WRITES: f64 = 0.1;
/// Ticks in a row that must say so, before it is an attack.
const STRIKES: u32 = 3;
/// Within this time of an attack a single tick is enough.
const WARY: Duration = Duration::from_secs(600);
/// How long an attack must have been low before it is over.
const ATTACK_OVER: Duration = Duration::from_secs(60);
/// How long it must have been calm otherwise.
const CALM_OVER: Duration = Duration::from_secs(10);
/// How long the tail of a crowd or an attack is no news: it may be many times the usual, but does no harm.
const TAIL: Duration = Duration::from_secs(180);
/// What has lasted so long without being an attack is normal.
const LASTING: Duration = Duration::from_secs(1_800);
/// Forwarded above this share of the capacity, cookies are looked at more closely.
const PRESSED: f64 = 0.4;
/// Pages a second of one client at first in an attack.
pub const PAGE_RATE: f64 = 4.0;

/// What the detector is told beside the counts.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// What the origin can bear in a second.
    pub capacity: f64,
    /// Requests in flight, and how many may be.
    pub in_flight: (u32, u32),
    /// Whether clients may be challenged.
    pub challenge: bool,
}

/// What it remembers.
pub struct Detector {
    state: FloodState,
    since: Time,
    onset: Option<Time>,
    baselines: [Baseline; SIGNALS],
    window: Window,
    agents: Box<[f32; AGENTS]>,
    strikes: u32,
    last_attack: Option<Time>,
    calm_since: Option<Time>,
    tail_until: Option<Time>,
    surging: [bool; GROUPS],
    admitted: f64,
    page_rate: f64,
    pressed: bool,
    ticks: u64,
    next: Option<Time>,
    missed: u64,
    pinned: Option<FloodState>,
    strength: u8,
    peers_attack: bool,
}

impl Default for Detector {
    /// One that knows nothing yet; its first tick only starts its clock.
    fn default() -> Self {
        Self {
            state: FloodState::Normal,
            since: Time::default(),
            onset: None,
            baselines: [Baseline::default(); SIGNALS],
            window: Window::default(),
            agents: Box::new([0.0; AGENTS]),
            strikes: 0,
            last_attack: None,
            calm_since: None,
            tail_until: None,
            surging: [false; GROUPS],
            admitted: 1.0,
            page_rate: PAGE_RATE,
            pressed: false,
            ticks: 0,
            next: None,
            missed: 0,
            pinned: None,
            strength: 1,
            peers_attack: false,
        }
    }
}

impl Detector {
    /// When it is to look next; at once, if it never has.
    pub fn next(&self) -> Time {
        self.next.unwrap_or_default()
    }

    /// Whether the next tick begins a second.
    pub const fn starts_second(&self) -> bool {
        self.ticks.is_multiple_of(10)
    }

    /// Ticks that were never looked at, because it came too late.
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// All that was ever counted.
    pub const fn totals(&self) -> Tick {
        self.window.totals()
    }

    /// Holds a state, or lets go of it: for tests and for operators.
    pub fn pin(&mut self, state: Option<FloodState>) {
        self.pinned = state;
    }

    /// Whether most tasks of the fleet see an attack: what is unusual here is then a part of it.
    pub const fn peers_attack(&mut self, attack: bool) {
        self.peers_attack = attack;
    }

    /// Does the ticks that are due at `now`; what changed, if anything did.
    ///
    /// Late by a few ticks, what was counted is spread over them; late by more, the rest is counted as missed.
    pub fn tick(&mut self, counts: &Counts, readings: &Readings, now: Time) -> Vec<Change> {
        let Some(next) = self.next else {
            self.next = Some(now + TICK);
            return Vec::new();
        };
        if now < next {
            return Vec::new();
        }
        let due = 1 + (now.since(next).as_nanos() / TICK.as_nanos()) as u64;
        let taken = counts.take();
        let ticks = due.min(MOST_AT_ONCE);
        self.missed += due - ticks;
        let each: Tick = taken.map(|count| count / ticks as f64);
        let first = now - TICK * u32::try_from(ticks - 1).unwrap_or(0);
        self.next = Some(next + TICK * u32::try_from(due).unwrap_or(u32::MAX));
        let mut changes = Vec::new();
        for n in 0..ticks {
            changes.extend(self.one(&each, readings, first + TICK * n as u32));
        }
        self.learn_agents(counts, due);
        changes
    }

    fn one(&mut self, tick: &Tick, readings: &Readings, now: Time) -> Option<Change> {
        self.ticks += 1;
        let capacity = readings.capacity;
        self.window.push(tick);
        let alarm = self.learn(tick, capacity);
        let signs = Signs::read(&self.window, &self.baselines, readings);
        let offered = signs.evidence.offered;
        self.measure_groups(capacity);
        let before = self.state;
        let harm = offered > HARM * capacity || signs.origin_suffers || signs.costly;
        let low = offered < CALM * capacity && signs.cheap;
        let tail = self.tail_until.is_some_and(|until| now < until);
        let alarm = (alarm && !tail) || harm;
        if let Some(pinned) = self.pinned {
            let change = (pinned != self.state).then(|| self.go(pinned, Cause::Pinned, &signs, now));
            self.onset = (pinned != FloodState::Normal).then(|| self.onset.unwrap_or(now));
            return change;
        }
        let cause = match self.state {
            FloodState::Attack => self.in_attack(&signs, low, now),
            _ => self.watch(&signs, alarm, harm, low, now),
        };
        self.steer(capacity);
        let (to, cause) = cause?;
        let change = self.go(to, cause, &signs, now);
        (change.from == before).then_some(change)
    }

    /// Teaches the baselines; whether one of those that matter has an alarm.
    fn learn(&mut self, tick: &Tick, capacity: f64) -> bool {
        let frozen = self.state != FloodState::Normal;
        let mut alarm = false;
        for (i, (baseline, count)) in self.baselines.iter_mut().zip(tick).enumerate() {
            // Groups go on learning, slowly and clipped: a group that stays large is not surging for ever.
            let group = [Signal::OldAddress, Signal::Young, Signal::OldNet].iter().any(|s| *s as usize == i);
            baseline.step(*count, frozen && !group);
        }
        let notice = [
            (Signal::Total, NOTICE),
            (Signal::Hard, NOTICE),
            (Signal::HardNew, NOTICE),
            (Signal::WriteNew, NOTICE_WRITES),
        ];
        for (signal, share) in notice {
            let (baseline, second) = (&self.baselines[signal as usize], self.window.second(signal));
            alarm |= baseline.alarmed() && second > 3.0 * baseline.per_second() + 3.0 && second > share * capacity;
        }
        alarm
    }

    /// Which groups have grown far beyond what is usual, while it is not normal.
    fn measure_groups(&mut self, capacity: f64) {
        let unusual = matches!(self.state, FloodState::Attack | FloodState::Overload);
        for (surging, signal) in self.surging.iter_mut().zip([Signal::OldAddress, Signal::Young, Signal::OldNet]) {
            let usual = self.baselines[signal as usize].per_second();
            let grown = self.window.rate(signal) > (4.0 * usual).max(0.15 * capacity);
            *surging = unusual && (*surging || grown);
        }
    }

    /// Outside of an attack: where to go, and why.
    fn watch(&mut self, signs: &Signs, alarm: bool, harm: bool, low: bool, now: Time) -> Option<(FloodState, Cause)> {
        if alarm && self.state == FloodState::Normal {
            self.onset = Some(now);
            self.calm_since = None;
        }
        let sign = signs.of_attack().filter(|_| harm && (alarm || self.state != FloodState::Normal));
        self.strikes = if sign.is_some() { self.strikes + 1 } else { 0 };
        let wary = self.last_attack.is_some_and(|at| now.since(at) < WARY);
        if let Some(cause) = sign.filter(|_| self.strikes >= STRIKES || wary) {
            return Some((FloodState::Attack, cause));
        }
        match self.state {
            FloodState::Normal if alarm => Some((FloodState::Elevated, Cause::Rate)),
            FloodState::Elevated if self.peers_attack => Some((FloodState::Attack, Cause::Fleet)),
            FloodState::Elevated if harm => Some((FloodState::Overload, signs.cause_of_harm())),
            FloodState::Normal => None,
            FloodState::Elevated => self.settle(!alarm && low, now),
            _ => self.settle(low, now),
        }
    }

    /// Whether Elevated or Overload is over.
    fn settle(&mut self, calm: bool, now: Time) -> Option<(FloodState, Cause)> {
        let since = if calm { *self.calm_since.get_or_insert(now) } else { now };
        if !calm {
            self.calm_since = None;
        }
        if now.since(since) > CALM_OVER {
            return Some((FloodState::Normal, Cause::Over));
        }
        let lasted = self.onset.is_some_and(|onset| now.since(onset) > LASTING);
        lasted.then_some((FloodState::Normal, Cause::Lasting))
    }

    /// In an attack: whether it is over, or was none.
    fn in_attack(&mut self, signs: &Signs, low: bool, now: Time) -> Option<(FloodState, Cause)> {
        self.last_attack = Some(now);
        if !low {
            self.calm_since = None;
        } else if now.since(*self.calm_since.get_or_insert(now)) > ATTACK_OVER {
            return Some((FloodState::Normal, Cause::Over));
        }
        let long_enough = now.since(self.since) > Duration::from_secs(5);
        (long_enough && signs.are_people()).then_some((FloodState::Overload, Cause::Solved))
    }

    fn go(&mut self, to: FloodState, cause: Cause, signs: &Signs, now: Time) -> Change {
        let change = Change { at: now, from: self.state, to, cause, evidence: signs.evidence };
        (self.state, self.since, self.strikes, self.calm_since) = (to, now, 0, None);
        match to {
            FloodState::Normal => {
                self.onset = None;
                let tail = matches!(change.from, FloodState::Attack | FloodState::Overload);
                self.tail_until = tail.then(|| now + TAIL);
                self.baselines.iter_mut().for_each(Baseline::calm);
            }
            FloodState::Attack => {
                self.onset.get_or_insert(now);
                self.window.forget_outcomes();
                // A cookie was not enough to tell them from people: now they must work.
                self.strength = if cause == Cause::Unsolved { 1 } else { self.strength };
            }
            _ => {
                self.onset.get_or_insert(now);
            }
        }
        change
    }

    /// Tightens and loosens by how near the origin is to its capacity.
    fn steer(&mut self, capacity: f64) {
        let used = self.window.second(Signal::Forwarded) / capacity;
        if self.ticks.is_multiple_of(5) {
            self.admitted = match self.state {
                FloodState::Overload if used > 0.97 => (self.admitted * 0.9).max(0.02),
                FloodState::Overload if used < 0.94 => {
                    let grown = (self.admitted * 1.03 + 0.001).max(self.fitting(capacity).min(self.admitted * 1.3));
                    grown.min(1.0)
                }
                FloodState::Overload => self.admitted,
                _ => 1.0,
            };
        }
        if self.ticks.is_multiple_of(10) {
            self.pressed = used > PRESSED;
            let tighten = self.state == FloodState::Attack && used > 0.85;
            self.page_rate = if tighten { self.page_rate * 0.8 } else { self.page_rate * 1.02 }.clamp(0.1, PAGE_RATE);
        }
    }

    /// The share of unknown clients that would fit, from what came in the last second.
    fn fitting(&self, capacity: f64) -> f64 {
        let known = self.window.second(Signal::OldAddress);
        let others = self.window.second(Signal::Total) - known;
        (capacity - known) / others.max(1.0)
    }

    /// What is usual of each agent that is no browser, by its decaying mean over 300 s.
    fn learn_agents(&mut self, counts: &Counts, due: u64) {
        if !self.ticks.is_multiple_of(10) && due < 10 {
            return;
        }
        let frozen = self.state != FloodState::Normal;
        let (seconds, agents) = ((due as f32 / 10.0).max(1.0), &mut self.agents);
        let keep = (1.0 - 1.0 / 300.0f32).powf(seconds);
        counts.take_agents(|i, count| {
            if !frozen {
                agents[i] = agents[i] * keep + (count * SAMPLE) as f32 / 300.0;
            }
        });
    }

    /// What the hot path is to know.
    pub fn view(&self, readings: &Readings, old: &View) -> View {
        let usual = |signal: Signal| self.baselines[signal as usize].per_second();
        let usual_of_newcomers = Usual {
            writes: usual(Signal::WriteNew),
            newcomers: usual(Signal::New) - usual(Signal::NewAssets),
            assets: usual(Signal::NewAssets),
        };
        let agents_changed = self.ticks.is_multiple_of(10) && self.state == FloodState::Normal;
        View {
            state: self.state,
            since: self.since,
            onset: self.onset,
            surging: self.surging,
            admitted: self.admitted,
            page_rate: self.page_rate,
            pressed: self.pressed,
            challenge: readings.challenge,
            strength: self.strength,
            lottery: old.lottery,
            budgets: Budgets::of(readings.capacity, &usual_of_newcomers),
            agents: if agents_changed { Arc::new(*self.agents) } else { old.agents.clone() },
            evidence: excess(&self.window, &self.baselines, readings),
            refused: self.window.rate(Signal::Refused),
            forwarded: self.window.rate(Signal::Forwarded),
        }
    }
}
