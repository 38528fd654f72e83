//! The ingress log: bans, changes of state and reloads are told beside requests; addresses, format and rotation change
//! while weir runs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::{Weir, config, eventually, post};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use weir::flood::state::FloodState;
use weir::simulate::log::Log;

/// A config that logs everything to `log` with these keys beside it.
fn logging(origin: SocketAddr, keys: &str, more: &str) -> String {
    let log = format!("access = \"log\"\nforwarded_sample = \"100%\"\n{keys}\n");
    config(origin, more).replace("access = \"off\"\n", &log)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

/// What `keys` hold in every line of `kind`.
fn told(path: &Path, kind: &str, keys: &[&str]) -> Vec<String> {
    let of_kind = lines(path).into_iter().filter(|line| line["kind"] == kind);
    of_kind
        .map(|line| keys.iter().map(|key| line[*key].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>().join(" "))
        .collect()
}

fn ban(weir: &Weir, body: &str) {
    let answer = ureq::post(format!("http://{}/api/bans", weir.admin)).content_type("application/json").send(body);
    assert!(answer.unwrap().status().is_success());
}

#[test]
fn bans_states_and_reloads_are_told() {
    let origin = Origin::echo();
    let weir = Weir::start(&logging(origin.address, "", ""));
    let log = weir.path("log");
    ban(&weir, r#"{"address": "198.51.100.7", "for": "10m", "reason": "by hand"}"#);
    ban(&weir, r#"{"address": "198.51.100.7", "for": "20m", "reason": "longer"}"#);
    ban(&weir, r#"{"address": "198.51.100.8", "for": "50ms"}"#);
    let agent = ureq::agent();
    agent.delete(format!("http://{}/api/bans/198.51.100.7", weir.admin)).call().unwrap();
    eventually("four bans' worth", || told(&log, "ban", &[]).len() >= 5);
    assert_eq!(
        told(&log, "ban", &["action", "network", "step", "cause", "reason"]),
        [
            "added 198.51.100.7/32 refuse operator by hand",
            "raised 198.51.100.7/32 refuse operator longer",
            "added 198.51.100.8/32 refuse operator -",
            "lifted 198.51.100.7/32 - operator -",
            "expired 198.51.100.8/32 - time -",
        ]
    );
    weir.pin(FloodState::Attack);
    eventually("the attack is told", || told(&log, "state", &["of", "to"]).contains(&"flood attack".into()));
    weir.rewrite(&logging(origin.address, "refused_rate = \"7/s\"", ""));
    eventually("the reload is told", || told(&log, "state", &["of", "to"]).contains(&"config accepted".into()));
    weir.rewrite(&logging(origin.address, "refused_rate = \"7\"", ""));
    eventually("the refusal is told", || told(&log, "state", &["of", "to"]).contains(&"config refused".into()));
    let folder = weir.keep();
    let log = folder.path().join("log");
    let states = lines(&log).into_iter().filter(|line| line["kind"] == "state").collect::<Vec<_>>();
    let of = |of: &str| states.iter().filter(|line| line["of"] == of).collect::<Vec<_>>();
    let flood = of("flood")[0];
    assert_eq!((&flood["from"], &flood["cause"]), (&"normal".into(), &"pinned".into()));
    assert!(flood["evidence"]["capacity"].as_f64() == Some(50_000.0), "{flood}");
    let [accepted, refused] = of("config")[..] else { panic!("{states:?}") };
    assert!(accepted["text"].as_str().unwrap().contains("log.refused_rate"), "{accepted}");
    assert_eq!((&refused["from"], &refused["evidence"]["faults"]), (&"accepted".into(), &1.0.into()));
    assert_eq!(refused["name"], accepted["name"], "the config in force stayed");
    assert_eq!(
        of("weir").iter().map(|l| l["to"].as_str().unwrap()).collect::<Vec<_>>(),
        ["serving", "draining", "stopped"]
    );
    // A reader of requests passes over all this.
    let mut simulated = Log::open(&log, None).unwrap();
    assert_eq!((simulated.next_line().unwrap(), simulated.faults().count), (None, 0));
}

#[test]
fn format_and_addresses_change_at_a_reload() {
    let origin = Origin::echo();
    let text = |keys: &str| logging(origin.address, keys, "");
    let weir = Weir::start_with(&text(""), &[("key", &[b'k'; 32])]);
    let ask = |keys: &str, log: &str| {
        weir.rewrite(&text(keys).replace("\"log\"", &format!("\"{log}\"")));
        weir.reload().unwrap();
        let request = get("/x", "X-Forwarded-For: [2001:db8:1:2::3]:4321\r\n");
        assert_eq!(Client::connect(weir.http).ask(request).status, 200);
        let line = || {
            std::fs::read_to_string(weir.path(log))
                .unwrap_or_default()
                .lines()
                .find(|l| l.contains("/x"))
                .map(str::to_owned)
        };
        eventually("the line", || line().is_some());
        line().unwrap()
    };
    assert!(ask("", "1").contains(r#""client":"2001:db8:1:2::3","client_port":4321,"peer":"127.0.0.1""#));
    assert!(ask("addresses = \"truncated\"", "2").contains(r#""client":"2001:db8:1::","peer":"127.0.0.1""#));
    let hashed = "addresses = \"hashed\"\naddress_key_file = \"key\"";
    let line = ask(hashed, "3");
    let (_, hash) = line.split_once(r#""client":"h:"#).unwrap();
    assert!(!line.contains("2001:db8") && hash.split_once("\",\"peer\":").unwrap().0.len() == 32, "{line}");
    let line = ask(&format!("{hashed}\nformat = \"alb\""), "4");
    assert!(line.contains(&format!(" weir h:{}:0 {} ", &hash[..32], origin.address)), "{line}");
    assert!(ask("format = \"alb\"", "5").contains(" weir 2001:db8:1:2::3:4321 "));
    // The live page and `weir why` are the operator's own: they keep the address.
    assert_eq!(post(weir.admin, "/api/reload").0, 200);
}

#[test]
fn files_rotate_while_requests_go_on() {
    let origin = Origin::echo();
    let weir = Weir::start(&logging(origin.address, "rotate_size = \"4KiB\"\nrotate_keep = 100", ""));
    let mut client = Client::connect(weir.http);
    for n in 0..200 {
        assert_eq!(client.ask(get(&format!("/{n}"), "")).status, 200);
    }
    let folder = weir.keep();
    let mut seen: Vec<u32> = Vec::new();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    let logs: Vec<_> = files.iter().filter(|f| f.file_name().unwrap().to_str().unwrap().starts_with("log")).collect();
    for log in &logs {
        assert!(log.metadata().unwrap().len() <= 4_096, "{log:?}");
        seen.extend(told(log, "request", &["path"]).iter().map(|path| path[1..].parse::<u32>().unwrap()));
    }
    seen.sort_unstable();
    assert!(logs.len() > 10 && seen.iter().copied().eq(0..200), "{} files, {seen:?}", logs.len());
}
