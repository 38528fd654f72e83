//! The answers of a real weir, read off the parts that do the work.

use super::reach::Reachable;
use super::{Picture, Source, picture, why};
use crate::access::asn::AsnDatabase;
use crate::access::country::CountryDatabase;
use crate::base::clock::{self, Time};
use crate::base::rfc3339;
use crate::base::units::{Share, parse_duration};
use crate::client::key::ClientKey;
use crate::config::settings::Limit;
use crate::control::alert::Board;
use crate::control::aviatrix::{AviatrixView, Desk};
use crate::control::bans::{BanRequest, BanStatus, BanView, BansView, Keeper};
use crate::control::flood::{FloodReport, FloodStatus, Looks};
use crate::control::guardduty::Tally;
use crate::control::identity::Identity;
use crate::control::phase::PhaseCell;
use crate::control::recent::Recent;
use crate::control::source::Source as ConfigSource;
use crate::control::status::{
    ConfigStatus, EndpointView, FaultView, Latency, LimitStatus, LogStatus, OriginStatus, Phase, ReasonCount,
    RecentView, Reloaded, ResponseCount, Status, Why,
};
use crate::control::timeline::Timeline;
use crate::event::log_gate::LogGate;
use crate::event::news::NewsQueue;
use crate::event::queue::Queue;
use crate::origin::Pool;
use crate::sink::access_log::AccessLog;
use crate::sink::cloudwatch;
use crate::sink::outlet::Outlet;
use crate::sink::smartgroup;
use crate::sink::waf::Handle;
use crate::verdict::counters::{LATENCY_BOUNDS_MS, Snapshot};
use crate::verdict::policy::CompiledLimit;
use crate::verdict::reason::{Class, Reason};
use crate::verdict::{Policy, State};
use arc_swap::{ArcSwap, ArcSwapOption};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// How many clients `/api/recent` names as refused most.
const TOP: usize = 10;

/// How many reports of gateways `weir why` shows.
const REPORTS: usize = 10;

/// Reads the config again and puts it in force.
pub type Reload = Box<dyn Fn() -> Result<Reloaded, Vec<FaultView>> + Send + Sync>;

/// Enforces a limit for another share of clients.
pub type Enforce = Box<dyn Fn(&str, Share) -> Result<(), String> + Send + Sync>;

/// The parts of a running weir that the admin server looks at.
pub struct Live {
    /// When it started.
    pub started: Time,
    /// Who it is.
    pub identity: Identity,
    /// Where the config comes from.
    pub source: ConfigSource,
    /// Addresses it listens on, as `http 0.0.0.0:8080`.
    pub listen: Vec<String>,
    /// Where it is in its life.
    pub phase: Arc<PhaseCell>,
    /// The config in force, compiled.
    pub policy: Arc<ArcSwap<Policy>>,
    /// What is owed, in flight and counted.
    pub state: Arc<State>,
    /// The origin's endpoints.
    pub pool: Arc<Pool>,
    /// How reloads went.
    pub config: Arc<ArcSwap<ConfigStatus>>,
    /// Notes on the config in force.
    pub notes: Arc<ArcSwap<Vec<String>>>,
    /// What was noticed while running, such as a key that all clients share.
    pub warning: Arc<ArcSwap<Option<String>>>,
    /// The latest refusals.
    pub recent: Arc<Recent>,
    /// Who owns which network, if that is known.
    pub asn: Arc<ArcSwapOption<AsnDatabase>>,
    /// Which country a network is in, if that is known.
    pub country: Option<CountryDatabase>,
    /// The last hour.
    pub timeline: Arc<Timeline>,
    /// Records on their way.
    pub queue: Arc<Queue>,
    /// Which requests are logged.
    pub log_gate: Arc<LogGate>,
    /// The access log.
    pub log: Arc<AccessLog>,
    /// Every sink of the ingress log.
    pub outlets: Vec<Arc<dyn Outlet>>,
    /// News on their way.
    pub news: Arc<NewsQueue>,
    /// The book of bans.
    pub bans: Arc<Keeper>,
    /// What became of findings, where they are asked for.
    pub guardduty: Option<Arc<Tally>>,
    /// What gateways reported, where they are heard.
    pub aviatrix: Option<Arc<Desk>>,
    /// The SmartGroup of offenders, where one is kept.
    pub smartgroup: Option<Arc<smartgroup::Tally>>,
    /// The fleet and the loop to AWS WAF, where there are such.
    pub beyond: Reachable,
    /// The way of metrics to CloudWatch, where there is one.
    pub cloudwatch: Option<cloudwatch::Handle>,
    /// Alerts.
    pub alerts: Arc<Board>,
    /// Reads the config again.
    pub reload: Reload,
    /// Enforces a limit for another share of clients.
    pub enforce: Enforce,
}

