//! Which folder may use which: the layers of docs/architecture.md.

use super::source::{Source, closing, is_name, line_of, words};

/// Layer 2, the pure core.
pub(crate) const CORE: &[&str] = &["client", "access", "limit", "origin", "flood", "ban", "verdict"];
/// Layer 3, beside the data plane.
const CONTROL_PLANE: &[&str] = &["control", "sink", "admin", "simulate", "report", "demo"];
/// Layers 0 and 1.
const GROUND: &[&str] = &["base", "config", "event"];
/// Layer 4 and the data plane.
const ABOVE: &[&str] = &["proxy", "app", "cli"];

/// What all of the core may use of its siblings: what a client is called, and what fixed tables are made of.
const SHARED: &[(&str, &str)] = &[
    ("client", "key"),
    ("limit", "seeds"),
    ("limit", "memory"),
    ("limit", "gcra"),
    ("limit", "table"),
    ("limit", "budget"),
    ("limit", "top"),
];

/// Crates that do input and output; the core, and all below it, knows none of them.
const IO_CRATES: &[&str] = &[
    "pingora",
    "pingora_core",
    "pingora_http",
    "pingora_proxy",
    "pingora_cache",
    "tokio",
    "tokio_rustls",
    "hyper",
    "hyper_util",
    "axum",
    "h2",
    "ureq",
    "socket2",
    "notify",
    "redis",
    "aws_config",
    "aws_sdk_wafv2",
    "aws_sdk_cloudwatch",
];
/// Ways to read a clock or to reach the network that std offers.
const IO_NAMES: &[&str] =
    &["Instant::now", "SystemTime::now", "TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "UnixStream"];

/// Every fault of `source` as (line, message).
pub(crate) fn check(source: &Source) -> Vec<(usize, String)> {
    let Some(folder) = folder(&source.path) else { return vec![] };
    let code = source.code();
    let mut faults = vec![];
    for (line, path) in uses(&code, &source.path) {
        if let Some(why) = forbidden(&folder, &path) {
            faults.push((line, format!("layers: {folder} may not use crate::{}: {why}", path.join("::"))));
        }
    }
    if is_low(&folder) {
        faults.extend(input_output(&folder, &code));
    }
    faults
}

/// The top module that `path` belongs to.
fn folder(path: &str) -> Option<String> {
    let inside = path.strip_prefix("src/")?;
    let name = inside.split('/').next()?.trim_end_matches(".rs");
    (!matches!(name, "lib" | "main")).then(|| name.to_string())
}

fn is_low(folder: &str) -> bool {
    GROUND.contains(&folder) || CORE.contains(&folder)
}

fn forbidden(from: &str, path: &[String]) -> Option<&'static str> {
    let to = path[0].as_str();
    let known = [GROUND, CORE, CONTROL_PLANE, ABOVE].concat();
    if to == from || !known.contains(&to) {
        return None;
    }
    let in_core = CORE.contains(&to);
    let shared = SHARED.iter().any(|(folder, module)| to == *folder && path.get(1).is_some_and(|m| m == module));
    match from {
        "app" | "cli" => None,
        "base" => Some("base uses nothing of weir's"),
        "config" if to != "base" => Some("only base lies below it"),
        "event" if !["base", "config"].contains(&to) => Some("only base and the words of the config lie below it"),
        "config" | "event" => None,
        "verdict" if in_core || GROUND.contains(&to) => None,
        _ if CORE.contains(&from) && in_core && !shared => Some("only verdict joins the modules of the core"),
        _ if CORE.contains(&from) && !in_core && !GROUND.contains(&to) => Some("it lies above the core"),
        "proxy" if CONTROL_PLANE.contains(&to) => Some("the data plane meets the control plane in data only"),
        "proxy" if ABOVE.contains(&to) => Some("it lies above the data plane"),
        _ if CONTROL_PLANE.contains(&from) && ABOVE.contains(&to) => {
            Some("the control plane knows neither the data plane nor what lies above")
        }
        _ if CORE.contains(&from) || CONTROL_PLANE.contains(&from) || from == "proxy" => None,
        _ => Some("this folder has no layer yet: give it one in tests/tidy/layers.rs"),
    }
}

fn input_output(folder: &str, code: &str) -> Vec<(usize, String)> {
    let mut faults = vec![];
    for name in IO_CRATES {
        for at in words(code, name) {
            let before = code[..at].trim_end();
            if code[at + name.len()..].starts_with("::") && !before.ends_with("::") {
                faults.push((line_of(code, at), format!("layers: {folder} may not use the crate {name}")));
            }
        }
    }
    for name in IO_NAMES {
        for at in words(code, name) {
            faults.push((line_of(code, at), format!("layers: {folder} is pure and may not use {name}")));
        }
    }
    // base::clock is where the clock is read; nobody else below the planes reads it.
    if folder == "base" {
        faults.retain(|(_, why)| !why.contains("::now"));
        return faults;
    }
    let clock = |path: &[String]| path.ends_with(&["clock".to_string(), "now".to_string()]);
    let imported = uses(code, "").into_iter().filter(|(_, path)| clock(path)).map(|(line, _)| line);
    let called = words(code, "clock::now").into_iter().map(|at| line_of(code, at));
    let mut lines: Vec<usize> = imported.chain(called).collect();
    lines.dedup();
    let why = format!("layers: {folder} takes `now` as a parameter and reads no clock");
    faults.extend(lines.into_iter().map(|line| (line, why.clone())));
    faults
}

/// Every path into the crate, `crate::…` or `super::…`, with its line; groups are spread out.
fn uses(code: &str, path: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = vec![];
    for at in words(code, "crate") {
        if let Some(rest) = code[at..].strip_prefix("crate::") {
            let start = code.len() - rest.len();
            spread(code, start, vec![], &mut |p| found.push((line_of(code, at), p)));
        }
    }
    let depth = path.trim_start_matches("src/").trim_end_matches("/mod.rs").matches('/').count() + 1;
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let climbs = code[at..].split("::").take_while(|s| *s == "super").count();
        if climbs >= depth {
            spread(code, at + climbs * "super::".len(), vec![], &mut |p| found.push((line_of(code, at), p)));
        }
    }
    found
}

/// Reads a path at `at`, `a::b::{c, d::e}`, and hands out each of its leaves.
fn spread(code: &str, at: usize, before: Vec<String>, out: &mut dyn FnMut(Vec<String>)) {
    let code_here = &code[at..];
    let lead = code_here.len() - code_here.trim_start().len();
    let at = at + lead;
    if code[at..].starts_with('{') {
        let end = closing(code, at);
        let mut start = at + 1;
        let mut depth = 0;
        for (i, c) in code[at + 1..end].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    spread(code, start, before.clone(), out);
                    start = at + 1 + i + 1;
                }
                _ => {}
            }
        }
        if !code[start..end].trim().is_empty() {
            spread(code, start, before, out);
        }
        return;
    }
    let name: String = code[at..].chars().take_while(|c| is_name(*c)).collect();
    if name.is_empty() || name == "self" {
        if !before.is_empty() {
            out(before);
        }
        return;
    }
    let mut path = before;
    let next = at + name.len();
    path.push(name);
    match code[next..].strip_prefix("::") {
        Some(_) => spread(code, next + 2, path, out),
        None => out(path),
    }
}
