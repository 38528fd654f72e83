//! The tables of a report.

use super::{NAME, Part, Report, Runs, Trial, chart_name};
use crate::simulate::scenario;
use crate::simulate::score::Score;
use crate::simulate::score::goals::{EVERYWHERE, Measure, Standing};
use crate::simulate::score::summary::{Judged, Spread, judge, spread};
use std::fmt::Write;

/// What is shown of every filter.
const SHOWN: [Measure; 7] =
    [Measure::Detect, Measure::Leak, Measure::Known, Measure::All, Measure::Whole, Measure::Peak, Measure::After];
/// What is written of every run.
const ALL: [Measure; 11] = [
    Measure::Detect,
    Measure::Leak,
    Measure::Excess,
    Measure::Known,
    Measure::All,
    Measure::Whole,
    Measure::Peak,
    Measure::After,
    Measure::Recovery,
    Measure::FalseAttacks,
    Measure::Alarms,
];

/// The report as Markdown.
pub fn markdown(report: &Report) -> String {
    let mut out = String::from("# Floods and crowds, in virtual time\n\n");
    for item in &report.about {
        line(&mut out, &format!("- {item}"));
    }
    line(&mut out, &format!("- The origin bears {} requests a second.", report.capacity));
    line(&mut out, "- Figures are the median over the seeds, and behind a slash the worst of them.");
    line(&mut out, &format!("- Every single run is in [{NAME}.csv]({NAME}.csv)."));
    for part in &report.parts {
        line(&mut out, &format!("\n## {}\n", part.title));
        goals(part, &mut out);
        filters(part, &mut out);
        charts(part, &mut out);
    }
    out
}

/// Every run as comma-separated values.
pub fn csv(report: &Report) -> String {
    let mut out = String::from("background,scenario,filter,run");
    ALL.iter().for_each(|measure| out.push_str(&format!(",{}", measure.name())));
    out.push('\n');
    for part in &report.parts {
        for trial in &part.trials {
            for runs in &trial.filters {
                for (run, score) in runs.scores.iter().enumerate() {
                    let figures: Vec<String> = ALL.iter().map(|m| csv_figure(*m, score)).collect();
                    let (scenario, filter) = (trial.scenario, runs.filter.replace(',', " "));
                    line(&mut out, &format!("{},{scenario},{filter},{run},{}", part.slug, figures.join(",")));
                }
            }
        }
    }
    out
}

/// What was to be reached, and what was. The goals of every scenario are rows of their own only where they are missed.
fn goals(part: &Part, out: &mut String) {
    let of = |trial| judged(trial).into_iter().map(move |j| (trial.scenario, j));
    let all: Vec<(&str, Judged)> = part.trials.iter().flat_map(of).collect();
    let missed = |j: &Judged| j.worst == Standing::Missed;
    let count = all.iter().filter(|(_, j)| missed(j)).count();
    line(out, &format!("Goals: {}, of which missed with any seed: {count}.\n", all.len()));
    line(out, "| scenario | figure | reached | must | stretch | |\n|---|---|---|---|---|---|");
    for (scenario, j) in all.iter().filter(|(_, j)| missed(j) || !EVERYWHERE.contains(&j.goal.measure)) {
        goal(scenario, j, out);
    }
    for measure in EVERYWHERE {
        let of_it = all.iter().filter(|(_, j)| j.goal.measure == measure);
        if let Some((scenario, j)) = of_it.max_by(|(_, a), (_, b)| a.spread.worst.total_cmp(&b.spread.worst)) {
            goal(&format!("everywhere; worst: {scenario}"), j, out);
        }
    }
    out.push('\n');
}

fn judged(trial: &Trial) -> Vec<Judged> {
    judge(trial.scenario, trial.judged())
}

fn goal(scenario: &str, j: &Judged, out: &mut String) {
    let limit = if j.goal.measure.wants_more() { "≥" } else { "≤" };
    let reached = both(j.spread);
    let (must, stretch, name) = (figure(j.goal.must), figure(j.goal.stretch), j.goal.measure.name());
    line(out, &format!("| {scenario} | {name} | {reached} | {limit} {must} | {limit} {stretch} | {} |", word(j)));
}

fn word(judged: &Judged) -> &'static str {
    match (judged.median, judged.worst) {
        (_, Standing::Stretch) => "stretch met",
        (_, Standing::Met) => "met",
        (Standing::Missed, _) => "**missed**",
        (_, Standing::Missed) => "**missed** by the worst seed",
    }
}

/// The headings of [`rows`].
pub fn headings() -> Vec<&'static str> {
    ["scenario", "filter"].into_iter().chain(SHOWN.map(Measure::name)).collect()
}

/// Every filter of a trial, a row each.
pub fn rows(trial: &Trial) -> Vec<Vec<String>> {
    let row = |runs: &Runs| {
        let names = [trial.scenario.to_owned(), runs.filter.clone()];
        names.into_iter().chain(SHOWN.map(|measure| cell(measure, &runs.scores))).collect()
    };
    trial.filters.iter().map(row).collect()
}

/// Every filter in every scenario.
fn filters(part: &Part, out: &mut String) {
    let headings = headings();
    line(out, &format!("| {} |\n|{}", headings.join(" | "), "---|".repeat(headings.len())));
    for row in part.trials.iter().flat_map(rows) {
        line(out, &format!("| {} |", row.join(" | ")));
    }
    out.push('\n');
}

fn charts(part: &Part, out: &mut String) {
    for trial in part.trials.iter().filter(|trial| !trial.judged().is_empty()) {
        let name = trial.scenario;
        let text = scenario::names().iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
        line(out, &format!("![{name}: {text}]({NAME}/{})\n", chart_name(part, trial)));
    }
}

fn cell(measure: Measure, scores: &[Score]) -> String {
    spread(measure, scores).map(both).unwrap_or_default()
}

/// The median and, where it reads otherwise, the worst.
fn both(spread: Spread) -> String {
    let (median, worst) = (figure(spread.median), figure(spread.worst));
    if median == worst { median } else { format!("{median} / {worst}") }
}

/// A figure to read: never more digits than say something.
pub(super) fn figure(value: f64) -> String {
    let digits = match value.abs() {
        x if x.is_infinite() => return "never".into(),
        x if x == x.trunc() => 0,
        x if x < 0.1 => 4,
        x if x < 10.0 => 2,
        _ => 1,
    };
    format!("{value:.digits$}")
}

fn csv_figure(measure: Measure, score: &Score) -> String {
    let value = measure.of(score);
    if value.is_finite() { value.to_string() } else { String::new() }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(out, "{text}");
}
