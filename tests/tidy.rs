//! Holds the project's shape: layers, sizes, and habits that no compiler checks. Every rule is tried on a bad sample.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/samples.rs"]
mod samples;
#[path = "tidy/source.rs"]
mod source;

use rules::Exceptions;
use source::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may do what others may not, with the reason. An entry that is no longer needed is a fault too.
const EXCEPTIONS: Exceptions = Exceptions {
    unsafe_code: &[
        ("src/limit/memory.rs", "lazily zeroed aligned memory and prefetching have no safe form"),
        ("tests/allocation.rs", "an allocator that counts is unsafe to implement"),
    ],
    sleep: &[("tests/flood_proxy.rs", "plays traffic at its own times, to an origin that takes its time")],
};

/// Folders that are not the project's own text.
const SKIPPED: &[&str] = &["target", ".git", ".tools", "corpus", "artifacts"];

#[test]
fn every_rust_file_keeps_the_rules() {
    let faults: Vec<String> = rust_files().iter().flat_map(|source| faults(source, &EXCEPTIONS)).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_text_names_a_private_place_or_a_stranger() {
    let mut faults = vec![];
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        faults.extend(rules::private(&text).into_iter().map(|(line, why)| format!("{path}:{line}: {why}")));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_exception_is_still_needed() {
    let none = Exceptions { unsafe_code: &[], sleep: &[] };
    let sources = rust_files();
    for (file, _) in EXCEPTIONS.unsafe_code.iter().chain(EXCEPTIONS.sleep) {
        let source = sources.iter().find(|s| s.path == *file).unwrap_or_else(|| panic!("{file}: no such file"));
        let needed = faults(source, &none).iter().any(|f| f.contains(": unsafe: ") || f.contains(": sleep: "));
        assert!(needed, "{file}: needs no exception any more");
    }
}

/// Every fault of `source` as "file:line: rule: message".
fn faults(source: &Source, exceptions: &Exceptions) -> Vec<String> {
    let found = rules::RULES.iter().flat_map(|rule| rule(source, exceptions));
    found.map(|(line, why)| format!("{}:{line}: {why}", source.path)).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files() -> Vec<Source> {
    let paths = files().into_iter().filter(|p| p.ends_with(".rs"));
    paths.map(|p| Source::new(&p, &fs::read_to_string(root().join(&p)).unwrap())).collect()
}

/// All files of the project, from its root.
fn files() -> Vec<String> {
    let mut found = vec![];
    walk(&root(), &mut found);
    assert!(found.iter().any(|p| p == "src/lib.rs"), "the project's files were not found");
    found
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap()) {
        let (path, name) = (entry.path(), entry.file_name());
        if SKIPPED.iter().any(|s| name == *s) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(&path, found);
        } else {
            let inside = path.strip_prefix(root()).unwrap();
            found.push(inside.to_string_lossy().replace('\\', "/"));
        }
    }
}
