//! The tables of a report.

use super::{NAME, Part, Report, Trial, chart_name};
use crate::simulate::scenario;
use crate::simulate::score::Score;
use crate::simulate::score::goals::{Measure, Standing};
use crate::simulate::score::summary::{Judged, judge, spread};
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

/// What was to be reached, and what was.
fn goals(part: &Part, out: &mut String) {
    let judged: Vec<(&Trial, Judged)> = part
        .trials
        .iter()
        .flat_map(|trial| judge(trial.scenario, trial.judged()).into_iter().map(move |j| (trial, j)))
        .collect();
    let missed = judged.iter().filter(|(_, j)| j.worst == Standing::Missed).count();
    line(out, &format!("Goals: {}, of which missed with any seed: {missed}.\n", judged.len()));
    line(out, "| scenario | figure | reached | must | stretch | |\n|---|---|---|---|---|---|");
    for (trial, j) in &judged {
        let limit = if j.goal.measure.wants_more() { "≥" } else { "≤" };
        let reached = format!("{} / {}", figure(j.spread.median), figure(j.spread.worst));
        let (must, stretch) = (figure(j.goal.must), figure(j.goal.stretch));
        let (scenario, name) = (trial.scenario, j.goal.measure.name());
        line(out, &format!("| {scenario} | {name} | {reached} | {limit} {must} | {limit} {stretch} | {} |", word(j)));
    }
    out.push('\n');
}

fn word(judged: &Judged) -> &'static str {
    match (judged.median, judged.worst) {
        (_, Standing::Stretch) => "stretch met",
        (_, Standing::Met) => "met",
        (Standing::Missed, _) => "**missed**",
        (_, Standing::Missed) => "**missed** by the worst seed",
    }
}

/// Every filter in every scenario.
fn filters(part: &Part, out: &mut String) {
    let names: Vec<&str> = SHOWN.iter().map(|measure| measure.name()).collect();
    line(out, &format!("| scenario | filter | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(SHOWN.len())));
    for trial in &part.trials {
        for runs in &trial.filters {
            let cells: Vec<String> = SHOWN.iter().map(|measure| cell(*measure, &runs.scores)).collect();
            line(out, &format!("| {} | {} | {} |", trial.scenario, runs.filter, cells.join(" | ")));
        }
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
    match spread(measure, scores) {
        None => String::new(),
        Some(spread) if spread.median == spread.worst => figure(spread.median),
        Some(spread) => format!("{} / {}", figure(spread.median), figure(spread.worst)),
    }
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
