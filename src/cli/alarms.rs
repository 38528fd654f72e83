//! `weir schema --alarms`: the rules of a config for those who watch from outside.

use super::exit::{Code, Failure};
use crate::app;
use crate::config;
use crate::config::settings::Settings;
use crate::control::alert::export::{cloudwatch, prometheus};
use crate::control::alert::rules::rules;
use crate::control::source::{Options, Place, Source};
use clap::ValueEnum;
use std::io::Write;
use std::process::ExitCode;

/// Who shall watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Watcher {
    /// JSON, from which deploy makes CloudWatch alarms.
    Cloudwatch,
    /// A file of alerting rules.
    Prometheus,
}

/// Prints the rules of the config at `place`, without one the built-in rules.
pub fn alarms(watcher: Watcher, place: Option<Place>) -> anyhow::Result<ExitCode> {
    let settings = match place {
        Some(place) => named(place)?,
        None => config::load_str("[origin]\naddresses = [\"demo\"]\n", "no config")?.settings,
    };
    let rules = rules(&settings).map_err(|faults| Failure::new(Code::Config, faults.join("\n")))?;
    let text = match watcher {
        Watcher::Cloudwatch => cloudwatch::alarms(&rules, &settings),
        Watcher::Prometheus => prometheus::rules(&rules),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn named(place: Place) -> anyhow::Result<Settings> {
    let source = Source::new(place, Options::default()).map_err(|e| Failure::new(Code::Usage, e))?;
    let fresh = app::examine(&source).map_err(|unfit| {
        let all: Vec<_> = unfit.faults.iter().map(|f| f.message.as_str()).collect();
        let code = if unfit.unreadable { Code::NoInput } else { Code::Config };
        Failure::new(code, all.join("\n"))
    })?;
    Ok(fresh.loaded.settings)
}
