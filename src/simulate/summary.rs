//! What a trial came to, as JSON and as the text for people are made from it.

use super::log::Format;
use super::order;
use super::series::fewer;
use super::tally::{MOST_CLIENTS, Tally, Why, place};
use super::trial::{Contender, Passing, Trial};
use crate::flood::state::{Change, FloodState};
use crate::verdict::{Fate, Policy};
use serde::Serialize;
use std::collections::HashMap;
use std::net::IpAddr;

/// The most points of a config's curves.
const POINTS: usize = 500;

/// What a trial came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The log.
    pub log: LogView,
    /// What came before it.
    pub history: Option<HistoryView>,
    /// Who passes a challenge: `as-logged`, `browsers-pass` or `off`.
    pub challenge: &'static str,
    /// What each config did.
    pub configs: Vec<ConfigView>,
    /// Where two configs differ.
    pub differences: Option<Differences>,
    /// What one should know about the figures.
    pub notes: Vec<String>,
}

/// Where the second config differs from the first.
#[derive(Clone, Debug, Serialize)]
pub struct Differences {
    /// Requests with another verdict.
    pub requests: u64,
    /// Requests that only the first passes on.
    pub only_first_forwards: u64,
    /// Requests that only the second passes on.
    pub only_second_forwards: u64,
    /// Clients of whom only the first turns something away.
    pub clients_only_first_refuses: usize,
    /// Clients of whom only the second turns something away.
    pub clients_only_second_refuses: usize,
}

/// A log.
#[derive(Clone, Debug, Serialize)]
pub struct LogView {
    /// Lines that are requests.
    pub requests: u64,
    /// Lines that could not be used.
    pub faults: u64,
    /// The first of them.
    pub first_faults: Vec<String>,
    /// Lines out of order by more than can be put right.
    pub late: u64,
    /// Formats.
    pub formats: Vec<&'static str>,
    /// When the first request came, in seconds since 1970.
    pub first: f64,
    /// When the last came.
    pub last: f64,
    /// Clients.
    pub clients: usize,
    /// Whether there were more than can be told apart.
    pub more_clients: bool,
}

/// A history.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryView {
    /// Lines that are requests.
    pub requests: u64,
    /// Lines that could not be used.
    pub faults: u64,
    /// Requests that did not come before the log, and were passed over.
    pub overlap: u64,
}

/// What a config did.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigView {
    /// Its file.
    pub config: String,
    /// The origin's capacity, in requests a second.
    pub capacity: f64,
    /// Requests by verdict.
    pub verdicts: Verdicts,
    /// Why requests ended as they did, the most frequent first.
    pub reasons: Vec<ReasonView>,
    /// What limits that only observe would have refused.
    pub observed: Vec<ObservedView>,
    /// Challenges given and passed.
    pub challenged: u64,
    /// See `challenged`.
    pub passed: u64,
    /// Steps of the ban ladder that were taken.
    pub bans: u64,
    /// Forwarded requests that waited for their turn at the origin.
    pub waited: u64,
    /// The longest wait, in seconds.
    pub longest_wait: f64,
    /// The busiest second before weir.
    pub peak_offered: PeakView,
    /// The busiest second at the origin.
    pub peak_forwarded: PeakView,
    /// Seconds in each state, from the first request to the last.
    pub state_seconds: States,
    /// Changes of state.
    pub changes: Vec<ChangeView>,
    /// Clients that were refused anything.
    pub refused_clients: usize,
    /// Those refused most.
    pub top: Vec<ClientView>,
    /// Over time.
    pub series: SeriesView,
}

/// Requests by verdict.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Verdicts {
    /// Passed on to the origin.
    pub forward: u64,
    /// Refused.
    pub refuse: u64,
    /// Challenged, and not passed.
    pub challenge: u64,
    /// Closed without a reply.
    pub close: u64,
}

impl Verdicts {
    /// All that were not passed on.
    pub fn turned_away(&self) -> u64 {
        self.refuse + self.challenge + self.close
    }
}

/// A reason.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonView {
    /// Its code.
    pub reason: &'static str,
    /// The limit, where it was one.
    pub limit: Option<String>,
    /// Requests.
    pub count: u64,
    /// Their share of all.
    pub share: f64,
    /// Clients it was said to; none for what was forwarded.
    pub clients: Option<usize>,
}

/// What an observing limit would have refused.
#[derive(Clone, Debug, Serialize)]
pub struct ObservedView {
    /// The limit.
    pub limit: String,
    /// Requests.
    pub count: u64,
}

/// A second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PeakView {
    /// Requests.
    pub count: u32,
    /// When, in seconds since 1970.
    pub at: f64,
}

/// Seconds in each state.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct States {
    /// Normal.
    pub normal: f64,
    /// Elevated.
    pub elevated: f64,
    /// Attack.
    pub attack: f64,
    /// Overload.
    pub overload: f64,
}

/// A change of state.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeView {
    /// When, in seconds since 1970.
    pub at: f64,
    /// From what.
    pub from: &'static str,
    /// To what.
    pub to: &'static str,
    /// Why: a code.
    pub cause: &'static str,
    /// Why: for people.
    pub text: &'static str,
    /// The figures of the moment.
    pub evidence: String,
}

/// A client that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct ClientView {
    /// Its address, or its name where it has none.
    pub client: String,
    /// Its requests.
    pub requests: u64,
    /// How many were refused.
    pub refused: u64,
    /// When the first of these came, in seconds since 1970.
    pub first: f64,
    /// When the last came.
    pub last: f64,
    /// Why, the most frequent first.
    pub reasons: Vec<ReasonView>,
}

/// Curves.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesView {
    /// When the first point begins, in seconds since 1970.
    pub start: u64,
    /// Seconds a point.
    pub width: u64,
    /// The points.
    pub points: Vec<PointView>,
}

/// Some seconds taken together.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PointView {
    /// Requests.
    pub offered: u64,
    /// Requests that reached the origin.
    pub forwarded: u64,
    /// The busiest second of it.
    pub most_offered: u32,
    /// The second of it in which most reached the origin.
    pub most_forwarded: u32,
    /// The gravest state.
    pub state: &'static str,
}

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
    let peak = |peak: super::series::Peak| PeakView { count: peak.count, at: peak.at };
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
    let point = |bin: super::series::Bin| PointView {
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
