//! `weir report`: what happened, from the ingress log.

use super::DEFAULT_CONFIG;
use super::exit::{Code, Failure};
use super::simulate::UNUSED_FILES;
use super::simulate::progress::Progress;
use crate::base::rfc3339;
use crate::base::units::{Share, parse_duration};
use crate::config::{self, settings};
use crate::report::findings::Findings;
use crate::report::gather::{Gather, Sampling};
use crate::report::{compose, files, html, line, markdown};
use crate::simulate::input::InputError;
use crate::simulate::log::time;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is to be reported.
#[derive(Clone, Debug, clap::Args)]
pub struct Report {
    /// The report's first moment: an RFC 3339 date, or -2h for two hours ago
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = moment)]
    pub from: Moment,
    /// The moment after its last [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = moment)]
    pub to: Option<Moment>,
    /// The log in JSON lines, plain, gzip or zstd; several are read as one; - is standard input [default: the config's]
    #[arg(long, value_name = "FILE")]
    pub log: Vec<PathBuf>,
    /// The config, which says where the log is and how it is sampled [default: config/weir.toml]
    #[arg(long, short, value_name = "FILE", env = "WEIR_CONFIG")]
    pub config: Option<PathBuf>,
    /// The share of requests passed on that had a line, such as 1%, where the config says another
    #[arg(long, value_name = "SHARE")]
    pub forwarded_sample: Option<Share>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How it is written [default: as the file's name ends, else markdown]
    #[arg(long)]
    pub format: Option<Format>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Markdown
    Markdown,
    /// One HTML file
    Html,
}

/// A moment as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Milliseconds since 1970.
    At(u64),
    /// So many milliseconds ago.
    Ago(u64),
}

