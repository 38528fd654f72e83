//! A config changes under a running weir: at once, whole or not at all, and nothing else is touched.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::load::Load;
use common::origin::Origin;
use common::process::Process;
use common::{Weir, config, eventually, post};
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

fn limit(name: &str, rate: &str, burst: u32) -> String {
    format!("[[limit]]\nname = \"{name}\"\nrate = \"{rate}\"\nburst = {burst}\nslots = 1024\n")
}

fn from(address: &str) -> Vec<u8> {
    get("/", &format!("X-Forwarded-For: {address}\r\n"))
}

/// How many of these requests are let through.
fn passed(client: &mut Client, address: &str, requests: usize) -> usize {
    (0..requests).filter(|_| client.ask(from(address)).status == 200).count()
}

#[test]
fn a_new_limit_holds_at_once_and_debts_and_counts_are_kept() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, &limit("a", "1/h", 3)));
    let mut client = Client::connect(weir.http);
    assert_eq!(passed(&mut client, "192.0.2.1", 5), 3);
    weir.rewrite(&config(origin.address, &limit("a", "1/h", 5)));
    let changes = weir.reload().unwrap();
    assert_eq!(changes, ["limit[a].burst: 3 -> 5"]);
    // Three are owed: of five, two are left. A stranger has all five.
    assert_eq!(passed(&mut client, "192.0.2.1", 5), 2);
    assert_eq!(passed(&mut client, "192.0.2.2", 9), 5);
    eventually("all are counted", || (weir.ended("limit"), weir.ended("forwarded")) == (2 + 3 + 4, 3 + 2 + 5));
    assert_eq!(weir.status()["limits"][0]["refused"], 9);
}

#[test]
fn debts_survive_rates_that_need_another_tick() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, &limit("a", "1/h", 4)));
    let mut client = Client::connect(weir.http);
    assert_eq!(passed(&mut client, "192.0.2.1", 6), 4);
    weir.rewrite(&config(origin.address, &limit("a", "1000/s", 4)));
    weir.reload().unwrap();
    eventually("a debt at 1000/s is soon over", || client.ask(from("192.0.2.1")).status == 200);
    assert_eq!(passed(&mut client, "192.0.2.2", 4), 4);
    weir.rewrite(&config(origin.address, &limit("a", "1/h", 4)));
    weir.reload().unwrap();
    // Whatever was owed before: never more than the burst.
    assert!(passed(&mut client, "192.0.2.1", 9) <= 4);
    assert_eq!(passed(&mut client, "192.0.2.3", 9), 4);
}

#[test]
fn limits_come_and_go_by_their_names() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, &(limit("a", "1/h", 3) + &limit("b", "1/h", 9))));
    let mut client = Client::connect(weir.http);
    assert_eq!(passed(&mut client, "192.0.2.1", 4), 3);
    // "a" goes; "b" remembers the three that were let through.
    weir.rewrite(&config(origin.address, &limit("b", "1/h", 9)));
    weir.reload().unwrap();
    assert_eq!(passed(&mut client, "192.0.2.1", 9), 6);
    // Renamed, it begins anew.
    weir.rewrite(&config(origin.address, &limit("c", "1/h", 2)));
    let changes = weir.reload().unwrap().join("\n");
    assert!(changes.contains("limit[b]: removed") && changes.contains("limit[c]: added"), "{changes}");
    assert_eq!(passed(&mut client, "192.0.2.1", 9), 2);
    let limits = weir.status()["limits"].clone();
    assert_eq!(
        (limits.as_array().unwrap().len(), &limits[0]["name"], &limits[0]["refused"]),
        (1, &"c".into(), &7.into())
    );
}

#[test]
fn a_limit_is_enforced_for_a_growing_share_of_always_the_same_clients() {
    let origin = Origin::echo();
    let share = |enforce: &str| config(origin.address, &(limit("a", "1/h", 1) + &format!("enforce = \"{enforce}\"\n")));
    let weir = Weir::start(&share("0%"));
    let mut client = Client::connect(weir.http);
    let mut refused =
        || -> Vec<u8> { (1..=100).filter(|n| passed(&mut client, &format!("192.0.2.{n}"), 2) < 2).collect() };
    assert_eq!(refused().len(), 0);
    assert!(weir.status()["limits"][0]["observed"].as_u64().unwrap() >= 100);
    weir.rewrite(&share("50%"));
    weir.reload().unwrap();
    let half = refused();
    assert!((25..=75).contains(&half.len()), "{}", half.len());
    assert_eq!(refused(), half);
    weir.rewrite(&share("100%"));
    weir.reload().unwrap();
    assert_eq!(refused().len(), 100);
}

