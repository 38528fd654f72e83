//! Bans end to end: who is banned, who can't be, how it is undone, and that it outlives the process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, Response, get};
use common::origin::{Origin, respond};
use common::process::{Process, command};
use common::{Weir, config, eventually, post};
use std::process::Output;

/// An origin that lets nobody log in and has no page at all.
fn origin() -> Origin {
    Origin::answering(|request, socket| {
        let status = match (request.method.as_str(), request.target.as_str()) {
            ("POST", _) => "401 Unauthorized",
            (_, "/missing") => "404 Not Found",
            _ => "200 OK",
        };
        respond(socket, status, &[], b"");
        true
    })
}

fn ask(weir: std::net::SocketAddr, client: &str, path: &str) -> Response {
    Client::connect(weir).ask(get(path, &format!("X-Forwarded-For: {client}\r\n")))
}

fn guess(weir: std::net::SocketAddr, client: &str, times: u32) {
    let mut connection = Client::connect(weir);
    for _ in 0..times {
        let login =
            format!("POST /login HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: {client}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(connection.ask(login).status, 401);
    }
}

/// `weir ban …` against a running weir.
fn ban(weir: &Process, words: &[&str]) -> Output {
    command().arg("ban").args(words).args(["--admin", &format!("http://{}", weir.admin)]).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_guesser_is_banned_and_an_operator_undoes_it() {
    let origin = origin();
    let weir = Process::start(&config(origin.address, "[ban]\nrefuse = \"1h\""));
    guess(weir.http, "203.0.113.9", 8);
    eventually("the guesser is banned", || ask(weir.http, "203.0.113.9", "/").status == 403);
    let refused = ask(weir.http, "203.0.113.9", "/");
    let after: u64 = refused.header("retry-after").parse().unwrap();
    assert!(refused.text().contains(r#""reason":"ban""#) && (3_500..=4_500).contains(&after), "{refused:?}");
    assert_eq!(ask(weir.http, "203.0.113.10", "/").status, 200, "its neighbour is not");
    let list = said(&ban(&weir, &["list"]));
    assert!(list.contains("203.0.113.9") && list.contains("8 failed logins beyond 3/m, the last for /login"), "{list}");
    let why = weir.ask("/api/why?address=203.0.113.9").1;
    assert!(why.contains("203.0.113.9 is banned for another") && why.contains("failed logins"), "{why}");
    assert!(weir.ask("/metrics").1.contains("weir_bans_added_total{kind=\"login\"} 1"));
    assert!(weir.stderr().contains("banned: 203.0.113.9 for 1h (refuse, by ladder): 8 failed logins"));
    said(&ban(&weir, &["remove", "203.0.113.9"]));
    assert_eq!(ask(weir.http, "203.0.113.9", "/").status, 200);
    assert!(said(&ban(&weir, &["list"])).contains("0 banned"));
}

#[test]
fn bans_by_hand_hold_at_once_and_mistakes_are_refused() {
    let origin = origin();
    let weir = Process::start(&config(origin.address, "[client]\ntrusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]"));
    let added = said(&ban(&weir, &["add", "203.0.113.0/24", "--for", "10m", "--reason", "a \"test\""]));
    assert!(added.contains("banned: 203.0.113.0/24 for 10 m"), "{added}");
    assert_eq!((ask(weir.http, "203.0.113.77", "/").status, ask(weir.http, "203.0.112.1", "/").status), (403, 200));
    let listed: serde_json::Value = serde_json::from_str(&said(&ban(&weir, &["list", "--json"]))).unwrap();
    assert_eq!(
        (listed["bans"][0]["reason"].as_str(), listed["bans"][0]["hits"].as_u64()),
        (Some("a \"test\""), Some(1))
    );
    for (words, why) in [
        (&["add", "10.0.0.5"][..], "ban of 10.0.0.5 refused: 10.0.0.5 is in client.trusted_proxies (10.0.0.0/8)"),
        (&["add", "203.0.113.9", "--for", "10"], "has no unit"),
        (&["add", "nobody"], "is neither an address"),
        (&["add", "203.0.113.9/24"], "write 203.0.113.0/24"),
        (&["remove", "203.0.113.77"], "it lies in 203.0.113.0/24"),
    ] {
        let output = ban(&weir, words);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(65) && error.contains(why), "{words:?}: {error}");
    }
    said(&ban(&weir, &["remove", "203.0.113.0/24"]));
    assert_eq!(ask(weir.http, "203.0.113.77", "/").status, 200);
}

#[test]
fn bans_outlive_a_kill() {
    let (origin, folder) = (origin(), tempfile::tempdir().unwrap());
    let file = folder.path().join("bans");
    let text = config(origin.address, &format!("[ban]\nrefuse = \"1h\"\nfile = \"{}\"", file.display()));
    let weir = Process::start(&text);
    said(&ban(&weir, &["add", "203.0.113.1"]));
    guess(weir.http, "203.0.113.9", 8);
    let saved = || std::fs::read_to_string(&file).unwrap_or_default().contains("203.0.113.9/32");
    eventually("the guesser is in the file", saved);
    // A dropped process is killed with SIGKILL, and gets no word in.
    drop(weir);
    let weir = Process::start(&text);
    assert_eq!((ask(weir.http, "203.0.113.1", "/").status, ask(weir.http, "203.0.113.9", "/").status), (403, 403));
    drop(weir);
    std::fs::write(&file, "{\"weir\":\"bans\",").unwrap();
    let weir = Process::start(&text);
    assert_eq!(ask(weir.http, "203.0.113.9", "/").status, 200);
    assert!(weir.stderr().contains("it is set aside as"), "{}", weir.stderr());
}

#[test]
fn nobody_is_banned_for_what_an_untrusted_peer_writes() {
    let origin = origin();
    let more = "[client]\ntrusted_proxies = [\"192.0.2.1\"]\n[ban]\nrefuse = \"1h\"\nhoneypot = [\"/trap\"]";
    let weir = Weir::start(&config(origin.address, more));
    assert_eq!(ask(weir.http, "203.0.113.9", "/trap").status, 200);
    Client::connect(weir.http).ask("X\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
    eventually("the peer is suspected", || weir.status()["bans"]["spared"].as_u64() >= Some(1));
    assert_eq!(weir.status()["bans"]["active"], 0, "and is loopback; the name that it wrote is nobody's");
}

#[test]
fn a_trusted_proxy_does_not_answer_for_a_broken_head() {
    let origin = origin();
    let weir = Weir::start(&config(origin.address, "[ban.protocol]\nburst = 1"));
    for _ in 0..3 {
        assert_eq!(Client::connect(weir.http).ask("GET  / HTTP/1.1\r\n\r\n").status, 400);
    }
    let smuggled = "POST / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(Client::connect(weir.http).ask(smuggled).status, 401);
    let bad = "CONNECT x HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
    Client::connect(weir.http).ask(bad);
    eventually("whose request it was is known", || weir.status()["bans"]["active"] == 1);
    assert_eq!(weir.status()["bans"]["spared"], 0);
}

#[test]
fn many_4xx_and_a_honeypot_lead_to_a_ban_that_both_switches_lift() {
    let origin = origin();
    let more = "[ban]\nrefuse = \"1h\"\nhoneypot = [\"/.env\"]\n[ban.client_errors]\nburst = 20";
    let weir = Weir::start(&config(origin.address, more));
    let mut connection = Client::connect(weir.http);
    for _ in 0..20 {
        assert_eq!(connection.ask(get("/missing", "X-Forwarded-For: 203.0.113.9\r\n")).status, 404);
    }
    ask(weir.http, "203.0.113.10", "/%2eenv");
    eventually("both are banned", || weir.status()["bans"]["active"] == 2);
    let both = || (ask(weir.http, "203.0.113.9", "/").status, ask(weir.http, "203.0.113.10", "/").status);
    assert_eq!(both(), (403, 403));
    assert_eq!(weir.ended("ban"), 2);
    assert_eq!(post(weir.admin, "/api/bans/pause").0, 200);
    assert_eq!(both(), (200, 200));
    assert_eq!(post(weir.admin, "/api/bans/resume").0, 200);
    assert_eq!(both(), (403, 403));
    weir.rewrite(&config(origin.address, "[ban]\nenabled = false"));
    eventually("the config frees them", || both() == (200, 200));
}
