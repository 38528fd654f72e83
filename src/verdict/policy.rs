//! A config compiled for deciding: immutable, swapped whole at a reload.

use super::counters::MAX_LIMITS;
use super::facts::{Facts, Method};
use super::state::{Adopted, State};
use crate::access::cidr_set::CidrSet;
use crate::ban::Rules;
use crate::base::clock::Time;
use crate::base::units::{Rate, Share};
use crate::config::settings::{Action, Limit, LimitKey, PathPattern, Scope, Settings};
use crate::flood::challenge::Challenge;
use crate::flood::class::{self, Class};
use crate::flood::detector::Readings;
use crate::flood::judge;
use crate::flood::rank::Rank;
use crate::limit::gcra::Quota;
use crate::limit::share::{LimitId, Shared};
use crate::limit::table::Table;
use ipnet::IpNet;
use std::sync::Arc;

/// The most distinct header names that limits may count by.
pub const MAX_HEADER_KEYS: usize = 4;

/// The networks of `[lists]`, read from wherever they lie.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// Never limited, never denied.
    pub allow: Vec<IpNet>,
    /// Always denied.
    pub deny: Vec<IpNet>,
}

/// All that `decide` needs to know and that only a reload, or an operator's hand, changes.
#[derive(Clone)]
pub struct Policy {
    /// What it was compiled from.
    pub settings: Arc<Settings>,
    /// Never limited, never denied.
    pub allow: CidrSet,
    /// Always denied.
    pub deny: CidrSet,
    /// Whose forwarding headers are believed.
    pub trusted: CidrSet,
    /// Limits: those by client or header first, then by prefix, then by route.
    pub limits: Vec<CompiledLimit>,
    /// Lower-case names of the headers that limits count by.
    pub header_keys: Vec<String>,
    /// Which of these some limit counts over the whole fleet: all tasks must then hash their values alike.
    pub header_shared: [bool; MAX_HEADER_KEYS],
    /// What counts as an offence.
    pub offences: Rules,
    /// The origin's capacity: what may go at once and what may wait in line are its burst.
    pub capacity: Quota,
    /// How many of that burst may go at once.
    pub capacity_depth: u32,
    /// What of that burst each rank must leave to those before it.
    pub reserves: [Share; Rank::COUNT],
    /// Whether some limit counts over the whole fleet.
    pub shares: bool,
    /// The second letters of login paths, so that most other paths are told at once.
    login_letters: [bool; 256],
    /// The capacity in requests a second.
    pub capacity_per_second: f64,
    /// What newcomers are asked for, if they are.
    pub challenge: Option<Arc<Challenge>>,
}

/// What a compiled limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompiledKey {
    /// The client.
    Client,
    /// An index into [`Policy::header_keys`].
    Header(usize),
    /// Leading bits.
    Prefix(u8, u8),
    /// Everybody together.
    Route,
}

/// One limit, compiled.
#[derive(Clone)]
pub struct CompiledLimit {
    /// Its name.
    pub name: Arc<str>,
    /// Where its counts are.
    pub index: usize,
    /// Rate and burst.
    pub quota: Quota,
    /// Who owes how much.
    pub table: Arc<Table>,
    /// How many at once after a pause.
    pub burst: u32,
    /// What it counts by.
    pub key: CompiledKey,
    /// What happens over it.
    pub action: Action,
    /// The value of `RateLimit-Policy`: the name, the burst, and in how many seconds an empty bucket fills.
    pub policy_field: String,
    /// What it takes to count over the whole fleet, if it does.
    pub shared: Option<Arc<Shared>>,
    paths: Vec<PathPattern>,
    methods: u8,
    enforce: Share,
    configured: Share,
    enforce_seed: u64,
}

