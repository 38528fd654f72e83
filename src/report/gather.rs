//! What one reading of the log leaves: counts by minute, by client, by everything that refusals are told apart by.

use super::line::{Ban, Line, Request, State, short};
use super::minutes::{Minutes, gravity};
use super::tally::{Tally, Weighed};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Clients, networks, paths and user agents that are kept at least.
const KEPT: usize = 16_384;
/// Events of the timeline that are kept.
const MOST_EVENTS: usize = 2_000;
/// Banned networks that are kept.
const MOST_BANNED: usize = 20_000;
/// The longest text that is kept of what somebody wrote.
const TEXT: usize = 160;

/// What is known of the log's making.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// The share of requests passed on that has a line.
    pub forwarded: f64,
    /// The most refusals a second that have a line.
    pub refused_per_second: f64,
    /// Whether somebody said so, rather than weir's defaults.
    pub is_told: bool,
}

/// Lines of one client, or of anything else.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Passed on.
    pub forwarded: u64,
    /// Turned away.
    pub refused: u64,
    /// Turned away though known as good.
    pub known_refused: u64,
    /// Failed at the origin.
    pub failed: u64,
    /// The rate of the limit that refused last; of limits only.
    pub limit_rate: String,
}

impl Weighed for Counts {
    fn weight(&self) -> u64 {
        self.forwarded + self.refused + self.failed
    }
}

/// Something that happened at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Milliseconds since 1970.
    pub at: u64,
    /// What it is about: `flood`, `ban`, `config` and so on.
    pub what: String,
    /// What happened.
    pub text: String,
    /// Why.
    pub why: String,
}

/// All that is gathered.
#[derive(Debug)]
pub struct Gather {
    /// The first moment of the report, in milliseconds since 1970.
    pub from: u64,
    /// The moment after its last.
    pub to: u64,
    /// How the log was sampled.
    pub sampling: Sampling,
    /// By time.
    pub minutes: Minutes,
    /// By client.
    pub clients: Tally<Counts>,
    /// Refusals and failures by reason.
    pub reasons: Tally<Counts>,
    /// Refusals by limit or list.
    pub rules: Tally<Counts>,
    /// By path.
    pub paths: Tally<Counts>,
    /// By /24 or /48.
    pub networks: Tally<Counts>,
    /// By user agent.
    pub agents: Tally<Counts>,
    /// What happened, as it came.
    pub events: Vec<Event>,
    /// Events that found no room.
    pub events_cut: u64,
    /// Networks that were banned, by number of bits and network; hashes as they are.
    pub banned: BTreeSet<String>,
    /// Bans by their cause.
    pub bans: Tally<u64>,
    /// Lines of the span.
    pub lines: u64,
    /// The first and the last line of the whole log.
    pub log_span: Option<(u64, u64)>,
    /// Lines that could not be read, and the first of them.
    pub faults: (u64, Option<String>),
    /// Seconds with as many lines of refusals as there may be.
    pub full_seconds: u64,
    /// The most that was offered in a second, and the capacity then.
    pub peak: Option<(f64, f64)>,
    second: (u64, u64),
    events_kept: [usize; 2],
}

impl Gather {
    /// Nothing yet of the time from `from` to `to`.
    pub fn new(from: u64, to: u64, sampling: Sampling) -> Self {
        Self {
            from,
            to,
            sampling,
            minutes: Minutes::new(from, to),
            clients: Tally::new(KEPT),
            reasons: Tally::new(256),
            rules: Tally::new(256),
            paths: Tally::new(KEPT),
            networks: Tally::new(KEPT),
            agents: Tally::new(KEPT),
            events: vec![],
            events_cut: 0,
            banned: BTreeSet::new(),
            bans: Tally::new(256),
            lines: 0,
            log_span: None,
            faults: (0, None),
            full_seconds: 0,
            peak: None,
            second: (0, 0),
            events_kept: [0; 2],
        }
    }

    /// Counts a line that can't be read.
    pub fn fault(&mut self, place: &str, why: &str) {
        self.faults.0 += 1;
        self.faults.1.get_or_insert_with(|| format!("{place}: {}", short(why, TEXT)));
    }

    /// Takes a line in; one outside the span only widens the log's.
    pub fn add(&mut self, at: u64, line: &Line<'_>) {
        let (first, last) = self.log_span.unwrap_or((at, at));
        self.log_span = Some((first.min(at), last.max(at)));
        if !(self.from..self.to).contains(&at) {
            return;
        }
        self.lines += 1;
        match line {
            Line::Request(request) => self.request(at, request),
            Line::Ban(ban) => self.ban(at, ban),
            Line::State(state) => self.state(at, state),
        }
    }

