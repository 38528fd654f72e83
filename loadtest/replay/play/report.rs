//! What a replay saw, counted by rule and by label.

mod text;

use super::outcome::Outcome;
use super::plan::{Pace, Plan, label};
use super::{Options, address};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use weir::simulate::log::{Faults, Line};

/// Labels of people's requests.
pub(crate) const PEOPLE: [&str; 4] = ["browser_like", "human", "human_era", "unannotated_human"];
/// The label of password guessing.
pub(crate) const GUESSING: &str = "bruteforce";
/// The most of people's requests that may be refused, in percent.
pub(crate) const PEOPLE_TARGET: f64 = 0.01;
/// How many of the clients refused most are named.
const TOP_CLIENTS: usize = 10;

/// What one worker, or all of them, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    labels: BTreeMap<String, Verdicts>,
    rules: BTreeMap<(String, String), u64>,
    statuses: BTreeMap<u16, u64>,
    failures: BTreeMap<&'static str, u64>,
    refused_clients: HashMap<String, u64>,
    /// Microseconds of every answer.
    latency: Vec<u32>,
    /// Microseconds by which requests began after their time.
    late: Vec<u32>,
    pub(crate) warnings: Vec<String>,
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Verdicts {
    pub(crate) total: u64,
    pub(crate) forwarded: u64,
    pub(crate) refused: u64,
    /// Closed without a reply.
    pub(crate) closed: u64,
    /// Neither forwarded nor refused: timeouts, broken answers, lines that are no HTTP.
    pub(crate) failed: u64,
}

impl Verdicts {
    fn add(&mut self, other: Self) {
        self.total += other.total;
        self.forwarded += other.forwarded;
        self.refused += other.refused;
        self.closed += other.closed;
        self.failed += other.failed;
    }

    /// The share of those answered that were refused or closed, in percent.
    pub(crate) fn refused_percent(self) -> f64 {
        100.0 * (self.refused + self.closed) as f64 / (self.total - self.failed).max(1) as f64
    }

    /// Whether enough were answered for the share to mean something.
    fn is_telling(self) -> bool {
        self.total > 0 && self.failed * 100 <= self.total
    }
}

impl Tally {
    /// Counts one request.
    pub(crate) fn count(&mut self, line: &Line, outcome: Outcome, took: Duration, late: Duration) {
        let verdicts = self.labels.entry(label(line).to_owned()).or_default();
        verdicts.total += 1;
        let refused = matches!(outcome, Outcome::Refused { .. } | Outcome::Closed);
        let mut answered = true;
        match outcome {
            Outcome::Forwarded { status } => {
                verdicts.forwarded += 1;
                *self.statuses.entry(status).or_default() += 1;
            }
            Outcome::Refused { status, rule, reason } => {
                verdicts.refused += 1;
                *self.rules.entry((rule, reason)).or_default() += 1;
                *self.statuses.entry(status).or_default() += 1;
            }
            Outcome::Closed => {
                verdicts.closed += 1;
                *self.rules.entry(("-".to_owned(), "close".to_owned())).or_default() += 1;
            }
            Outcome::Failed(why) | Outcome::Unsendable(why) => {
                verdicts.failed += 1;
                *self.failures.entry(why).or_default() += 1;
                answered = false;
            }
        }
        if refused {
            *self.refused_clients.entry(line.client.clone()).or_default() += 1;
        }
        if answered {
            self.latency.push(micros(took));
        }
        self.late.push(micros(late));
    }

    /// Takes over what another worker counted.
    pub(crate) fn add(&mut self, other: Self) {
        for (label, verdicts) in other.labels {
            self.labels.entry(label).or_default().add(verdicts);
        }
        merge(&mut self.rules, other.rules);
        merge(&mut self.statuses, other.statuses);
        merge(&mut self.failures, other.failures);
        for (client, count) in other.refused_clients {
            *self.refused_clients.entry(client).or_default() += count;
        }
        self.latency.extend(other.latency);
        self.late.extend(other.late);
        self.warnings.extend(other.warnings);
    }
}

fn merge<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Percentiles {
    fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let at = |percent: usize| {
            // The nearest rank: the smallest value that `percent` of all don't exceed.
            let rank = (micros.len() * percent).div_ceil(100).max(1) - 1;
            micros.get(rank).map_or(0.0, |&us| f64::from(us) / 1_000.0)
        };
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

/// Requests refused by one rule for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusals {
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) count: u64,
}

/// A client and how often it was refused.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RefusedClient {
    pub(crate) client: String,
    pub(crate) count: u64,
}

/// What was read and what of it was played.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Input {
    pub(crate) lines: u64,
    pub(crate) faulty_lines: u64,
    /// The first of them.
    pub(crate) faults: Vec<String>,
    pub(crate) clients: u64,
    pub(crate) sessions: u64,
    /// Sessions under a synthetic address because folding brought them beside another of the same client.
    pub(crate) moved_sessions: u64,
    /// Lines left out for `--max-session`, by label.
    pub(crate) cut: BTreeMap<String, u64>,
    /// Lines not reached, after Ctrl-C.
    pub(crate) not_sent: u64,
}

