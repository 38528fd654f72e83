//! A store that holds what no weir wrote, wants a password, or speaks TLS.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "fleet/tasks.rs"]
mod tasks;

use common::eventually;
use common::redis::Store;
use tasks::{Alone, Task};
use tokio::runtime::Runtime;
use weir::config::settings::SecretPlace;
use weir::sink::fleet::Loads;

const BANS: &str = "weir:{production}:bans";
const NEWS: &str = "weir:{production}:news";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn garbage_is_counted_and_passed_over() {
    let Some(store) = Store::start() else { return };
    let huge = "x".repeat(1 << 20);
    let rows = [
        ("203.0.113.1", "rubbish"),
        ("203.0.113.2", "000000000000001 task {\"ban\":7}"),
        ("nobody", "000001700000000 task {\"forget\":1}"),
        ("203.0.113.3", huge.as_str()),
        ("203.0.113.4", "999999999999999 task {\"lifted_by\":\"operator\",\"forget\":1}"),
        ("203.0.113.5", "000001700000000 a\u{1b}b {\"lifted_by\":\"operator\",\"forget\":1}"),
    ];
    for (about, value) in rows {
        store.ask::<()>(&["HSET", BANS, about, value]);
    }
    store.ask::<()>(&["SET", "weir:{production}:secret", "short"]);
    store.ask::<()>(&["HSET", "weir:{production}:tasks", "a b", "rubbish"]);
    let runtime = runtime();
    let task = Task::join(&runtime, &store.url(), "task");
    eventually("it is connected", || task.is_connected());
    for value in ["{}", "7", "\u{0}", huge.as_str(), "{\"ban\":{\"network\":\"::/0\"}}"] {
        store.ask::<()>(&["XADD", NEWS, "*", "n", "203.0.113.6", "s", "000001700000000 x", "v", value]);
    }
    store.ask::<()>(&["XADD", NEWS, "*", "other", "field"]);
    for key in ["digest", "history"] {
        store.ask::<()>(&["XADD", &format!("weir:{{production}}:{key}"), "*", "d", "rubbish"]);
        store.ask::<()>(&["XADD", &format!("weir:{{production}}:{key}"), "*", "t", "x", "c", "cut short"]);
    }
    eventually("all of it is counted", || task.fleet.status().faulty >= 14);
    let other = Task::join(&runtime, &store.url(), "other");
    eventually("the other is connected", || other.is_connected());
    task.ban("203.0.113.4");
    eventually("and all goes on, a stamp from the future included", || other.is_banned("203.0.113.4"));
    assert!(task.is_connected());
}

#[test]
fn nobody_who_must_not_be_banned_is_banned_for_a_word() {
    let Some(store) = Store::start() else { return };
    let runtime = runtime();
    let config = "[client]\ntrusted_proxies = [\"203.0.113.0/28\"]\n";
    let guarded = Alone::new(config).join(&runtime, &store.url(), "guarded");
    let other = Task::join(&runtime, &store.url(), "other");
    eventually("both are connected", || guarded.is_connected() && other.is_connected());
    ["203.0.113.1", "203.0.113.77"].iter().for_each(|address| other.ban(address));
    eventually("the one word is taken", || guarded.is_banned("203.0.113.77"));
    assert!(!guarded.is_banned("203.0.113.1"), "it is a proxy's");
    assert_eq!(guarded.fleet.status().spared, 1);
}

#[test]
fn keys_of_another_kind_are_an_outage_and_no_more() {
    let Some(store) = Store::start() else { return };
    store.ask::<()>(&["SET", BANS, "text"]);
    let runtime = runtime();
    let task = Task::join(&runtime, &store.url(), "task");
    eventually("it says why", || task.fleet.status().fault.contains("WRONGTYPE"));
    task.ban("203.0.113.1");
    assert!(task.is_banned("203.0.113.1"));
    store.ask::<()>(&["DEL", BANS]);
    eventually("it is in the store once that is mended", || store.ask::<u64>(&["HLEN", BANS]) == 1);
}

