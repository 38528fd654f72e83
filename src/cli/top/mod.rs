//! `weir top`: a running weir, live.

mod live;
mod screen;

use super::ask::Target;
use super::table::wants_colour;
use crate::base::units::parse_duration;
use crate::control::flood::FloodReport;
use screen::Screen;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

/// The size where there is no terminal: wide, and every row that there is.
const PLAIN: (usize, usize) = (120, 10_000);

/// Reads `--interval`.
///
/// # Errors
/// Where it is no time from 100ms to 1h.
pub fn interval(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|e| e.to_string())?;
    let fits = (Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&time);
    if fits { Ok(time) } else { Err("expected 100ms to 1h".into()) }
}

/// Shows the running weir until `q`, or once.
///
/// # Errors
/// Where no weir answers at first; later it is waited for.
pub fn top(target: &Target, interval: Duration, once: bool, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        return as_json(target, interval, once);
    }
    let seen = Seen::ask(target)?;
    if !once && std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        return live::run(target, interval, seen);
    }
    let mut screen = Screen::new(&target.admin);
    screen.see(seen);
    let text = screen.render(PLAIN, wants_colour());
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(target: &Target, interval: Duration, once: bool) -> anyhow::Result<ExitCode> {
    loop {
        let line = target.get("/api/flood")? + "\n";
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()?;
        drop(out);
        if once {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::park_timeout(interval);
    }
}

/// What one look found.
#[derive(Clone, Debug)]
struct Seen {
    report: FloodReport,
    bans: Vec<Ban>,
}

/// As much of a ban as is shown.
#[derive(Clone, Debug, serde::Deserialize)]
struct Ban {
    network: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    evidence: String,
    #[serde(default)]
    left_s: f64,
}

#[derive(serde::Deserialize)]
struct Bans {
    bans: Vec<Ban>,
}

impl Seen {
    fn ask(target: &Target) -> anyhow::Result<Self> {
        let report = target.get_json("/api/flood")?;
        // A weir without bans has no such page.
        let bans = target.get_json("/api/bans").map_or(Vec::new(), |all: Bans| all.bans);
        Ok(Self { report, bans })
    }
}
