//! A flood on a small weir, as `/api/flood`, `weir top`, `weir status`, `weir why`, the metrics and the log show it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::process::{Process, command};
use common::{config, eventually};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Requests of 200 clients, a third of them of one, until dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    fn on(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut client = Client::connect(address);
            // SeqCst: a test has no haste.
            for n in (0u32..).take_while(|_| !stopped.load(Ordering::SeqCst)) {
                let last = if n % 3 == 0 { 7 } else { n % 200 };
                let from = format!("X-Forwarded-For: 198.51.100.{last}\r\nUser-Agent: Mozilla/5.0\r\n");
                let answer = client.try_ask(get("/page", &from));
                if answer.is_none_or(|a| a.header("connection") == "close") {
                    client = Client::connect(address);
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        // SeqCst: as above.
        self.stop.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A process that ends with its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn small(origin: SocketAddr) -> String {
    let log = "access = \"stdout\"\nrefused_rate = \"1000/s\"\n";
    config(origin, "").replace("50000/s", "20/s").replace("access = \"off\"\n", log)
}

fn flood(weir: &Process) -> Value {
    serde_json::from_str(&weir.ask("/api/flood").1).unwrap()
}

/// What `weir` prints when it is asked so about this one.
fn says(weir: &Process, arguments: &[&str]) -> String {
    let admin = format!("http://{}", weir.admin);
    let output = command().args(arguments).args(["--admin", &admin]).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn is_on(weir: &Process) -> bool {
    ["overload", "attack"].iter().any(|state| flood(weir)["state"] == *state)
}

#[test]
fn a_flood_shows_everywhere_while_it_lasts() {
    let origin = Origin::echo();
    let weir = Process::start(&small(origin.address));
    let quiet = flood(&weir);
    assert_eq!((&quiet["state"], &quiet["capacity"]), (&Value::from("normal"), &Value::from(20.0)));
    assert!(says(&weir, &["top", "--once"]).contains("NORMAL for"));
    let _flood = Flood::on(weir.http);
    eventually("the state changes", || is_on(&weir));
    eventually("rates by rank", || {
        let ranks = flood(&weir)["ranks"].clone();
        ranks.as_array().unwrap().iter().any(|r| r["rank"] == "unknown" && r["refused"].as_f64() > Some(1.0))
    });
    let seen = flood(&weir);
    let state = seen["state"].as_str().unwrap().to_owned();
    assert_eq!(seen["by_requests"][0]["who"], "198.51.100.7", "{seen:#}");
    assert_eq!(seen["by_net24"][0]["who"], "198.51.100.0/24");
    assert_eq!(seen["changes"].as_array().unwrap().last().unwrap()["from"], "normal");
    assert!(seen["bytes"].as_u64() > seen["offender_bytes"].as_u64());
    eventually("clients are counted", || flood(&weir)["clients"].as_f64() > Some(100.0));
    let top = says(&weir, &["top", "--once"]);
    for part in [state.to_uppercase().as_str(), "offered", "capacity 20/s", "198.51.100.7", "198.51.100.0/24"] {
        assert!(top.contains(part), "{part:?} is not in:\n{top}");
    }
    assert!(!top.contains('\x1b'), "{top}");
    let line: Value = serde_json::from_str(&says(&weir, &["top", "--once", "--json"])).unwrap();
    assert_eq!(line["capacity"], 20.0);
    assert!(says(&weir, &["status"]).contains("  flood        "));
    let why = says(&weir, &["why", "198.51.100.7"]);
    assert!(why.contains("rank unknown") && why.contains("in the state"), "{why}");
    let metrics = weir.ask("/metrics").1;
    assert!(metrics.contains("weir_flood_state{state=\"normal\"} 0"), "{metrics}");
    eventually("a refusal in the log, with what it rests on", || {
        let text = weir.stdout();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.any(|l| {
            let explained = l["offered"].as_f64() > Some(20.0) && l["capacity"] == 20.0 && l["rank"] == "unknown";
            l["outcome"] == "refused" && explained && l["state"] != "normal"
        })
    });
}

/// With a terminal that `script` makes: the screen stays, keys work, the terminal is given back.
#[test]
fn it_lives_in_a_terminal_until_q() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: script (util-linux) is not there");
        return;
    }
    let origin = Origin::echo();
    let weir = Process::start(&small(origin.address));
    let shown = weir.path("screen");
    let line = format!("{} top --interval 100ms --admin http://{}", env!("CARGO_BIN_EXE_weir"), weir.admin);
    let mut script = Command::new("script");
    script.args(["-qefc", &line]).arg(&shown).env("TERM", "xterm").env_remove("NO_COLOR");
    let mut child = Killed(script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let mut keys = child.0.stdin.take().unwrap();
    let shows = |part: &str| {
        eventually(part, || String::from_utf8_lossy(&std::fs::read(&shown).unwrap_or_default()).contains(part));
    };
    shows("Clients by requests");
    keys.write_all(b"b").unwrap();
    shows("Clients by bytes");
    keys.write_all(b"q").unwrap();
    shows("\x1b[?1049l");
    eventually("the end", || child.0.try_wait().unwrap().is_some_and(|status| status.success()));
}

#[test]
fn a_database_of_owners_is_read_and_a_broken_one_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces/mmdb_test");
    let good = folder.join("GeoLite2-ASN-Test.mmdb");
    let broken = folder.join("MaxMind-DB-test-broken-pointers-24.mmdb");
    let (Ok(good), Ok(broken)) = (std::fs::read(good), std::fs::read(broken)) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let origin = Origin::echo();
    let with = |file: &str| format!("{}[flood]\nasn_database = \"{file}\"\n", small(origin.address));
    let files: [(&str, &[u8]); 2] = [("good.mmdb", &good), ("broken.mmdb", &broken)];
    let weir = common::Weir::start_with(&with("good.mmdb"), &files);
    assert_eq!(weir.ask("/api/flood").0, 200);
    weir.rewrite(&with("broken.mmdb"));
    let why = weir.reload().unwrap_err();
    assert!(why.contains("flood.asn_database") && why.contains("broken.mmdb"), "{why}");
}