/// The report; its text is its `Display`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) input: Input,
    pub(crate) all: Verdicts,
    pub(crate) refused_by: Vec<Refusals>,
    pub(crate) labels: BTreeMap<String, Verdicts>,
    pub(crate) people: Verdicts,
    pub(crate) people_refused_percent: f64,
    pub(crate) guessing: Verdicts,
    pub(crate) guessing_refused_percent: f64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) failures: BTreeMap<&'static str, u64>,
    pub(crate) refused_clients: Vec<RefusedClient>,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    pub(crate) latency_ms: Percentiles,
    pub(crate) late_ms: Percentiles,
    pub(crate) warnings: Vec<String>,
    /// Whether clients were as fast as in the log, so that refusals mean something.
    pub(crate) true_to_time: bool,
}

impl Report {
    pub(crate) fn new(plan: &Plan, faults: &Faults, tally: Tally, took: Duration, options: &Options) -> Self {
        let sum = |wanted: &dyn Fn(&str) -> bool| {
            let mut sum = Verdicts::default();
            tally.labels.iter().filter(|(label, _)| wanted(label)).for_each(|(_, verdicts)| sum.add(*verdicts));
            sum
        };
        let all = sum(&|_| true);
        let people = sum(&|label| PEOPLE.contains(&label));
        let guessing = sum(&|label| label == GUESSING);
        let seconds = took.as_secs_f64();
        let late_ms = Percentiles::of(tally.late);
        let mut warnings = tally.warnings;
        warnings.extend(cautions(options.plan.pace, late_ms));
        if !all.is_telling() {
            warnings.push(format!("{} of {} requests failed: the shares say little", all.failed, all.total));
        }
        let mut refused_by: Vec<Refusals> =
            tally.rules.into_iter().map(|((rule, reason), count)| Refusals { rule, reason, count }).collect();
        refused_by.sort_by_key(|refusals| std::cmp::Reverse(refusals.count));
        Self {
            input: input(plan, faults, all.total),
            all,
            refused_by,
            people,
            people_refused_percent: people.refused_percent(),
            guessing,
            guessing_refused_percent: guessing.refused_percent(),
            labels: tally.labels,
            statuses: tally.statuses,
            failures: tally.failures,
            refused_clients: top(tally.refused_clients, options.hash_clients),
            seconds,
            per_second: all.total as f64 / seconds.max(f64::EPSILON),
            latency_ms: Percentiles::of(tally.latency),
            late_ms,
            warnings,
            true_to_time: options.plan.pace == Pace::Times(1.0),
        }
    }

    /// Whether so few of people's requests were refused as is wanted; `None` where the log has none, they were hurried, or
    /// more than 1 % of their requests failed.
    pub(crate) fn people_met(&self) -> Option<bool> {
        (self.people.is_telling() && self.true_to_time).then_some(self.people_refused_percent <= PEOPLE_TARGET)
    }
}

fn input(plan: &Plan, faults: &Faults, sent: u64) -> Input {
    Input {
        lines: plan.lines.len() as u64,
        faulty_lines: faults.count,
        faults: faults.first.iter().map(|fault| format!("line {}: {}", fault.line, fault.message)).collect(),
        clients: plan.clients as u64,
        sessions: plan.sessions as u64,
        moved_sessions: plan.moved_sessions as u64,
        cut: plan.cut.clone(),
        not_sent: plan.shots.len() as u64 - sent.min(plan.shots.len() as u64),
    }
}

/// What makes these figures say less than they seem to.
fn cautions(pace: Pace, late: Percentiles) -> Vec<String> {
    let mut cautions = Vec::new();
    match pace {
        Pace::Max => cautions.push(
            "speed max: throughput only; every client is faster than it was, so refusals mean nothing".to_owned(),
        ),
        Pace::Times(times) if times != 1.0 => cautions.push(format!(
            "speed x{times}: gaps inside sessions shrink too; limits saw {times} times each client's rate"
        )),
        Pace::Times(_) => {}
    }
    if late.p99 > 1_000.0 {
        cautions
            .push(format!("1 % of requests began over {:.0} ms late: add --connections or a longer --fold", late.p99));
    }
    cautions
}

fn top(clients: HashMap<String, u64>, hashed: bool) -> Vec<RefusedClient> {
    let mut all: Vec<(String, u64)> = clients.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(TOP_CLIENTS);
    let name = |client: String| if hashed { address::pseudonym(&client) } else { client };
    all.into_iter().map(|(client, count)| RefusedClient { client: name(client), count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let of = Percentiles::of((1..=100).rev().map(|n| n * 1_000).collect());
        assert_eq!((of.p50, of.p90, of.p99, of.max), (50.0, 90.0, 99.0, 100.0));
        assert_eq!(Percentiles::of(Vec::new()).max, 0.0);
    }

    #[test]
    fn a_closed_connection_counts_as_refused_and_a_failure_as_nothing() {
        let verdicts = Verdicts { total: 9, forwarded: 6, refused: 1, closed: 1, failed: 1 };
        assert_eq!(verdicts.refused_percent(), 25.0);
        assert!(!verdicts.is_telling());
        assert!(Verdicts { total: 100, failed: 1, ..verdicts }.is_telling());
    }
}