impl Policy {
    /// Compiles a checked config; limits whose name stays keep their table and counts in `state`.
    pub fn compile(settings: Arc<Settings>, networks: &Networks, state: &State, now: Time) -> Self {
        let mut limits: Vec<&Limit> = settings.limits.iter().take(MAX_LIMITS).collect();
        limits.sort_by_key(|l| match l.key {
            LimitKey::Client | LimitKey::Header(_) => 0,
            LimitKey::Prefix { .. } => 1,
            LimitKey::Route => 2,
        });
        let header_keys = header_names(&limits);
        let header_shared = std::array::from_fn(|i| {
            let counts = |l: &&Limit| matches!(&l.key, LimitKey::Header(name) if header_keys.get(i) == Some(name));
            limits.iter().any(|l| counts(l) && l.scope == Scope::Fleet)
        });
        let (depth, line) = capacity_burst(&settings);
        let reserves = reserves(depth, line);
        let tables = state.tables.adopt(&limits, now, &state.counters);
        let limits = limits
            .iter()
            .zip(tables)
            .map(|(limit, adopted)| CompiledLimit::new(limit, adopted, &header_keys))
            .collect::<Vec<_>>();
        Self {
            allow: CidrSet::build(networks.allow.iter().copied()),
            deny: CidrSet::build(networks.deny.iter().copied()),
            trusted: CidrSet::build(settings.client.trusted_proxies.iter().copied()),
            capacity: Quota::new(settings.origin.capacity, depth + line),
            capacity_depth: depth,
            offences: Rules::of(&settings.ban),
            reserves,
            login_letters: second_letters(&settings.ban.login_paths),
            capacity_per_second: per_second(settings.origin.capacity),
            shares: limits.iter().any(|limit| limit.shared.is_some()),
            challenge: asks(&settings).then(|| Arc::new(Challenge::new(&settings.flood.challenge))),
            limits,
            header_keys,
            header_shared,
            settings,
        }
    }

    /// The same with another share of clients for whom the limit `name` is enforced; none where there is no such limit.
    pub fn enforcing(&self, name: &str, share: Share) -> Option<Self> {
        let mut other = self.clone();
        let limit = other.limits.iter_mut().find(|l| *l.name == *name)?;
        limit.enforce = share;
        // What a reload is compared with: it then says that it takes this back.
        let mut settings = Settings::clone(&self.settings);
        settings.limits.iter_mut().filter(|l| l.name == name).for_each(|l| l.enforce = share);
        other.settings = Arc::new(settings);
        Some(other)
    }

    /// What a request asks for.
    pub fn class_of(&self, facts: &Facts<'_>) -> Class {
        let login = || {
            let second = facts.path.get(1).copied().unwrap_or_default();
            self.login_letters[usize::from(second)]
                && self.settings.ban.login_paths.iter().any(|p| p.covers(facts.path))
        };
        match class::of_path(facts.path) {
            Class::Page | Class::Machine if login() => Class::Login,
            Class::Asset if facts.method.reads() => Class::Asset,
            _ if !facts.method.reads() => Class::Action,
            class => class,
        }
    }

    /// Whether clients may be asked for proof at all.
    pub fn challenges(&self) -> bool {
        self.challenge.is_some()
    }

    /// What the detector is to know beside what was counted.
    pub fn readings(&self, state: &State) -> Readings {
        Readings {
            capacity: self.capacity_per_second,
            in_flight: (state.in_flight.total(), self.settings.origin.max_in_flight),
            challenge: self.challenges(),
        }
    }

    /// Whether a request may be answered with a challenge.
    pub fn askable(&self, facts: &Facts<'_>) -> bool {
        let exempt = || self.settings.flood.challenge.exempt.iter().any(|p| p.covers(facts.path));
        facts.method.reads() && !facts.declared && !exempt()
    }

    /// The memory of all limit tables, in bytes.
    pub fn table_bytes(&self) -> usize {
        let asked = |l: &CompiledLimit| l.shared.as_ref().map_or(0, |shared| shared.asked.bytes());
        self.limits.iter().map(|l| l.table.bytes() + asked(l)).sum()
    }
}

/// Which second letters the paths that `patterns` cover may have.
fn second_letters(patterns: &[PathPattern]) -> [bool; 256] {
    let mut letters = [false; 256];
    for pattern in patterns {
        let (PathPattern::Exact(text) | PathPattern::Prefix(text)) = pattern;
        match (pattern, text.as_bytes().get(1)) {
            (_, Some(letter)) => letters[usize::from(*letter)] = true,
            (PathPattern::Exact(_), None) => letters[0] = true,
            (PathPattern::Prefix(_), None) => letters = [true; 256],
        }
    }
    letters
}

fn asks(settings: &Settings) -> bool {
    settings.flood.enabled && settings.flood.challenge.enabled
}

/// How many requests the origin may get at once (a twentieth of a second's worth, so that no second sees more than
/// 1.05 of the capacity), and how many more may wait in line.
fn capacity_burst(settings: &Settings) -> (u32, u32) {
    let per_second = per_second(settings.origin.capacity);
    let line = per_second * settings.origin.queue_timeout.as_secs_f64();
    (((per_second * 0.05) as u32).max(1), line as u32)
}

