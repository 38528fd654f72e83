//! The live page in a real browser, while requests are let through and refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::chromium::{browse, found};
use common::client::{Client, get};
use common::load::Load;
use common::origin::Origin;
use common::{Weir, config, eventually};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The text of the element with this id.
fn text<'a>(page: &'a str, id: &str) -> &'a str {
    let at = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no #{id} in {page}"));
    let rest = &page[at..];
    let start = rest.find('>').unwrap() + 1;
    &rest[start..start + rest[start..].find('<').unwrap()]
}

fn figure(page: &str, id: &str) -> f64 {
    let text = text(page, id);
    text.replace(',', "").parse().unwrap_or_else(|e| panic!("#{id} is {text:?}: {e}"))
}

#[test]
fn it_shows_what_flows_and_what_is_refused() {
    let Some(browser) = found() else { return };
    let origin = Origin::echo();
    let limits = "[[limit]]\nname = \"per-client\"\nrate = \"2/s\"\nburst = 5\nmatch = { path = \"/login*\" }\n";
    let weir = Weir::start(&config(origin.address, &format!("{limits}[lists]\ndeny = [\"203.0.113.0/24\"]\n")));
    let load = Load::start(weir.http, 2);
    let stop = Arc::new(AtomicBool::new(false));
    let refused = std::thread::spawn({
        let (stop, address) = (stop.clone(), weir.http);
        move || {
            let mut client = Client::connect(address);
            // SeqCst: a test's signal.
            while !stop.load(Ordering::SeqCst) {
                let agent = "User-Agent: <b>probe</b><script>alert(1)</script>\r\n";
                client.ask(get("/login?user=x", &format!("X-Forwarded-For: 192.0.2.66\r\n{agent}")));
                client.ask(get(
                    "/%3Cscript%3Ealert(1)%3C/script%3E",
                    &format!("X-Forwarded-For: 203.0.113.9\r\n{agent}"),
                ));
            }
        }
    });
    eventually("refusals", || weir.ended("limit") > 20 && weir.ended("deny-list") > 20);
    let profile = tempfile::tempdir().unwrap();
    let url = format!("http://{}/", weir.admin);
    // By its own clock, the page asks several times.
    let page = browse(browser, profile.path(), &url, &["--virtual-time-budget=6000".into(), "--dump-dom".into()]);
    assert_eq!(text(&page, "phase"), "serving");
    assert!(figure(&page, "forwarded") > 0.0 && figure(&page, "refused") > 0.0, "{page}");
    assert_eq!(figure(&page, "failed"), 0.0);
    assert!(figure(&page, "connections") >= 3.0);
    let shown = [&*origin.address.to_string(), "per-client", "192.0.2.66", "203.0.113.9", "2/s, burst 5, by client"];
    for part in shown {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    assert!(!page.contains("<b>probe") && page.contains("&lt;b&gt;probe"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    if let Some(picture) = std::env::var_os("WEIR_SCREENSHOT") {
        let picture = format!("--screenshot={}", Path::new(&picture).display());
        browse(browser, profile.path(), &url, &["--virtual-time-budget=8000".into(), picture]);
    }
    stop.store(true, Ordering::SeqCst);
    refused.join().unwrap();
    assert_eq!(load.stop(), Vec::<String>::new());
}
