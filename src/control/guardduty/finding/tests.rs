//! Messages as AWS documents them, and what an enemy makes of them.

use super::*;
use serde_json::{Value, json};

fn event(action: Value) -> Value {
    json!({
        "version": "0", "id": "c8c4daa7-a20c-2f03-0070-b7393dd542ad",
        "detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": "111122223333",
        "time": "2024-02-29T12:00:00Z", "region": "eu-central-1", "resources": [],
        "detail": {
            "schemaVersion": "2.0", "id": "16afba5c5c43e07c9e3e5e2e544e95df",
            "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 8,
            "createdAt": "2024-02-29T11:00:00.000Z", "updatedAt": "2024-02-29T12:00:00.000Z",
            "service": {"archived": false, "resourceRole": "TARGET", "count": 7, "action": action}
        }
    })
}

fn inbound() -> Value {
    json!({"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
        "connectionDirection": "INBOUND", "blocked": false, "localPortDetails": {"port": 22},
        "localIpDetails": {"ipAddressV4": "10.0.0.1"},
        "remoteIpDetails": {"ipAddressV4": "198.51.100.7", "country": {"countryName": "Nowhere"}}
    }})
}

fn said(event: &Value) -> Result<Message, String> {
    read(&event.to_string(), 40)
}

fn accused(event: &Value) -> Vec<String> {
    match said(event) {
        Ok(Message::Finding(finding)) => finding.addresses.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_inbound_connection_accuses_its_remote_end() {
    let Ok(Message::Finding(finding)) = said(&event(inbound())) else { panic!("no finding") };
    assert_eq!(finding.addresses, ["198.51.100.7".parse::<IpAddr>().unwrap()]);
    assert_eq!((finding.severity, finding.kind.as_str()), (80, "UnauthorizedAccess:EC2/SSHBruteForce"));
    assert_eq!(finding.id, "16afba5c5c43e07c9e3e5e2e544e95df");
    assert_eq!(finding.updated_at, "2024-02-29T12:00:00.000Z");
}

#[test]
fn every_kind_of_action_is_known() {
    let remote = json!({"ipAddressV4": "198.51.100.7"});
    let probes = json!({"portProbeAction": {"portProbeDetails": [
        {"remoteIpDetails": remote}, {"remoteIpDetails": {"ipAddressV4": "", "ipAddressV6": "2001:db8::7"}},
        {"remoteIpDetails": remote}
    ]}});
    assert_eq!(accused(&event(probes)), ["198.51.100.7", "2001:db8::7"]);
    for name in ["awsApiCallAction", "kubernetesApiCallAction", "rdsLoginAttemptAction"] {
        assert_eq!(accused(&event(json!({name: {"remoteIpDetails": remote}}))), ["198.51.100.7"], "{name}");
    }
    let many: Vec<Value> =
        (0..200).map(|n| json!({"remoteIpDetails": {"ipAddressV4": format!("198.51.100.{n}")}})).collect();
    assert_eq!(accused(&event(json!({"portProbeAction": {"portProbeDetails": many}}))).len(), MAX_ADDRESSES);
}

#[test]
fn what_accuses_no_client_of_ours_is_passed_over() {
    let with = |path: &str, value: Value| {
        let mut event = event(inbound());
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let connection = "/detail/service/action/networkConnectionAction/connectionDirection";
    for (event, why) in [
        (with(connection, json!("OUTBOUND")), "not about an inbound"),
        (with(connection, json!("UNKNOWN")), "not about an inbound"),
        (with("/detail/service/resourceRole", json!("ACTOR")), "not about a target"),
        (with("/detail/service/archived", json!(true)), "archived"),
        (with("/detail/severity", json!(3.9)), "min_severity"),
        (event(json!({"dnsRequestAction": {"domain": "example.com"}})), "no remote address"),
        (event(json!({"awsApiCallAction": {"callerType": "AWS service"}})), "no remote address"),
    ] {
        let Ok(Message::Passed(passed)) = said(&event) else { panic!("{why}: {:?}", said(&event)) };
        assert!(passed.contains(why), "{passed}");
    }
    assert!(matches!(said(&with("/detail/severity", json!(4.0))), Ok(Message::Finding(_))));
}

#[test]
fn what_is_no_finding_is_poison_and_says_why() {
    let with = |path: &str, value: Value| {
        let mut event = event(inbound());
        *event.pointer_mut(path).unwrap() = value;
        event.to_string()
    };
    let remote = "/detail/service/action/networkConnectionAction/remoteIpDetails";
    for (body, why) in [
        (String::new(), "no event"),
        ("[1".repeat(9_000), "no event"),
        ("hello".into(), "no event"),
        (with("/source", json!("aws.health")), "another kind"),
        (with("/detail/id", json!("a\nb")), "no id"),
        (with("/detail/type", json!("x".repeat(500))), "no type"),
        (with("/detail/severity", json!(11)), "severity"),
        (with("/detail/severity", json!("8")), "no event"),
        (with(remote, json!({"ipAddressV4": "198.51.100.7/24"})), "that is none"),
        (with(remote, json!({})), "names no remote address"),
        (" ".repeat(MAX_BYTES + 1), "expected at most"),
    ] {
        let error = read(&body, 40).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
        assert!(error.len() < 300, "{}", error.len());
    }
}

#[test]
fn an_excerpt_is_bounded_printable_and_keeps_secrets() {
    let body = "{\"key\": \"AKIAIOSFODNN7EXAMPLE\",\n\"note\": \"short\u{1b}[31m\"}";
    let text = excerpt(body);
    assert_eq!(text, "{\"key\": \"…\", \"note\": \"short [31m\"}");
    assert!(excerpt(&"é ".repeat(9_000)).chars().count() <= EXCERPT);
    let cut = format!("{}{}", " ".repeat(EXCERPT - 4), "s".repeat(40));
    assert!(!excerpt(&cut).contains("ss"));
}
