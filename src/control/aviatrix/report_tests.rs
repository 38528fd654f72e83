//! Every documented form of a line, with addresses that are nobody's.

use super::*;
use crate::base::rfc3339;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000_000;

const SYNC: &str =
    "<158>Mar  4 22:54:38 GW-front-192.0.2.17-sink /usr/local/bin/avx-gw-state-sync 2026/03/04 22:54:38 ";

fn reported(line: &str) -> Report {
    match read(line, NOW) {
        Said::Report(report) => report,
        other => panic!("no report but {other:?}: {line}"),
    }
}

fn packet(rest: &str) -> String {
    format!(
        "{SYNC}AviatrixGwMicrosegPacket: POLICY=51321a3b SRC_MAC=02:64:c0:e4:c9:b1 DST_MAC=02:55:21:72:8c:63 IP_SZ=52 \
         SRC_IP=198.51.100.5 DST_IP=10.5.0.8 PROTO=TCP SRC_PORT=37368 DST_PORT=80 DATA=0x {rest}"
    )
}

#[test]
fn a_denied_flow_of_microsegmentation_is_reported_in_all_its_forms() {
    let session =
        "SESSION_ID=1 SESSION_EVENT=1 SESSION_END_REASON=1 SESSION_PKT_CNT=3 SESSION_BYTE_CNT=9 SESSION_DUR=2";
    for rest in [format!("ACT=DENY ENFORCED=true {session}"), "ACT=DENY ENFORCED=true".into(), "ACT=DENY".into()] {
        let report = reported(&packet(&rest));
        let wanted = Report {
            kind: AviatrixReport::Microseg,
            address: "198.51.100.5".parse().unwrap(),
            port: Some(37_368),
            to: Some("10.5.0.8:80".parse().unwrap()),
            at: rfc3339::to_unix_ms("2026-03-04T22:54:38Z").unwrap(),
            gateway: "GW-front-192.0.2.17-sink".into(),
            what: "a flow TCP was denied by policy 51321a3b".into(),
            counts: true,
        };
        assert_eq!(report, wanted);
    }
    assert!(!reported(&packet("ACT=DENY ENFORCED=false")).counts);
    assert_eq!(read(&packet("ACT=PERMIT ENFORCED=true"), NOW), Said::Passed("AviatrixGwMicrosegPacket"));
    let old =
        "<14>Mar 4 22:54:38 avx-gw AviatrixGwMicrosegPacket: SRC_MAC=a DST_MAC=b PROTO=TCP SPT=443 DPT=8080 ACTION=";
    assert_eq!(read(&format!("{old}DENY"), NOW), Said::Passed("AviatrixGwMicrosegPacket"), "it has no address");
    let report = reported(&format!("{old}DENY SRC=2001:db8::7 DST=::ffff:10.0.0.1"));
    assert_eq!((report.port, report.to), (Some(443), Some("10.0.0.1:8080".parse().unwrap())));
    assert_eq!((report.at, report.address), (NOW, "2001:db8::7".parse::<IpAddr>().unwrap()), "no year is said");
}

#[test]
fn a_dropped_packet_is_reported_and_an_accepted_one_is_not() {
    let line = |verdict: &str| {
        format!(
            "2026-03-04T22:54:38.217018+00:00 ip-10-240-0-44 kernel: [ 4976.320353] AvxRl gw1 {verdict}:IN=eth0 OUT=eth0 \
             MAC=02:bd SRC=198.51.100.60 DST=10.230.1.23 LEN=84 TOS=0x00 PROTO=TCP SPT=4433 DPT=22"
        )
    };
    let report = reported(&line("D"));
    assert_eq!((report.kind, report.gateway.as_str(), report.port), (AviatrixReport::RuleDrop, "gw1", Some(4_433)));
    assert_eq!(report.to, Some("10.230.1.23:22".parse().unwrap()));
    assert_eq!(read(&line("A"), NOW), Said::Passed("AvxRl"));
    let cut = line("D").split(" TOS").next().unwrap().to_owned();
    assert_eq!((reported(&cut).port, reported(&cut).to), (None, Some("10.230.1.23:0".parse().unwrap())));
}

