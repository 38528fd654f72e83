//! Several weirs with one store, as they run: requests flow whatever becomes of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::process::{Process, command};
use common::redis::Store;
use common::{config, eventually};

fn weir(origin: &Origin, store: &Store) -> Process {
    let fleet =
        format!("[fleet]\nenabled = true\nurl = \"{}\"\n[ban]\nhoneypot = [\"/trap\"]\nrefuse = \"1h\"", store.url());
    Process::start(&config(origin.address, &fleet))
}

fn ask(weir: &Process, client: &str, path: &str) -> u16 {
    Client::connect(weir.http).ask(get(path, &format!("X-Forwarded-For: {client}\r\n"))).status
}

fn ban(weir: &Process, words: &[&str]) {
    let output =
        command().arg("ban").args(words).args(["--admin", &format!("http://{}", weir.admin)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn fleet(weir: &Process) -> serde_json::Value {
    let status: serde_json::Value = serde_json::from_str(&weir.ask("/api/status").1).unwrap();
    status["fleet"].clone()
}

fn leads(weir: &Process) -> bool {
    fleet(weir)["leads"] == true
}

fn times(text: &str, words: &str) -> usize {
    text.matches(words).count()
}

#[test]
fn a_ban_at_one_is_a_ban_at_all_and_nothing_waits_for_the_store() {
    let Some(mut store) = Store::start() else { return };
    let origin = Origin::echo();
    let weirs = [(); 3].map(|()| weir(&origin, &store));
    eventually("all are connected", || weirs.iter().all(|weir| fleet(weir)["connected"] == true));
    let all = |client: &str, status: u16| weirs.iter().all(|weir| ask(weir, client, "/") == status);
    ask(&weirs[0], "203.0.113.1", "/trap");
    ban(&weirs[1], &["add", "203.0.113.2"]);
    eventually("all refuse both", || all("203.0.113.1", 403) && all("203.0.113.2", 403));
    let list = weirs[2].ask("/api/bans").1;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert!(list["bans"].as_array().unwrap().iter().all(|ban| ban["from"].is_string()), "{list}");
    store.kill();
    eventually("all notice", || weirs.iter().all(|weir| fleet(weir)["connected"] == false));
    assert!(all("203.0.113.1", 403) && all("203.0.113.9", 200), "what holds holds, and requests flow");
    ban(&weirs[0], &["remove", "203.0.113.2"]);
    ask(&weirs[1], "203.0.113.3", "/trap");
    eventually("bans go on", || ask(&weirs[1], "203.0.113.3", "/") == 403);
    assert_eq!(ask(&weirs[0], "203.0.113.2", "/"), 200);
    store.restart();
    eventually("all hear what happened meanwhile", || all("203.0.113.3", 403) && all("203.0.113.2", 200));
    assert!(all("203.0.113.1", 403), "nothing was lost");
    for weir in &weirs {
        let said = weir.stderr();
        assert_eq!(times(&said, "cannot be reached"), 1, "{said}");
        assert_eq!(times(&said, "the fleet's store answers"), 2, "{said}");
        assert!(weir.ask("/metrics").1.contains("weir_fleet_heard_age_seconds"));
    }
}

#[test]
fn a_store_that_takes_connections_and_never_answers_is_no_burden() {
    let Some(store) = Store::start() else { return };
    store.freeze(true);
    let origin = Origin::echo();
    let weir = weir(&origin, &store);
    assert_eq!(ask(&weir, "203.0.113.9", "/"), 200, "it starts and serves at once");
    ban(&weir, &["add", "203.0.113.2"]);
    assert_eq!(ask(&weir, "203.0.113.2", "/"), 403);
    eventually("it says so", || times(&weir.stderr(), "this weir acts alone") == 1);
    store.freeze(false);
    eventually("the store is told", || store.ask::<u64>(&["HLEN", "weir:{production}:bans"]) == 1);
}

#[test]
fn a_leader_that_was_frozen_does_not_lead_beside_another() {
    let Some(store) = Store::start() else { return };
    let origin = Origin::echo();
    let first = weir(&origin, &store);
    eventually("the first leads", || leads(&first));
    let mut second = weir(&origin, &store);
    eventually("the second is connected", || fleet(&second)["connected"] == true);
    first.signal("STOP");
    eventually("the second leads", || leads(&second));
    first.signal("CONT");
    assert!(!leads(&first), "it knows at once that its time is over");
    eventually("both agree", || fleet(&first)["leader"] == fleet(&second)["task"]);
    second.signal("TERM");
    assert_eq!(second.wait(), 0);
    eventually("the first leads again", || leads(&first));
    eventually("and is alone", || fleet(&first)["tasks"] == 1);
}