impl Source for Live {
    fn phase(&self) -> Phase {
        self.phase.get()
    }

    fn status(&self) -> Status {
        let (now, policy, counts) = (clock::now(), self.policy.load(), self.state.counters.snapshot());
        let warning = self.warning.load();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            identity: self.identity.clone(),
            phase: self.phase(),
            started: rfc3339::from_unix_nanos(clock::unix_nanos(self.started)),
            uptime_s: now.since(self.started).as_secs_f64(),
            listen: self.listen.clone(),
            config: ConfigStatus { source: self.source.status(), ..(**self.config.load()).clone() },
            notes: warning.iter().chain(self.notes.load().iter()).cloned().collect(),
            requests: requests(&counts),
            responses: responses(&counts),
            limits: policy.limits.iter().map(|l| limit(l, &policy, &counts)).collect(),
            table_bytes: policy.table_bytes() as u64,
            in_flight: self.state.in_flight.total().into(),
            connections: self.state.connections.total().into(),
            connections_total: counts.connections,
            bytes_in: counts.bytes_in,
            bytes_out: counts.bytes_out,
            bans: self.bans.status(now),
            guardduty: self.guardduty.as_ref().map(|tally| tally.status()),
            aviatrix: self.aviatrix.as_ref().map(|desk| desk.status()),
            smartgroup: self.smartgroup.as_ref().map(|tally| tally.status(now)),
            waf: self.beyond.waf.as_ref().map(Handle::status),
            cloudwatch: self.cloudwatch.as_ref().map(cloudwatch::Handle::status),
            fleet: self.beyond.fleet.as_ref().map(|fleet| fleet.status()),
            flood: self.look(FloodStatus::read),
            origin: self.origin(&policy, &counts, now),
            alerts: self.alerts.alerts(),
            alerts_told: self.alerts.told(),
            log: LogStatus {
                written: self.log.written(),
                lost: self.log.lost(),
                suppressed: self.log_gate.suppressed(),
                dropped: self.queue.dropped(),
                news_dropped: self.news.dropped(),
            },
            outlets: self.outlets.iter().map(|outlet| outlet.status()).collect(),
        }
    }

    fn why(&self, address: IpAddr) -> Why {
        let mut bans = self.bans.of(address, clock::now());
        self.beyond.look(&mut bans);
        let prefix = self.policy.load().settings.client.ipv6_prefix;
        let client = ClientKey::new(address, prefix);
        let of_client = |reported| ClientKey::new(reported, prefix) == client;
        let reports = self.aviatrix.as_ref().map(|desk| desk.latest(REPORTS, of_client));
        Why { aviatrix: reports.unwrap_or_default(), ..self.look(|looks| why::why(looks, address, bans)) }
    }

    fn flood(&self) -> FloodReport {
        self.look(FloodReport::read)
    }

    fn aviatrix(&self, max: usize) -> AviatrixView {
        let Some(desk) = &self.aviatrix else { return AviatrixView::default() };
        AviatrixView { status: Some(desk.status()), reports: desk.latest(max, |_| true) }
    }

    fn bans(&self, max: usize) -> BansView {
        self.bans.view(max, clock::now())
    }

    fn ban(&self, request: &BanRequest) -> Result<BanView, String> {
        let duration = parse_duration(&request.duration).map_err(|e| format!("for: {:?} {e}", request.duration))?;
        let mut ban = self.bans.add(network(&request.address)?, duration, &request.reason, clock::now())?;
        self.beyond.follow(&mut ban);
        Ok(ban)
    }

    fn unban(&self, address: &str) -> Result<BanView, String> {
        let mut gone = self.bans.remove(network(address)?, clock::now())?;
        gone.left_s = 0.0;
        self.beyond.follow(&mut gone);
        Ok(gone)
    }

    fn pause_bans(&self, pause: bool) -> BanStatus {
        self.bans.pause(pause, clock::now())
    }

    fn recent(&self, max: usize) -> RecentView {
        let prefix = self.policy.load().settings.client.ipv6_prefix;
        RecentView {
            refusals: self.recent.of(max, |_| true),
            top: self.recent.top(TOP, |client| ClientKey::new(client, prefix).address()),
        }
    }

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn picture(&self) -> Picture {
        let mut bans = self.bans(picture::BANS);
        self.beyond.glance(&mut bans.bans);
        Picture::new(self.status(), self.flood(), bans, self.recent(picture::REFUSALS))
    }

    fn enforce(&self, name: &str, share: Share) -> Result<LimitStatus, String> {
        (self.enforce)(name, share)?;
        let (policy, counts) = (self.policy.load(), self.state.counters.snapshot());
        let found = policy.limits.iter().find(|l| *l.name == *name);
        found.map(|l| limit(l, &policy, &counts)).ok_or_else(|| format!("the limit {name:?} has just gone"))
    }

    fn reload(&self) -> Result<Reloaded, Vec<FaultView>> {
        (self.reload)()
    }
}