#[test]
fn a_finding_accuses_who_did_it_and_nobody_else() {
    let line = |sentence: &str| {
        format!(
            "2026-03-04T00:00:50.369963-07:00 ip-10-0-0-7 cloudxd: AviatrixGuardDuty: Account [aws], Region [us-east-1], \
             Instance ID [i-0a675b03fafedd3f2], at 2026-03-04T02:05:35Z, {sentence}"
        )
    };
    let report = reported(&line("198.51.100.97 is performing SSH brute force attacks against"));
    assert_eq!(
        (report.kind, report.at),
        (AviatrixReport::GuardDuty, rfc3339::to_unix_ms("2026-03-04T02:05:35Z").unwrap())
    );
    assert_eq!(report.what, "GuardDuty: it is performing SSH brute force attacks against");
    for sentence in
        ["EC2 instance i-9 is performing SSH brute force attacks against 198.51.100.97.", "a port is probed", ""]
    {
        assert_eq!(read(&line(sentence), NOW), Said::Passed("AviatrixGuardDuty"), "{sentence}");
    }
}

#[test]
fn an_alert_accuses_who_began_the_flow() {
    let line = |severity: u8, more: &str| {
        format!(
            "<174>Mar  4 22:54:38 GW-a suricata[4]: {{\"timestamp\":\"2026-03-04T22:54:37.320725+0000\",\"event_type\":\"alert\",\
             \"src_ip\":\"198.51.100.31\",\"src_port\":80,\"dest_ip\":\"203.0.113.124\",\"dest_port\":42324,\"proto\":\"TCP\",\
             \"alert\":{{\"action\":\"allowed\",\"signature_id\":2100498,\"signature\":\"GPL\\u001b id\",\"severity\":{severity}}}{more}}}"
        )
    };
    let flow = ",\"direction\":\"to_client\",\"flow\":{\"src_ip\":\"203.0.113.124\",\"src_port\":42324,\"dest_ip\":\"198.51.100.31\",\"dest_port\":80}";
    for more in [flow, ",\"direction\":\"to_client\""] {
        let report = reported(&line(2, more));
        assert_eq!((report.address.to_string().as_str(), report.port), ("203.0.113.124", Some(42_324)), "{more}");
        assert_eq!((report.to, report.counts), (Some("198.51.100.31:80".parse().unwrap()), true));
        assert_eq!(report.what, "alert 2100498 of severity 2: GPL  id");
    }
    let report = reported(&line(3, ",\"direction\":\"to_server\""));
    assert_eq!((report.address.to_string().as_str(), report.counts), ("198.51.100.31", false));
    assert!(!reported(&line(0, "")).counts);
    let other = line(1, "").replace("\"alert\",", "\"stats\",");
    for passed in [
        &other,
        "<14>Mar 4 22:54:38 GW-a suricata[25587]: Notice: lipc: version",
        "suricata: {\"event_type\":\"alert\"}",
    ] {
        assert_eq!(read(passed, NOW), Said::Passed("suricata"), "{passed}");
    }
    let by_app = line(1, "")
        .replace("<174>Mar  4 22:54:38 GW-a suricata[4]:", "<174>1 2026-03-04T22:54:38Z GW-a suricata 4 - -");
    assert_eq!((reported(&by_app).kind, reported(&by_app).gateway.as_str()), (AviatrixReport::Suricata, "GW-a"));
    let bare = line(1, "").split_once(": ").unwrap().1.to_owned();
    assert_eq!(reported(&bare).kind, AviatrixReport::Suricata);
}