    fn request(&mut self, at: u64, request: &Request<'_>) {
        let minute = self.minutes.at(at);
        minute.state = minute.state.max(gravity(&request.state));
        let (refused, forwarded) = (request.is_refused(), request.is_forwarded());
        let failed = request.outcome == "failed";
        minute.refused += u64::from(refused);
        minute.forwarded += u64::from(forwarded);
        minute.failed += u64::from(failed);
        minute.errors += u64::from(forwarded && request.status >= 500);
        if let Some(ms) = request.origin_ms.filter(|_| forwarded) {
            minute.took(ms);
        }
        if refused {
            self.count_second(at);
        }
        if let (Some(offered), Some(capacity)) = (request.offered, request.capacity)
            && self.peak.is_none_or(|(most, _)| offered > most)
        {
            self.peak = Some((offered, capacity));
        }
        let known = refused && request.is_known();
        let count = |counts: &mut Counts| {
            counts.forwarded += u64::from(forwarded);
            counts.refused += u64::from(refused);
            counts.failed += u64::from(failed);
            counts.known_refused += u64::from(known);
        };
        count(self.clients.at(&short(&request.client, TEXT)));
        count(self.paths.at(&short(&request.path, TEXT)));
        count(self.agents.at(&short(&request.user_agent, TEXT)));
        if let Some(network) = network(&request.client) {
            count(self.networks.at(&network));
        }
        if refused || failed {
            count(self.reasons.at(&short(&request.reason, TEXT)));
        }
        if refused && !request.rule.is_empty() {
            let rule = self.rules.at(&short(&request.rule, TEXT));
            count(rule);
            if !request.limit_rate.is_empty() && rule.limit_rate != request.limit_rate {
                rule.limit_rate = short(&request.limit_rate, TEXT);
            }
        }
    }

    /// Lines come nearly in order: a second that is left and come back to counts twice at worst.
    fn count_second(&mut self, at: u64) {
        let second = at / 1_000;
        self.second = if self.second.0 == second { (second, self.second.1 + 1) } else { (second, 1) };
        let full = self.sampling.refused_per_second.max(1.0).ceil() as u64;
        self.full_seconds += u64::from(self.second.1 == full);
    }

    fn ban(&mut self, at: u64, ban: &Ban) {
        if matches!(ban.action.as_str(), "added" | "raised") {
            *self.bans.at(&short(&ban.cause, TEXT)) += 1;
            if self.banned.len() < MOST_BANNED {
                self.banned.insert(short(ban.network.strip_suffix("/32").unwrap_or(&ban.network), TEXT));
            }
        }
        let step = if ban.step.is_empty() { String::new() } else { format!(": {}", ban.step) };
        let text = short(&format!("{} {}{step}", ban.network, ban.action), TEXT);
        let parts: Vec<&str> =
            [ban.cause.as_str(), ban.reason.as_str()].into_iter().filter(|p| !p.is_empty()).collect();
        self.event(Event { at, what: "ban".into(), text, why: short(&parts.join(": "), TEXT) });
    }

    fn state(&mut self, at: u64, state: &State) {
        if state.of == "flood" {
            for (at, state) in [(at, &state.to), (at.saturating_sub(1), &state.from)] {
                let minute = self.minutes.at(at);
                minute.state = minute.state.max(gravity(state));
            }
            let figure = |name: &str| state.evidence.get(name).copied().filter(|v| *v > 0.0);
            if let (Some(offered), Some(capacity)) = (figure("offered"), figure("capacity"))
                && self.peak.is_none_or(|(most, _)| offered > most)
            {
                self.peak = Some((offered, capacity));
            }
        }
        let name = if state.name.is_empty() { String::new() } else { format!("{}: ", state.name) };
        let why = if state.text.is_empty() { &state.cause } else { &state.text };
        let text = short(&format!("{name}{} → {}", state.from, state.to), TEXT);
        self.event(Event { at, what: short(&state.of, 20), text, why: short(why, 2 * TEXT) });
    }

    /// Changes of state are fewer than bans, and have their room to themselves.
    fn event(&mut self, event: Event) {
        let kept = &mut self.events_kept[usize::from(event.what == "ban")];
        if *kept < MOST_EVENTS {
            *kept += 1;
            self.events.push(event);
        } else {
            self.events_cut += 1;
        }
    }
}

/// The /24 or /48 of a client; none of a hash.
fn network(client: &str) -> Option<String> {
    let address: IpAddr = client.parse().ok()?;
    let bits = if address.is_ipv4() { 24 } else { 48 };
    Some(IpNet::new(address, bits).ok()?.trunc().to_string())
}
