//! What the counts mean: when the incident was, what leaked, who was hurt.

use super::gather::{Counts, Gather};
use super::minutes::Minute;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;

/// From so many refusals on, a client that was mostly refused is taken for an offender.
const OFFENDER: u64 = 10;

/// A count made from a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Lines that it rests on.
    pub lines: u64,
    /// What they stand for.
    pub about: f64,
    /// By how much of it that may be off: with 19 of 20 such counts it is not.
    pub off: f64,
}

impl Estimate {
    /// `lines` of which each stands for `1 / share`.
    pub fn new(lines: u64, share: f64) -> Self {
        if lines == 0 || share <= 0.0 {
            return Self { lines, ..Self::default() };
        }
        let off = if share >= 1.0 { 0.0 } else { 1.96 * ((1.0 - share) / lines as f64).sqrt() };
        Self { lines, about: lines as f64 / share, off }
    }
}

/// A part of the span: before, during or after the incident.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Which.
    pub name: &'static str,
    /// Milliseconds since 1970.
    pub from: u64,
    /// Milliseconds since 1970.
    pub to: u64,
    /// What happened in it.
    pub sum: Minute,
}

impl Phase {
    /// How many minutes it lasted.
    pub fn minutes(&self) -> f64 {
        (self.to - self.from) as f64 / 60_000.0
    }
}

/// What the report says.
#[derive(Debug)]
pub struct Findings<'a> {
    /// What it rests on.
    pub log: &'a Gather,
    /// All of the span.
    pub all: Minute,
    /// Requests passed on.
    pub forwarded: Estimate,
    /// Before, during and after; one alone where nothing stood out.
    pub phases: Vec<Phase>,
    /// How the incident is known: by the detector, or by refusals only.
    pub seen_by_detector: bool,
    /// Clients that were banned or mostly refused.
    pub offenders: Vec<(&'a str, &'a Counts)>,
    /// What of theirs reached the origin.
    pub leaked: Estimate,
    /// Clients known as good that were refused, most first.
    pub hurt: Vec<(&'a str, &'a Counts)>,
    /// How many lines of refusals those have.
    pub hurt_lines: u64,
}

impl<'a> Findings<'a> {
    /// Of all that was gathered.
    pub fn new(log: &'a Gather) -> Self {
        let share = log.sampling.forwarded;
        let all = log.minutes.sum(0..log.minutes.all.len());
        let (phases, seen_by_detector) = phases(log);
        let bans = Bans::new(&log.banned);
        let offends = |client: &str, counts: &Counts| {
            let passed = Estimate::new(counts.forwarded, share).about;
            bans.has(client) || counts.refused >= OFFENDER && counts.refused as f64 > passed
        };
        let mut offenders: Vec<_> = log.clients.iter().filter(|(client, counts)| offends(client, counts)).collect();
        offenders.sort_by(|a, b| (b.1.forwarded, b.1.refused, a.0).cmp(&(a.1.forwarded, a.1.refused, b.0)));
        let leaked = Estimate::new(offenders.iter().map(|(_, c)| c.forwarded).sum(), share);
        let hurt = log.clients.top(usize::MAX, |c| c.known_refused);
        let hurt_lines = hurt.iter().map(|(_, c)| c.known_refused).sum();
        let forwarded = Estimate::new(all.forwarded, share);
        Self { log, all, forwarded, phases, seen_by_detector, offenders, leaked, hurt, hurt_lines }
    }

    /// The incident; none where nothing stood out.
    pub fn during(&self) -> Option<&Phase> {
        self.phases.iter().find(|p| p.name == "during")
    }
}

/// The span around the incident: the steps from the first to the last in which the flood's state was not normal; where
/// it always was, from the first to the last with refusals at the half of the worst step.
fn phases(log: &Gather) -> (Vec<Phase>, bool) {
    let steps = &log.minutes.all;
    let range = |is: &dyn Fn(&Minute) -> bool| -> Option<Range<usize>> {
        Some(steps.iter().position(is)?..steps.iter().rposition(is)? + 1)
    };
    let by_state = range(&|m| m.state > 0);
    let most = steps.iter().map(|m| m.refused).max().unwrap_or(0);
    let by_refusals = || range(&|m| m.refused > 0 && m.refused * 2 >= most);
    let (during, seen) = (by_state.clone().or_else(by_refusals), by_state.is_some());
    let phase = |name, range: Range<usize>| {
        let to = log.minutes.start(range.end).min(log.to);
        Phase { name, from: log.minutes.start(range.start), to, sum: log.minutes.sum(range) }
    };
    let Some(during) = during else { return (vec![phase("all", 0..steps.len())], false) };
    let parts = [("before", 0..during.start), ("during", during.clone()), ("after", during.end..steps.len())];
    (parts.into_iter().filter(|(_, r)| !r.is_empty()).map(|(name, r)| phase(name, r)).collect(), seen)
}

/// Banned networks, to be looked up by address.
struct Bans<'a> {
    texts: &'a BTreeSet<String>,
    networks: BTreeSet<IpNet>,
    lengths: BTreeSet<u8>,
}

impl<'a> Bans<'a> {
    fn new(texts: &'a BTreeSet<String>) -> Self {
        let networks: BTreeSet<IpNet> = texts.iter().filter_map(|t| t.parse().ok()).collect();
        let lengths = networks.iter().map(IpNet::prefix_len).collect();
        Self { texts, networks, lengths }
    }

    fn has(&self, client: &str) -> bool {
        let within = |address: IpAddr| {
            let net = |len: &u8| Some(IpNet::new(address, *len).ok()?.trunc());
            self.lengths.iter().filter_map(net).any(|net| self.networks.contains(&net))
        };
        self.texts.contains(client) || client.parse().is_ok_and(within)
    }
}
