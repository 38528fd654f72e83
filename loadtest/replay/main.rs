//! Replays an access log through a running proxy and reports what was forwarded and refused.

mod play;

use anyhow::Context;
use clap::Parser;
use play::plan::Pace;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use weir::simulate::log::Format;

/// Replays an access log through a running proxy: each line's client in X-Forwarded-For, with its own method, path
/// and user agent.
#[derive(Parser)]
#[command(name = "replay")]
struct Args {
    /// The log: combined, AWS ALB, TSV with a header line or JSON lines; plain, gzip or zstd; "-" is standard input.
    log: PathBuf,
    /// The log's format (combined, alb, json or tsv), where the first line doesn't tell.
    #[arg(long)]
    format: Option<Format>,
    /// The proxy.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    target: String,
    /// Lets the target be this host although it isn't loopback.
    #[arg(long, value_name = "HOST")]
    allow_target: Option<String>,
    /// Host header; the target's authority unless given.
    #[arg(long)]
    host: Option<String>,
    /// "real", "xN" (N times as fast, inside sessions too) or "max" (as fast as it goes: throughput only).
    #[arg(long, default_value = "real")]
    speed: Pace,
    /// All sessions start within this many seconds, spread as in the log; 0 keeps the log's own times.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    fold: f64,
    /// So many seconds without a request end a client's session; keep it above the time in which the slowest limit
    /// forgives a whole burst.
    #[arg(long, default_value_t = 180.0, value_name = "SECONDS")]
    idle: f64,
    /// What a session holds after so many seconds is left out (and counted); 0 leaves nothing out.
    #[arg(long, default_value_t = 300.0, value_name = "SECONDS")]
    max_session: f64,
    /// The most lines taken from the log.
    #[arg(long, default_value_t = 1_000_000)]
    limit: usize,
    /// Connections at once, kept alive.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Seconds that one request may take.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    timeout: f64,
    /// Clients appear in the report as hashes.
    #[arg(long)]
    hash_clients: bool,
    /// Writes the report to this file as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("replay: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    let options = play::Options {
        target: play::Target::resolve(&args.target, args.allow_target.as_deref(), args.host.as_deref())?,
        plan: play::plan::Options { pace: args.speed, fold: args.fold, idle: args.idle, max_session: args.max_session },
        limit: args.limit,
        connections: args.connections.into(),
        timeout: Duration::try_from_secs_f64(args.timeout).context("timeout")?,
        hash_clients: args.hash_clients,
        progress: !args.quiet,
    };
    let report = play::replay(&args.log, args.format, &options)?;
    print!("{report}");
    std::io::stdout().flush()?;
    if let Some(file) = args.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(&file, text + "\n").with_context(|| format!("{}", file.display()))?;
    }
    Ok(())
}
