//! Lines of gateways through a real rsyslog into a running weir: what they lead to, and what is only counted.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::{Weir, config, eventually};
use serde_json::Value;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use weir::base::{clock, rfc3339};

/// A forwarder as gateways have one: what comes in at one of its ports goes on by UDP, by TCP with line ends and a relay's
/// own header, or by TCP with counts as RFC 5424.
struct Rsyslog {
    child: Child,
    _folder: tempfile::TempDir,
    udp: SocketAddr,
    lines: SocketAddr,
    counted: SocketAddr,
}

impl Rsyslog {
    /// None, and said why, where it is not installed.
    fn start(udp: SocketAddr, tcp: SocketAddr) -> Option<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/sbin".into()]);
        let Some(program) = folders.map(|f: PathBuf| f.join("rsyslogd")).find(|p| p.exists()) else {
            let advice = "rsyslogd is not installed: run scripts/setup.sh test";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{advice}");
            eprintln!("skipped: {advice}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let ports = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [a, b, c] = ports.each_ref().map(|p| p.local_addr().unwrap());
        drop(ports);
        let forward = |to: SocketAddr, more: &str| {
            format!("action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{}\" {more})", to.port())
        };
        let rules = [
            (a, forward(udp, "protocol=\"udp\" template=\"RSYSLOG_TraditionalForwardFormat\"")),
            (b, forward(tcp, "protocol=\"tcp\" template=\"RSYSLOG_ForwardFormat\"")),
            (
                c,
                forward(
                    tcp,
                    "protocol=\"tcp\" TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"",
                ),
            ),
        ];
        let mut text = format!("global(workDirectory=\"{}\")\nmodule(load=\"imtcp\")\n", folder.path().display());
        for (n, (at, rule)) in rules.iter().enumerate() {
            text += &format!("ruleset(name=\"r{n}\") {{ {rule} }}\n");
            text += &format!("input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{}\" ruleset=\"r{n}\")\n", at.port());
        }
        std::fs::write(folder.path().join("rsyslog.conf"), text).unwrap();
        let mut command = Command::new(program);
        command.arg("-n").arg("-f").arg(folder.path().join("rsyslog.conf")).arg("-i").arg(folder.path().join("pid"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        for port in [a, b, c] {
            while TcpStream::connect(port).is_err() {
                assert!(child.try_wait().unwrap().is_none(), "rsyslogd ended at once");
                assert!(Instant::now() < deadline, "rsyslogd does not listen");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Some(Self { child, _folder: folder, udp: a, lines: b, counted: c })
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway says this to its forwarder.
fn say(to: SocketAddr, line: &str) {
    TcpStream::connect(to).unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn with(origin: &Origin, sources: &str, more: &str) -> String {
    let keys = format!(
        "[client]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[lists]\nallow = [\"198.51.100.40\"]\n[aviatrix]\n\
         listen = [\"udp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"]\nsources = [\"{sources}\"]\n{more}"
    );
    let logged = "[log]\nforwarded_sample = \"100%\"\n";
    config(origin.address, &keys).replacen("[log]\n", logged, 1)
}

const ALL: &str = "act_on = [\"microseg\", \"rule-drop\", \"guardduty\", \"suricata\", \"l7\"]\naction = \"ban\"\n";

/// Where gateways are heard: by UDP and by TCP.
fn ears(weir: &Weir) -> (SocketAddr, SocketAddr) {
    let status = weir.status();
    let at = |n: usize| status["aviatrix"]["listen"][n].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
    (at(0), at(1))
}

fn reply(weir: &Weir, client: &str) -> u16 {
    Client::connect(weir.http).ask(get("/", &format!("X-Forwarded-For: {client}\r\n"))).status
}

fn reports(weir: &Weir, address: &str) -> Vec<Value> {
    let told: Value = serde_json::from_str(&weir.ask("/api/aviatrix").1).unwrap();
    told["reports"].as_array().unwrap().iter().filter(|r| r["address"] == address).cloned().collect()
}

fn denied(address: &str, port: u16) -> String {
    format!(
        "<158>Mar  4 22:54:38 GW-front-192.0.2.17-sink avx-gw-state-sync: AviatrixGwMicrosegPacket: POLICY=51321a3b \
         IP_SZ=52 SRC_IP={address} DST_IP=10.5.0.8 PROTO=TCP SRC_PORT={port} DST_PORT=80 DATA=0x ACT=DENY ENFORCED=true"
    )
}

fn alert(address: &str, port: u16) -> String {
    let now = rfc3339::from_unix_nanos(clock::unix_nanos(clock::now()));
    format!(
        "<174>Mar  4 22:54:38 GW-front-192.0.2.17-sink suricata[4]: {{\"timestamp\":\"{now}\",\"event_type\":\"alert\",\
         \"src_ip\":\"{address}\",\"src_port\":{port},\"dest_ip\":\"10.5.0.8\",\"dest_port\":80,\"alert\":{{\"signature_id\":1,\
         \"signature\":\"probe\",\"severity\":1}}}}"
    )
}

#[test]
fn what_gateways_report_by_way_of_rsyslog_leads_to_bans() {
    let origin = Origin::echo();
    let weir = Weir::start(&with(&origin, "127.0.0.0/8", ALL));
    let (udp, tcp) = ears(&weir);
    let Some(rsyslog) = Rsyslog::start(udp, tcp) else { return };
    // One office, two people: the port tells whose requests the alert is about.
    for client in ["198.51.100.2:40001", "198.51.100.2:40002", "198.51.100.2:40002"] {
        assert_eq!(reply(&weir, client), 200);
    }
    say(rsyslog.udp, &denied("198.51.100.1", 37_368));
    say(rsyslog.lines, &alert("198.51.100.2", 40_002));
    let drop = "<4>Mar  4 22:54:38 ip-10-0-0-4 kernel: [ 49.320353] AvxRl gw1 D:IN=eth0 OUT=eth0 SRC=198.51.100.3 DST=10.0.0.1 LEN=84";
    say(rsyslog.counted, drop);
    for (address, kind) in [("198.51.100.1", "microseg"), ("198.51.100.2", "suricata"), ("198.51.100.3", "rule-drop")] {
        eventually("it is banned", || reply(&weir, address) == 403);
        let told = reports(&weir, address);
        assert_eq!(
            (told.len(), &told[0]["kind"], &told[0]["outcome"]),
            (1, &kind.into(), &"banned".into()),
            "{told:?}"
        );
    }
    // They are remembered soon after they ended.
    eventually("it is joined", || reports(&weir, "198.51.100.2")[0]["joined"]["by"] == "port");
    let office = reports(&weir, "198.51.100.2").remove(0);
    assert_eq!((&office["joined"]["requests"], &office["gateway"]), (&2.into(), &"GW-front-192.0.2.17-sink".into()));
    assert_eq!(office["joined"]["request_id"].as_str().unwrap().len(), 32);
    assert_eq!(reports(&weir, "198.51.100.3")[0]["gateway"], "gw1");
    let bans: Value = serde_json::from_str(&weir.ask("/api/bans").1).unwrap();
    assert!(bans["bans"].as_array().unwrap().iter().all(|ban| ban["by"] == "aviatrix"), "{bans}");
    let why: Value = serde_json::from_str(&weir.ask("/api/why?address=198.51.100.2").1).unwrap();
    assert_eq!(why["aviatrix"][0]["what"], "alert 1 of severity 1: probe");
    // Who may not be banned is not, and what nobody knows is counted.
    say(rsyslog.counted, &denied("198.51.100.40", 1));
    say(rsyslog.counted, &denied("10.0.0.9", 1));
    say(rsyslog.counted, "<14>Mar  4 22:54:38 gw novelty[3]: something about 198.51.100.9");
    say(rsyslog.lines, "<14>Mar  4 22:54:38 gw run.py[1]: AviatrixGwNetStats: name=gw total_rx_rate=3.73");
    eventually("all are dealt with", || {
        let status = weir.status()["aviatrix"].clone();
        status["unknown"]["novelty"] == 1
            && status["passed"]["AviatrixGwNetStats"] == 1
            && status["lines"]["report"] == 5
    });
    assert_eq!(reports(&weir, "198.51.100.40")[0]["outcome"], "spared");
    assert_eq!(reports(&weir, "10.0.0.9")[0]["outcome"], "local");
    assert_eq!((reply(&weir, "198.51.100.40"), reply(&weir, "198.51.100.9")), (200, 200));
    let metrics = weir.ask("/metrics").1;
    for line in [
        "weir_aviatrix_reports_total{kind=\"suricata\",outcome=\"banned\"} 1",
        "weir_aviatrix_lines_total{outcome=\"unknown\"} 1",
        "weir_bans_added_total{kind=\"aviatrix\"} 3",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[test]
fn strangers_broken_streams_and_long_lines_are_counted_and_harm_nobody() {
    let origin = Origin::echo();
    let weir = Weir::start(&with(&origin, "192.0.2.0/24", ALL));
    let (udp, tcp) = ears(&weir);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = |name: &str| weir.status()["aviatrix"]["lines"][name].as_u64().unwrap();
    socket.send_to(denied("198.51.100.1", 1).as_bytes(), udp).unwrap();
    say(tcp, &denied("198.51.100.1", 1));
    eventually("strangers are counted", || line("foreign") == 2);
    assert_eq!((reply(&weir, "198.51.100.1"), &weir.status()["aviatrix"]["last_foreign"]), (200, &"127.0.0.1".into()));
    weir.rewrite(&with(&origin, "127.0.0.0/8", ALL));
    weir.reload().unwrap();
    let mut stream = TcpStream::connect(tcp).unwrap();
    let long = "x".repeat(40_000);
    stream.write_all(format!("{long}\n{} {long}\n", long.len()).as_bytes()).unwrap();
    socket.send_to(long.as_bytes(), udp).unwrap();
    eventually("long lines are counted", || line("too-long") == 3);
    assert_eq!(weir.status()["aviatrix"]["connections"], 1);
    // It ends in the midst of a line, which counts, and of a counted message, which does not.
    stream.write_all(denied("198.51.100.2", 1).as_bytes()).unwrap();
    drop(stream);
    say(tcp, "99 <14>x");
    eventually("the last line counts", || reply(&weir, "198.51.100.2") == 403);
    eventually("no connection stays", || weir.status()["aviatrix"]["connections"] == 0);
    assert_eq!((line("report"), line("unknown")), (1, 0));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let text = with(&Origin::echo(), "192.0.2.0/24", "").replace("tcp://127.0.0.1:0", &format!("tcp://{address}"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weir.toml");
    std::fs::write(&path, common::fill(&text)).unwrap();
    let said = weir::app::start(&path).err().unwrap().to_string();
    assert!(said.contains("aviatrix.listen") && said.contains(&format!("tcp://{address}")), "{said}");
}