#[test]
fn every_way_to_write_the_file_is_noticed() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let burst = |n: u32| common::fill(&config(origin.address, &limit("a", "1/h", n)));
    let in_force = |n: u32| eventually(&format!("burst {n}"), || weir.status()["limits"][0]["burst"] == n);
    std::fs::write(weir.path("weir.toml"), burst(2)).unwrap();
    in_force(2);
    std::fs::write(weir.path("new"), burst(3)).unwrap();
    std::fs::rename(weir.path("new"), weir.path("weir.toml")).unwrap();
    in_force(3);
    // As Kubernetes mounts a config: the file is a link into a folder that is itself a link, swapped whole.
    for (folder, n) in [("v1", 4), ("v2", 5)] {
        std::fs::create_dir(weir.path(folder)).unwrap();
        std::fs::write(weir.path(folder).join("weir.toml"), burst(n)).unwrap();
    }
    symlink("v1", weir.path("current")).unwrap();
    symlink("current/weir.toml", weir.path("new")).unwrap();
    std::fs::rename(weir.path("new"), weir.path("weir.toml")).unwrap();
    in_force(4);
    symlink("v2", weir.path("next")).unwrap();
    std::fs::rename(weir.path("next"), weir.path("current")).unwrap();
    in_force(5);
    assert_eq!(weir.status()["config"]["reloads_failed"], 0);
    // The count follows the config by a moment.
    eventually("four reloads are counted", || weir.status()["config"]["reloads"].as_u64().unwrap() >= 4);
}

#[test]
fn a_signal_and_the_admin_server_reload_at_once_and_say_what_changed() {
    let origin = Origin::echo();
    let weir = Process::start(&config(origin.address, &limit("a", "1/h", 3)));
    let write =
        |n| std::fs::write(weir.path("weir.toml"), common::fill(&config(origin.address, &limit("a", "1/h", n))));
    write(5).unwrap();
    weir.signal("HUP");
    eventually("the signal", || weir.stderr().contains("\"cause\":\"SIGHUP\""));
    assert!(weir.stderr().contains("limit[a].burst: 3 -> 5"), "{}", weir.stderr());
    write(6).unwrap();
    let (status, body) = post(weir.admin, "/api/reload");
    assert_eq!((status, body.as_str()), (200, r#"{"changes":["limit[a].burst: 5 -> 6"]}"#));
    let mut client = Client::connect(weir.http);
    assert_eq!(passed(&mut client, "192.0.2.1", 9), 6);
    std::fs::write(weir.path("weir.toml"), "[nonsense]\n").unwrap();
    let (status, body) = post(weir.admin, "/api/reload");
    assert!(status == 422 && body.contains("nonsense"), "{status} {body}");
}

/// Every fault, told apart by a part of its message.
#[test]
fn a_fault_keeps_the_last_good_config_is_shown_everywhere_and_ends_by_itself() {
    let origin = Origin::echo();
    let good = config(origin.address, &limit("a", "1/h", 3));
    let weir = Weir::start_with(&good, &[("bad.txt", b"192.0.2.0/24\nnobody\n")]);
    let faults = [
        (good.replace("[origin]", "[origin"), "weir.toml:"),
        (good.replace("rate = \"1/h\"", "rate = \"1\""), "limit[0].rate"),
        (String::new(), "origin.addresses"),
        (format!("{good}[lists]\ndeny = [\"bad.txt\"]\n"), "line 2: \"nobody\""),
        (format!("{good}[lists]\ndeny = [\"missing.txt\"]\n"), "missing.txt"),
        (format!("{good}[reply]\npage = {{ 429 = \"missing.html\" }}\n"), "missing.html"),
        (format!("{good}[listen.tls]\naddress = [\"HTTP\"]\ncertificate = \"no.crt\"\nkey = \"no.key\"\n"), "no.crt"),
        (good.replace("access = \"off\"", "access = \"nowhere/log\""), "nowhere/log"),
    ];
    for (i, (text, told)) in faults.iter().enumerate() {
        weir.rewrite(text);
        let said = weir.reload().expect_err(told);
        assert!(said.contains(told), "{told}: {said}");
        let status = weir.status();
        let shown = &status["config"];
        let messages = shown["refused"]["faults"].as_array().unwrap().iter().map(|f| f["message"].as_str().unwrap());
        assert!(messages.into_iter().any(|m| m.contains(told)), "{shown}");
        assert_eq!(shown["reloads_failed"], i + 1);
        assert_eq!(status["limits"][0]["burst"], 3);
        assert!(weir.ask("/metrics").1.contains("weir_config_last_reload_success 0\n"));
        assert_eq!(Client::connect(weir.http).ask(from("192.0.2.9")).status, if i < 3 { 200 } else { 429 });
    }
    weir.rewrite(&good);
    eventually("it mends itself", || weir.status()["config"]["refused"].is_null());
    assert!(weir.ask("/metrics").1.contains("weir_config_last_reload_success 1\n"));
}

#[test]
fn a_missing_file_that_comes_to_be_is_noticed() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    weir.rewrite(&config(origin.address, "[lists]\ndeny = [\"deny.txt\"]\n"));
    eventually("the fault", || weir.status()["config"]["refused"].is_object());
    std::fs::write(weir.path("deny.txt"), "192.0.2.0/24\n").unwrap();
    let mut client = Client::connect(weir.http);
    eventually("the list is in force", || client.ask(from("192.0.2.1")).status == 403);
    std::fs::write(weir.path("deny.txt"), "192.0.2.2\n").unwrap();
    eventually("the list alone changed", || client.ask(from("192.0.2.1")).status == 200);
}

#[test]
fn a_config_that_vanishes_and_comes_back_is_taken() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, &limit("a", "1/h", 3)));
    std::fs::remove_file(weir.path("weir.toml")).unwrap();
    eventually("it is missed", || weir.status()["config"]["refused"].is_object());
    assert_eq!(Client::connect(weir.http).ask(from("192.0.2.9")).status, 200);
    weir.rewrite(&config(origin.address, &limit("a", "1/h", 4)));
    eventually("it is back", || weir.status()["limits"][0]["burst"] == 4);
    eventually("nothing is refused", || weir.status()["config"]["refused"].is_null());
}

