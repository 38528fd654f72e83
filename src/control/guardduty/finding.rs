//! One message: an event of EventBridge with a finding of GuardDuty, and the clients that it accuses.
//!
//! Whoever may write to the queue writes this: nothing in it is believed but what has the form that AWS documents.

use serde::Deserialize;
use serde_json::Number;
use std::net::IpAddr;

/// The largest message read.
pub const MAX_BYTES: usize = 256 << 10;

/// The most clients that one finding is held against.
pub const MAX_ADDRESSES: usize = 50;

/// The longest id, type or time.
const MAX_WORD: usize = 128;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Clients did something to a resource of ours.
    Finding(Finding),
    /// A finding that accuses no client of ours, and why not.
    Passed(&'static str),
}

/// A finding against clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its id.
    pub id: String,
    /// Its type, such as `UnauthorizedAccess:EC2/SSHBruteForce`.
    pub kind: String,
    /// In tenths: 80 is 8.0.
    pub severity: u16,
    /// When it was first found: RFC 3339, in UTC.
    pub created_at: String,
    /// When it was last seen again.
    pub updated_at: String,
    /// Who did it.
    pub addresses: Vec<IpAddr>,
}

#[derive(Deserialize)]
struct Event {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    severity: Number,
    created_at: String,
    updated_at: String,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    resource_role: String,
    #[serde(default)]
    action: Action,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    network_connection_action: Option<Connection>,
    port_probe_action: Option<Probes>,
    aws_api_call_action: Option<Call>,
    kubernetes_api_call_action: Option<Call>,
    rds_login_attempt_action: Option<Call>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    #[serde(default)]
    connection_direction: String,
    remote_ip_details: Remote,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probes {
    port_probe_details: Vec<Probe>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    remote_ip_details: Remote,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    /// None where another service of AWS called.
    remote_ip_details: Option<Remote>,
}

#[derive(Deserialize)]
struct Remote {
    #[serde(rename = "ipAddressV4", default)]
    v4: Option<String>,
    #[serde(rename = "ipAddressV6", default)]
    v6: Option<String>,
}

/// Reads a message; findings below `least` tenths of severity are passed over.
///
/// # Errors
/// Why it is no finding.
pub fn read(body: &str, least: u16) -> Result<Message, String> {
    if body.len() > MAX_BYTES {
        return Err(format!("has {} bytes; expected at most {MAX_BYTES}", body.len()));
    }
    let event: Event = serde_json::from_str(body).map_err(|e| format!("is no event: {e}"))?;
    if event.source != "aws.guardduty" || event.detail_type != "GuardDuty Finding" {
        return Err("is an event of another kind; expected aws.guardduty and GuardDuty Finding".into());
    }
    let Detail { id, kind, severity, created_at, updated_at, service } = event.detail;
    for (name, word) in [("id", &id), ("type", &kind), ("createdAt", &created_at), ("updatedAt", &updated_at)] {
        if word.is_empty() || word.len() > MAX_WORD || !word.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("has no {name} of the form that GuardDuty writes"));
        }
    }
    let severity =
        severity.as_f64().filter(|s| (0.0..=10.0).contains(s)).ok_or("has a severity that is not 0 to 10")?;
    let severity = (severity * 10.0).round() as u16;
    if let Some(why) = passed(&service, severity, least) {
        return Ok(Message::Passed(why));
    }
    let Some(remotes) = remotes(service.action) else { return Ok(Message::Passed("names no remote address")) };
    let addresses = addresses(remotes)?;
    Ok(Message::Finding(Finding { id, kind, severity, created_at, updated_at, addresses }))
}

/// Why the finding accuses no client of ours, if so.
fn passed(service: &Service, severity: u16, least: u16) -> Option<&'static str> {
    let outbound =
        service.action.network_connection_action.as_ref().is_some_and(|c| c.connection_direction != "INBOUND");
    if service.archived {
        Some("is archived")
    } else if service.resource_role != "TARGET" {
        Some("is not about a target")
    } else if severity < least {
        Some("is below guardduty.min_severity")
    } else {
        outbound.then_some("is not about an inbound connection")
    }
}

/// The remote ends of what was done; none where the action has none.
fn remotes(action: Action) -> Option<Vec<Remote>> {
    let Action {
        network_connection_action,
        port_probe_action,
        aws_api_call_action,
        kubernetes_api_call_action,
        rds_login_attempt_action,
    } = action;
    if let Some(connection) = network_connection_action {
        return Some(vec![connection.remote_ip_details]);
    }
    if let Some(probes) = port_probe_action {
        return Some(probes.port_probe_details.into_iter().map(|p| p.remote_ip_details).collect());
    }
    let call = aws_api_call_action.or(kubernetes_api_call_action).or(rds_login_attempt_action)?;
    Some(vec![call.remote_ip_details?])
}

fn addresses(remotes: Vec<Remote>) -> Result<Vec<IpAddr>, String> {
    let mut found: Vec<IpAddr> = Vec::new();
    let texts = remotes.into_iter().flat_map(|r| [r.v4, r.v6]).flatten().filter(|text| !text.is_empty());
    for text in texts {
        let address: IpAddr = text.parse().map_err(|_| "has a remote address that is none".to_owned())?;
        if found.len() < MAX_ADDRESSES && !found.contains(&address) {
            found.push(address);
        }
    }
    if found.is_empty() { Err("names no remote address where one was expected".into()) } else { Ok(found) }
}

/// The longest excerpt.
const EXCERPT: usize = 160;

/// A key, a token or an id is at least this long.
const LIKE_A_SECRET: usize = 16;

/// The beginning of a message, for the log: bounded, printable, without what may be a secret.
pub fn excerpt(body: &str) -> String {
    let mut text = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, text: &mut String| {
        text.push_str(if run.len() < LIKE_A_SECRET { run } else { "…" });
        run.clear();
    };
    // One run more than is shown, so that a secret that is cut is one all the same.
    for c in body.chars().take(EXCERPT + LIKE_A_SECRET) {
        if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-') {
            run.push(c);
        } else {
            flush(&mut run, &mut text);
            text.push(if c.is_control() { ' ' } else { c });
        }
    }
    flush(&mut run, &mut text);
    text.chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests;
