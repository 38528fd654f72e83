//! `weir simulate --scenario`: attacks and crowds made from a background, and how weir does in them.

use super::progress::Progress;
use super::{SEED, Simulate, read};
use crate::base::clock;
use crate::base::rfc3339;
use crate::base::units::Rate;
use crate::cli::exit::{Code, Failure};
use crate::cli::table::{Style, Table, harmless, paint, plain, wants_colour};
use crate::config::settings::Settings;
use crate::config::{self, Loaded};
use crate::simulate::campaign::{Campaign, Speed, capacity};
use crate::simulate::log::Log;
use crate::simulate::report::{self, Part, Report};
use crate::simulate::scenario::{self, Attackers, Background, Networks, Scenario, tsv};
use crate::verdict::policy::Networks as Lists;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The background that is no log.
const GENERATED: &str = "generated";
/// What seeds the generated site and the generated botnets: they are the same for every seed of a scenario.
const SITE: u64 = 1;
/// The config where none is named.
const CONFIG: &str = "\
[origin]
addresses = [\"demo\"]
capacity = \"300/s\"
[flood]
enabled = true
[[limit]]
name = \"per-client\"
rate = \"10/s\"
burst = 100
";

/// What scenarios are made of.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Scenarios")]
pub struct Scenarios {
    /// Play this attack or crowd instead of a log; "all" plays all, "list" lists them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["log", "history", "verdicts", "compare"])]
    pub scenario: Option<String>,
    /// Play each scenario with so many seeds, from 1 on
    #[arg(long, value_name = "N", conflicts_with = "seed", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub seeds: Option<u16>,
    /// The traffic that it happens in: a log, or "generated"; several are played one after the other
    #[arg(long, value_name = "LOG", default_value = GENERATED)]
    pub background: Vec<PathBuf>,
    /// Addresses that attack, one a line, where the background is a log
    #[arg(long, value_name = "FILE")]
    pub attackers: Option<PathBuf>,
    /// Addresses that attack where an attack comes from hosting networks
    #[arg(long, value_name = "FILE")]
    pub hosting: Option<PathBuf>,
    /// Lines "first,last,AS number": who is whose neighbour, where the background is a log
    #[arg(long, value_name = "FILE")]
    pub asn: Option<PathBuf>,
    /// The origin's capacity, such as 300/s, whatever the config says
    #[arg(long, value_name = "RATE")]
    pub capacity: Option<Rate>,
    /// Write flood.md with tables and charts to this folder
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Write each scenario and its history as TSV logs to this folder
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}

/// Plays what was named.
pub(super) fn play(args: &Simulate, name: &str) -> anyhow::Result<ExitCode> {
    let names = match names(name)? {
        Some(names) => names,
        None => return list(),
    };
    let (settings, lists) = match settings(args)? {
        Ok(found) => found,
        Err(code) => return Ok(code),
    };
    let own = &args.scenarios;
    let seeds: Vec<u64> = own.seeds.map_or(vec![args.seed.unwrap_or(SEED)], |count| (1..=count.into()).collect());
    let mut parts = vec![];
    let mut speed = Speed::default();
    for path in &own.background {
        let (background, attackers) = site(own, path)?;
        if let Some(folder) = &own.write {
            write(folder, &names, &seeds, &background, &attackers)?;
        }
        let progress = Progress::runs((names.len() * seeds.len()) as u64);
        let campaign = Campaign {
            names: &names,
            seeds: &seeds,
            background: &background,
            attackers: &attackers,
            settings: &settings,
            networks: &lists,
        };
        let (trials, of_part) = campaign.play(|| progress.one_more()).map_err(|why| fault(Code::Data, why))?;
        speed = Speed { decisions: speed.decisions + of_part.decisions, took: speed.took + of_part.took };
        parts.push(Part { title: title(path), slug: slug(path), trials });
    }
    let report = Report { about: about(&seeds), capacity: capacity(&settings), parts };
    print(&report, args.json)?;
    if let Some(folder) = &own.report {
        report.write(folder).map_err(|e| fault(Code::System, format!("{}: {e}", folder.display())))?;
    }
    let rate = speed.decisions as f64 / speed.took.as_secs_f64().max(1e-9);
    eprintln!("{} decisions, {rate:.0}/s on one core", speed.decisions);
    Ok(ExitCode::SUCCESS)
}

fn fault(code: Code, why: impl Into<String>) -> Failure {
    Failure::new(code, why)
}

/// The scenarios that `name` stands for; none if they are only to be listed.
fn names(name: &str) -> Result<Option<Vec<&'static str>>, Failure> {
    let all = scenario::names();
    match name {
        "list" => Ok(None),
        "all" => Ok(Some(all.iter().map(|(name, _)| *name).collect())),
        _ => match all.iter().find(|(known, _)| *known == name) {
            Some((known, _)) => Ok(Some(vec![*known])),
            None => {
                let why = format!("--scenario {name:?}: no such scenario; --scenario list lists them");
                Err(fault(Code::Usage, why))
            }
        },
    }
}

