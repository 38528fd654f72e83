//! Summaries made of what was counted.

use super::*;
use crate::flood::state::{Change, FloodState};
use crate::simulate::log::Format;
use crate::simulate::order;
use crate::simulate::series::fewer;
use crate::simulate::tally::{MOST_CLIENTS, Tally, Why, place};
use crate::simulate::trial::{Contender, Passing, Trial};
use crate::verdict::{Fate, Policy};
use std::collections::HashMap;
use std::net::IpAddr;

/// The most points of a config's curves.
const POINTS: usize = 500;

impl Summary {
    /// What `trial` came to, with so many clients each.
    pub fn new(trial: &Trial, contenders: &[Contender], top: usize) -> Self {
        let (first, last) = trial.span();
        let (faults, first_faults) = trial.log().faults();
        let (clients, more_clients) = trial.clients().count();
        let log = LogView {
            requests: trial.log().lines(),
            faults,
            first_faults: first_faults
                .iter()
                .map(|f| format!("{}, line {}: {}", f.file, f.fault.line, f.fault.message))
                .collect(),
            late: trial.late(),
            formats: trial.log().formats().iter().map(|format| name(*format)).collect(),
            first,
            last,
            clients,
            more_clients,
        };
        let history = trial.history().map(|history| HistoryView {
            requests: history.lines(),
            faults: history.faults().0,
            overlap: trial.overlap(),
        });
        let configs: Vec<ConfigView> = contenders.iter().map(|c| config(c, trial, top)).collect();
        let differences = match contenders {
            [first, second, ..] => Some(differences(trial, &first.tally, &second.tally)),
            _ => None,
        };
        let notes = notes(trial, &log, history.as_ref(), contenders);
        Self { log, history, challenge: trial.passing().word(), configs, differences, notes }
    }
}

fn differences(trial: &Trial, first: &Tally, second: &Tally) -> Differences {
    let pairs = trial.pairs();
    let forward = place(Fate::Forward);
    let others = || (0..pairs.len()).filter(|at| *at != forward);
    let equal: u64 = (0..pairs.len()).map(|at| pairs[at][at]).sum();
    let only = |a: &Tally, b: &Tally| a.refused.keys().filter(|client| !b.refused.contains_key(client)).count();
    Differences {
        requests: pairs.iter().flatten().sum::<u64>() - equal,
        only_first_forwards: others().map(|at| pairs[forward][at]).sum(),
        only_second_forwards: others().map(|at| pairs[at][forward]).sum(),
        clients_only_first_refuses: only(first, second),
        clients_only_second_refuses: only(second, first),
    }
}

const fn name(format: Format) -> &'static str {
    match format {
        Format::Combined => "combined",
        Format::Alb => "alb",
        Format::Json => "json",
        Format::Tsv => "tsv",
    }
}

fn config(contender: &Contender, trial: &Trial, top: usize) -> ConfigView {
    let Contender { name, engine, tally } = contender;
    let policy = engine.policy();
    let [forward, refuse, challenge, close] = tally.fates;
    let [normal, elevated, attack, overload] = tally.seconds;
    let peak = |peak: crate::simulate::series::Peak| PeakView { count: peak.count, at: peak.at };
    ConfigView {
        config: name.clone(),
        capacity: policy.capacity_per_second,
        verdicts: Verdicts { forward, refuse, challenge, close },
        reasons: reasons(tally, policy),
        observed: observed(tally, policy),
        challenged: tally.challenges.asked,
        passed: tally.challenges.passed,
        bans: tally.bans,
        waited: tally.waited.0,
        longest_wait: tally.waited.1,
        peak_offered: peak(tally.series.most_offered()),
        peak_forwarded: peak(tally.series.most_forwarded()),
        state_seconds: States { normal, elevated, attack, overload },
        changes: tally.changes.iter().map(change).collect(),
        refused_clients: tally.refused.len(),
        top: most_refused(tally, policy, trial, top),
        series: series(tally),
    }
}

fn reasons(tally: &Tally, policy: &Policy) -> Vec<ReasonView> {
    let mut clients: HashMap<Why, usize> = HashMap::new();
    for (why, _) in tally.refused.values().flat_map(|refused| &refused.by) {
        *clients.entry(*why).or_default() += 1;
    }
    let all = tally.requests();
    let counts = tally.by.iter().map(|(why, count)| (*why, *count)).collect();
    by_count(counts, policy, all, |why| clients.get(&why).copied())
}

