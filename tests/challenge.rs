//! The challenge from end to end: who passes, who does not, and what the origin gets to see of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

#[path = "challenge/browser.rs"]
mod browser;
#[path = "challenge/http2.rs"]
mod http2;
#[path = "challenge/probe.rs"]
mod probe;
#[path = "challenge/work.rs"]
mod work;

use browser::{AGENT, Browser};
use common::client::{Client, get};
use common::origin::{Origin, respond};
use common::{Weir, config, eventually};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use weir::flood::state::FloodState;

/// weir in an attack, in front of an origin; `more` goes into `[flood.challenge]`.
fn attacked(origin: SocketAddr, more: &str) -> Weir {
    attacked_with(origin, more, "")
}

/// The same with tables behind it.
fn attacked_with(origin: SocketAddr, challenge: &str, more: &str) -> Weir {
    let weir = Weir::start(&config(origin, &format!("[flood.challenge]\n{challenge}\n{more}")));
    weir.pin(FloodState::Attack);
    eventually("the attack is known", || Browser::new(weir.http, "198.51.100.250").get("/").status != 200);
    weir
}

/// An origin that remembers the Cookie fields that it was sent.
fn nosy_origin() -> (Origin, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = seen.clone();
    let origin = Origin::answering(move |request, socket| {
        kept.lock().unwrap().push(request.header("cookie"));
        respond(socket, "200 OK", &[("Content-Type", "text/html")], b"ok");
        true
    });
    (origin, seen)
}

#[test]
fn a_browser_passes_with_two_redirects_and_is_not_asked_again() {
    let (origin, seen) = nosy_origin();
    let weir = attacked(origin.address, "");
    seen.lock().unwrap().clear();
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    browser.cookies.push("theme=dark".into());
    let first = browser.get("/page?x=1&y=/z");
    assert_eq!((first.status, first.header("location")), (307, "/.well-known/weir/c?/page?x=1&y=/z"));
    assert_eq!(first.header("cache-control"), "no-store");
    assert!(first.header("set-cookie").starts_with("weir=") && first.body.is_empty());
    let (answer, way) = browser.follow("/page?x=1&y=/z");
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!(way.last().unwrap(), "/page?x=1&y=/z", "the way ends where it began");
    let (answer, way) = browser.follow("/another");
    assert_eq!((answer.status, way.len()), (200, 1));
    assert!(seen.lock().unwrap().iter().all(|c| c == "theme=dark"), "weir's own cookie is nobody else's business");
    assert_eq!(weir.ended("challenge-failed"), 0);
    assert!(weir.ended("challenge") > 0);
}

#[test]
fn from_first_visit_to_the_page_are_two_redirects() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let before = origin.requests();
    let (answer, way) = Browser::new(weir.http, "192.0.2.1").follow("/page");
    assert_eq!(
        (answer.status, &way[..]),
        (200, &["/page", "/.well-known/weir/c?/page", "/page"].map(String::from)[..])
    );
    assert_eq!((weir.ended("challenge-passed"), origin.requests() - before), (1, 1));
}

#[test]
fn without_a_cookie_jar_there_is_one_redirect_and_a_page_that_says_why() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let before = origin.requests();
    for _ in 0..3 {
        let mut bot = Browser::new(weir.http, "192.0.2.1").forgetful();
        let (answer, way) = bot.follow("/page");
        assert_eq!((answer.status, way.len()), (403, 2));
        assert!(answer.text().contains("allow cookies") && answer.text().contains("challenge-failed"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
    assert_eq!((origin.requests(), weir.ended("challenge-failed")), (before, 3));
    let mut program = Browser::new(weir.http, "192.0.2.2").forgetful().accepting("*/*");
    let (answer, _) = program.follow("/page");
    assert_eq!((answer.status, answer.header("content-type")), (403, "application/problem+json"));
    assert!(answer.text().contains("\"reason\":\"challenge-failed\""), "{}", answer.text());
}

#[test]
fn once_cookies_are_allowed_loading_that_page_again_is_enough() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    let failed = browser.get("/.well-known/weir/c?/page");
    assert_eq!(failed.status, 403);
    let again = browser.get("/.well-known/weir/c?/page");
    assert_eq!((again.status, again.header("location")), (307, "/page"));
}

#[test]
fn a_cookie_is_worth_nothing_from_another_address_or_changed() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    assert_eq!(browser.follow("/").0.status, 200);
    let before = origin.requests();
    for last in 2..100 {
        let mut thief = Browser::new(weir.http, &format!("192.0.2.{last}")).forgetful();
        thief.cookies = browser.cookies.clone();
        assert_eq!(thief.get("/").status, 307, "192.0.2.{last}");
    }
    let cookie = browser.cookies[0].clone();
    for at in "weir=".len()..cookie.len() {
        let mut forged = cookie.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let mut forger = Browser::new(weir.http, "192.0.2.1").forgetful();
        forger.cookies = vec![String::from_utf8(forged).unwrap()];
        assert_eq!(forger.get("/").status, 307, "byte {at}");
    }
    assert_eq!(origin.requests(), before);
}

#[test]
fn what_is_exempt_is_never_asked() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "exempt = [\"/api/*\", \"/health\"]");
    let agent = format!("User-Agent: {AGENT}\r\nAccept: text/html\r\nX-Forwarded-For: 192.0.2.1\r\n");
    let mut client = Client::connect(weir.http);
    for (path, more) in [("/api/items", ""), ("/health", ""), ("/page", "Authorization: Bearer x\r\n")] {
        let answer = client.ask(get(path, &format!("{agent}{more}")));
        assert!(answer.status != 307 && answer.header("set-cookie").is_empty(), "{path}: {}", answer.head);
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = client.ask(format!("{method} /page HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n{agent}\r\n"));
        assert!(answer.status != 307 && answer.status != 403, "{method}: {}", answer.head);
    }
    assert_eq!(client.ask(get("/page", &agent)).status, 307);
}

