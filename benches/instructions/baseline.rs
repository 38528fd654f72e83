//! The committed instruction counts, and how a new count is judged against them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How far a count may stray from its baseline: a fraction of it.
pub(crate) const TOLERANCE: f64 = 0.05;

/// What counts depend on besides the code: another compiler or another kind of CPU gives others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toolchain {
    /// As `rustc --version` says it, without the parentheses.
    pub(crate) rustc: String,
    /// Architecture and what of it changes the code that runs.
    pub(crate) target: String,
}

/// What is known of one part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    /// Instructions of one time.
    pub(crate) instructions: f64,
    /// Why it is so many.
    pub(crate) why: String,
}

/// The committed file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Baseline {
    /// What it was counted with.
    pub(crate) toolchain: Toolchain,
    /// By part.
    pub(crate) parts: BTreeMap<String, Known>,
}

/// New counts in the parts' own order.
pub(crate) type Counts = [(String, f64)];

/// What became of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Within the tolerance.
    Same,
    /// More than the tolerance above.
    Grown,
    /// More than the tolerance below.
    Shrunk,
    /// Not in the baseline.
    New,
}

/// What came of all counts.
#[derive(Debug, PartialEq)]
pub(crate) struct Judgement {
    /// Whether the build must fail.
    pub(crate) failed: bool,
    /// What to tell, a line each.
    pub(crate) lines: Vec<String>,
}

const HEAD: &str = "part;instructions;why";
const WARNING: &str = "# Written by `make bench-instructions WHY=\"…\"`: not by hand.";

impl Baseline {
    /// Reads the committed file.
    ///
    /// # Errors
    /// A message that names the line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut baseline = Self::default();
        for (n, line) in text.lines().enumerate() {
            let fault = |what: &str| format!("line {}: {what}: \"{line}\"", n + 1);
            if let Some(said) = line.strip_prefix("# counted with: ") {
                let (rustc, target) = said.split_once("; ").ok_or_else(|| fault("expected a compiler; a target"))?;
                baseline.toolchain = Toolchain { rustc: rustc.into(), target: target.into() };
            } else if !line.is_empty() && !line.starts_with('#') && line != HEAD {
                let mut fields = line.splitn(3, ';');
                let (Some(part), Some(count), Some(why)) = (fields.next(), fields.next(), fields.next()) else {
                    return Err(fault("expected part;instructions;why"));
                };
                let instructions = count.parse().map_err(|_| fault("expected a number"))?;
                let known = Known { instructions, why: why.into() };
                if baseline.parts.insert(part.into(), known).is_some() {
                    return Err(fault("this part stands here twice"));
                }
            }
        }
        Ok(baseline)
    }

    /// As it is committed; the parts in the order of `order`, then any others.
    pub(crate) fn to_text(&self, order: &Counts) -> String {
        let Toolchain { rustc, target } = &self.toolchain;
        let mut text = format!("{WARNING}\n# counted with: {rustc}; {target}\n{HEAD}\n");
        for (part, _) in order {
            if let Some(known) = self.parts.get(part) {
                // Writing to a string cannot fail.
                _ = writeln!(text, "{part};{:.1};{}", known.instructions, known.why);
            }
        }
        text
    }

    /// What became of `part`.
    pub(crate) fn change(&self, part: &str, now: f64) -> Change {
        match self.parts.get(part) {
            None => Change::New,
            Some(known) if now > known.instructions * (1.0 + TOLERANCE) => Change::Grown,
            Some(known) if now < known.instructions * (1.0 - TOLERANCE) => Change::Shrunk,
            Some(_) => Change::Same,
        }
    }

    /// Judges new counts. Those of another toolchain can only warn: nobody knows what is the code's doing.
    pub(crate) fn judge(&self, counts: &Counts, toolchain: &Toolchain) -> Judgement {
        let comparable = *toolchain == self.toolchain;
        let mut judgement = Judgement { failed: false, lines: vec![] };
        let mut say = |failed: bool, text: String| {
            judgement.failed |= failed && comparable;
            judgement.lines.push(format!("{}: {text}", if failed && comparable { "error" } else { "warning" }));
        };
        if !comparable {
            let (was, is) = (&self.toolchain, toolchain);
            let text = format!(
                "the baseline was counted with {} on {}, this is {} on {}: differences only warn",
                was.rustc, was.target, is.rustc, is.target
            );
            say(false, text);
        }
        for (part, now) in counts {
            let was = self.parts.get(part).map_or(0.0, |known| known.instructions);
            let by = (now / was - 1.0) * 100.0;
            match self.change(part, *now) {
                Change::Same => {}
                Change::New => say(true, format!("\"{part}\" has no baseline, it takes {now:.1} instructions")),
                Change::Grown => {
                    let why = &self.parts[part].why;
                    let text =
                        format!("\"{part}\" takes {now:.1} instructions, {was:.1} before ({by:+.1} %, \"{why}\")");
                    say(true, text);
                }
                Change::Shrunk => say(
                    false,
                    format!("\"{part}\" takes {now:.1} instructions, {was:.1} before ({by:+.1} %): lower the baseline"),
                ),
            }
        }
        for gone in self.parts.keys().filter(|known| !counts.iter().any(|(part, _)| part == *known)) {
            say(true, format!("\"{gone}\" is in the baseline and is counted no more"));
        }
        judgement
    }

    /// Takes over what changed, with the reason. What stayed within the tolerance keeps its old figure, or many small
    /// steps would pass unseen; with another toolchain all is new.
    ///
    /// # Errors
    /// Where the reason is none.
    pub(crate) fn accept(&mut self, counts: &Counts, toolchain: &Toolchain, why: &str) -> Result<usize, String> {
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        if why.chars().count() < 10 {
            return Err(format!("\"{why}\" is no reason: say in a few words why the counts changed"));
        }
        let anew = *toolchain != self.toolchain;
        self.toolchain = toolchain.clone();
        self.parts.retain(|known, _| counts.iter().any(|(part, _)| part == known));
        let mut taken = 0;
        for (part, now) in counts {
            let changed = self.change(part, *now) != Change::Same;
            if !changed && !anew {
                continue;
            }
            taken += 1;
            let known = Known { instructions: *now, why: why.clone() };
            let entry = self.parts.entry(part.clone()).or_insert_with(|| known.clone());
            entry.instructions = *now;
            if changed {
                entry.why = known.why;
            }
        }
        Ok(taken)
    }
}
