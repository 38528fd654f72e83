//! What criterion left behind, in the order in which it was measured.

use serde::Deserialize;
use std::path::Path;
use std::time::SystemTime;

/// One bench. Nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Result {
    pub(crate) group: String,
    pub(crate) name: String,
    /// What it was tried with, where that varies.
    pub(crate) load: Option<String>,
    pub(crate) median: f64,
    /// Where the median is with 95 % certainty.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// All results below `folder`.
pub(crate) fn read(folder: &Path) -> std::result::Result<Vec<Result>, String> {
    let mut found = Vec::new();
    walk(folder, &mut found)?;
    if found.is_empty() {
        return Err(format!("criterion left nothing in {}", folder.display()));
    }
    found.sort_by_key(|(when, _)| *when);
    Ok(found.into_iter().map(|(_, result)| result).collect())
}

fn walk(folder: &Path, found: &mut Vec<(SystemTime, Result)>) -> std::result::Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        // A bench may be called "new" too.
        if path.ends_with("new") && path.join("benchmark.json").exists() {
            found.push(one(&path).map_err(|e| format!("{}: {e}", path.display()))?);
        } else {
            walk(&path, found)?;
        }
    }
    Ok(())
}

fn one(folder: &Path) -> std::io::Result<(SystemTime, Result)> {
    let estimates = folder.join("estimates.json");
    let when = estimates.metadata()?.modified()?;
    let bench: Benchmark = serde_json::from_str(&std::fs::read_to_string(folder.join("benchmark.json"))?)?;
    let Estimates { median } = serde_json::from_str(&std::fs::read_to_string(estimates)?)?;
    let result = Result {
        group: bench.group_id,
        name: bench.function_id.unwrap_or_default(),
        load: bench.value_str,
        median: median.point_estimate,
        low: median.confidence_interval.lower_bound,
        high: median.confidence_interval.upper_bound,
    };
    Ok((when, result))
}
