//! Lines that carry JSON: alerts of Suricata (EVE) and records of the L7 proxy.

use super::header::Line;
use super::report::{Flow, Said, is_denial, report};
use crate::base::rfc3339;
use crate::config::settings::AviatrixReport;
use serde::Deserialize;
use std::net::IpAddr;

/// The least grave severity that counts: 1 is high, 2 medium, 3 low.
const GRAVE: u64 = 2;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    event_type: String,
    timestamp: String,
    src_ip: Option<IpAddr>,
    src_port: Option<u16>,
    dest_ip: Option<IpAddr>,
    dest_port: Option<u16>,
    direction: String,
    flow: Option<Began>,
    alert: Option<Alert>,
}

/// Who began the flow.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Began {
    src_ip: Option<IpAddr>,
    src_port: Option<u16>,
    dest_ip: Option<IpAddr>,
    dest_port: Option<u16>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Alert {
    signature: String,
    signature_id: u64,
    severity: u64,
}

/// An alert of Suricata. The client is who began the flow; the packet that raised the alert may be the answer.
pub(super) fn alert(line: &Line<'_>) -> Said {
    const KIND: &str = "suricata";
    // What is not JSON is a notice of Suricata's own.
    let Ok(event) = serde_json::from_str::<Event>(line.message) else { return Said::Passed(KIND) };
    let Some(alert) = event.alert.filter(|_| event.event_type == "alert") else { return Said::Passed(KIND) };
    let there = Flow { from: event.src_ip, from_port: event.src_port, to: event.dest_ip, to_port: event.dest_port };
    let back = Flow { from: there.to, from_port: there.to_port, to: there.from, to_port: there.from_port };
    let flow = match event.flow {
        Some(Began { src_ip: Some(from), src_port, dest_ip, dest_port }) => {
            Flow { from: Some(from), from_port: src_port, to: dest_ip, to_port: dest_port }
        }
        _ if event.direction == "to_client" => back,
        _ => there,
    };
    let Alert { signature, signature_id, severity } = alert;
    let what = format!("alert {signature_id} of severity {severity}: {signature}");
    let line = Line { at: rfc3339::to_unix_ms(&event.timestamp).or(line.at), ..*line };
    let counts = (1..=GRAVE).contains(&severity);
    report(&line, AviatrixReport::Suricata, flow, &what, counts).map_or(Said::Passed(KIND), Said::Report)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Request {
    action: String,
    reason: String,
    src: Option<IpAddr>,
    src_port: Option<u16>,
    dest: Option<IpAddr>,
    dest_port: Option<u16>,
    enforced: Option<bool>,
    sni_hostname: String,
    timestamp: u64,
}

/// A record of the L7 proxy, which tells of permitted requests too.
pub(super) fn request(line: &Line<'_>) -> Said {
    const KIND: &str = "traffic_server";
    let Ok(request) = serde_json::from_str::<Request>(line.message) else { return Said::Passed(KIND) };
    if !is_denial(&request.action) {
        return Said::Passed(KIND);
    }
    let Request { reason, src, src_port, dest, dest_port, enforced, sni_hostname, timestamp, .. } = request;
    let flow = Flow { from: src, from_port: src_port, to: dest, to_port: dest_port };
    let name = if sni_hostname.is_empty() { String::new() } else { format!(" to {sni_hostname}") };
    let enforced = enforced.unwrap_or(true);
    let how = if enforced { "" } else { ", not enforced" };
    let what = format!("a request was denied ({reason}){how}{name}");
    let line = Line { at: timestamp.checked_mul(1_000).filter(|at| *at > 0).or(line.at), ..*line };
    report(&line, AviatrixReport::L7, flow, &what, enforced).map_or(Said::Passed(KIND), Said::Report)
}

/// JSON of a program that is not named.
pub(super) fn either(line: &Line<'_>) -> Said {
    #[derive(Deserialize)]
    struct Which {
        event_type: Option<String>,
        decided_by: Option<String>,
        session_stage: Option<String>,
    }
    match serde_json::from_str::<Which>(line.message) {
        Ok(Which { event_type: Some(_), .. }) => alert(line),
        Ok(Which { decided_by: Some(_), .. } | Which { session_stage: Some(_), .. }) => request(line),
        _ => Said::Unknown("json".into()),
    }
}
