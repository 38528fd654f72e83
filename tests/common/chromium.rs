//! A real browser without a screen.

use std::path::Path;
use std::process::{Command, Stdio};

/// A browser to test with. Without one a test is skipped, but for where all that tests need must be there.
pub fn found() -> Option<&'static str> {
    let browser = installed();
    if browser.is_none() {
        assert!(std::env::var_os("CI").is_none(), "chromium is needed: scripts/setup.sh test");
        eprintln!("skipped: there is no chromium; scripts/setup.sh test installs it");
    }
    browser
}

/// The name of a browser that runs, if there is one.
fn installed() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|s| s.success())
    })
}

/// Shows `url` and returns what the browser prints.
pub fn browse(browser: &str, profile: &Path, url: &str, more: &[String]) -> String {
    let output = Command::new("timeout")
        .args(["60", browser])
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1400,1300"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more)
        .arg(url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{browser}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
