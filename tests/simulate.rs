//! `weir simulate` as a shell sees it, on logs of every kind.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "simulate/bad.rs"]
mod bad;
#[path = "simulate/formats.rs"]
mod formats;
#[path = "simulate/scenarios.rs"]
mod scenarios;
#[path = "simulate/verdicts.rs"]
mod verdicts;

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A burst of five for each client, and nobody of 203.0.113.0/24.
const CONFIG: &str = "[origin]\naddresses = [\"192.0.2.1:80\"]\ncapacity = \"50/s\"\n[lists]\ndeny = [\"203.0.113.0/24\"]\n\
                      [[limit]]\nname = \"per-client\"\nrate = \"1/s\"\nburst = 5\n";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0";
/// When logs begin.
const START: u64 = 1_700_000_000;

/// A folder with a config, and what is run in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("weir.toml", CONFIG);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.arg("simulate").current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("WEIR_CONFIG").env_remove("WEIR_LOG").env("WEIR_CONFIG", "weir.toml");
        command
    }

    /// Runs `weir simulate` with `arguments` parted by spaces.
    fn run(&self, arguments: &str) -> Output {
        self.command().args(arguments.split_whitespace()).output().unwrap()
    }

    /// The same where it must go well: standard output.
    fn good(&self, arguments: &str) -> String {
        let Output { status, stdout, stderr } = self.run(arguments);
        assert!(status.success(), "{arguments}: {status}\n{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.good(&format!("--json {arguments}"))).unwrap()
    }

    /// The rows of verdicts, cut into columns; the header is checked.
    fn verdicts(&self, arguments: &str) -> Vec<Vec<String>> {
        self.good(&format!("--verdicts out.tsv {arguments}"));
        let text = self.read("out.tsv");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("t\tip\tverdict\treason\tstate\trank\tdelay"));
        lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }
}

/// A TSV log of (seconds after the start, client, challenge) rows, all of one page and one browser.
fn tsv(rows: impl IntoIterator<Item = (f64, String, Option<bool>)>) -> String {
    let mut text = "t\tip\tmethod\tpath\tstatus\tbytes\tuser_agent\tchallenge\n".to_owned();
    for (t, ip, challenge) in rows {
        let challenge = challenge.map_or("", |passes| if passes { "1" } else { "0" });
        let t = START as f64 + t;
        writeln!(text, "{t:.6}\t{ip}\tGET\t/\t200\t5\t{BROWSER}\t{challenge}").unwrap();
    }
    text
}

/// So many requests of one client within a second.
fn burst(count: u32, ip: &str, challenge: Option<bool>) -> String {
    tsv((0..count).map(|n| (f64::from(n) * 0.01, ip.to_owned(), challenge)))
}

/// A column of all rows.
fn column(rows: &[Vec<String>], at: usize) -> Vec<&str> {
    rows.iter().map(|row| row[at].as_str()).collect()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A path outside of the test's own folder.
fn absolute(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
