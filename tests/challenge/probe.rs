//! The soft probe: a cookie beside the origin's answer, for some unknown clients.

use crate::browser::Browser;
use crate::common::origin::{Origin, respond};
use crate::common::{Weir, config, eventually};
use weir::flood::state::FloodState;

fn watching(origin: &Origin) -> Weir {
    let weir = Weir::start(&config(origin.address, ""));
    weir.pin(FloodState::Elevated);
    eventually("somebody is probed", || !cookies_of(&weir, "/", "198.51.100").is_empty());
    weir
}

/// weir's cookies in 256 new clients' answers.
fn cookies_of(weir: &Weir, path: &str, network: &str) -> Vec<String> {
    let answers = (0..=255).map(|last| Browser::new(weir.http, &format!("{network}.{last}")).get(path));
    let weirs = |head: String| head.lines().filter(|l| l.contains("weir=")).map(str::to_owned).collect::<Vec<_>>();
    answers.flat_map(|answer| weirs(answer.head)).collect()
}

#[test]
fn some_unknown_clients_get_a_cookie_and_all_get_their_page() {
    let origin = Origin::echo();
    let weir = watching(&origin);
    let mut probed = 0;
    for last in 0..=255 {
        let mut browser = Browser::new(weir.http, &format!("192.0.2.{last}"));
        assert_eq!(browser.get("/").status, 200);
        if let Some(cookie) = browser.cookies.first() {
            assert!(cookie.starts_with("weir="), "{cookie}");
            probed += 1;
            assert_eq!(browser.get("/").status, 200);
        }
    }
    assert!((32..96).contains(&probed), "{probed} of 256; a quarter was to be");
    assert_eq!(weir.ended("challenge"), 0);
}

#[test]
fn what_a_cache_may_share_carries_no_clients_cookie() {
    let origin = Origin::answering(|request, socket| {
        let control = if request.target == "/shared" { "public, max-age=60" } else { "private" };
        respond(socket, "200 OK", &[("Cache-Control", control), ("Set-Cookie", "app=1")], b"ok");
        true
    });
    let weir = watching(&origin);
    assert_eq!(cookies_of(&weir, "/shared", "192.0.2"), Vec::<String>::new());
    assert!(cookies_of(&weir, "/", "203.0.113").len() > 20, "others are still asked");
}
