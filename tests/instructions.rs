//! How instruction counts are judged: the gate of `make bench-instructions`, tried on doctored baselines.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../benches/instructions/baseline.rs"]
mod baseline;

use baseline::{Baseline, Change, Toolchain};

const TEXT: &str = "# counted with: rustc 1.95.0; x86_64 with AVX2\n\
    part;instructions;why\nhead;1000.0;first count\nlimit;100.0;first count\n";

fn known() -> (Baseline, Toolchain) {
    let known = Baseline::parse(TEXT).unwrap();
    let toolchain = known.toolchain.clone();
    (known, toolchain)
}

fn counts(head: f64, limit: f64) -> Vec<(String, f64)> {
    vec![("head".into(), head), ("limit".into(), limit)]
}

#[test]
fn growth_beyond_the_tolerance_fails_and_says_of_what() {
    let (known, toolchain) = known();
    assert!(!known.judge(&counts(1049.0, 104.9), &toolchain).failed, "within 5 %");
    let judged = known.judge(&counts(1000.0, 105.2), &toolchain);
    assert!(judged.failed);
    let message = "error: \"limit\" takes 105.2 instructions, 100.0 before (+5.2 %, \"first count\")";
    assert_eq!(judged.lines, [message]);
}

#[test]
fn a_part_that_is_new_or_gone_fails() {
    let (known, toolchain) = known();
    let judged = known.judge(&[("head".into(), 1000.0), ("path".into(), 7.0)], &toolchain);
    assert!(judged.failed);
    assert_eq!(judged.lines.len(), 2);
    assert!(judged.lines[0].contains("\"path\" has no baseline") && judged.lines[1].contains("\"limit\" is in the"));
}

#[test]
fn shrinking_warns() {
    let (known, toolchain) = known();
    let judged = known.judge(&counts(900.0, 100.0), &toolchain);
    assert!(!judged.failed);
    assert!(judged.lines[0].starts_with("warning: \"head\"") && judged.lines[0].ends_with("lower the baseline"));
}

#[test]
fn another_toolchain_only_warns() {
    let (known, mut toolchain) = known();
    toolchain.rustc = "rustc 1.96.0".into();
    let judged = known.judge(&counts(5000.0, 100.0), &toolchain);
    assert!(!judged.failed);
    assert_eq!(judged.lines.len(), 2);
    assert!(judged.lines[0].contains("counted with rustc 1.95.0") && judged.lines[1].starts_with("warning: \"head\""));
}

#[test]
fn what_is_accepted_carries_its_reason_and_passes_from_then_on() {
    let (mut known, toolchain) = known();
    let now = counts(1049.0, 200.0);
    assert!(known.accept(&now, &toolchain, "  ").is_err());
    assert_eq!(known.accept(&now, &toolchain, "a second look;\n for stale slots"), Ok(1));
    let limit = &known.parts["limit"];
    assert_eq!((limit.instructions, limit.why.as_str()), (200.0, "a second look; for stale slots"));
    assert_eq!(known.parts["head"].instructions, 1000.0, "small steps add up against the old figure");
    let read = Baseline::parse(&known.to_text(&now)).unwrap();
    assert_eq!(read, known);
    assert!(!read.judge(&now, &toolchain).failed);
    assert_eq!(read.change("head", 1051.0), Change::Grown);
}

#[test]
fn a_new_toolchain_takes_all_figures_anew_and_keeps_reasons_that_still_hold() {
    let (mut known, mut toolchain) = known();
    toolchain.rustc = "rustc 1.96.0".into();
    assert_eq!(known.accept(&counts(1010.0, 120.0), &toolchain, "the new compiler"), Ok(2));
    assert_eq!((known.parts["head"].instructions, known.parts["head"].why.as_str()), (1010.0, "first count"));
    assert_eq!(known.parts["limit"].why, "the new compiler");
}

#[test]
fn a_broken_line_is_named() {
    for (text, fault) in [
        ("part;instructions;why\nhead;1;x\nhead;1;x\n", "line 3: this part stands here twice"),
        ("head;many;x\n", "line 1: expected a number"),
        ("head;1\n", "line 1: expected part;instructions;why"),
    ] {
        assert!(Baseline::parse(text).unwrap_err().starts_with(fault), "{text}");
    }
}

#[test]
fn the_committed_baseline_is_read_whole() {
    let text = include_str!("../benches/instructions.csv");
    let known = Baseline::parse(text).unwrap();
    assert!(known.parts.len() > 20 && known.parts.values().all(|p| p.instructions > 1.0 && !p.why.is_empty()));
    assert!(known.toolchain.rustc.starts_with("rustc ") && !known.toolchain.target.is_empty());
}
