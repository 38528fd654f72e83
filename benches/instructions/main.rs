//! Instruction counts of the hot path against the committed baseline: `make bench-instructions`.
//!
//! `instructions` fails where a part grew by more than 5 %; `instructions accept WHY` takes what changed into the
//! baseline; `instructions work PART` is what runs under callgrind.

mod baseline;
mod count;

use baseline::{Baseline, Counts};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use weir_bench::parts::{Part, parts};

const HELP: &str = "\
If this growth is worth it, run
    make bench-instructions WHY=\"what the instructions buy\"
and commit benches/instructions.csv with the change: the reason stands beside the figure. Else find what grew with
    valgrind --tool=callgrind --toggle-collect='*counted*' TARGET/release/instructions work PART
    callgrind_annotate callgrind.out.PID";

fn main() -> ExitCode {
    let line: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match line.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check(),
        ["accept", why] => accept(why),
        ["work", name] => {
            return parts().find(|part| part.name == name).map_or(ExitCode::from(64), |part| {
                count::work(part);
                ExitCode::SUCCESS
            });
        }
        _ => Err("expected nothing, accept WHY, or work PART".into()),
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("instructions: {message}");
        ExitCode::from(2)
    })
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.csv")
}

fn read() -> Result<Baseline, String> {
    let path = file();
    let text = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Baseline::parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn check() -> Result<ExitCode, String> {
    let (known, counts) = (read()?, count_all()?);
    print(&known, &counts);
    let judgement = known.judge(&counts, &count::toolchain()?);
    judgement.lines.iter().for_each(|line| eprintln!("{line}"));
    if judgement.failed {
        eprintln!("{HELP}");
    }
    Ok(if judgement.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn accept(why: &str) -> Result<ExitCode, String> {
    let mut known = if file().exists() { read()? } else { Baseline::default() };
    let counts = count_all()?;
    print(&known, &counts);
    let taken = known.accept(&counts, &count::toolchain()?, why)?;
    std::fs::write(file(), known.to_text(&counts)).map_err(|e| format!("cannot write {}: {e}", file().display()))?;
    println!("{taken} figures of {} are new in benches/instructions.csv: commit it with the change", counts.len());
    Ok(ExitCode::SUCCESS)
}

/// Counts every part, each in a process of its own, as many at once as there are cores.
fn count_all() -> Result<Vec<(String, f64)>, String> {
    let folder = std::env::temp_dir().join(format!("weir-instructions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let waiting: Vec<&Part> = parts().collect();
    let (next, counts) = (Mutex::new(0..waiting.len()), Mutex::new(vec![Ok(0.0); waiting.len()]));
    let count_on = || {
        while let Some(n) = next.lock().ok().and_then(|mut next| next.next()) {
            let count = count::count(waiting[n].name, &folder);
            if let Ok(mut counts) = counts.lock() {
                counts[n] = count;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(count_on);
        }
    });
    // What callgrind wrote was read; a folder left behind harms nobody.
    _ = std::fs::remove_dir_all(&folder);
    let counts = counts.into_inner().map_err(|e| e.to_string())?;
    waiting.iter().zip(counts).map(|(part, count)| Ok((part.name.to_owned(), count?))).collect()
}

fn print(known: &Baseline, counts: &Counts) {
    println!("{:40}{:>12}{:>12}{:>9}", "instructions a time", "baseline", "now", "");
    for (part, now) in counts {
        match known.parts.get(part) {
            Some(was) => {
                let by = (now / was.instructions - 1.0) * 100.0;
                println!("{part:40}{:12.1}{now:12.1}{by:+8.1}%", was.instructions);
            }
            None => println!("{part:40}{:>12}{now:12.1}", "none"),
        }
    }
}
