//! What becomes of lines: read, joined with requests, counted, shown, and held against clients where the config says so.

use super::report::{self, Report, Said};
use super::seen::Seen;
use super::view::{AviatrixStatus, KINDS, LineOutcome, Outcome, ReportCount, ReportView};
use crate::ban::Who;
use crate::base::clock::{self, Time};
use crate::base::rfc3339;
use crate::config::settings::{Aviatrix, AviatrixAction, FindingAction};
use crate::control::bans::{Charge, Effect, Keeper};
use crate::verdict::Policy;
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most lines read in a second, from all gateways.
pub(super) const LINES_A_SECOND: u64 = 5_000;

/// How many reports are remembered.
const LATEST: usize = 1_000;

/// For how long the same report counts once.
const SAME: Duration = Duration::from_secs(60);

/// How many different reports are told apart within that time.
const DIFFERENT: usize = 4_096;

/// How many kinds of unknown lines are counted apart.
const UNKNOWN: usize = 32;

/// The longest reason of a ban.
const MAX_REASON: usize = 200;

/// What reports have to do with.
pub struct Parts {
    /// The config in force.
    pub policy: Arc<ArcSwap<Policy>>,
    /// Who bans.
    pub keeper: Arc<Keeper>,
    /// Whose requests there were.
    pub seen: Arc<Seen>,
    /// Where gateways are heard, in words.
    pub listen: Vec<String>,
}

/// Where all lines come together. The lock is the control plane's own; no request waits for it.
pub struct Desk {
    parts: Parts,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By the numbers of kinds and outcomes.
    reports: [[u64; Outcome::ALL.len()]; KINDS.len()],
    lines: [u64; LineOutcome::ALL.len()],
    passed: BTreeMap<&'static str, u64>,
    unknown: BTreeMap<String, u64>,
    latest: VecDeque<(Report, ReportView)>,
    /// When each was reported last.
    recent: HashMap<(IpAddr, u8), Time>,
    connections: u64,
    heard: Option<Time>,
    last_foreign: Option<IpAddr>,
    /// The second that lines are counted in, and how many there were.
    second: (u64, u64),
}

impl Desk {
    /// An empty desk.
    pub fn new(parts: Parts) -> Self {
        Self { parts, inner: Mutex::default() }
    }

    /// Whether `from` may send; who may not is counted.
    pub fn admits(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        let admitted = self.settings(|settings| settings.sources.iter().any(|net| net.contains(&from)));
        if !admitted {
            let mut inner = self.inner();
            inner.lines[LineOutcome::Foreign as usize] += 1;
            inner.last_foreign = Some(from);
        }
        admitted
    }

    /// Counts a line that is not read.
    pub(super) fn count(&self, outcome: LineOutcome) {
        self.inner().lines[outcome as usize] += 1;
    }

    /// A connection began or ended.
    pub(super) fn connections(&self, change: i64) {
        let mut inner = self.inner();
        inner.connections = inner.connections.saturating_add_signed(change);
    }

    /// Reads a line of a gateway.
    pub fn hear(&self, line: &[u8], now: Time) {
        let room = self.inner().take_on(now);
        if !room {
            return self.count(LineOutcome::Limited);
        }
        let line = String::from_utf8_lossy(line);
        match report::read(&line, clock::unix_nanos(now) / 1_000_000) {
            Said::Report(report) => {
                self.count(LineOutcome::Report);
                self.deal_with(&report, now);
            }
            Said::Passed(kind) => {
                let mut inner = self.inner();
                inner.lines[LineOutcome::Passed as usize] += 1;
                *inner.passed.entry(kind).or_default() += 1;
            }
            Said::Unknown(kind) => self.inner().note_unknown(kind),
        }
    }

    /// The latest reports of whoever `is_client` picks, newest first, at most `max`.
    pub fn latest(&self, max: usize, is_client: impl Fn(IpAddr) -> bool) -> Vec<ReportView> {
        let of_client = |(report, _): &&(Report, ReportView)| is_client(report.address);
        let mut chosen: Vec<_> = self.inner().latest.iter().rev().filter(of_client).take(max).cloned().collect();
        for (report, view) in &mut chosen {
            // A request is remembered when it ends, which may be after the report; and forgotten in time.
            let joined = self.parts.seen.join(report);
            if joined.requests >= view.joined.requests {
                view.joined = joined;
            }
        }
        chosen.into_iter().map(|(_, view)| view).collect()
    }

    /// How it goes.
    pub fn status(&self) -> AviatrixStatus {
        let inner = self.inner();
        let cells = KINDS.iter().flat_map(|kind| Outcome::ALL.map(|outcome| (*kind, outcome)));
        let reports = cells.map(|(kind, outcome)| ReportCount {
            kind: kind.to_string(),
            outcome: outcome.code().into(),
            count: inner.reports[kind as usize][outcome as usize],
        });
        AviatrixStatus {
            listen: self.parts.listen.clone(),
            connections: inner.connections,
            lines: LineOutcome::ALL.iter().map(|o| (o.code().to_owned(), inner.lines[*o as usize])).collect(),
            passed: inner.passed.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect(),
            unknown: inner.unknown.clone(),
            reports: reports.filter(|r| r.count > 0).collect(),
            heard: inner.heard.map(|at| rfc3339::from_unix_nanos(clock::unix_nanos(at))),
            last_foreign: inner.last_foreign,
        }
    }

