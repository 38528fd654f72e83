//! What end-to-end tests share: a whole weir in this process, a real origin, and a client that sees every byte.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

pub mod browser;
pub mod chromium;
pub mod client;
pub mod emulator;
pub mod h2;
pub mod h2_origin;
pub mod load;
pub mod origin;
pub mod process;
pub mod redis;
pub mod rsyslog;
pub mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use weir::app::{self, App};
use weir::flood::state::FloodState;

/// A whole weir, serving until dropped.
pub struct Weir {
    app: Option<App>,
    folder: tempfile::TempDir,
    /// Where plain HTTP is heard.
    pub http: SocketAddr,
    /// Where TLS is heard, if it is.
    pub https: Option<SocketAddr>,
    /// Where operators are heard.
    pub admin: SocketAddr,
}

impl Weir {
    /// Starts weir with `config`. Write `HTTP` and `ADMIN` for free loopback addresses; the rest is an ordinary config.
    /// Files that the config names without a folder are sought beside it: see [`Weir::start_with`].
    pub fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with files beside the config.
    pub fn start_with(config: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let path = folder.path().join("weir.toml");
        std::fs::write(&path, fill(config)).unwrap();
        let app = app::start(&path).unwrap_or_else(|e| panic!("weir does not start:\n{e}"));
        Self { http: app.http[0], https: app.https.first().copied(), admin: app.admin(), app: Some(app), folder }
    }

    /// The folder of the config.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the config anew, placeholders filled; weir notices by itself.
    pub fn rewrite(&self, config: &str) {
        std::fs::write(self.path("weir.toml"), fill(config)).unwrap();
    }

    /// Reads the config again now.
    pub fn reload(&self) -> Result<Vec<String>, String> {
        let app = self.app.as_ref().unwrap();
        let outcome = app.runtime().block_on(app.reloader().reload("test"));
        outcome.map(|r| r.changes).map_err(|r| r.faults.into_iter().map(|f| f.message).collect::<Vec<_>>().join("\n"))
    }

    /// A path of the admin server: status and body.
    pub fn ask(&self, path: &str) -> (u16, String) {
        ask(self.admin, path)
    }

    /// The whole picture.
    pub fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.ask("/api/status").1).unwrap()
    }

    /// Holds a state of the flood detector; it is in force at the next tick.
    pub fn pin(&self, state: FloodState) {
        self.app.as_ref().unwrap().pin(Some(state));
    }

    /// How many requests ended with this reason.
    pub fn ended(&self, reason: &str) -> u64 {
        let status = self.status();
        let all = status["requests"].as_array().unwrap();
        all.iter().find(|r| r["reason"] == reason).map_or(0, |r| r["count"].as_u64().unwrap())
    }

    /// Drains, ends, and gives the folder that is left.
    pub fn keep(mut self) -> tempfile::TempDir {
        assert!(self.app.take().unwrap().drain());
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Drains and ends; true if every request was finished.
    pub fn drain(mut self) -> bool {
        self.app.take().unwrap().drain()
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            app.drain();
        }
    }
}

/// A path of an admin server: status and body.
pub fn ask(admin: SocketAddr, path: &str) -> (u16, String) {
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let mut answer = agent.get(format!("http://{admin}{path}")).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// A POST without a body: status and body.
pub fn post(admin: SocketAddr, path: &str) -> (u16, String) {
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let mut answer = agent.post(format!("http://{admin}{path}")).send_empty().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// A config with free loopback addresses in place of `HTTP` and `ADMIN`.
pub fn fill(config: &str) -> String {
    config.replace("HTTP", "127.0.0.1:0").replace("ADMIN", "127.0.0.1:0")
}

/// A config in front of `origin`, with `more` behind it. Draining takes no time.
pub fn config(origin: SocketAddr, more: &str) -> String {
    format!(
        "[listen]\nhttp = [\"HTTP\"]\nworkers = 1\ndrain_delay = \"1ms\"\ndrain_timeout = \"2s\"\n\
         [admin]\naddress = \"ADMIN\"\n[log]\naccess = \"off\"\n\
         [origin]\naddresses = [\"{origin}\"]\ncapacity = \"50000/s\"\nmax_in_flight = 10000\n{more}"
    )
}

/// Sends a signal such as `STOP` to a process that the test started.
pub fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success());
}

/// Polls until `true`, or panics with `what` after ten seconds.
pub fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !check() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The same with more keys in `[listen]`.
pub fn listening(origin: SocketAddr, listen: &str, more: &str) -> String {
    config(origin, more).replacen("workers = 1\n", &format!("workers = 1\n{listen}\n"), 1)
}

/// An origin's slowness: it takes this long over something.
pub fn take(time: Duration) {
    let deadline = Instant::now() + time;
    std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
}
