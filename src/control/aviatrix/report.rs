//! One line of a gateway's log: what it reports of a client, or why it reports nothing.
//!
//! Clients choose parts of many lines (a server's name, a URL, a user agent): a field counts only where the gateway
//! itself writes it.

use super::header::{self, Line};
use super::json;
use crate::config::settings::AviatrixReport;
use std::net::{IpAddr, SocketAddr};

/// The longest line that is read.
pub const MAX_LINE: usize = 16 << 10;

/// The longest text of a report, in characters.
pub const MAX_TEXT: usize = 200;

/// The longest name of a gateway or of a kind of line, in characters.
pub const MAX_NAME: usize = 64;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A client did something.
    Report(Report),
    /// A line of a known kind that reports no client: permitted, statistics, without an address.
    Passed(&'static str),
    /// A line of no known kind; what it calls itself.
    Unknown(String),
}

/// What a gateway reports of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What kind of report.
    pub kind: AviatrixReport,
    /// The client, as the gateway saw it.
    pub address: IpAddr,
    /// Its port.
    pub port: Option<u16>,
    /// What it spoke to; port 0 where none is said.
    pub to: Option<SocketAddr>,
    /// When: milliseconds since 1970.
    pub at: u64,
    /// The gateway's name; empty where it is not said.
    pub gateway: String,
    /// What it did, in words.
    pub what: String,
    /// Whether it is worth more than to be shown: the rule is enforced, the alert is of severity 1 or 2.
    pub counts: bool,
}

/// What the gateway writes of a flow, before it is a report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    pub(super) from: Option<IpAddr>,
    pub(super) from_port: Option<u16>,
    pub(super) to: Option<IpAddr>,
    pub(super) to_port: Option<u16>,
}

/// Kinds of lines that report no client, by the word they begin with.
const UNINTERESTING: [&str; 16] = [
    "AviatrixGwNetStats",
    "AviatrixGwSysStats",
    "AviatrixFQDNRule",
    "AviatrixFQDNBlock",
    "AviatrixCMD",
    "AviatrixAPI",
    "AviatrixTunnelStatusChange",
    "AviatrixVPNSession",
    "AviatrixUser",
    "AviatrixLicenseVPNUsers",
    "AviatrixLicsenseVPNUsers",
    "AviatrixRule",
    "AviatrixFireNet",
    "AviatrixBGPOverlapCIDR",
    "AviatrixBGPRouteLimitThreshold",
    "AviatrixGatewayStatusChanged",
];

/// Reads a line that came at `now`, in milliseconds since 1970.
pub fn read(line: &str, now: u64) -> Said {
    let line = header::split(line);
    let word = line.message.split([' ', ':']).next().unwrap_or_default();
    let said = match (line.program, word) {
        ("suricata", _) => json::alert(&line),
        ("traffic_server" | "ats_dcf", _) => json::request(&line),
        _ if line.message.starts_with('{') => json::either(&line),
        (_, "AviatrixGwMicrosegPacket") | ("microseg", _) => microseg(&line),
        (_, "AvxRl") => rule(&line),
        (_, "AviatrixGuardDuty") => finding(&line),
        _ => match UNINTERESTING.iter().find(|known| **known == word) {
            Some(known) => Said::Passed(known),
            None => Said::Unknown(kind_of(line.program, word)),
        },
    };
    match said {
        // What comes from the future comes from a clock that goes wrong.
        Said::Report(report) => {
            Said::Report(Report { at: if report.at == 0 { now } else { report.at.min(now) }, ..report })
        }
        other => other,
    }
}

/// A denied flow of microsegmentation.
fn microseg(line: &Line<'_>) -> Said {
    const KIND: &str = "AviatrixGwMicrosegPacket";
    let (mut flow, mut denied, mut enforced, mut policy, mut protocol) = (Flow::default(), false, true, "", "");
    for (key, value) in fields(line.message) {
        match key {
            "SRC_IP" | "SRC" => flow.from = value.parse().ok(),
            "DST_IP" | "DST" => flow.to = value.parse().ok(),
            "SRC_PORT" | "SPT" => flow.from_port = value.parse().ok(),
            "DST_PORT" | "DPT" => flow.to_port = value.parse().ok(),
            "ACT" | "ACTION" => denied = is_denial(value),
            "ENFORCED" => enforced = !value.eq_ignore_ascii_case("false"),
            "POLICY" => policy = value,
            "PROTO" => protocol = value,
            _ => {}
        }
    }
    if !denied {
        return Said::Passed(KIND);
    }
    let policy = if policy.is_empty() { String::new() } else { format!(" by policy {policy}") };
    let how = if enforced { "" } else { ", not enforced" };
    let what = format!("a flow {protocol} was denied{policy}{how}");
    report(line, AviatrixReport::Microseg, flow, &what, enforced).map_or(Said::Passed(KIND), Said::Report)
}

