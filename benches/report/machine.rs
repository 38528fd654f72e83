//! On what, and of what, was measured.

use std::process::Command;

/// What a reader needs to judge the figures.
pub(crate) fn about() -> Vec<(&'static str, String)> {
    let status = said("git", &["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"]);
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = if status.is_empty() { "" } else { ", and changes not committed" };
    vec![
        ("command", "make bench".into()),
        ("commit", format!("{commit}{changed}")),
        ("date", said("date", &["-u", "+%F %H:%M UTC"])),
        ("machine", format!("{} × {}, {}", cores(), field("/proc/cpuinfo", "model name"), memory())),
        ("system", said("uname", &["-srm"])),
        ("compiler", said("rustc", &["--version"])),
        ("load before the report", field_of(&file("/proc/loadavg"), 0)),
    ]
}

/// The same as a Markdown table.
pub(crate) fn table(about: &[(&str, String)]) -> String {
    let lines = about.iter().map(|(what, value)| format!("| {what} | {value} |\n"));
    format!("| | |\n|---|---|\n{}", lines.collect::<String>())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(super::root()).output();
    output.map_or_else(|_| "unknown".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>();
    kib.map_or_else(|_| "memory unknown".into(), |kib| format!("{:.0} GiB", kib / f64::from(1 << 20)))
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first line of `path` that begins with `name`.
fn field(path: &str, name: &str) -> String {
    let text = file(path);
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
}

fn field_of(text: &str, n: usize) -> String {
    text.split_whitespace().nth(n).unwrap_or("unknown").to_owned()
}