    /// Holds a report against its client, as the config says, and remembers it.
    fn deal_with(&self, report: &Report, now: Time) {
        let action = self.settings(|settings| action(settings, report));
        let repeated = self.inner().is_repeated(report, now);
        let (outcome, why) = match (action, repeated) {
            _ if is_local(report.address) => (Outcome::Local, String::new()),
            (None, _) => (Outcome::Shown, String::new()),
            (_, Repeated::Yes) => (Outcome::Repeated, String::new()),
            (_, Repeated::NoRoom) => (Outcome::Postponed, String::new()),
            (Some(action), Repeated::No) => self.accuse(report, action, now),
        };
        let joined = self.parts.seen.join(report);
        let mut inner = self.inner();
        inner.reports[report.kind as usize][outcome as usize] += 1;
        if outcome == Outcome::Postponed {
            inner.recent.remove(&key(report));
        }
        inner.remember(report, ReportView::new(report, outcome, why, joined), repeated);
    }

    fn accuse(&self, report: &Report, action: FindingAction, now: Time) -> (Outcome, String) {
        let Report { kind, gateway, what, .. } = report;
        let by = if gateway.is_empty() { String::new() } else { format!(" of {gateway}") };
        let text = report::bounded(&format!("{kind} report{by}: {what}"), MAX_REASON);
        let created_at = rfc3339::from_unix_nanos(report.at.saturating_mul(1_000_000));
        let charge =
            Charge { by: Who::Gateway, text: &text, kind: &format!("aviatrix {kind}"), created_at: &created_at };
        let duration = self.settings(|settings| settings.duration);
        match self.parts.keeper.accuse(report.address, action, duration, &charge, now) {
            Effect::Banned(_) => (Outcome::Banned, String::new()),
            Effect::Held => (Outcome::Held, String::new()),
            Effect::Suspected => (Outcome::Suspected, String::new()),
            Effect::Later => (Outcome::Postponed, String::new()),
            Effect::Spared(why) => {
                tracing::info!("aviatrix: {text}: not held against {}: {why}", report.address);
                (Outcome::Spared, why)
            }
        }
    }

    fn settings<T>(&self, ask: impl FnOnce(&Aviatrix) -> T) -> T {
        ask(&self.parts.policy.load().settings.aviatrix)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a report came before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    No,
    Yes,
    /// Nobody can tell any more.
    NoRoom,
}

impl Inner {
    /// Whether one more line is read in this second.
    fn take_on(&mut self, now: Time) -> bool {
        self.heard = Some(now);
        let second = now.nanos() / 1_000_000_000;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        self.second.1 <= LINES_A_SECOND
    }

    fn is_repeated(&mut self, report: &Report, now: Time) -> Repeated {
        let key = key(report);
        if self.recent.get(&key).is_some_and(|at| now.since(*at) < SAME) {
            return Repeated::Yes;
        }
        if self.recent.len() >= DIFFERENT {
            self.recent.retain(|_, at| now.since(*at) < SAME);
        }
        if self.recent.len() >= DIFFERENT {
            return Repeated::NoRoom;
        }
        self.recent.insert(key, now);
        Repeated::No
    }

    /// What is said again is told by a number.
    fn remember(&mut self, report: &Report, view: ReportView, repeated: Repeated) {
        let same = |(old, _): &&mut (Report, ReportView)| key(old) == key(report);
        if repeated == Repeated::Yes
            && let Some((_, old)) = self.latest.iter_mut().rev().find(same)
        {
            old.times += 1;
            return;
        }
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back((report.clone(), view));
    }

    fn note_unknown(&mut self, kind: String) {
        self.lines[LineOutcome::Unknown as usize] += 1;
        let has_room = self.unknown.len() < UNKNOWN || self.unknown.contains_key(&kind);
        *self.unknown.entry(if has_room { kind } else { "other".into() }).or_default() += 1;
    }
}

fn key(report: &Report) -> (IpAddr, u8) {
    (report.address, report.kind as u8)
}

/// What `report` leads to, if to anything.
fn action(settings: &Aviatrix, report: &Report) -> Option<FindingAction> {
    let action = match settings.action {
        AviatrixAction::Observe => None,
        AviatrixAction::Suspect => Some(FindingAction::Suspect),
        AviatrixAction::Ban => Some(FindingAction::Ban),
    };
    action.filter(|_| report.counts && settings.act_on.contains(&report.kind))
}

/// Whether it is an address inside the fabric, or of this machine, or of nobody.
pub fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // 100.64.0.0/10: carriers' NAT, and clusters'.
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            let special = v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast();
            shared || special || v4.is_private() || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => {
            let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
            special || v6.is_unique_local() || v6.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
