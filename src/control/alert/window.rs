//! What counters were, for as long back as a rule looks; and a signal's value now.

use super::pick::Pick;
use super::signal::Formula;
use crate::base::clock::Time;
use crate::config::settings::Side;
use crate::sink::metrics::Samples;
use std::collections::VecDeque;
use std::time::Duration;

/// How far back rates, shares and quantiles look.
pub const WINDOW: Duration = Duration::from_secs(60);
/// How far back shares and quantiles look at most, where fewer than [`ENOUGH`] came in [`WINDOW`].
pub const FURTHEST: Duration = Duration::from_secs(600);
/// From how many requests on a share or a quantile says something.
pub const ENOUGH: f64 = 100.0;
/// A rate says something once it looks back so far.
const SHORTEST: Duration = Duration::from_secs(10);
/// Between two entries.
const STEP: Duration = Duration::from_secs(1);

/// A signal's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// This much.
    Value(f64),
    /// Too little was counted to say, or it is for another task to say.
    TooFew,
    /// The metric is not there, or is no number.
    Missing,
}

/// What a rule remembers of its signal.
#[derive(Debug, Default)]
pub struct Window {
    /// When, and what the counters were; the oldest first, at most one a second.
    entries: VecDeque<(Time, Vec<f64>)>,
}

impl Window {
    /// Takes in what `samples` say, and gives the value of `formula`. Shares look back at most for `reach`, where they
    /// need to.
    pub fn measure(&mut self, formula: &Formula, side: Side, reach: Duration, samples: &Samples, now: Time) -> Measure {
        let value = match formula {
            Formula::Worst(of) => {
                worst(of.iter().flat_map(|(pick, weight)| pick.values(samples).map(move |v| v * weight)), side)
            }
            Formula::While(by, _) if by.sum(samples).is_some_and(|v| v != 1.0) => return Measure::TooFew,
            Formula::While(_, of) => worst(of.values(samples), side),
            Formula::Ratio(a, b) => a.sum(samples).zip(b.sum(samples)).map(|(a, b)| a / b),
            Formula::Zeros(pick) => zeros(pick, samples),
            Formula::Share { .. } | Formula::Rate(_) | Formula::Quantile(..) => {
                return self.look_back(formula, reach, samples, now);
            }
        };
        value.filter(|v| v.is_finite()).map_or(Measure::Missing, Measure::Value)
    }

    fn look_back(&mut self, formula: &Formula, reach: Duration, samples: &Samples, now: Time) -> Measure {
        let Some((counts, there)) = counts(formula, samples) else { return Measure::Missing };
        let furthest = if formula.needs_many() { reach.clamp(WINDOW, FURTHEST) } else { WINDOW };
        self.add(counts, furthest, now);
        if !there {
            return Measure::Missing;
        }
        let enough = |grown: &[f64]| match formula {
            Formula::Share { .. } => grown[1] >= ENOUGH,
            Formula::Quantile(..) => grown.iter().sum::<f64>() >= ENOUGH,
            _ => true,
        };
        let Some((over, grown)) = self.grown(now, enough) else { return Measure::TooFew };
        let value = match formula {
            Formula::Share { .. } if enough(&grown) => Some(grown[0] / grown[1]),
            Formula::Rate(_) if over >= SHORTEST => Some(grown[0] / over.as_secs_f64()),
            Formula::Quantile(pick, q) if enough(&grown) => quantile(pick, *q, &grown, samples),
            _ => return Measure::TooFew,
        };
        value.filter(|v| v.is_finite()).map_or(Measure::Missing, Measure::Value)
    }

    fn add(&mut self, counts: Vec<f64>, furthest: Duration, now: Time) {
        // Counters that shrank, or are other ones, began anew.
        let began = |last: &Vec<f64>| last.len() != counts.len() || last.iter().zip(&counts).any(|(l, c)| c < l);
        if self.entries.back().is_some_and(|(_, last)| began(last)) {
            self.entries.clear();
        }
        if self.entries.len() > 1 && now.since(self.entries[self.entries.len() - 2].0) < STEP {
            self.entries.pop_back();
        }
        self.entries.push_back((now, counts));
        // The oldest that stays is the last one to be as old as the furthest look.
        while self.entries.get(1).is_some_and(|(at, _)| now.since(*at) >= furthest) {
            self.entries.pop_front();
        }
    }

    /// Over what time the counters grew by how much: the window, or further back until it is enough.
    fn grown(&self, now: Time, enough: impl Fn(&[f64]) -> bool) -> Option<(Duration, Vec<f64>)> {
        let (_, last) = self.entries.back()?;
        let since = |(at, then): &(Time, Vec<f64>)| {
            let grown: Vec<f64> = last.iter().zip(then).map(|(l, t)| l - t).collect();
            (now.since(*at), grown)
        };
        let young = self.entries.partition_point(|(at, _)| now.since(*at) >= WINDOW);
        let base = young.saturating_sub(1);
        let found = (0..=base).rev().map(|at| since(&self.entries[at])).find(|(_, grown)| enough(grown));
        found.or_else(|| self.entries.front().map(since))
    }
}

/// The counters that a formula compares, and whether those that must be there are.
fn counts(formula: &Formula, samples: &Samples) -> Option<(Vec<f64>, bool)> {
    let sum = |picks: &[Pick]| picks.iter().filter_map(|pick| pick.sum(samples)).reduce(|a, b| a + b);
    match formula {
        Formula::Share { part, whole } => {
            let whole = sum(whole);
            Some((vec![sum(part).unwrap_or(0.0), whole.unwrap_or(0.0)], whole.is_some()))
        }
        Formula::Rate(picks) => {
            let sum = sum(picks);
            Some((vec![sum.unwrap_or(0.0)], sum.is_some()))
        }
        Formula::Quantile(pick, _) => {
            let counts = &samples.histogram(pick.metric)?.counts;
            Some((counts.iter().map(|n| *n as f64).collect(), !counts.is_empty()))
        }
        Formula::Worst(_) | Formula::While(..) | Formula::Ratio(..) | Formula::Zeros(_) => None,
    }
}

fn worst(values: impl Iterator<Item = f64>, side: Side) -> Option<f64> {
    values.filter(|v| v.is_finite()).reduce(match side {
        Side::Above => f64::max,
        Side::Below => f64::min,
    })
}

fn zeros(pick: &Pick, samples: &Samples) -> Option<f64> {
    let (mut all, mut zeros) = (0, 0.0);
    for value in pick.values(samples) {
        all += 1;
        zeros += f64::from(u8::from(value == 0.0));
    }
    (all > 0).then_some(zeros)
}

/// By linear interpolation within a bucket, as Prometheus does it; what lies beyond all bounds counts as the last one.
fn quantile(pick: &Pick, q: f64, counts: &[f64], samples: &Samples) -> Option<f64> {
    let bounds = &samples.histogram(pick.metric)?.bounds;
    let wanted = counts.iter().sum::<f64>() * q;
    let (mut seen, mut lower) = (0.0, 0.0);
    for (count, upper) in counts.iter().zip(bounds) {
        if seen + count >= wanted && *count > 0.0 {
            return Some(lower + (upper - lower) * (wanted - seen) / count);
        }
        (seen, lower) = (seen + count, *upper);
    }
    bounds.last().copied()
}
