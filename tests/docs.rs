//! Runs the examples of README.md and docs/: a ```console block with `<!-- test -->` on the line above it.
//!
//! Lines that begin with `$ ` are commands, run by bash in the project's root with the built `weir` first in PATH; the
//! lines below a command are what it must print. A `…` alone on a line stands for any lines, inside a line for any
//! text; a command with no lines below may print anything. `<!-- test: exit 78 -->` is for commands that must fail so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};
use weir::verdict::reason::{Class, Reason};

/// A block that asks to be run.
#[derive(Debug, PartialEq)]
struct Example {
    line: usize,
    exit: i32,
    steps: Vec<Step>,
}

/// One command of it.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    output: Vec<String>,
}

#[test]
fn the_examples_of_the_docs_work() {
    let mut ran = 0;
    let mut faults = vec![];
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for example in examples(&text).unwrap_or_else(|fault| panic!("{}:{fault}", path.display())) {
            ran += 1;
            faults.extend(run(&example).err().map(|f| format!("{}:{}: {f}", path.display(), example.line)));
        }
    }
    assert!(faults.is_empty(), "{} examples fail:\n{}", faults.len(), faults.join("\n"));
    assert!(ran > 0, "no document has an example to run");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut faults = vec![];
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let outside = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !outside && !path.parent().unwrap().join(target).exists() {
                faults.push(format!("{}: {target}: no such file", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_reason_is_in_the_operations_guide() {
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    for reason in Reason::ALL {
        let row = reason.row();
        let status = match (row.class, row.status) {
            (Class::Forward, _) => "the origin's".to_string(),
            (_, 0) => "closed".to_string(),
            (_, status) => status.to_string(),
        };
        let wanted = format!("| `{}` | {status} | {} | ", row.code, row.text);
        assert!(guide.lines().any(|l| l.starts_with(&wanted)), "docs/operations.md has no row `{wanted}…`");
    }
    let rows = guide.lines().filter(|l| l.starts_with("| `")).count();
    assert_eq!(rows, Reason::COUNT, "docs/operations.md has a row for a reason that is gone");
}

#[test]
fn a_wrong_example_is_found() {
    let block = |body: &str| format!("text\n\n<!-- test -->\n```console\n{body}\n```\n");
    let verdict = |body: &str| run(&examples(&block(body)).unwrap()[0]);
    assert_eq!(verdict("$ echo one; echo two\none\ntwo"), Ok(()));
    assert_eq!(verdict("$ echo one; echo two; echo three\none\n…\n$ true"), Ok(()));
    assert_eq!(verdict("$ echo took 17 ms\ntook … ms"), Ok(()));
    assert!(verdict("$ echo one\ntwo").unwrap_err().contains("printed"));
    assert!(verdict("$ echo one; echo two\none").unwrap_err().contains("printed"));
    assert!(verdict("$ echo took 17 s\ntook … ms").unwrap_err().contains("printed"));
    assert!(verdict("$ exit 3").unwrap_err().contains("exit code 3, wanted 0"));
    let failing = "<!-- test: exit 3 -->\n```console\n$ exit 3\n```\n";
    assert_eq!(run(&examples(failing).unwrap()[0]), Ok(()));
}

#[test]
fn a_marker_without_a_block_is_a_fault() {
    assert!(examples("<!-- test -->\nno block\n").is_err());
    assert!(examples("<!-- test: exit x -->\n```console\n$ true\n```\n").is_err());
    assert!(examples("<!-- test -->\n```console\nno command\n```\n").is_err());
    assert_eq!(examples("```console\n$ not run\n```\n"), Ok(vec![]));
}

/// The READMEs, CHANGELOG.md and everything in docs/.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md"), root.join("loadtest/README.md"), root.join("CHANGELOG.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            match entry.extension() {
                _ if entry.is_dir() => folders.push(entry),
                Some(extension) if extension == "md" => found.push(entry),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn examples(text: &str) -> Result<Vec<Example>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = vec![];
    for (i, line) in lines.iter().enumerate() {
        let Some(marker) = line.strip_prefix("<!-- test").and_then(|m| m.strip_suffix("-->")) else { continue };
        let exit = match marker.trim() {
            "" => 0,
            other => other
                .strip_prefix(": exit ")
                .and_then(|n| n.parse().ok())
                .ok_or_else(|| format!("{}: unknown marker `{line}`, wanted `<!-- test: exit N -->`", i + 1))?,
        };
        if lines.get(i + 1) != Some(&"```console") {
            return Err(format!("{}: no ```console block below the marker", i + 1));
        }
        let steps = steps(&lines[i + 2..]).ok_or_else(|| format!("{}: the block begins with no `$ `", i + 1))?;
        found.push(Example { line: i + 1, exit, steps });
    }
    Ok(found)
}

fn steps(lines: &[&str]) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = vec![];
    for line in lines.iter().take_while(|l| **l != "```") {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command: command.into(), output: vec![] }),
            None => steps.last_mut()?.output.push((*line).into()),
        }
    }
    (!steps.is_empty()).then_some(steps)
}

fn run(example: &Example) -> Result<(), String> {
    let weir = Path::new(env!("CARGO_BIN_EXE_weir")).parent().unwrap();
    let path = env::join_paths([weir.to_path_buf()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())));
    for step in &example.steps {
        let output = Command::new("bash")
            .args(["-c", &step.command])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PATH", path.as_ref().unwrap())
            // A make that runs this test must not show through.
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("bash: {e}"))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let printed: Vec<&str> = printed.lines().collect();
        let code = output.status.code().unwrap_or(-1);
        if code != example.exit {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{}`: exit code {code}, wanted {}\n{errors}", step.command, example.exit));
        }
        if !step.output.is_empty() && !matches(&step.output, &printed) {
            let (wanted, printed) = (step.output.join("\n"), printed.join("\n"));
            return Err(format!("`{}` printed\n{printed}\nbut the document says\n{wanted}", step.command));
        }
    }
    Ok(())
}

/// Whether the printed lines are the wanted ones, where a lone `…` is any lines.
fn matches(wanted: &[String], printed: &[&str]) -> bool {
    match wanted.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == "…" => (0..=printed.len()).any(|n| matches(rest, &printed[n..])),
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(p, more)| line_matches(first, p) && matches(rest, more))
        }
    }
}

/// Whether a printed line is the wanted one, where `…` is any text.
fn line_matches(wanted: &str, printed: &str) -> bool {
    match wanted.split_once('…') {
        None => wanted.trim_end() == printed.trim_end(),
        Some((before, after)) => printed.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| line_matches(after, &rest[i..]))
        }),
    }
}
