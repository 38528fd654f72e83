//! The rules that one file can break by itself.

use super::source::{Line, Source, closing, is_name, line_of, words};

/// The longest file.
const FILE_LINES: usize = 400;
/// The longest function.
const FUNCTION_LINES: usize = 70;

/// What the rules let some files do, each with its reason.
pub(crate) struct Exceptions {
    /// Files that may say `unsafe`.
    pub(crate) unsafe_code: &'static [(&'static str, &'static str)],
    /// Test files that may sleep.
    pub(crate) sleep: &'static [(&'static str, &'static str)],
}

/// A rule: the faults of a file as (line, message).
type Rule = fn(&Source, &Exceptions) -> Vec<(usize, String)>;

/// All rules of Rust files.
pub(crate) const RULES: &[Rule] =
    &[layers, opening, file_length, function_length, ordering, ignored, unsafe_code, sleeps];

fn layers(source: &Source, _: &Exceptions) -> Vec<(usize, String)> {
    super::layers::check(source)
}

fn opening(source: &Source, _: &Exceptions) -> Vec<(usize, String)> {
    let missing = !source.raw.starts_with("//!");
    missing
        .then(|| (1, "opening: the file must open with a //! line that says what it is".into()))
        .into_iter()
        .collect()
}

fn file_length(source: &Source, _: &Exceptions) -> Vec<(usize, String)> {
    let lines = source.raw.lines().count();
    let long = lines > FILE_LINES;
    long.then(|| (lines, format!("file length: {lines} lines, at most {FILE_LINES}"))).into_iter().collect()
}

fn function_length(source: &Source, _: &Exceptions) -> Vec<(usize, String)> {
    let long = functions(source).into_iter().filter(|f| f.last - f.first >= FUNCTION_LINES);
    let message = |f: &Function| {
        let lines = f.last - f.first + 1;
        format!("function length: {} has {lines} lines, at most {FUNCTION_LINES}", f.name)
    };
    long.map(|f| (f.first, message(&f))).collect()
}

/// A function with a body: its name, its first and last line.
struct Function {
    name: String,
    first: usize,
    last: usize,
}

fn functions(source: &Source) -> Vec<Function> {
    let code = source.code();
    let mut found = vec![];
    for at in words(&code, "fn") {
        let name: String = code[at + 2..].trim_start().chars().take_while(|c| is_name(*c)).collect();
        let Some(open) = body(&code, at).filter(|_| !name.is_empty()) else { continue };
        found.push(Function { name, first: line_of(&code, at), last: line_of(&code, closing(&code, open)) });
    }
    found
}

/// The lines of the innermost function around `line`, down to `line`.
fn above_in_function<'a>(source: &'a Source, functions: &[Function], line: usize) -> &'a [Line] {
    let around = functions.iter().filter(|f| (f.first..=f.last).contains(&line));
    let first = around.map(|f| f.first).max().unwrap_or(line);
    &source.lines[first - 1..line]
}

/// Where the body of the function at `at` opens; none if it has no body.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut i = at;
    loop {
        i += code[i..].find(['{', ';', '(', '['])?;
        match &code[i..=i] {
            "{" => return Some(i),
            ";" => return None,
            _ => i = (closing(code, i) + 1).min(code.len()),
        }
    }
}

/// Every atomic ordering outside tests has a comment on its line, at most three lines above it (or above the ordering
/// that it follows directly), or one higher up in its function that names it.
fn ordering(source: &Source, _: &Exceptions) -> Vec<(usize, String)> {
    const NAMES: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
    let functions = functions(source);
    let mut faults = vec![];
    let mut explained_before = false;
    for (i, line) in source.lines.iter().enumerate() {
        let used: Vec<&str> =
            NAMES.into_iter().filter(|n| !words(&line.code, &format!("Ordering::{n}")).is_empty()).collect();
        if used.is_empty() || source.in_test[i] {
            explained_before = false;
            continue;
        }
        let near = source.lines[i.saturating_sub(3)..=i].iter().any(|l| !l.comment.trim().is_empty());
        let above = above_in_function(source, &functions, i + 1);
        let named = used.iter().all(|n| above.iter().any(|l| l.comment.contains(n)));
        explained_before = explained_before || near || named;
        if !explained_before {
            faults.push((i + 1, "ordering: say in a comment why this ordering is enough".into()));
        }
    }
    faults
}

