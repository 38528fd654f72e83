//! The challenge in a real browser: with scripts and cookies, and without either.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::chromium::{browse, found};
use common::origin::{Origin, respond};
use common::{Weir, ask, config, eventually};
use std::net::SocketAddr;
use std::path::Path;
use weir::flood::state::FloodState;

const AGENT: &str = "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36";
const NO_SCRIPT: &str = "--blink-settings=scriptEnabled=false";

/// An origin with a page, and weir before it in an attack.
fn attacked(challenge: &str) -> (Origin, Weir) {
    let origin = Origin::answering(|request, socket| {
        let page = format!("<title>{}</title><p>the page itself", request.target);
        respond(socket, "200 OK", &[("Content-Type", "text/html")], page.as_bytes());
        true
    });
    let weir = Weir::start(&config(origin.address, &format!("[flood.challenge]\n{challenge}\n")));
    weir.pin(FloodState::Attack);
    eventually("the attack is known", || is_challenged(weir.http));
    (origin, weir)
}

fn is_challenged(server: SocketAddr) -> bool {
    let mut client = common::client::Client::connect(server);
    let lines = "X-Forwarded-For: 192.0.2.9\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\n";
    matches!(client.ask(common::client::get("/", lines)).status, 307 | 429)
}

/// What the browser shows in the end, by its own clock.
fn shown(browser: &str, profile: &Path, weir: &Weir, more: &[&str]) -> String {
    let mut arguments = vec![AGENT.to_owned(), "--virtual-time-budget=20000".into(), "--dump-dom".into()];
    arguments.extend(more.iter().map(|m| (*m).to_owned()));
    browse(browser, profile, &format!("http://{}/page?x=1#part", weir.http), &arguments)
}

/// A browser's profile that keeps no cookies.
fn without_cookies() -> tempfile::TempDir {
    let profile = tempfile::tempdir().unwrap();
    std::fs::create_dir(profile.path().join("Default")).unwrap();
    let preferences = r#"{"profile":{"default_content_setting_values":{"cookies":2}}}"#;
    std::fs::write(profile.path().join("Default/Preferences"), preferences).unwrap();
    profile
}

/// Writes a picture of what is shown to where the variable says, if it does.
fn picture(variable: &str, browser: &str, weir: &Weir, more: &[&str]) {
    let Some(file) = std::env::var_os(variable) else { return };
    let profile = tempfile::tempdir().unwrap();
    let mut arguments = vec![AGENT.to_owned(), format!("--screenshot={}", Path::new(&file).display())];
    arguments.push("--window-size=760,520".into());
    arguments.extend(more.iter().map(|m| (*m).to_owned()));
    browse(browser, profile.path(), &format!("http://{}/page", weir.http), &arguments);
}

#[test]
fn a_browser_passes_the_redirect_with_scripts_or_without() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("");
    for more in [&[][..], &[NO_SCRIPT]] {
        let profile = tempfile::tempdir().unwrap();
        let page = shown(browser, profile.path(), &weir, more);
        assert!(page.contains("the page itself") && page.contains("<title>/page?x=1</title>"), "{page}");
    }
    assert_eq!((weir.ended("challenge-passed"), weir.ended("challenge-failed")), (2, 0));
}

#[test]
fn a_browser_without_cookies_is_told_so_and_does_not_go_round() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("");
    let profile = without_cookies();
    let page = shown(browser, profile.path(), &weir, &[]);
    assert!(page.contains("Please allow cookies") && !page.contains("the page itself"), "{page}");
    assert_eq!(weir.ended("challenge-failed"), 1);
}

#[test]
fn a_browser_passes_the_proof_of_work() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("form = \"proof-of-work\"\ndifficulty = 14");
    let profile = tempfile::tempdir().unwrap();
    let page = shown(browser, profile.path(), &weir, &[]);
    assert!(page.contains("the page itself") && page.contains("<title>/page?x=1</title>"), "{page}");
    assert_eq!((weir.ended("challenge-passed"), weir.ended("challenge-failed")), (2, 0), "solved, and seen to be kept");
}

#[test]
fn without_scripts_or_cookies_the_proof_of_work_says_what_is_missing() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("form = \"proof-of-work\"\ndifficulty = 10");
    let profile = tempfile::tempdir().unwrap();
    let page = shown(browser, profile.path(), &weir, &[NO_SCRIPT]);
    assert!(page.contains("Your browser runs no scripts here"), "{page}");
    assert_eq!(weir.ended("challenge-passed"), 0);
    let before = weir.ended("challenge");
    let page = shown(browser, without_cookies().path(), &weir, &[]);
    assert!(page.contains("<body class=\"cookies\"") || page.contains("class=\"cookies\""), "{page}");
    assert_eq!(weir.ended("challenge"), before + 1, "it does not load the page again and again");
    assert_eq!(ask(weir.admin, "/healthz").0, 200);
}

#[test]
fn pictures_for_the_guide() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("form = \"proof-of-work\"\ndifficulty = 24");
    picture("WEIR_PICTURE_WORK", browser, &weir, &[]);
    picture("WEIR_PICTURE_NO_SCRIPT", browser, &weir, &[NO_SCRIPT]);
}