#[test]
fn a_denied_request_is_reported_and_a_permitted_one_is_not() {
    let line = |action: &str, enforced: bool| {
        format!(
            "<153>Mar  4 22:54:38 GW-front-192.0.2.17-sink traffic_server[5141]: {{\"priority\":\"LOG_ALERT\",\"action\":\"{action}\",\
             \"reason\":\"IPS_POLICY_DENY\",\"src\":\"198.51.100.5\",\"src_port\":40708,\"dest\":\"203.0.113.138\",\"dest_port\":443,\
             \"enforced\":{enforced},\"ids\":true,\"stage\":\"txn\",\"sni_hostname\":\"app.example\",\"decided_by\":\"3822\",\
             \"session_stage\":\"end\",\"sid\":\"2036237\",\"timestamp\":1771172852}}"
        )
    };
    let report = reported(&line("Deny", true));
    assert_eq!((report.kind, report.port, report.at), (AviatrixReport::L7, Some(40_708), 1_771_172_852_000));
    assert_eq!(report.what, "a request was denied (IPS_POLICY_DENY) to app.example");
    assert!(report.counts && !reported(&line("DROP", false)).counts);
    assert_eq!(read(&line("Permit", true), NOW), Said::Passed("traffic_server"));
    let bare = line("Deny", true).split_once("]: ").unwrap().1.to_owned();
    assert_eq!(reported(&bare).kind, AviatrixReport::L7);
}

#[test]
fn known_lines_are_told_from_unknown_ones() {
    for (line, kind) in [
        (format!("{SYNC}AviatrixGwNetStats: timestamp=2026 name=a total_rx_rate=186.97Kb total_tx_rate=3.73"), "AviatrixGwNetStats"),
        ("Mar  4 22:54:38 10.0.0.3 Mar  4 22:54:38 Controller-10.0.0.1 run_cloudxd.py[3085]: AviatrixCMD: action=X, argv=['AviatrixGuardDuty: Account [a], at b, 198.51.100.1 x']".into(), "AviatrixCMD"),
        ("2026-03-04T22:54:38.0+00:00 ip-10-0-0-1 avx-nfq: AviatrixFQDNRule: [x.y] SRC_IP=198.51.100.1 ACT=DENY".into(), "AviatrixFQDNRule"),
    ] {
        assert_eq!(read(&line, NOW), Said::Passed(kind));
    }
    for (line, kind) in [
        ("<14>Mar  4 22:54:38 gw sshd[7]: Failed password for root from 198.51.100.1", "sshd"),
        ("<14>Mar  4 22:54:38 gw cloudxd: AviatrixNovelty: x", "AviatrixNovelty"),
        ("rubbish AviatrixGuardDuty: Account [a], Region [b], at 2026-03-04T02:05:35Z, 198.51.100.1 did it", "rubbish"),
        ("{\"a\":1}", "json"),
        ("", "nameless"),
        ("\u{1b}[31m", "nameless"),
    ] {
        assert_eq!(read(line, NOW), Said::Unknown(kind.into()), "{line}");
    }
}

#[test]
fn no_report_comes_from_the_future() {
    let line = packet("ACT=DENY");
    let Said::Report(report) = read(&line, 5) else { panic!() };
    assert_eq!(report.at, 5);
}

proptest! {
    /// What follows the tag may be anything: nothing panics, and all that is kept is short and printable.
    #[test]
    fn whatever_comes_is_bounded(
        start in prop::sample::select(vec!["", SYNC, "<14>1 - gw suricata 4 - -", "kernel: [ 1.0] AvxRl gw D: ", "traffic_server[1]: "]),
        rest in "(AviatrixGwMicrosegPacket: |AviatrixGuardDuty: \\[a\\], at |\\{\"src_ip\":\"198.51.100.1\",)?.{0,300}",
    ) {
        match read(&format!("{start} {rest}"), NOW) {
            Said::Report(report) => {
                prop_assert!(report.what.chars().count() <= MAX_TEXT && report.gateway.chars().count() <= MAX_NAME);
                prop_assert!(!report.what.chars().chain(report.gateway.chars()).any(char::is_control));
                prop_assert!(report.at <= NOW && report.port != Some(0));
            }
            Said::Passed(kind) => prop_assert!(!kind.is_empty()),
            Said::Unknown(kind) => prop_assert!((1..=MAX_NAME).contains(&kind.len())),
        }
    }
}
