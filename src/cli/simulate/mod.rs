//! `weir simulate`: what would this config have done to that traffic?

mod chart;
mod compare;
pub(super) mod progress;
mod scenario;
mod text;

use super::DEFAULT_CONFIG;
use super::exit::{Code, Failure};
use crate::config::settings::Settings;
use crate::config::{self, Faults};
use crate::control::lists;
use crate::simulate::input::{Input, InputError};
use crate::simulate::log::Format;
use crate::simulate::summary::Summary;
use crate::simulate::trial::{Contender, Passing, Trial, TrialError};
use crate::verdict::policy::Networks;
use progress::Progress;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What seeds the hashes where no seed is given: the same log gives the same verdicts.
const SEED: u64 = 1;

/// What is to be simulated.
#[derive(Clone, Debug, clap::Args)]
pub struct Simulate {
    /// The config [default: config/weir.toml; for scenarios a built-in one]
    #[arg(long, short, value_name = "FILE", env = "WEIR_CONFIG")]
    pub config: Option<PathBuf>,
    /// A second config over the same log, to stand beside the first
    #[arg(long, value_name = "FILE", requires = "log")]
    pub compare: Option<PathBuf>,
    /// The log, plain, gzip or zstd; several are read one after the other; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "scenario")]
    pub log: Vec<PathBuf>,
    /// Traffic from before the log, which tells who is known
    #[arg(long, value_name = "FILE")]
    pub history: Vec<PathBuf>,
    /// How the logs are written: combined, alb, json or tsv [default: as the first line looks]
    #[arg(long)]
    pub format: Option<Format>,
    /// Write what became of every line to this file
    #[arg(long, value_name = "OUT.tsv")]
    pub verdicts: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Take every client that calls itself a browser to pass a challenge, unless the log says otherwise
    #[arg(long)]
    pub assume_browsers_pass: bool,
    /// How many of the clients that were refused most are shown
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// What seeds hashes and scenarios [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Scenarios
    #[command(flatten)]
    pub scenarios: scenario::Scenarios,
}

/// Plays the log, or the scenarios, and prints what came of it.
pub fn simulate(args: &Simulate) -> anyhow::Result<ExitCode> {
    match &args.scenarios.scenario {
        Some(name) => scenario::play(args, name),
        None => play(args),
    }
}

/// Files of these keys are not needed to judge a log.
pub(super) const UNUSED_FILES: [&str; 5] =
    ["listen.tls.", "admin.token_file", "flood.challenge.secret_file", "flood.history.file", "reply."];

/// A config with its lists; its faults are printed as `weir check` prints them.
fn read(path: &Path) -> Result<(Settings, Networks), ExitCode> {
    let origin = path.display().to_string();
    let loaded = config::read_text(path).and_then(|text| config::load_str_without(&text, &origin, &UNUSED_FILES));
    let read = loaded.and_then(|loaded| match lists::read(&loaded.settings.lists) {
        Ok(networks) => Ok((loaded.settings, networks)),
        Err(list) => Err(Faults { origin, list, unreadable: false }),
    });
    read.map_err(|faults| {
        eprintln!("{faults}");
        if faults.unreadable { Code::NoInput } else { Code::Config }.into()
    })
}

fn play(args: &Simulate) -> anyhow::Result<ExitCode> {
    let standard_inputs = args.log.iter().chain(&args.history).filter(|path| path.as_path() == Path::new("-")).count();
    if standard_inputs > 1 {
        return Err(Failure::new(Code::Usage, "standard input (-) can be read only once").into());
    }
    let path = args.config.clone().unwrap_or_else(|| DEFAULT_CONFIG.into());
    let mut configs = vec![];
    for path in std::iter::once(&path).chain(&args.compare) {
        match read(path) {
            Ok((settings, networks)) => configs.push((path.display().to_string(), settings, networks)),
            Err(code) => return Ok(code),
        }
    }
    let log = Input::open(&args.log, args.format).map_err(input)?;
    let history = match args.history.as_slice() {
        [] => None,
        files => Some(Input::open(files, args.format).map_err(input)?),
    };
    let mut trial = Trial::open(log, args.assume_browsers_pass).map_err(input)?;
    let passing = trial.passing();
    let contender = |(name, settings, networks): (String, Settings, Networks)| {
        Contender::new(name, settings, &networks, passing, args.seed.unwrap_or(SEED))
    };
    let mut contenders: Vec<Contender> = configs.into_iter().map(contender).collect();
    if let Some(history) = history {
        let progress = Progress::over(&args.history, "history");
        trial.learn(history, &mut contenders, |bytes| progress.at(bytes)).map_err(input)?;
    }
    let began = Instant::now();
    judge(args, &mut trial, &mut contenders)?;
    let requests = trial.log().lines();
    let (faults, first) = trial.log().faults();
    if requests == 0 && faults > 0 {
        let first = first.first().map(|f| format!("{}, line {}: {}", f.file, f.fault.line, f.fault.message));
        let why = format!("no line of the log is a request ({faults} faults); {}", first.unwrap_or_default());
        return Err(Failure::new(Code::Data, why).into());
    }
    let took = began.elapsed().as_secs_f64();
    let summary = Summary::new(&trial, &contenders, args.top);
    print(&summary, args.json)?;
    footer(requests * contenders.len() as u64, took, passing);
    Ok(ExitCode::SUCCESS)
}

fn judge(args: &Simulate, trial: &mut Trial, contenders: &mut [Contender]) -> anyhow::Result<()> {
    let progress = Progress::over(&args.log, "log");
    let unwritable = |path: &Path, e: std::io::Error| Failure::new(Code::System, format!("{}: {e}", path.display()));
    let mut file = match &args.verdicts {
        None => None,
        Some(path) => Some(BufWriter::new(File::create(path).map_err(|e| unwritable(path, e))?)),
    };
    let out = file.as_mut().map(|file| file as &mut dyn Write);
    let outcome = trial.run(contenders, out, |bytes| progress.at(bytes));
    outcome.map_err(|e| match e {
        TrialError::Input(e) => input(e),
        TrialError::Verdicts(e) => unwritable(args.verdicts.as_deref().unwrap_or(Path::new("")), e),
    })?;
    Ok(())
}

fn input(error: InputError) -> Failure {
    let code = match error {
        InputError::Unreadable { .. } => Code::NoInput,
        InputError::NoLog { .. } => Code::Data,
    };
    Failure::new(code, error.to_string())
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string_pretty(summary)? + "\n" } else { text::render(summary) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// How fast it went, for whoever watches: not a part of the report.
fn footer(decisions: u64, took: f64, passing: Passing) {
    let rate = decisions as f64 / took.max(1e-9);
    eprintln!(
        "{decisions} decisions in {took:.1} s, {rate:.0}/s, reading the log included; challenge: {}",
        passing.word()
    );
}
