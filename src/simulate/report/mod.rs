//! A written report of many runs: tables in Markdown, every run as CSV, a chart of each scenario.

pub mod chart;
mod table;
#[cfg(test)]
mod tests;

pub use table::{csv, headings, markdown, rows};

use super::scenario::Scenario;
use super::score::Score;
use chart::Span;
use std::fs;
use std::io;
use std::path::Path;

/// What the report and its folder of charts are called.
const NAME: &str = "flood";

/// How one filter did with each seed of a scenario.
#[derive(Clone, Debug)]
pub struct Runs {
    /// The filter's name.
    pub filter: String,
    /// A score for every seed.
    pub scores: Vec<Score>,
}

/// All filters in one scenario.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The scenario's name.
    pub scenario: &'static str,
    /// What a chart of it shows.
    pub span: Span,
    /// The filters; the first is the one that is judged, the others stand beside it.
    pub filters: Vec<Runs>,
}

impl Trial {
    /// A trial of `scenario`, any seed of it, without runs yet.
    pub fn new(scenario: &Scenario) -> Self {
        let last = scenario.events.last().map_or(0.0, |e| e.t);
        Self { scenario: scenario.name, span: Span::around(scenario.onset, scenario.end, last), filters: vec![] }
    }

    /// The runs of the filter that is judged.
    fn judged(&self) -> &[Score] {
        self.filters.first().map_or(&[], |runs| &runs.scores)
    }
}

/// The trials on one background.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its heading.
    pub title: String,
    /// What its charts' names begin with: lower-case letters, digits and dashes.
    pub slug: String,
    /// The trials, in the order of the table.
    pub trials: Vec<Trial>,
}

/// A whole report.
#[derive(Clone, Debug)]
pub struct Report {
    /// What one must know about the figures, an item each: the command, the date, the seeds.
    pub about: Vec<String>,
    /// Capacity of the origin, in requests a second.
    pub capacity: f64,
    /// The backgrounds.
    pub parts: Vec<Part>,
}

impl Report {
    /// Writes flood.md, flood.csv and a chart of each trial's first seed into `folder`, which is made if need be.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let charts = folder.join(NAME);
        fs::create_dir_all(&charts)?;
        for part in &self.parts {
            for trial in &part.trials {
                if let Some(score) = trial.judged().first() {
                    let svg = chart::svg(trial.scenario, score, trial.span, self.capacity);
                    fs::write(charts.join(chart_name(part, trial)), svg)?;
                }
            }
        }
        fs::write(folder.join(format!("{NAME}.csv")), csv(self))?;
        fs::write(folder.join(format!("{NAME}.md")), markdown(self))
    }
}

fn chart_name(part: &Part, trial: &Trial) -> String {
    format!("{}-{}.svg", part.slug, trial.scenario)
}
