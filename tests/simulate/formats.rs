//! Every format and compression is the same traffic.

use super::*;
use std::io::Write;

/// One request: seconds after the start, client, path.
type Row = (u64, &'static str, &'static str);

const ROWS: [Row; 12] = [
    (0, "192.0.2.7", "/"),
    (0, "192.0.2.7", "/style.css"),
    (0, "192.0.2.7", "/a.png"),
    (0, "192.0.2.7", "/b.png"),
    (0, "192.0.2.7", "/c.png"),
    (0, "192.0.2.7", "/d.png"),
    (0, "192.0.2.7", "/e.png"),
    (1, "203.0.113.9", "/"),
    (1, "2001:db8::7", "/x"),
    (2, "2001:db8::8", "/y"),
    (9, "198.51.100.1", "/"),
    (60, "192.0.2.7", "/late"),
];

fn combined((t, ip, path): Row) -> String {
    // 1,700,000,000 is 22:13:20 on 14 November 2023.
    let (minute, second) = (13 + (20 + t) / 60, (20 + t) % 60);
    format!("{ip} - - [14/Nov/2023:22:{minute}:{second:02} +0000] \"GET {path} HTTP/1.1\" 200 5 \"-\" \"{BROWSER}\"\n")
}

fn alb((t, ip, path): Row) -> String {
    let (minute, second) = (13 + (20 + t) / 60, (20 + t) % 60);
    let client = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    let time = format!("2023-11-14T22:{minute}:{second:02}.000000Z");
    format!(
        "https {time} app/lb/1 {client}:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 0 5 \
         \"GET https://www.example.com:443{path} HTTP/1.1\" \"{BROWSER}\" - - arn:x \"Root=1\" \"www.example.com\" \
         \"arn:y\" 1 {time} \"forward\" \"-\"\n"
    )
}

fn json((t, ip, path): Row) -> String {
    let t = START + t;
    format!("{}\n", serde_json::json!({"t": t, "ip": ip, "path": path, "status": 200, "user_agent": BROWSER}))
}

fn tabs((t, ip, path): Row) -> String {
    let t = START + t;
    format!("{t}\t{ip}\t{path}\t200\t{BROWSER}\n")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn every_format_and_compression_gives_the_same_verdicts() {
    let place = Place::new();
    let tsv = format!("t\tip\tpath\tstatus\tuser_agent\n{}", ROWS.map(tabs).concat());
    let texts = [
        ("combined", ROWS.map(combined).concat()),
        ("alb", ROWS.map(alb).concat()),
        ("json", ROWS.map(json).concat()),
        ("tsv", tsv),
    ];
    let mut seen: Vec<String> = vec![];
    for (format, text) in texts {
        place.write("log", &text);
        place.write("log.gz", gzip(&text));
        place.write("log.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
        for log in ["log", "log.gz", "log.zst"] {
            place.good(&format!("--log {log} --verdicts out.tsv"));
            seen.push(place.read("out.tsv"));
        }
        place.good(&format!("--format {format} --log log --verdicts out.tsv"));
        seen.push(place.read("out.tsv"));
        let report = place.json("--log log");
        assert_eq!(report["log"]["formats"], serde_json::json!([format]));
        assert_eq!((report["log"]["requests"].as_u64(), report["log"]["faults"].as_u64()), (Some(12), Some(0)));
    }
    assert_eq!(seen[0].lines().count(), 1 + ROWS.len());
    assert!(seen.iter().all(|verdicts| *verdicts == seen[0]), "{seen:#?}");
    assert!(seen[0].contains("refuse\tlimit") && seen[0].contains("refuse\tdeny-list"), "{}", seen[0]);
}

#[test]
fn several_logs_and_standard_input_are_read_in_turn() {
    let place = Place::new();
    place.write("one", ROWS[..6].iter().copied().map(combined).collect::<String>());
    place.write("two", ROWS[6..].iter().copied().map(json).collect::<String>());
    let both = place.verdicts("--log one --log two");
    assert_eq!(both.len(), ROWS.len());
    let mut child = place.command();
    child.args(["--log", "one", "--log", "-", "--verdicts", "piped.tsv"]).stdin(Stdio::piped());
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(place.read("two").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(place.read("piped.tsv"), place.read("out.tsv"));
}

#[test]
fn clients_without_an_address_keep_their_names() {
    let place = Place::new();
    place.write("log", tsv((0..9).map(|n| (f64::from(n) * 0.01, "host.example".to_owned(), None))));
    let report = place.json("--log log");
    let top = &report["configs"][0]["top"][0];
    assert_eq!((top["client"].as_str(), top["refused"].as_u64()), (Some("host.example"), Some(4)));
    assert!(place.verdicts("--log log").iter().all(|row| row[1] == "host.example"));
}

#[test]
fn one_ipv6_network_is_one_client() {
    let place = Place::new();
    let rows = |network: &'static str| (0..8).map(move |n| (f64::from(n) * 0.01, format!("{network}{n:x}"), None));
    place.write("log", tsv(rows("2001:db8:0:1::")));
    let same = place.verdicts("--log log");
    assert_eq!(column(&same, 2)[..5], ["forward"; 5]);
    assert_eq!(column(&same, 2)[5..], ["refuse"; 3]);
    place.write("log", tsv((0..8).map(|n| (f64::from(n) * 0.01, format!("2001:db8:0:{n}::1"), None))));
    assert_eq!(column(&place.verdicts("--log log"), 2), ["forward"; 8]);
}