#[test]
fn swapped_without_rest_it_ends_at_the_last_version_and_fails_no_request() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let load = Load::start(weir.http, 2);
    let deadline = Instant::now() + Duration::from_secs(2);
    let mut n = 0;
    while Instant::now() < deadline {
        n += 1;
        let text = common::fill(&config(origin.address, &limit("other", "100000/s", 1000 + n)));
        // In place, so that half a file may be read; every other time by a rename.
        let path = weir.path(if n % 2 == 0 { "weir.toml" } else { "new" });
        std::fs::write(&path, text).unwrap();
        if n % 2 == 1 {
            std::fs::rename(path, weir.path("weir.toml")).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    eventually("the last version", || weir.status()["limits"][0]["burst"] == 1000 + n);
    assert!(load.done() > 0);
    assert_eq!(load.stop(), Vec::<String>::new());
}

#[test]
fn a_thousand_reloads_under_load_fail_no_request_and_reset_no_count() {
    let origin = Origin::echo();
    let more =
        |n: u32| limit("strict", "1/h", 3) + &limit("kind", "100000/s", 50_000 + n) + "match = { path = \"/x\" }\n";
    let strict = "match = { path = \"/strict\" }\n";
    let text = |n: u32| config(origin.address, &more(n).replace("burst = 3\n", &format!("burst = 3\n{strict}")));
    let weir = Weir::start(&text(0));
    let mut client = Client::connect(weir.http);
    let mut ask = || client.ask(get("/strict", "X-Forwarded-For: 192.0.2.1\r\n")).status;
    assert_eq!([ask(), ask(), ask(), ask()], [200, 200, 200, 429]);
    let load = Load::start(weir.http, 4);
    eventually("load", || load.done() > 100);
    let started = Instant::now();
    for n in 1..=1000 {
        // Whole, since weir looks at the file by itself too.
        std::fs::write(weir.path("new"), common::fill(&text(n))).unwrap();
        std::fs::rename(weir.path("new"), weir.path("weir.toml")).unwrap();
        weir.reload().unwrap();
    }
    println!("1,000 reloads took {:?} while {} requests were answered", started.elapsed(), load.done());
    assert_eq!(ask(), 429);
    let done = load.done();
    assert_eq!(load.stop(), Vec::<String>::new());
    eventually("all are counted", || weir.ended("forwarded") >= done + 3);
    assert_eq!((weir.ended("limit"), weir.status()["limits"][0]["refused"].as_u64()), (2, Some(2)));
    assert_eq!(weir.status()["config"]["reloads_failed"], 0);
}

#[test]
fn changing_names_leak_no_tables() {
    let origin = Origin::echo();
    // 8 MiB each: leaked ones would show.
    let text = |n: u32| {
        config(origin.address, &limit(&format!("limit-{n}"), "1/h", 3).replace("slots = 1024", "slots = 1048576"))
    };
    let weir = Process::start(&text(0));
    let reload = |n: u32| {
        std::fs::write(weir.path("weir.toml"), common::fill(&text(n))).unwrap();
        assert_eq!(post(weir.admin, "/api/reload").0, 200);
        let mut client = Client::connect(weir.http);
        assert_eq!(passed(&mut client, "192.0.2.1", 4), 3);
    };
    (1..=5).for_each(reload);
    let before = weir.resident();
    (6..=105).for_each(reload);
    let grown = weir.resident().saturating_sub(before);
    assert!(grown < 32 << 20, "{} MiB more after 100 reloads", grown >> 20);
    assert_eq!(weir.ask("/api/status").1.matches("\"name\":\"limit-").count(), 1);
}

#[test]
fn a_hundred_thousand_networks_reload_under_traffic() {
    let origin = Origin::echo();
    let mut list = String::new();
    for n in 0..100_000u32 {
        let _ = writeln!(list, "10.{}.{}.{}/32", n >> 16, (n >> 8) & 255, n & 255);
    }
    let text = config(origin.address, "[lists]\ndeny = [\"deny.txt\"]\n");
    let weir = Weir::start_with(&text, &[("deny.txt", list.as_bytes())]);
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(from("203.0.113.1")).status, 200);
    let load = Load::start(weir.http, 2);
    for _ in 0..3 {
        list.push_str("203.0.113.1\n");
        std::fs::write(weir.path("deny.txt"), &list).unwrap();
        weir.reload().unwrap();
        assert_eq!(client.ask(from("203.0.113.1")).status, 403);
    }
    assert!(load.done() > 0);
    assert_eq!(load.stop(), Vec::<String>::new());
}