fn ignored(source: &Source, _: &Exceptions) -> Vec<(usize, String)> {
    let code = source.code();
    let at = code.match_indices("#[ignore]").map(|(at, _)| line_of(&code, at));
    at.map(|line| (line, "ignore: write #[ignore = \"the reason, and how to run it\"]".into())).collect()
}

fn unsafe_code(source: &Source, exceptions: &Exceptions) -> Vec<(usize, String)> {
    if exceptions.unsafe_code.iter().any(|(file, _)| *file == source.path) {
        return vec![];
    }
    let code = source.code();
    let message = "unsafe: only in the files that tests/tidy.rs names, each with its reason";
    words(&code, "unsafe").into_iter().map(|at| (line_of(&code, at), message.into())).collect()
}

/// A test may sleep only in a function that polls with a deadline.
fn sleeps(source: &Source, exceptions: &Exceptions) -> Vec<(usize, String)> {
    if exceptions.sleep.iter().any(|(file, _)| *file == source.path) {
        return vec![];
    }
    let (code, functions) = (source.code(), functions(source));
    let mut faults = vec![];
    for at in ["sleep", "sleep_until"].into_iter().flat_map(|name| words(&code, name)) {
        let line = line_of(&code, at);
        let called = code[at..].trim_start_matches(is_name).starts_with('(');
        let polls = above_in_function(source, &functions, line).iter().any(|l| !words(&l.code, "deadline").is_empty());
        if source.in_test[line - 1] && called && !polls {
            faults.push((line, "sleep: a test polls until a `deadline`, it never sleeps and hopes".into()));
        }
    }
    faults
}

/// Faults of any text file: names of private places, and addresses that may belong to somebody.
pub(crate) fn private(text: &str) -> Vec<(usize, String)> {
    // Put together here, so that this file does not break the rule.
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!(".lib", "rary/")];
    let mut faults = vec![];
    for (i, line) in text.lines().enumerate() {
        for place in places {
            if line.contains(place) {
                faults.push((i + 1, format!("private: {place} is a place of one machine")));
            }
        }
        for address in addresses(line).filter(|a| !beside_reserved(*a)) {
            faults.push((i + 1, format!("private: {address} may be somebody's; use 192.0.2.0/24 and its like")));
        }
    }
    faults
}

/// IPv4 addresses of a line; a version such as Chrome/120.0.0.0 is none.
fn addresses(line: &str) -> impl Iterator<Item = std::net::Ipv4Addr> + '_ {
    let mut before = [' ', ' '];
    line.split_inclusive(|c: char| !(c.is_ascii_digit() || c == '.')).filter_map(move |piece| {
        let number = piece.trim_end_matches(|c: char| !(c.is_ascii_digit() || c == '.')).trim_end_matches('.');
        let version = before[1] == '/' && before[0].is_alphanumeric() || is_name(before[1]) || before[1] == '-';
        let mut tail = piece.chars().rev();
        before = [tail.nth(1).unwrap_or(before[1]), piece.chars().next_back().unwrap_or(' ')];
        (!version).then(|| number.parse().ok()).flatten()
    })
}

/// Whether `address` is reserved, or so near to a reserved network that it tests that network's edge.
fn beside_reserved(address: std::net::Ipv4Addr) -> bool {
    let number = u32::from(address);
    [number.saturating_sub(256), number, number.saturating_add(256)].into_iter().any(|n| is_reserved(n.into()))
}

/// Whether `address` is private, for documentation, or for no one host.
fn is_reserved(address: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || shared
        || benchmark
}