/// Reasons, the most frequent first.
fn by_count(
    mut counts: Vec<(Why, u64)>,
    policy: &Policy,
    all: u64,
    clients: impl Fn(Why) -> Option<usize>,
) -> Vec<ReasonView> {
    counts.sort_by_key(|((reason, limit), count)| (u64::MAX - count, *reason as u8, *limit));
    let view = |(why, count): (Why, u64)| ReasonView {
        reason: why.0.code(),
        limit: why.1.map(|at| policy.limits[usize::from(at)].name.to_string()),
        count,
        share: count as f64 / all.max(1) as f64,
        clients: clients(why),
    };
    counts.into_iter().map(view).collect()
}

fn observed(tally: &Tally, policy: &Policy) -> Vec<ObservedView> {
    let count = |index: usize| tally.observed.get(&(index as u32)).copied();
    let view = |limit: &crate::verdict::policy::CompiledLimit| {
        Some(ObservedView { limit: limit.name.to_string(), count: count(limit.index)? })
    };
    policy.limits.iter().filter_map(view).collect()
}

fn most_refused(tally: &Tally, policy: &Policy, trial: &Trial, top: usize) -> Vec<ClientView> {
    let mut clients: Vec<(&IpAddr, u64)> = tally.refused.iter().map(|(client, r)| (client, r.count())).collect();
    // A whole order, so that the same log gives the same report.
    let order = |(client, count): &(&IpAddr, u64)| (u64::MAX - count, **client);
    if clients.len() > top {
        clients.select_nth_unstable_by_key(top, order);
        clients.truncate(top);
    }
    clients.sort_by_key(order);
    let view = |(client, refused): (&IpAddr, u64)| {
        let of_client = &tally.refused[client];
        let seen = trial.clients().get(client);
        ClientView {
            client: seen.and_then(|c| c.name.as_deref()).map_or_else(|| client.to_string(), str::to_owned),
            requests: seen.map_or(refused, |c| c.requests),
            refused,
            first: of_client.first,
            last: of_client.last,
            reasons: by_count(of_client.by.clone(), policy, refused, |_| None),
        }
    };
    clients.into_iter().map(view).collect()
}

fn change(change: &Change) -> ChangeView {
    ChangeView {
        at: change.at.nanos() as f64 / 1e9,
        from: change.from.name(),
        to: change.to.name(),
        cause: change.cause.code(),
        text: change.cause.text(),
        evidence: change.evidence.to_string(),
    }
}

fn series(tally: &Tally) -> SeriesView {
    let bins = tally.series.bins();
    let points = fewer(bins, POINTS);
    let each = bins.len().div_ceil(POINTS).max(1) as u64;
    let point = |bin: crate::simulate::series::Bin| PointView {
        offered: bin.offered,
        forwarded: bin.forwarded,
        most_offered: bin.most_offered,
        most_forwarded: bin.most_forwarded,
        state: FloodState::name(bin.state),
    };
    SeriesView {
        start: tally.series.start(),
        width: tally.series.width() * each,
        points: points.into_iter().map(point).collect(),
    }
}

/// What one should know about the figures.
fn notes(trial: &Trial, log: &LogView, history: Option<&HistoryView>, contenders: &[Contender]) -> Vec<String> {
    let mut notes = vec![];
    match trial.passing() {
        Passing::NobodyAsked => notes.push(
            "the log does not say who would pass a challenge, so nobody was challenged: add a column \"challenge\" \
             (1: passes, 0: does not), or give --assume-browsers-pass"
                .to_owned(),
        ),
        Passing::Browsers => {
            notes.push("every client that calls itself a browser was taken to pass a challenge".to_owned());
        }
        Passing::AsLogged => {}
    }
    if history.is_none() {
        notes.push("nobody was known when the log began: give the traffic of the days before as --history".to_owned());
    }
    if let Some(history) = history.filter(|h| h.overlap > 0) {
        notes.push(format!(
            "{} requests of the history came after the log's first one and were passed over",
            history.overlap
        ));
    }
    if log.late > 0 {
        notes.push(format!(
            "{} lines were out of order by more than {} s or {} lines, and were taken at the time of those before: sort the log",
            log.late,
            order::SECONDS,
            order::LINES
        ));
    }
    if log.more_clients {
        notes.push(format!("there were more than {MOST_CLIENTS} clients: counts of clients leave the others out"));
    }
    let headers = |c: &&Contender| !c.engine.policy().header_keys.is_empty();
    if let Some(contender) = contenders.iter().find(headers) {
        let names = contender.engine.policy().header_keys.join(", ");
        notes.push(format!("{}: no log has the headers {names}: limits by them counted by client", contender.name));
    }
    notes.push(
        "a log says nothing of bodies, connections and malformed requests; the origin was taken to answer every \
         request within 50 ms and as the log says"
            .to_owned(),
    );
    notes
}
