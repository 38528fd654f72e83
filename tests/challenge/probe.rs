//! The soft probe: a cookie beside the origin's answer, for some unknown clients.

use crate::browser::Browser;
use crate::common::origin::{Origin, respond};
use crate::common::{Weir, config, eventually};
use weir::flood::state::FloodState;

fn watching(origin: &Origin) -> Weir {
    let weir = Weir::start(&config(origin.address, ""));
    weir.pin(FloodState::Elevated);
    eventually("somebody is probed", || {
        (0..=255).any(|last| {
            !Browser::new(weir.http, &format!("198.51.100.{last}")).get("/").header("set-cookie").is_empty()
        })
    });
    weir
}

/// An origin whose answers carry this Cache-Control, and a cookie of its own.
fn caching(control: &'static str) -> Origin {
    Origin::answering(move |_, socket| {
        respond(socket, "200 OK", &[("Cache-Control", control), ("Set-Cookie", "app=1")], b"ok");
        true
    })
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
    let origin = caching("public, max-age=60");
    let weir = Weir::start(&config(origin.address, ""));
    weir.pin(FloodState::Elevated);
    eventually("the state is known", || weir.status()["flood"]["state"] != "normal");
    for last in 0..=255 {
        let answer = Browser::new(weir.http, &format!("192.0.2.{last}")).get("/");
        assert_eq!(answer.header("set-cookie"), "app=1");
        assert!(!answer.head.contains("weir="), "{}", answer.head);
    }
}