/// What each rank must leave of the whole burst: its share of the line, or, where there is none, of what may go at once.
/// The clients on the allow list find a little more than anybody leaves.
fn reserves(depth: u32, line: u32) -> [Share; Rank::COUNT] {
    const LEAST: u16 = 200;
    // A depth is a twentieth of a second's worth: the ranks share what comes in a tenth of a second.
    let shared = if line > 0 { line.min(2 * depth) } else { depth - 1 };
    let of_burst = f64::from(shared) / f64::from(depth + line);
    Rank::ALL.map(|rank| Share(((f64::from(rank.reserve().0) * of_burst) as u16).max(LEAST)))
}

fn per_second(rate: Rate) -> f64 {
    f64::from(rate.count) / rate.period.as_secs_f64()
}

fn header_names(limits: &[&Limit]) -> Vec<String> {
    let mut names = Vec::new();
    for limit in limits {
        if let LimitKey::Header(name) = &limit.key
            && !names.contains(name)
            && names.len() < MAX_HEADER_KEYS
        {
            names.push(name.clone());
        }
    }
    names
}

impl CompiledLimit {
    fn new(limit: &Limit, Adopted { index, table, asked }: Adopted, header_keys: &[String]) -> Self {
        let key = match &limit.key {
            LimitKey::Client => CompiledKey::Client,
            LimitKey::Header(name) => {
                header_keys.iter().position(|n| n == name).map_or(CompiledKey::Client, CompiledKey::Header)
            }
            LimitKey::Prefix { ipv4, ipv6 } => CompiledKey::Prefix(*ipv4, *ipv6),
            LimitKey::Route => CompiledKey::Route,
        };
        let window = (limit.rate.interval_nanos() * f64::from(limit.burst) / 1e9).ceil() as u64;
        let quota = Quota::new(limit.rate, limit.burst);
        let shared = asked.map(|asked| {
            let (id, table) = (LimitId::new(&limit.name, &quota), table.clone());
            Arc::new(Shared { index, id, quota, table, asked })
        });
        let methods = limit.methods.iter().fold(0, |mask, m| mask | Method::parse(m.as_bytes()).bit());
        Self {
            name: limit.name.as_str().into(),
            index,
            quota,
            shared,
            table,
            key,
            action: limit.action,
            policy_field: format!("\"{}\";q={};w={window}", limit.name, limit.burst),
            burst: limit.burst,
            paths: limit.paths.clone(),
            methods: if limit.methods.is_empty() { u8::MAX } else { methods },
            enforce: limit.enforce,
            configured: limit.enforce,
            enforce_seed: stable_hash(limit.name.bytes().fold(0, |h, b| h ^ u128::from(b) << 64 ^ stable(h))),
        }
    }

    /// The share of clients for whom it is enforced.
    pub fn enforce(&self) -> Share {
        self.enforce
    }

    /// What the config says of that; an operator may have said otherwise since.
    pub fn configured(&self) -> Share {
        self.configured
    }

    /// Whether this limit covers the request.
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        self.methods & facts.method.bit() != 0
            && (self.paths.is_empty() || self.paths.iter().any(|p| p.covers(facts.path)))
    }

    /// The key that the request is counted by.
    pub fn key_of(&self, facts: &Facts<'_>) -> u128 {
        match self.key {
            CompiledKey::Client => judge::identity(facts.client, facts.proof),
            CompiledKey::Header(i) => facts.header_keys[i].unwrap_or(facts.client.bits()),
            CompiledKey::Prefix(ipv4, ipv6) => facts.client.prefix(ipv4, ipv6).bits(),
            CompiledKey::Route => 0,
        }
    }

    /// What happens to this client over the limit: outside the enforced share it is only observed.
    pub fn action_for(&self, client: u128) -> Action {
        if self.enforce >= Share::ALL {
            return self.action;
        }
        let at = stable_hash(client ^ u128::from(self.enforce_seed)) % u64::from(Share::ALL.0);
        if at < u64::from(self.enforce.0) { self.action } else { Action::Observe }
    }
}

/// A hash without a seed: every task and every start must pick the same clients.
fn stable_hash(x: u128) -> u64 {
    stable(x) as u64
}

fn stable(x: u128) -> u128 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let x = (x ^ (x >> 64)).wrapping_mul(ODD);
    let x = (x ^ (x >> 71)).wrapping_mul(ODD);
    x ^ (x >> 67)
}