impl Moment {
    fn at(self, now: u64) -> u64 {
        match self {
            Self::At(ms) => ms,
            Self::Ago(ms) => now.saturating_sub(ms),
        }
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    const WANT: &str = "expected an RFC 3339 date such as 2024-02-29T12:00:00Z, or -2h for two hours ago";
    match text.strip_prefix('-') {
        Some(ago) => Ok(Moment::Ago(parse_duration(ago).map_err(|e| format!("{e}; {WANT}"))?.as_millis() as u64)),
        None => {
            let seconds = time::rfc3339(text).filter(|t| (0.0..1e11).contains(t)).ok_or(WANT)?;
            Ok(Moment::At((seconds * 1_000.0).round() as u64))
        }
    }
}

/// Reads the log and writes the report.
pub fn report(args: &Report) -> anyhow::Result<ExitCode> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    let (from, to) = (args.from.at(now), args.to.map_or(now, |to| to.at(now)));
    if from >= to {
        let why = format!("--from {} is not before --to {}", shown(from), shown(to));
        return Err(Failure::new(Code::Usage, why).into());
    }
    let (logs, sampling) = match source(args)? {
        Ok(source) => source,
        Err(code) => return Ok(code),
    };
    let mut gather = Gather::new(from, to, sampling);
    let progress = Progress::over(&logs, "log");
    let read = files::read(&logs, |place, text| {
        // A bar that moves with every line would be most of the work.
        if place.line.is_multiple_of(1_024) {
            progress.at(place.bytes);
        }
        match text.ok_or_else(|| "it is too long".to_owned()).and_then(line::parse) {
            Ok((at, line)) => gather.add(at, &line),
            Err(why) => gather.fault(&format!("{}, line {}", place.file, place.line), &why),
        }
    });
    drop(progress);
    read.map_err(unreadable)?;
    if gather.lines == 0 {
        return Err(Failure::new(Code::Data, empty(&gather)).into());
    }
    let document = compose(&Findings::new(&gather));
    let by_name = args.out.as_ref().and_then(|out| out.extension()).is_some_and(|e| e == "html" || e == "htm");
    let text = match args.format.unwrap_or(if by_name { Format::Html } else { Format::Markdown }) {
        Format::Markdown => markdown::render(&document),
        Format::Html => html::render(&document),
    };
    match &args.out {
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
        Some(path) => std::fs::write(path, text)
            .map_err(|e| Failure::new(Code::System, format!("{}: cannot be written: {e}", path.display())))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Files of these keys are not needed to read a log.
const MORE_UNUSED_FILES: [&str; 5] = ["log.address_key_file", "lists.", "syslog.", "aviatrix.", "alerts."];

/// The log files, and how they were sampled. A faulty config is told as `weir check` tells it.
fn source(args: &Report) -> anyhow::Result<Result<(Vec<PathBuf>, Sampling), ExitCode>> {
    let path = args.config.clone().unwrap_or_else(|| DEFAULT_CONFIG.into());
    // With a log given, and no word about a config, it works without one.
    let needed = args.config.is_some() || args.log.is_empty();
    let log = match needed || path.exists() {
        false => None,
        true => match read(&path) {
            Ok(log) => Some(log),
            Err(code) => return Ok(Err(code)),
        },
    };
    let (share, rate) = match &log {
        Some(log) => (log.forwarded_sample, log.refused_rate.count as f64 / log.refused_rate.period.as_secs_f64()),
        None => (Share(100), 100.0),
    };
    let share = args.forwarded_sample.unwrap_or(share);
    let is_told = log.is_some() || args.forwarded_sample.is_some();
    let sampling = Sampling { forwarded: f64::from(share.0) / 10_000.0, refused_per_second: rate, is_told };
    let logs = match log {
        _ if !args.log.is_empty() => args.log.clone(),
        Some(settings::Log { access: settings::LogTarget::File(file), rotate_keep, .. }) => kept(&file, rotate_keep),
        _ => {
            let why = format!("{}: log.access is no file; name the log by --log FILE", path.display());
            return Err(Failure::new(Code::NoInput, why).into());
        }
    };
    Ok(Ok((logs, sampling)))
}

/// The log and what is left of it under older names, oldest first.
fn kept(file: &Path, most: u16) -> Vec<PathBuf> {
    let older = |n: u16| PathBuf::from(format!("{}.{n}", file.display()));
    let mut all: Vec<PathBuf> = (1..=most).map(older).take_while(|path| path.exists()).collect();
    all.reverse();
    all.push(file.to_owned());
    all
}

fn read(path: &Path) -> Result<settings::Log, ExitCode> {
    let origin = path.display().to_string();
    let unused: Vec<&str> = [&UNUSED_FILES[..], &MORE_UNUSED_FILES].concat();
    let loaded = config::read_text(path).and_then(|text| config::load_str_without(&text, &origin, &unused));
    loaded.map(|loaded| loaded.settings.log).map_err(|faults| {
        eprintln!("{faults}");
        if faults.unreadable { Code::NoInput } else { Code::Config }.into()
    })
}

fn unreadable(error: InputError) -> Failure {
    let code = match error {
        InputError::Unreadable { .. } => Code::NoInput,
        InputError::NoLog { .. } => Code::Data,
    };
    Failure::new(code, error.to_string())
}

fn empty(gather: &Gather) -> String {
    let span = format!("{} to {}", shown(gather.from), shown(gather.to));
    match (gather.log_span, &gather.faults.1) {
        (Some((first, last)), _) => {
            format!("no line of the log lies in {span}; it reaches from {} to {}", shown(first), shown(last))
        }
        (None, Some(first)) => {
            format!("no line can be read ({} faults); expected weir's log in JSON; {first}", gather.faults.0)
        }
        (None, None) => "the log is empty".into(),
    }
}

fn shown(ms: u64) -> String {
    rfc3339::from_unix_nanos(ms.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_lie_back() {
        assert_eq!(moment("2024-02-29T12:00:00.5Z"), Ok(Moment::At(1_709_208_000_500)));
        assert_eq!(moment("-2h").unwrap().at(10_000_000), 2_800_000);
        for wrong in ["", "now", "2h", "-", "-2", "yesterday", "2024-02-29"] {
            assert!(moment(wrong).unwrap_err().contains("RFC 3339"), "{wrong}");
        }
    }
}