impl Live {
    fn look<T>(&self, read: impl FnOnce(&Looks<'_>) -> T) -> T {
        let (policy, asn) = (self.policy.load(), self.asn.load());
        read(&Looks {
            policy: &policy,
            state: &self.state,
            recent: &self.recent,
            asn: asn.as_deref(),
            country: self.country.as_ref(),
            started: self.started,
            now: clock::now(),
        })
    }

    fn origin(&self, policy: &Policy, counts: &Snapshot, now: Time) -> OriginStatus {
        let settings = &policy.settings.origin;
        let endpoint = |e: crate::origin::EndpointStatus| EndpointView {
            address: e.address.to_string(),
            name: e.name,
            group: match e.group {
                crate::origin::Group::Primary => "primary".into(),
                crate::origin::Group::Fallback => "fallback".into(),
            },
            healthy: e.healthy,
            ejected_for: e.ejected_for,
            in_flight: e.in_flight.into(),
            requests: e.requests,
            failures: e.failures,
        };
        OriginStatus {
            capacity: settings.capacity.to_string(),
            max_in_flight: settings.max_in_flight,
            endpoints: self.pool.snapshot(now).into_iter().map(endpoint).collect(),
            latency: Latency {
                counts: counts.latency.to_vec(),
                bounds_ms: LATENCY_BOUNDS_MS.to_vec(),
                sum_s: counts.latency_sum_us as f64 / 1e6,
            },
        }
    }
}

/// The network or the address that an operator wrote.
fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let net: IpNet = text.parse().map_err(|_| {
        format!("address: {text:?} is neither an address such as 192.0.2.7 nor a network such as 192.0.2.0/24")
    })?;
    match net.trunc() {
        exact if exact == net => Ok(net),
        meant => Err(format!("address: {text:?} has bits set behind its prefix; write {meant}, or the address alone")),
    }
}

fn requests(counts: &Snapshot) -> Vec<ReasonCount> {
    let count = |reason: &Reason| ReasonCount {
        reason: reason.code().into(),
        class: match reason.class() {
            Class::Forward => "forward",
            Class::Refuse => "refuse",
            Class::Fault => "fault",
            Class::Gone => "gone",
            Class::Own => "own",
        }
        .into(),
        text: reason.row().text.into(),
        count: counts.ended(*reason),
    };
    Reason::ALL.iter().map(count).collect()
}

/// What weir answered itself has the status of its reason.
fn responses(counts: &Snapshot) -> Vec<ResponseCount> {
    const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let own = |digit: u16| -> u64 {
        let reasons = Reason::ALL.iter().filter(|r| !matches!(r.class(), Class::Forward | Class::Gone));
        reasons.filter(|r| r.status() / 100 == digit).map(|r| counts.ended(*r)).sum()
    };
    let count = |by: &'static str, i: usize, count| ResponseCount { class: CLASSES[i].into(), by: by.into(), count };
    let origin = counts.answered.iter().enumerate().map(|(i, n)| count("origin", i, *n));
    origin.chain((0..CLASSES.len()).map(|i| count("weir", i, own(i as u16 + 1)))).collect()
}

fn limit(compiled: &CompiledLimit, policy: &Policy, counts: &Snapshot) -> LimitStatus {
    let written = policy.settings.limits.iter().find(|l| *l.name == *compiled.name);
    LimitStatus {
        name: compiled.name.to_string(),
        rate: compiled.quota.rate().to_string(),
        burst: compiled.burst,
        key: written.map_or(String::new(), |l| l.key.to_string()),
        covers: written.map_or(String::new(), covers),
        action: compiled.action.to_string().into(),
        enforce: percent(compiled.enforce()),
        configured: (compiled.enforce() != compiled.configured()).then(|| percent(compiled.configured())),
        refused: counts.refused_by_limit[compiled.index],
        observed: counts.observed_by_limit[compiled.index],
        slots: compiled.table.slots() as u64,
        table_bytes: (compiled.table.bytes() + compiled.shared.as_ref().map_or(0, |s| s.asked.bytes())) as u64,
    }
}

fn percent(share: Share) -> f64 {
    f64::from(share.0) / 100.0
}

/// Which requests a limit covers, in words.
pub(super) fn covers(limit: &Limit) -> String {
    let paths: Vec<_> = limit.paths.iter().map(ToString::to_string).collect();
    match (limit.methods.join(" or "), paths.join(" or ")) {
        (methods, paths) if methods.is_empty() && paths.is_empty() => "everything".into(),
        (methods, paths) if paths.is_empty() => methods,
        (methods, paths) if methods.is_empty() => paths,
        (methods, paths) => format!("{methods} {paths}"),
    }
}
