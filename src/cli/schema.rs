//! `weir schema`: what editors and people complete and look up keys by.

use crate::config;
use std::io::Write;
use std::process::ExitCode;

/// Prints the JSON Schema of a config, or the reference of its keys in Markdown.
pub fn schema(markdown: bool) -> anyhow::Result<ExitCode> {
    let text = if markdown { config::reference() } else { format!("{:#}\n", config::schema()) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
