//! tshark as a reader of datagrams, which it takes from a capture that the test writes.

use super::{milliseconds, number};
use serde_json::Value;
use std::process::Command;
use weir::base::rfc3339;
use weir::event::record::{Outcome, Record};

/// Reads `datagrams`, and holds what it reads against `records` and what the exporter says of its sample: a hundredth.
pub(crate) fn check(version: u8, datagrams: &[Vec<u8>], records: &[Record]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.pcap");
    std::fs::write(&file, capture(datagrams)).unwrap();
    let mut command = Command::new("tshark");
    command.env("TZ", "UTC").arg("-r").arg(file);
    let out = command.args(["-d", "udp.port==2055,cflow", "-T", "json", "--no-duplicate-keys"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    for fault in ["malformed", "nexpected", "No template"] {
        assert!(!text.contains(fault), "{fault}: {text}");
    }
    let said: Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut flows = vec![];
    for packet in said.as_array().unwrap() {
        let message = packet["_source"]["layers"]["cflow"].as_object().unwrap();
        let sets = message.values().filter_map(Value::as_object);
        flows.extend(sets.flat_map(|set| set.iter().filter(|(k, _)| k.starts_with("Flow ")).map(|(_, v)| v.clone())));
    }
    let (sampler, missing) = if version == 9 { ("cflow.sampler_id", 9) } else { ("cflow.selector_id", 10) };
    let options: Vec<_> = flows.iter().filter(|f| f["cflow.srcport"].is_null()).collect();
    let sampled = options.iter().find(|o| o[sampler] == "1").unwrap_or_else(|| panic!("{missing}: {options:?}"));
    match version {
        9 => assert_eq!(sampled["cflow.sampler_random_interval"], "100"),
        _ => assert_eq!(sampled["cflow.sampling_probability"], "0.01"),
    }
    assert!(options.iter().any(|o| o["cflow.notsent_flows"] == "4711"), "{options:?}");
    for record in records {
        let port = u64::from(record.client_port);
        let of = |f: &&Value| !f["cflow.srcport"].is_null() && number(&f["cflow.srcport"]) == port;
        agree(version, flows.iter().find(of).unwrap(), record);
    }
}

fn agree(version: u8, flow: &Value, record: &Record) {
    let text = |key: &str| flow[key].as_str().unwrap_or_else(|| panic!("{key}: {flow}")).to_owned();
    let family = if record.client.is_ipv4() { "" } else { "v6" };
    let local = record.local.unwrap();
    assert_eq!(text(&format!("cflow.srcaddr{family}")), record.client.to_string());
    assert!(text(&format!("cflow.dstaddr{family}")).ends_with(&local.ip().to_string()), "{flow}");
    assert_eq!(text("cflow.dstport"), local.port().to_string());
    assert_eq!((text("cflow.protocol"), text("cflow.direction")), ("6".into(), "0".into()));
    let (bytes, back) = match version {
        9 => (&flow["cflow.octets"], &flow["cflow.post_octets"]),
        // The second is the way back.
        _ => (&flow["cflow.octets"][0], &flow["cflow.octets"][1]),
    };
    assert_eq!((number(bytes), number(back)), (record.bytes_in, record.bytes_out), "{flow}");
    let refused = matches!(record.outcome, Outcome::Refused | Outcome::Closed);
    assert_eq!(text("cflow.firewall_event"), if refused { "3" } else { "1" });
    assert_eq!(text("cflow.http_statuscode"), record.status.to_string());
    assert_eq!(text("cflow.timedelta"), format!("{:.9}", record.duration.as_secs_f64()));
    let (start, _) = milliseconds(record);
    if version == 10 {
        // `Nov 22, 2026 16:28:26.631000000 UTC`
        let clock = rfc3339::from_unix_nanos(start * 1_000_000)[11..23].to_owned();
        assert!(flow["cflow.timedelta_tree"]["cflow.abstimestart"].as_str().unwrap().contains(&clock), "{flow}");
    }
    let key = if version == 9 { "cflow.unknown_field_type" } else { "cflow.enterprise_private_entry" };
    let hex = text(key);
    let reason: String = hex.split(':').map(|h| char::from(u8::from_str_radix(h, 16).unwrap())).collect();
    assert_eq!(reason.trim_end_matches('\0'), record.reason);
}

/// A capture (pcap) of raw IPv4 packets, one a datagram.
fn capture(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0];
    for datagram in datagrams {
        let udp = datagram.len() as u16 + 8;
        let ip = udp + 20;
        file.extend([0; 8]);
        file.extend(u32::from(ip).to_le_bytes());
        file.extend(u32::from(ip).to_le_bytes());
        file.extend([0x45, 0]);
        file.extend(ip.to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 0x12, 0x34]);
        file.extend(2_055u16.to_be_bytes());
        file.extend(udp.to_be_bytes());
        file.extend([0, 0]);
        file.extend(datagram);
    }
    file
}