#[test]
fn a_password_is_read_at_each_connect() {
    let Some(store) = Store::start_with(&["--requirepass", "secret-1"], &[("password", "wrong")]) else { return };
    let runtime = runtime();
    let file = store.path("password");
    let join = Alone::new("").join_with(&runtime, &store.url(), "task", Loads::default(), |fleet| {
        fleet.password_file = Some(SecretPlace::File(file.clone()));
    });
    eventually("it is refused", || join.fleet.status().fault.to_lowercase().contains("authentication failed"));
    std::fs::write(&file, "secret-1\n").unwrap();
    eventually("it is let in", || join.is_connected());
    std::fs::remove_file(&file).unwrap();
    assert!(!join.fleet.status().fault.contains("secret-1"));
}

#[test]
fn the_fleets_secret_is_taken_where_none_is_configured() {
    let Some(store) = Store::start() else { return };
    let secret = "0123456789abcdef0123456789abcdef";
    store.ask::<()>(&["SET", "weir:{production}:secret", secret]);
    let runtime = runtime();
    let own = weir::flood::challenge::own_secret();
    assert_ne!(own, secret.as_bytes());
    let task = Task::join(&runtime, &store.url(), "task");
    eventually("it has it", || weir::flood::challenge::own_secret() == secret.as_bytes());
    assert!(!format!("{:?}", task.fleet.status()).contains(secret));
}

/// The user that docs/fleet.md makes.
#[test]
fn the_least_rights_are_enough() {
    let Some(store) = Store::start_with(&[], &[("password", "secret-2")]) else { return };
    let page = include_str!("../docs/fleet.md");
    let line = page.split('`').find(|words| words.starts_with("ACL SETUSER weir")).unwrap();
    let line = line.replace("PASSWORD", "secret-2");
    store.ask::<()>(&line.split_whitespace().collect::<Vec<_>>());
    let runtime = runtime();
    let join = |name: &str| {
        Alone::new("").join_with(&runtime, &store.url(), name, Loads::default(), |fleet| {
            (fleet.user, fleet.password_file) = (Some("weir".into()), Some(SecretPlace::File(store.path("password"))));
        })
    };
    let (one, two) = (join("one"), join("two"));
    one.ban("203.0.113.1");
    eventually("all works", || two.is_banned("203.0.113.1") && one.leads() | two.leads());
    eventually("all are counted", || one.fleet.status().tasks == 2 && two.fleet.status().tasks == 2);
    let records = [("203.0.113.1".to_owned(), "{}".to_owned())];
    runtime.block_on(one.fleet.records_put(&records)).unwrap();
    assert_eq!(runtime.block_on(two.fleet.records_load()).unwrap()["203.0.113.1"], "{}");
    runtime.block_on(two.fleet.records_drop(&[records[0].0.clone()])).unwrap();
    assert!(runtime.block_on(one.fleet.records_load()).unwrap().is_empty());
    one.leave(&runtime);
    eventually("goodbye too", || two.leads() && two.fleet.status().tasks == 1);
    assert_eq!(two.fleet.status().fault, "");
}

#[test]
fn tls_is_spoken_and_certificates_are_checked() {
    let pair = common::tls::pair_for("127.0.0.1");
    let more = ["--port", "0", "--tls-port", "PORT", "--tls-cert-file", "DIR/cert", "--tls-key-file", "DIR/key"];
    let more = [&more[..], &["--tls-ca-cert-file", "DIR/cert", "--tls-auth-clients", "no"]].concat();
    let files = [("cert", pair.certificate.as_str()), ("key", pair.key.as_str())];
    let Some(store) = Store::start_with(&more, &files) else { return };
    let (runtime, url) = (runtime(), format!("rediss://127.0.0.1:{}", store.port()));
    let join = |name: &str, ca: &str| {
        let ca = store.path(ca);
        Alone::new("").join_with(&runtime, &url, name, Loads::default(), |fleet| fleet.ca_file = Some(ca))
    };
    let task = join("task", "cert");
    eventually("it is connected", || task.is_connected());
    std::fs::write(store.path("other"), common::tls::pair().certificate).unwrap();
    let stranger = join("stranger", "other");
    eventually("another's certificate is refused", || stranger.fleet.status().fault.to_lowercase().contains("cert"));
    assert!(!stranger.is_connected());
}
