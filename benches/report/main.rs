//! Writes what criterion measured, and the committed instruction counts, to docs/reports/bench.md and bench.csv, and
//! prints the tables.
//!
//! `bench-report CRITERION_FOLDER`

mod machine;
mod results;

use results::Result as Measured;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("bench-report: expected the folder that criterion wrote to");
        return ExitCode::from(64);
    };
    match write(Path::new(&folder)) {
        Ok(tables) => {
            print!("{tables}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("bench-report: {message}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn write(folder: &Path) -> Result<String, String> {
    let results = results::read(folder)?;
    let about = machine::about();
    let tables = tables(&results, &instructions());
    let reports = root().join("docs/reports");
    let save = |name: &str, text: String| {
        std::fs::write(reports.join(name), text).map_err(|e| format!("cannot write docs/reports/{name}: {e}"))
    };
    save("bench.md", format!("{INTRODUCTION}\n{}\n{tables}", machine::table(&about)))?;
    save("bench.csv", csv(&results, &about))?;
    Ok(tables)
}

const INTRODUCTION: &str = "\
# The hot path, part by part

`make bench` writes this file and bench.csv. Times are criterion's medians, one thread unless it says otherwise.
Times of a part are those of its usual inputs in a loop, so its code and data are in the caches; the tables by number
of clients are where memory counts. Instructions are callgrind's, from `benches/instructions.csv`, which
`make bench-instructions` holds.
";

/// The committed counts by part.
fn instructions() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("benches/instructions.csv")).unwrap_or_default();
    let counts = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split(';');
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    });
    counts.collect()
}

/// A table a group: by load where a group's benches have loads, else one line a bench.
fn tables(results: &[Measured], instructions: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut groups: Vec<&str> = Vec::new();
    for result in results {
        if !groups.contains(&result.group.as_str()) {
            groups.push(&result.group);
        }
    }
    for group in groups {
        let of_group: Vec<&Measured> = results.iter().filter(|r| r.group == group).collect();
        // Writing to a string cannot fail.
        _ = writeln!(text, "## {group}\n");
        if of_group.iter().any(|r| r.load.is_some()) {
            by_load(&of_group, &mut text)
        } else {
            by_line(&of_group, instructions, &mut text)
        }
        text.push('\n');
    }
    text
}

fn by_load(results: &[&Measured], text: &mut String) {
    let (mut loads, mut names): (Vec<&str>, Vec<&str>) = (vec![], vec![]);
    for result in results {
        let load = result.load.as_deref().unwrap_or_default();
        if !loads.contains(&load) {
            loads.push(load);
        }
        if !names.contains(&result.name.as_str()) {
            names.push(&result.name);
        }
    }
    _ = writeln!(text, "| ns a request | {} |", loads.join(" | "));
    _ = writeln!(text, "|---|{}", "---:|".repeat(loads.len()));
    for name in names {
        let cell = |load: &&str| {
            let found = results.iter().find(|r| r.name == name && r.load.as_deref() == Some(*load));
            found.map_or("–".into(), |r| time(r.median))
        };
        _ = writeln!(text, "| {name} | {} |", loads.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
}

fn by_line(results: &[&Measured], instructions: &BTreeMap<String, String>, text: &mut String) {
    let counted = results.iter().any(|r| instructions.contains_key(&r.name));
    text.push_str(if counted {
        "| | ns | 95 % within | instructions |\n|---|---:|---:|---:|\n"
    } else {
        "| | ns | 95 % within |\n|---|---:|---:|\n"
    });
    for result in results {
        _ = write!(
            text,
            "| {} | {} | {} to {} |",
            result.name,
            time(result.median),
            time(result.low),
            time(result.high)
        );
        if counted {
            let count = instructions.get(&result.name).and_then(|n| n.parse::<f64>().ok());
            _ = write!(text, " {} |", count.map_or("–".into(), |n| format!("{n:.0}")));
        }
        text.push('\n');
    }
}

/// Three digits that matter.
fn time(ns: f64) -> String {
    match ns {
        _ if ns < 10.0 => format!("{ns:.2}"),
        _ if ns < 100.0 => format!("{ns:.1}"),
        _ => format!("{ns:.0}"),
    }
}

fn csv(results: &[Measured], about: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (what, value) in about {
        _ = writeln!(text, "# {what}: {value}");
    }
    text.push_str("group;bench;load;median_ns;low_ns;high_ns\n");
    for Measured { group, name, load, median, low, high } in results {
        let load = load.as_deref().unwrap_or_default();
        _ = writeln!(text, "{group};{name};{load};{median:.2};{low:.2};{high:.2}");
    }
    text
}