#[test]
fn the_origin_can_change_under_load_and_the_old_endpoints_keep_their_figures() {
    let (one, two) = (Origin::echo(), Origin::echo());
    let weir = Weir::start(&config(one.address, ""));
    let load = Load::start(weir.http, 2);
    eventually("load", || load.done() > 50);
    let both = format!("addresses = [\"{}\", \"{}\"]", one.address, two.address);
    weir.rewrite(&config(one.address, "").replace(&format!("addresses = [\"{}\"]", one.address), &both));
    weir.reload().unwrap();
    eventually("both are used", || two.requests() > 50);
    let endpoints = weir.status()["origin"]["endpoints"].clone();
    assert!(endpoints[0]["requests"].as_u64().unwrap() >= 50, "{endpoints}");
    weir.rewrite(&config(two.address, ""));
    weir.reload().unwrap();
    let (before, used) = (one.requests(), two.requests());
    eventually("the new one goes on", || two.requests() > used + 100);
    // What was on its way when the config changed may still arrive: one request a thread.
    assert!(one.requests() <= before + 2, "{} after {before}", one.requests());
    weir.rewrite(&config(two.address, "").replace(&two.address.to_string(), "demo"));
    weir.reload().unwrap();
    let body = Client::connect(weir.http).ask(get("/", "")).text();
    assert!(body.contains("demo"), "{body}");
    assert_eq!(load.stop(), Vec::<String>::new());
}

#[test]
fn the_access_log_can_move_by_a_reload() {
    let origin = Origin::echo();
    let all = "forwarded_sample = \"100%\"\n";
    let to =
        |name: &str| config(origin.address, "").replace("access = \"off\"\n", &format!("access = \"{name}\"\n{all}"));
    let weir = Weir::start(&to("one.log"));
    let lines = |name: &str| {
        std::fs::read_to_string(weir.path(name)).unwrap_or_default().matches(r#""kind":"request""#).count()
    };
    let mut client = Client::connect(weir.http);
    client.ask(get("/", ""));
    eventually("the first line", || lines("one.log") == 1);
    weir.rewrite(&to("two.log"));
    assert!(weir.reload().unwrap()[0].starts_with("log.access: "));
    assert_eq!(weir.status()["config"]["needs_restart"], serde_json::json!([]));
    client.ask(get("/", ""));
    eventually("the second line", || lines("two.log") == 1);
    assert_eq!(lines("one.log"), 1);
}
