//! `weir schema`: what editors and people complete and look up keys by, and what others show weir's metrics by.

use crate::config;
use crate::sink::{cloudwatch, prometheus};
use clap::ValueEnum;
use std::io::Write;
use std::process::ExitCode;

/// A file for whoever shows metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dashboard {
    /// A dashboard for Grafana, of what Prometheus has scraped
    Grafana,
    /// A dashboard's body for CloudWatch, with ${region} and the like to be filled in
    Cloudwatch,
    /// Recording rules for Prometheus
    Rules,
}

impl Dashboard {
    /// The file's text.
    pub fn text(self) -> String {
        match self {
            Self::Grafana => prometheus::grafana::dashboard(),
            Self::Cloudwatch => cloudwatch::dashboard::dashboard(),
            Self::Rules => prometheus::rules::rules(),
        }
    }
}

/// Prints the JSON Schema of a config, or the reference of its keys in Markdown, or a dashboard.
pub fn schema(markdown: bool, dashboard: Option<Dashboard>) -> anyhow::Result<ExitCode> {
    let text = match dashboard {
        Some(dashboard) => dashboard.text(),
        None if markdown => config::reference(),
        None => format!("{:#}\n", config::schema()),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