fn list() -> anyhow::Result<ExitCode> {
    let mut table = Table::new(&["scenario", "what happens"]);
    scenario::names().iter().for_each(|(name, text)| table.row([plain(name), plain(text)]));
    std::io::stdout().lock().write_all(table.render(wants_colour()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The config, or the code to end with where it has faults, which were printed.
fn settings(args: &Simulate) -> anyhow::Result<Result<(Settings, Lists), ExitCode>> {
    let (mut settings, lists) = match &args.config {
        Some(path) => match read(path) {
            Ok(found) => found,
            Err(code) => return Ok(Err(code)),
        },
        None => {
            let Loaded { settings, .. } = config::load_str(CONFIG, "the built-in config")?;
            (settings, Lists::default())
        }
    };
    if let Some(rate) = args.scenarios.capacity {
        settings.origin.capacity = rate;
    }
    Ok(Ok((settings, lists)))
}

/// The traffic and the attackers.
fn site(args: &Scenarios, path: &Path) -> Result<(Background, Attackers), Failure> {
    if path == Path::new(GENERATED) {
        return Ok((Background::generated(SITE), Attackers::generated(SITE)));
    }
    let unreadable = |why: String| fault(Code::NoInput, why);
    let networks = args.asn.as_deref().map_or_else(|| Ok(Networks::default()), Networks::open).map_err(unreadable)?;
    let mut attackers = match &args.attackers {
        Some(file) => Attackers::open(file).map_err(unreadable)?,
        None => Attackers::generated(SITE),
    };
    if let Some(file) = &args.hosting {
        attackers = attackers.with_hosting(file).map_err(unreadable)?;
    }
    let mut log = Log::open(path, None).map_err(|e| unreadable(format!("{}: {e}", path.display())))?;
    let background = Background::from_log(&mut log, networks);
    Ok((background.map_err(|why| fault(Code::Data, format!("{}: {why}", path.display())))?, attackers))
}

/// Writes each scenario's log and history.
fn write(
    folder: &Path,
    names: &[&'static str],
    seeds: &[u64],
    background: &Background,
    attackers: &Attackers,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for name in names {
        for seed in seeds {
            let Scenario { events, history, .. } =
                scenario::build(name, *seed, background, attackers).map_err(|why| fault(Code::Data, why))?;
            let stem = if seeds.len() == 1 { (*name).to_owned() } else { format!("{name}-{seed}") };
            let open = |kind: &str| File::create(folder.join(format!("{stem}.{kind}.tsv"))).map(BufWriter::new);
            let (mut log, mut before) = (open("log")?, open("history")?);
            tsv::write(events.iter(), &mut log)?;
            tsv::write(history.iter(), &mut before)?;
            log.flush()?;
            before.flush()?;
        }
    }
    Ok(())
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string_pretty(&as_json(report))? + "\n" } else { render(report) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn render(report: &Report) -> String {
    let colour = wants_colour();
    let mut text = format!("The origin bears {} requests a second.\n", report.capacity);
    for part in &report.parts {
        text += &format!("\n{}\n", paint(&harmless(&part.title), Style::Bold, colour));
        let mut table = Table::new(&report::headings());
        for row in part.trials.iter().flat_map(report::rows) {
            table.add(row.into_iter().map(plain).collect());
        }
        text += &table.render(colour);
    }
    text
}

/// A list with an object for every scenario, filter and background, under the headings of the table.
fn as_json(report: &Report) -> serde_json::Value {
    let headings = report::headings();
    let object = |part: &Part, row: Vec<String>| {
        let cells = headings.iter().map(|h| (*h).to_owned()).zip(row.into_iter().map(serde_json::Value::from));
        let background = ("background".to_owned(), serde_json::Value::from(part.slug.clone()));
        serde_json::Value::Object(std::iter::once(background).chain(cells).collect())
    };
    let rows = report.parts.iter().flat_map(|part| {
        let rows: Vec<_> = part.trials.iter().flat_map(report::rows).map(|row| object(part, row)).collect();
        rows
    });
    serde_json::json!({ "capacity": report.capacity, "rows": rows.collect::<Vec<_>>() })
}

fn about(seeds: &[u64]) -> Vec<String> {
    // Of a path only its end: a report is for others, who have other folders.
    let end =
        |arg: String| arg.rsplitn(3, '/').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
    let command: Vec<String> = std::env::args().skip(1).map(end).collect();
    let date = rfc3339::from_unix_nanos(clock::unix_nanos(clock::now()));
    let version = env!("CARGO_PKG_VERSION");
    let count = seeds.len();
    vec![format!("`weir {}`, weir {version}, {}, {count} seeds.", command.join(" "), &date[..10])]
}

fn title(path: &Path) -> String {
    match path.to_str() {
        Some(GENERATED) => "A generated site".to_owned(),
        _ => format!("The traffic of {}", slug(path)),
    }
}

/// The name of a background: of its file, or of the file's folder where files have the same name in each.
fn slug(path: &Path) -> String {
    let stem = |p: &Path| p.file_name().map(|n| n.to_string_lossy().split('.').next().unwrap_or("").to_owned());
    let own = stem(path).unwrap_or_default();
    let name = match path.parent().and_then(stem) {
        Some(folder) if own == "requests" && !folder.is_empty() => folder,
        _ => own,
    };
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
