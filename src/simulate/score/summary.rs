//! Several seeds of one scenario taken together.

use super::Score;
use super::goals::{Goal, Measure, Standing, goals};

/// A figure over several seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one (of an even number the worse of the two).
    pub median: f64,
    /// The worst one.
    pub worst: f64,
}

/// How far one goal is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The goal.
    pub goal: Goal,
    /// The figure.
    pub spread: Spread,
    /// How far the median reaches it.
    pub median: Standing,
    /// How far the worst reaches it.
    pub worst: Standing,
}

/// The spread of `measure` over `scores`; none of none.
pub fn spread(measure: Measure, scores: &[Score]) -> Option<Spread> {
    let mut values: Vec<f64> = scores.iter().map(|score| measure.of(score)).collect();
    values.sort_by(f64::total_cmp);
    if measure.wants_more() {
        values.reverse();
    }
    Some(Spread { median: *values.get(values.len() / 2)?, worst: *values.last()? })
}

/// How far the runs of `scenario` reach its goals.
pub fn judge(scenario: &str, scores: &[Score]) -> Vec<Judged> {
    let judged = |goal: Goal| {
        let spread = spread(goal.measure, scores)?;
        Some(Judged { goal, spread, median: goal.standing(spread.median), worst: goal.standing(spread.worst) })
    };
    goals(scenario).into_iter().filter_map(judged).collect()
}