/// A flow that a gateway's rule dropped: `AvxRl gw1 D:IN=eth0 … SRC=… DST=…`.
fn rule(line: &Line<'_>) -> Said {
    const KIND: &str = "AvxRl";
    let (mut flow, mut protocol) = (Flow::default(), "");
    let mut words = line.message.split_ascii_whitespace().skip(1);
    let (Some(gateway), Some(verdict)) = (words.next(), words.next()) else { return Said::Passed(KIND) };
    if !verdict.starts_with("D:") {
        return Said::Passed(KIND);
    }
    for (key, value) in words.filter_map(|word| word.split_once('=')) {
        match key {
            "SRC" => flow.from = value.parse().ok(),
            "DST" => flow.to = value.parse().ok(),
            "SPT" => flow.from_port = value.parse().ok(),
            "DPT" => flow.to_port = value.parse().ok(),
            "PROTO" => protocol = value,
            _ => {}
        }
    }
    let what = format!("a rule of the gateway dropped a packet {protocol}");
    let report = report(&Line { host: gateway, ..*line }, AviatrixReport::RuleDrop, flow, &what, true);
    report.map_or(Said::Passed(KIND), Said::Report)
}

/// `Account […], Region […], Instance ID […], at TIME, ADDRESS is performing …`: only who begins the sentence did it.
fn finding(line: &Line<'_>) -> Said {
    const KIND: &str = "AviatrixGuardDuty";
    let Some((_, after)) = line.message.split_once("], at ") else { return Said::Passed(KIND) };
    let Some((time, sentence)) = after.split_once(", ") else { return Said::Passed(KIND) };
    let (actor, did) = sentence.split_once(' ').unwrap_or((sentence, ""));
    let flow = Flow { from: actor.parse().ok(), ..Flow::default() };
    let at = crate::base::rfc3339::to_unix_ms(time).or(line.at);
    let what = format!("GuardDuty: it {did}");
    report(&Line { at, ..*line }, AviatrixReport::GuardDuty, flow, &what, true).map_or(Said::Passed(KIND), Said::Report)
}

/// A report of this flow; none where the client's address is not said.
pub(super) fn report(line: &Line<'_>, kind: AviatrixReport, flow: Flow, what: &str, counts: bool) -> Option<Report> {
    let address = flow.from?.to_canonical();
    let to = flow.to.map(|to| SocketAddr::new(to.to_canonical(), flow.to_port.unwrap_or(0)));
    let (gateway, what) = (bounded(line.host, MAX_NAME), bounded(what, MAX_TEXT));
    // Of protocols without ports some write 0.
    let port = flow.from_port.filter(|port| *port != 0);
    Some(Report { kind, address, port, to, at: line.at.unwrap_or(0), gateway, what, counts })
}

/// Whether this word says that a flow was not let through.
pub(super) fn is_denial(word: &str) -> bool {
    ["DENY", "DROP", "DENIED", "DROPPED"].iter().any(|denial| word.eq_ignore_ascii_case(denial))
}

/// `KEY=value` between spaces.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_ascii_whitespace().filter_map(|word| word.split_once('='))
}

/// What a line of no known kind calls itself: letters, digits, `-`, `_` and `.` only.
fn kind_of(program: &str, word: &str) -> String {
    let name = if word.starts_with("Aviatrix") || program.is_empty() { word } else { program };
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().take_while(is_plain).take(MAX_NAME).collect();
    if name.is_empty() { "nameless".into() } else { name }
}

/// Its first `most` characters, control characters as spaces.
pub(super) fn bounded(text: &str, most: usize) -> String {
    text.trim().chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
