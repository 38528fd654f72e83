//! From figures to alerts: what is bad, for how long, what is told and when. Pure: whoever calls says what time it is.
//!
//! ```text
//!            bad                bad for `for`            fine for a while
//!     ok ──────────► pending ──────────────────► firing ──────────────────► ok
//!      ▲               │ fine                      │ told: at once, then every repeat_every
//!      └───────────────┘                           │ figures missing: stays firing
//!      no-data: no figures; told after a while, where they must be there
//! ```

use super::rules::Rule;
use super::window::{Measure, Window};
use crate::base::clock::Time;
use crate::sink::metrics::Samples;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// The shortest time that it must be fine before an all-clear.
const CALM_LEAST: Duration = Duration::from_secs(10);
/// The longest time of a first all-clear.
const CALM_MOST: Duration = Duration::from_secs(600);
/// The longest time of any, and for how long firings count towards it.
const CALM_LIMIT: Duration = Duration::from_secs(3_600);
/// After how long it is told that figures are missing.
const MISSED: Duration = Duration::from_secs(300);

/// How an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// All is well.
    #[default]
    Ok,
    /// Bad, but not for long enough.
    Pending,
    /// Bad for long enough.
    Firing,
    /// There are no figures.
    NoData,
}

impl State {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::NoData => "no-data",
        }
    }
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It began.
    Firing,
    /// It lasts.
    Repeated,
    /// It is over.
    Cleared,
    /// Figures that must be there are missing.
    NoData,
    /// They are back.
    DataBack,
}

impl Kind {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Repeated => "repeated",
            Self::Cleared => "cleared",
            Self::NoData => "no-data",
            Self::DataBack => "data-back",
        }
    }
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// Of which rule.
    pub rule: Rule,
    /// When.
    pub at: Time,
    /// Since when it was bad, or missing.
    pub since: Time,
    /// The value now, if there is one.
    pub value: Option<f64>,
    /// The worst value since then.
    pub worst: Option<f64>,
    /// Why, where it is not the value.
    pub note: &'static str,
}

/// One rule as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Time,
    /// The value.
    pub value: Measure,
}

/// All rules, with what they remember.
#[derive(Debug)]
pub struct Engine {
    watched: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    rule: Rule,
    window: Window,
    state: State,
    /// Since when it is in this state.
    since: Time,
    value: Measure,
    /// Since when it is bad without a break, or was when it fired.
    bad: Option<Time>,
    /// While firing: since when it is fine.
    fine: Option<Time>,
    worst: Option<f64>,
    told: Time,
    missing_told: bool,
    /// When it fired, within the last hour; the last few.
    fired: VecDeque<Time>,
}

impl Engine {
    /// One with these rules.
    pub fn new(rules: Vec<Rule>, now: Time) -> Self {
        Self { watched: rules.into_iter().map(|rule| Watched::new(rule, now)).collect() }
    }

    /// Takes other rules; those that stay (by name, signal and side) keep what they know. What fired and is gone is told.
    pub fn reload(&mut self, rules: Vec<Rule>, now: Time) -> Vec<Event> {
        let mut old: Vec<_> = self.watched.drain(..).map(Some).collect();
        let key = |r: &Rule| (r.name.clone(), r.signal.name.clone(), r.side);
        for rule in rules {
            let kept = old.iter_mut().find(|w| w.as_ref().is_some_and(|w| key(&w.rule) == key(&rule)));
            let watched = match kept.and_then(Option::take) {
                Some(watched) => Watched { rule, ..watched },
                None => Watched::new(rule, now),
            };
            self.watched.push(watched);
        }
        let gone = old.into_iter().flatten().filter(|w| w.state == State::Firing);
        gone.map(|mut w| w.event(Kind::Cleared, now, "the config has no such rule any more")).collect()
    }

    /// Looks at all rules; what there is to tell.
    pub fn tick(&mut self, samples: &Samples, repeat: Duration, now: Time) -> Vec<Event> {
        self.watched.iter_mut().filter_map(|w| w.tick(samples, repeat, now)).collect()
    }