#[test]
fn head_is_asked_as_get_is() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let mut client = Client::connect(weir.http);
    let agent = format!("User-Agent: {AGENT}\r\nX-Forwarded-For: 192.0.2.1\r\n");
    client.send(format!("HEAD /page HTTP/1.1\r\nHost: test\r\n{agent}\r\n"));
    let answer = client.read_head_only();
    assert_eq!((answer.status, answer.header("location")), (307, "/.well-known/weir/c?/page"));
    assert_eq!(client.ask(get("/page", &agent)).status, 307, "the connection goes on");
}

#[test]
fn where_the_browser_has_tls_the_cookie_is_a_host_cookie() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let mut browser = Browser::new(weir.http, "192.0.2.1").with("X-Forwarded-Proto: https\r\n");
    let cookie = browser.get("/").header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-weir=") && cookie.contains("; Secure"), "{cookie}");
    assert_eq!(browser.follow("/").0.status, 200);
    let untrusted = "[client]\ntrusted_proxies = [\"203.0.113.0/24\"]\naddress_from = \"peer\"\n";
    let weir = attacked_with(origin.address, "", untrusted);
    let mut claimant = Browser::new(weir.http, "192.0.2.1").with("X-Forwarded-Proto: https\r\n");
    assert!(claimant.get("/").header("set-cookie").starts_with("weir="), "anybody can claim that");
}

#[test]
fn no_redirect_leads_to_another_host() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    assert_eq!(browser.follow("/").0.status, 200);
    for target in ["//evil.test/", "/\\evil.test", "https://evil.test/", "evil.test", "", "/.well-known/weir/c?/"] {
        let answer = browser.get(&format!("/.well-known/weir/c?{target}"));
        assert_eq!((answer.status, answer.header("location")), (307, "/"), "{target}");
    }
    let mut client = Client::connect(weir.http);
    let head = format!("User-Agent: {AGENT}\r\nX-Forwarded-For: 192.0.2.9\r\n");
    let absolute = client.ask(format!("GET http://test/page?q HTTP/1.1\r\nHost: test\r\n{head}\r\n"));
    assert_eq!(absolute.header("location"), "/.well-known/weir/c?/page?q");
}

#[test]
fn weirs_own_paths_lie_behind_lists_and_limits_and_cost_the_origin_nothing() {
    let origin = Origin::echo();
    let more = "[lists]\ndeny = [\"203.0.113.0/24\"]\nallow = [\"198.51.100.7\"]\n\
                [[limit]]\nname = \"own\"\nrate = \"1/m\"\nburst = 5\nmatch = { path = \"/.well-known/weir/*\" }\n";
    let weir = attacked_with(origin.address, "", more);
    let before = origin.requests();
    let ask = |address: &str| Browser::new(weir.http, address).get("/.well-known/weir/c?/").status;
    assert_eq!(ask("203.0.113.9"), 403);
    assert_eq!(weir.ended("deny-list"), 1);
    let answers: Vec<u16> = (0..8).map(|_| ask("192.0.2.1")).collect();
    assert_eq!(answers, [403, 403, 403, 403, 403, 429, 429, 429]);
    assert_eq!((weir.ended("limit"), weir.ended("challenge-failed")), (3, 5));
    assert_eq!(ask("198.51.100.7"), 403, "one on the allow list may look too");
    for strange in ["/.well-known/weir/", "/.well-known/weir/x", "/x/../.well-known/weir/c/d"] {
        assert_eq!(Browser::new(weir.http, "192.0.2.3").get(strange).status, 400, "{strange}");
    }
    assert_eq!(origin.requests(), before);
}

#[test]
fn without_the_challenge_those_paths_are_the_origins() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, "[flood.challenge]\nenabled = false\n"));
    assert_eq!(Browser::new(weir.http, "192.0.2.1").get("/.well-known/weir/c?/").status, 200);
}

#[test]
fn neither_secret_nor_cookie_comes_into_any_log() {
    let origin = Origin::echo();
    let secret = "correct horse battery staple, and 32 bytes";
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let text = config(origin.address, "[flood.challenge]\nsecret_file = \"secret\"\n")
        .replace("access = \"off\"", &format!("access = \"{}\"", log.display()));
    let weir = Weir::start_with(&text, &[("secret", secret.as_bytes())]);
    weir.pin(FloodState::Attack);
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    eventually("the attack is known", || browser.get("/").status == 307);
    assert_eq!(browser.follow("/").0.status, 200);
    std::fs::write(weir.path("secret"), "another secret of thirty-two bytes or more").unwrap();
    let changes = weir.reload().unwrap();
    assert_eq!(browser.get("/").status, 307, "a new secret counts at once");
    let settings = weir::config::load(&weir.path("weir.toml")).unwrap();
    let shown = format!("{changes:?} {settings:?} {}", weir.ask("/api/status").1);
    let token = browser.cookies[0].split_once('=').unwrap().1.to_owned();
    assert!(weir.drain());
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("\"challenge\"") && logged.contains("\"status\":307"), "{logged}");
    for text in [shown, logged] {
        assert!(
            !text.contains("correct horse") && !text.contains("another secret") && !text.contains(&token),
            "{text}"
        );
    }
}
