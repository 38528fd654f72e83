//! Three weirs, a store and AWS WAF: what one catches all refuse, and the load balancer too, whoever of them dies.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::emulator::Emulator;
use common::origin::Origin;
use common::process::{Process, command};
use common::redis::Store;
use common::{config, eventually};
use serde_json::{Value, json};

const FOREIGN: &str = "198.51.100.77/32";

fn set_of(moto: &Emulator, version: &str, addresses: &[&str]) -> Value {
    let name = format!("weir-{}-0", version.to_lowercase());
    let body = json!({ "Name": name, "Scope": "REGIONAL", "IPAddressVersion": version, "Addresses": addresses });
    moto.call("wafv2", "AWSWAF_20190729.CreateIPSet", &body)["Summary"].clone()
}

fn addresses(moto: &Emulator, set: &Value) -> Vec<String> {
    let body = json!({ "Name": set["Name"], "Id": set["Id"], "Scope": "REGIONAL" });
    let set = moto.call("wafv2", "AWSWAF_20190729.GetIPSet", &body);
    set["IPSet"]["Addresses"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect()
}

fn weir(origin: &Origin, store: &Store, moto: &Emulator) -> Process {
    let more = format!(
        "[fleet]\nenabled = true\nurl = \"{}\"\n[waf]\nenabled = true\n[ban]\nhoneypot = [\"/trap\"]\nrefuse = \"1h\"",
        store.url()
    );
    Process::start_by(&config(origin.address, &more), |command| moto.tell(command))
}

fn ask(weir: &Process, client: &str, path: &str) -> u16 {
    Client::connect(weir.http).ask(get(path, &format!("X-Forwarded-For: {client}\r\n"))).status
}

fn says(weir: &Process, words: &[&str]) -> String {
    let output = command().args(words).args(["--admin", &format!("http://{}", weir.admin)]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn status(weir: &Process) -> Value {
    serde_json::from_str(&weir.ask("/api/status").1).unwrap()
}

#[test]
fn an_offender_of_one_is_refused_by_all_and_by_aws_and_the_writer_may_die() {
    let (Some(store), Some(moto)) = (Store::start(), Emulator::moto()) else { return };
    let set = set_of(&moto, "IPV4", &[FOREIGN]);
    set_of(&moto, "IPV6", &[]);
    let origin = Origin::echo();
    let mut weirs: Vec<Process> = (0..3).map(|_| weir(&origin, &store, &moto)).collect();
    let held = |address: &str| addresses(&moto, &set).contains(&format!("{address}/32"));
    eventually("one leads and knows the others", || {
        weirs.iter().any(|weir| status(weir)["fleet"]["leads"] == true && status(weir)["fleet"]["tasks"] == 3)
    });
    let leader = weirs.iter().position(|weir| status(weir)["fleet"]["leads"] == true).unwrap();
    let other = (leader + 1) % 3;
    ask(&weirs[other], "203.0.113.1", "/trap");
    eventually("all refuse it", || weirs.iter().all(|weir| ask(weir, "203.0.113.1", "/") == 403));
    eventually("AWS has it", || held("203.0.113.1"));

    let told = says(&weirs[other], &["ban", "add", "203.0.113.2", "--for", "1h", "--reason", "test"]);
    assert!(told.contains("heard by 3 of 3 tasks") && told.contains("AWS WAF, set weir-ipv4-0"), "{told}");
    // What the leader tells of itself is a look old.
    let why = || says(&weirs[leader], &["why", "203.0.113.2"]);
    eventually("the leader knows", || why().contains("in AWS WAF, set weir-ipv4-0"));
    let told = says(&weirs[leader], &["status"]);
    assert!(told.contains("3 tasks, led by this one") && told.contains("  AWS WAF      2 networks"), "{told}");
    assert!(weirs[leader].ask("/metrics").1.contains("weir_waf_entries{set=\"weir-ipv4-0\",owner=\"others\"} 1"));

    weirs.remove(leader).signal("KILL");
    let [first, second] = &weirs[..] else { unreachable!("two are left") };
    ask(first, "203.0.113.3", "/trap");
    eventually("another writes", || held("203.0.113.3"));
    let told = says(second, &["ban", "remove", "203.0.113.2"]);
    assert!(told.contains("heard by 2 of"), "{told}");
    eventually("what is lifted goes", || !held("203.0.113.2"));
    assert!(held("203.0.113.1") && addresses(&moto, &set).contains(&FOREIGN.to_owned()), "nothing else does");
}
