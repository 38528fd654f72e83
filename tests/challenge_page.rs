//! The challenge in a real browser: with scripts and cookies, and without either.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::chromium::{browse, found};
use common::origin::{Origin, respond};
use common::{Weir, config, eventually};
use std::net::SocketAddr;
use std::path::Path;
use weir::flood::state::FloodState;

const AGENT: &str = "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36";

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

/// What the browser shows in the end, by its own clock. It refuses what `refuses` names: cookies, javascript.
fn shown(browser: &str, weir: &Weir, refuses: &[&str]) -> String {
    let arguments = [AGENT, "--virtual-time-budget=20000", "--dump-dom"].map(str::to_owned);
    browse(browser, profile(refuses).path(), &format!("http://{}/page?x=1#part", weir.http), &arguments)
}

/// A fresh profile with these content settings off.
fn profile(refuses: &[&str]) -> tempfile::TempDir {
    let profile = tempfile::tempdir().unwrap();
    std::fs::create_dir(profile.path().join("Default")).unwrap();
    let off: serde_json::Map<_, _> = refuses.iter().map(|what| ((*what).to_owned(), 2.into())).collect();
    let preferences = serde_json::json!({"profile": {"default_content_setting_values": off}});
    std::fs::write(profile.path().join("Default/Preferences"), preferences.to_string()).unwrap();
    profile
}

/// Writes a picture of what is shown to where the variable says, if it does.
fn picture(variable: &str, browser: &str, weir: &Weir, refuses: &[&str], more: &[&str]) {
    let Some(file) = std::env::var_os(variable) else { return };
    let mut arguments = vec![AGENT.to_owned(), format!("--screenshot={}", Path::new(&file).display())];
    arguments.push("--window-size=760,420".into());
    arguments.extend(more.iter().map(|m| (*m).to_owned()));
    browse(browser, profile(refuses).path(), &format!("http://{}/page", weir.http), &arguments);
}

#[test]
fn a_browser_passes_the_redirect_with_scripts_or_without() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("");
    for refuses in [&[][..], &["javascript"]] {
        let page = shown(browser, &weir, refuses);
        assert!(page.contains("the page itself") && page.contains("<title>/page?x=1</title>"), "{page}");
    }
    assert_eq!((weir.ended("challenge-passed"), weir.ended("challenge-failed")), (2, 0));
}

#[test]
fn a_browser_without_cookies_is_told_so_and_does_not_go_round() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("");
    let page = shown(browser, &weir, &["cookies"]);
    assert!(page.contains("Please allow cookies") && !page.contains("the page itself"), "{page}");
    assert_eq!(weir.ended("challenge-failed"), 1);
}

#[test]
fn a_browser_passes_the_proof_of_work() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("form = \"proof-of-work\"\ndifficulty = 14");
    let page = shown(browser, &weir, &[]);
    assert!(page.contains("the page itself") && page.contains("<title>/page?x=1</title>"), "{page}");
    assert_eq!((weir.ended("challenge-passed"), weir.ended("challenge-failed")), (2, 0), "solved, and seen to be kept");
}

#[test]
fn without_scripts_or_cookies_the_proof_of_work_says_what_is_missing() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("form = \"proof-of-work\"\ndifficulty = 10");
    let page = shown(browser, &weir, &["javascript"]);
    assert!(page.contains("Your browser runs no scripts here") && page.contains("hidden=\"\""), "{page}");
    assert_eq!(weir.ended("challenge-passed"), 0);
    let before = weir.ended("challenge");
    let page = shown(browser, &weir, &["cookies"]);
    assert!(page.contains("class=\"cookies\""), "{page}");
    assert_eq!(weir.ended("challenge"), before + 1, "it does not load the page again and again");
}

#[test]
fn pictures_for_the_guide() {
    let Some(browser) = found() else { return };
    let (_origin, weir) = attacked("form = \"proof-of-work\"\ndifficulty = 24");
    picture("WEIR_PICTURE_WORK", browser, &weir, &[], &[]);
    picture("WEIR_PICTURE_DARK", browser, &weir, &[], &["--blink-settings=preferredColorScheme=0"]);
    picture("WEIR_PICTURE_NO_SCRIPT", browser, &weir, &["javascript"], &[]);
}