    /// All rules as they are now.
    pub fn standings(&self) -> impl Iterator<Item = Standing<'_>> {
        self.watched.iter().map(|w| Standing { rule: &w.rule, state: w.state, since: w.since, value: w.value })
    }
}

impl Watched {
    fn new(rule: Rule, now: Time) -> Self {
        Self {
            rule,
            window: Window::default(),
            state: State::Ok,
            since: now,
            value: Measure::TooFew,
            bad: None,
            fine: None,
            worst: None,
            told: now,
            missing_told: false,
            fired: VecDeque::new(),
        }
    }

    fn tick(&mut self, samples: &Samples, repeat: Duration, now: Time) -> Option<Event> {
        let Rule { signal, side, hold, .. } = &self.rule;
        self.value = self.window.measure(&signal.formula, *side, *hold, samples, now);
        match self.value {
            Measure::Missing => self.missing(now),
            Measure::Value(value) if self.rule.is_bad(value) => self.bad(value, repeat, now),
            // Without requests nothing is wrong with them.
            Measure::Value(_) | Measure::TooFew => self.fine(now),
        }
    }

    fn missing(&mut self, now: Time) -> Option<Event> {
        self.fine = None;
        if self.state == State::Firing {
            return None;
        }
        self.bad = None;
        self.enter(State::NoData, now);
        let late = self.rule.required && !self.missing_told && now.since(self.since) >= MISSED;
        late.then(|| {
            self.missing_told = true;
            self.event(Kind::NoData, now, "")
        })
    }

    fn bad(&mut self, value: f64, repeat: Duration, now: Time) -> Option<Event> {
        self.fine = None;
        let since = *self.bad.get_or_insert(now);
        self.worst = Some(self.worst.map_or(value, |w| if self.rule.is_worse(value, w) { value } else { w }));
        if self.state == State::Firing {
            let due = now.since(self.told) >= repeat;
            return due.then(|| {
                self.told = now;
                self.event(Kind::Repeated, now, "")
            });
        }
        if now.since(since) < self.rule.hold {
            self.enter(State::Pending, now);
            return self.back(now);
        }
        self.enter(State::Firing, now);
        self.fired.push_back(now);
        if self.fired.len() > 16 {
            self.fired.pop_front();
        }
        (self.told, self.missing_told) = (now, false);
        Some(self.event(Kind::Firing, now, ""))
    }

    fn fine(&mut self, now: Time) -> Option<Event> {
        if self.state == State::Firing {
            let since = *self.fine.get_or_insert(now);
            if now.since(since) < self.calm(now) {
                return None;
            }
            self.enter(State::Ok, now);
            let event = self.event(Kind::Cleared, now, "");
            (self.bad, self.fine, self.worst) = (None, None, None);
            return Some(event);
        }
        (self.bad, self.worst) = (None, None);
        let back = self.back(now);
        self.enter(State::Ok, now);
        back
    }

    /// For how long it must be fine: as long as it had to be bad, within bounds, and twice as long for every time that
    /// it has fired before within the hour. So one that flaps is told ever more seldom.
    fn calm(&mut self, now: Time) -> Duration {
        self.fired.retain(|at| now.since(*at) < CALM_LIMIT);
        let again = self.fired.len().saturating_sub(1).min(10) as u32;
        let first = self.rule.hold.clamp(CALM_LEAST, CALM_MOST);
        first.saturating_mul(1 << again).min(CALM_LIMIT)
    }

    fn back(&mut self, now: Time) -> Option<Event> {
        std::mem::take(&mut self.missing_told).then(|| self.event(Kind::DataBack, now, ""))
    }

    fn enter(&mut self, state: State, now: Time) {
        if self.state != state {
            (self.state, self.since) = (state, now);
        }
    }

    fn event(&mut self, kind: Kind, now: Time, note: &'static str) -> Event {
        let value = match self.value {
            Measure::Value(value) => Some(value),
            Measure::TooFew | Measure::Missing => None,
        };
        let since = self.bad.unwrap_or(self.since);
        Event { kind, rule: self.rule.clone(), at: now, since, value, worst: self.worst, note }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
