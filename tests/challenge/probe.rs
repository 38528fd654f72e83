//! The soft probe: a redirect with a cookie for some unknown clients, that lets everybody through.

use crate::browser::Browser;
use crate::common::origin::{Origin, respond};
use crate::common::{Weir, config, eventually};
use weir::flood::state::FloodState;

fn watching(origin: &Origin) -> Weir {
    let weir = Weir::start(&config(origin.address, ""));
    weir.pin(FloodState::Elevated);
    eventually("somebody is probed", || {
        (0..=255).any(|last| Browser::new(weir.http, &format!("198.51.100.{last}")).get("/").status == 307)
    });
    weir
}

#[test]
fn some_unknown_clients_are_asked_and_all_get_their_page() {
    let origin = Origin::echo();
    let weir = watching(&origin);
    let (mut asked, before) = (0, weir.ended("challenge-passed"));
    for last in 0..=255 {
        let mut browser = Browser::new(weir.http, &format!("192.0.2.{last}"));
        let (answer, way) = browser.follow("/page?x");
        assert_eq!(answer.status, 200);
        match way.len() {
            1 => assert!(browser.cookies.is_empty()),
            _ => {
                assert_eq!(way, ["/page?x", "/.well-known/weir/s?/page?x", "/page?x"]);
                asked += 1;
            }
        }
        assert_eq!(browser.follow("/another").1.len(), 1, "nobody is asked twice");
    }
    assert!((32..96).contains(&asked), "{asked} of 256; a quarter was to be");
    assert_eq!(weir.ended("challenge-passed") - before, asked);
    assert_eq!((weir.ended("challenge"), weir.ended("challenge-failed"), weir.ended("probe-failed")), (0, 0, 0));
}

#[test]
fn without_a_cookie_jar_everybody_passes_all_the_same() {
    let origin = Origin::echo();
    let weir = watching(&origin);
    for last in 0..=255 {
        let mut browser = Browser::new(weir.http, &format!("192.0.2.{last}")).forgetful();
        let (answer, way) = browser.follow("/page");
        assert_eq!((answer.status, answer.text().as_str()), (200, "GET /page 0"));
        assert!(way.len() <= 3, "{way:?}");
    }
    assert!((32..96).contains(&weir.ended("probe-failed")));
}

/// A browser that nears its own limit gets a cookie beside the answer: it may be one of several behind its address.
#[test]
fn a_crowded_address_gets_cookies_but_not_from_caches() {
    let origin = Origin::answering(|request, socket| {
        let control = if request.target == "/shared" { "public, max-age=60" } else { "private" };
        respond(socket, "200 OK", &[("Cache-Control", control), ("Set-Cookie", "app=1")], b"ok");
        true
    });
    let limit = "[[limit]]\nname = \"client\"\nrate = \"1/m\"\nburst = 10\n";
    let weir = Weir::start(&config(origin.address, limit));
    let heads = |target: &str, address: &str| -> Vec<String> {
        (0..10).map(|_| Browser::new(weir.http, address).get(target).head).collect()
    };
    let private = heads("/", "192.0.2.1");
    assert!(private.iter().all(|head| head.contains("200 OK") && head.contains("app=1")));
    assert!(!private[0].contains("weir=") && private[9].contains("weir="), "{private:?}");
    assert!(heads("/shared", "192.0.2.2").iter().all(|head| !head.contains("weir=")));
    let mut one = Browser::new(weir.http, "192.0.2.1");
    let (answer, way) = one.follow("/");
    assert_eq!((answer.status, way.len()), (200, 3), "over the limit it proves itself, and is a client of its own");
}
