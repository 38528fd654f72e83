//! A short fuzz run on stable Rust: every input of the corpus, then seeded mutations of them. The same run each time;
//! FUZZ_TIMES=100 makes it longer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The longest input.
const MAX_INPUT: usize = 8 << 10;
/// Pieces that parsers of addresses, headers and configs stumble over.
const PIECES: &[&[u8]] = &[
    b",",
    b":",
    b"::",
    b"[",
    b"]",
    b".",
    b"..",
    b"/",
    b"=",
    b"\"",
    b"'",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"%",
    b"#",
    b"-1",
    b"0",
    b"255",
    b"256",
    b"65536",
    b"4294967296",
    b"18446744073709551616",
    b"127.0.0.1",
    b"::ffff:",
    b"2001:db8::",
    b"for=",
    b"[[limit]]",
    b"rate",
    b"10/s",
    b"1e309",
    b"chunked",
    b"weir=",
    b"; ",
    b"\t",
];

#[test]
fn no_input_breaks_a_target() {
    let times: u32 = env::var("FUZZ_TIMES").map_or(1, |n| n.parse().expect("FUZZ_TIMES is a number"));
    for (name, target, runs) in targets::ALL {
        if let Err(input) = hunt(*target, &corpus(name), runs * times) {
            let file = keep(name, &input);
            panic!("{name} fails on {}: {:?}", file.display(), String::from_utf8_lossy(&input));
        }
    }
}

#[test]
fn every_target_is_known_to_libfuzzer() {
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for (name, _, _) in targets::ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no [[bin]] {name}");
        let entry = fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(entry.contains(&format!("targets::{name}(")), "fuzz_targets/{name}.rs runs another target");
        assert!(!corpus(name).is_empty(), "fuzz/corpus/{name} has no input to start from");
    }
}

#[test]
fn the_hunt_finds_a_planted_fault() {
    let planted: fn(&[u8]) = |input| assert!(!input.windows(5).any(|w| w == b"256::"), "planted");
    let found = hunt(planted, &[b"192.0.2.7, 2001:db8::1".to_vec()], 20_000).expect_err("the fault must be found");
    assert!(found.windows(5).any(|w| w == b"256::"));
    assert!(hunt(|_| {}, &[b"x".to_vec()], 100).is_ok());
}

/// Runs `target` on the corpus and `runs` mutations; the input that made it panic is the error.
fn hunt(target: fn(&[u8]), corpus: &[Vec<u8>], runs: u32) -> Result<(), Vec<u8>> {
    let try_one = |input: Vec<u8>| match catch_unwind(AssertUnwindSafe(|| target(&input))) {
        Ok(()) => Ok(()),
        Err(_) => Err(input),
    };
    corpus.iter().cloned().try_for_each(try_one)?;
    try_one(vec![])?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..runs).try_for_each(|_| try_one(mutant(corpus, &mut random)))
}

fn mutant(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let (a, b) = (random.below(input.len() + 1), random.below(input.len() + 1));
        let (from, to) = (a.min(b), a.max(b));
        match random.below(6) {
            0 if from < input.len() => input[from] ^= 1 << random.below(8),
            1 => drop(input.drain(from..to)),
            2 => drop(input.splice(from..from, PIECES[random.below(PIECES.len())].iter().copied())),
            3 => drop(input.splice(from..to, PIECES[random.below(PIECES.len())].iter().copied())),
            // Many of the same.
            4 => {
                let again = input[from..to].repeat(1 + random.below(20));
                input.splice(from..from, again);
            }
            _ => {
                let other = &corpus[random.below(corpus.len())];
                input.truncate(from);
                input.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
        }
        input.truncate(MAX_INPUT);
    }
    input
}

/// xorshift64*: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The kept inputs of a target, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = folder().join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|p| fs::read(p).unwrap()).collect()
}

/// Keeps a failing input; move it to the corpus once the fault is mended.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    let file = folder().join("artifacts").join(name).join("smoke");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, input).unwrap();
    file
}
