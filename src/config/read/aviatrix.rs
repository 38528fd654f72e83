//! The keys of `[aviatrix]`.

use super::shared::{name, url};
use crate::config::kind::{Kind, choice, duration, flag, list, whole};
use crate::config::place::{file, network, secret_place};
use crate::config::section::{Section, When};
use crate::config::settings::{Aviatrix, SmartGroup, Transport};
use crate::config::words::{AVIATRIX_ACTIONS, AVIATRIX_REPORTS};
use serde_json::json;
use std::net::SocketAddr;

pub(super) fn aviatrix(s: &mut Section<'_, '_>) -> Aviatrix {
    let aviatrix = Aviatrix {
        listen: s.start("listen", list(listener()), "[]", "Where the syslog of Aviatrix gateways is heard, such as \"udp://0.0.0.0:5140\" or tcp://. Empty: nowhere."),
        sources: s.live("sources", list(network()), "[]", "The gateways: networks that may send. Whatever else comes is counted and dropped."),
        action: s.live("action", choice(AVIATRIX_ACTIONS), r#""observe""#, "What a report of a client leads to: it is shown only, one step up the ladder, or a ban as long as duration says."),
        duration: s.live("duration", duration("1m", "365d"), r#""1h""#, "How long a ban for a report lasts."),
        act_on: s.live("act_on", list(choice(AVIATRIX_REPORTS)), r#"["guardduty", "suricata"]"#, "Which reports are acted on; the others are shown only."),
        smartgroup: s.table("smartgroup", "A SmartGroup of the worst offenders, kept through the Controller's API v2.5.", smartgroup),
    };
    if !aviatrix.listen.is_empty() && aviatrix.sources.is_empty() && !s.has("sources") {
        let path = s.join("listen");
        s.document().fault(
            &path,
            "needs aviatrix.sources, the networks of the gateways: anybody can send what looks like a report",
        );
    }
    aviatrix
}

fn smartgroup(s: &mut Section<'_, '_>) -> SmartGroup {
    let base = s.base();
    let group = SmartGroup {
        enabled: s.start("enabled", flag(), "false", "Whether the group is kept."),
        controller: s.start(
            "controller",
            url(&["https", "http"]),
            r#""https://controller.invalid""#,
            "The Controller.",
        ),
        user: s.start("user", name(), r#""weir""#, "Who logs in; may write SmartGroups and nothing else."),
        password_file: s.optional(
            "password_file",
            secret_place(base),
            "The password: a file, read at each login, or an environment variable as env:NAME.",
            When::Start,
        ),
        ca_file: s.optional(
            "ca_file",
            file(base),
            "PEM certificates that the Controller's certificate is checked against. None: those of the system.",
            When::Start,
        ),
        name: s.start("name", name(), r#""weir-offenders""#, "The group's name; made where it is missing."),
        most: s.live("most", whole(1..=3000), "500", "The most networks in it: the worst offenders."),
        interval: s.live("interval", duration("5s", "1h"), r#""30s""#, "The least time between two updates."),
    };
    if group.enabled && group.password_file.is_none() && !s.has("password_file") {
        let path = s.join("password_file");
        s.document().fault(&path, "is missing; write the path of a file with the password, or env:NAME");
    }
    group
}

fn listener() -> Kind<(Transport, SocketAddr)> {
    const WANT: &str = "an address such as \"udp://0.0.0.0:5140\" or \"tcp://0.0.0.0:5140\"";
    let schema = json!({"type": "string", "pattern": "^(udp|tcp)://.+:[0-9]+$"});
    Kind::string("udp:// or tcp://, address and port", WANT, schema, |text| {
        let (transport, rest) = match text.split_once("://") {
            Some(("udp", rest)) => (Transport::Udp, rest),
            Some(("tcp", rest)) => (Transport::Tcp, rest),
            _ => return Err(format!("is no place to listen; write {WANT}")),
        };
        let address = rest.parse().map_err(|_| format!("has no address with its port; write {WANT}"))?;
        Ok((transport, address))
    })
}
