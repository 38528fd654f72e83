//! A Rust file seen line by line: its code with strings blanked, its comments apart, and which lines are tests.

/// One line of a file.
#[derive(Clone, Default)]
pub(crate) struct Line {
    /// The code; comments are gone and the inside of strings is blank.
    pub(crate) code: String,
    /// The text of comments that are not documentation.
    pub(crate) comment: String,
}

/// One file.
pub(crate) struct Source {
    /// Path from the project's root, with `/`.
    pub(crate) path: String,
    /// The file as it is.
    pub(crate) raw: String,
    /// Its lines.
    pub(crate) lines: Vec<Line>,
    /// Whether a line is compiled for tests only.
    pub(crate) in_test: Vec<bool>,
}

impl Source {
    /// Reads `raw` as the file at `path`.
    pub(crate) fn new(path: &str, raw: &str) -> Self {
        let lines = split(raw);
        let all_tests = path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/");
        let in_test = if all_tests { vec![true; lines.len()] } else { test_lines(&lines) };
        Self { path: path.into(), raw: raw.into(), lines, in_test }
    }

    /// The code alone, for searches across lines.
    pub(crate) fn code(&self) -> String {
        self.lines.iter().map(|l| l.code.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// Whether `c` can be part of a name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The 1-based line of byte `at`.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where `word` stands in `code` as a whole word.
pub(crate) fn words(code: &str, word: &str) -> Vec<usize> {
    code.match_indices(word)
        .filter(|&(at, _)| {
            !code[..at].chars().next_back().is_some_and(is_name)
                && !code[at + word.len()..].chars().next().is_some_and(is_name)
        })
        .map(|(at, _)| at)
        .collect()
}

/// Where the bracket closes that opens at `open`; the end of the text if it never does.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at;
        }
    }
    code.len()
}

fn test_lines(lines: &[Line]) -> Vec<bool> {
    let code = lines.iter().map(|l| l.code.as_str()).collect::<Vec<_>>().join("\n");
    let mut marks = vec![false; lines.len()];
    for marker in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (at, _) in code.match_indices(marker) {
            let Some(open) = code[at..].find(['{', ';']).map(|o| at + o) else { continue };
            let end = if code[open..].starts_with('{') { closing(&code, open) } else { open };
            marks[line_of(&code, at) - 1..line_of(&code, end)].fill(true);
        }
    }
    marks
}

enum State {
    Code,
    LineComment { doc: bool },
    BlockComment { depth: u32 },
    Text { hashes: Option<usize> },
}

fn split(raw: &str) -> Vec<Line> {
    let chars: Vec<char> = raw.chars().collect();
    let mut lines = vec![Line::default()];
    let (mut state, mut i) = (State::Code, 0);
    while i < chars.len() {
        let rest = &chars[i..];
        if rest[0] == '\n' {
            lines.push(Line::default());
            if matches!(state, State::LineComment { .. }) {
                state = State::Code;
            }
            i += 1;
            continue;
        }
        let line = lines.last_mut().expect("there is always a line");
        let (next, taken) = step(state, rest, line);
        state = next;
        i += taken;
    }
    lines
}

fn step(state: State, rest: &[char], line: &mut Line) -> (State, usize) {
    let second = rest.get(1).copied();
    match state {
        State::Code => code_step(rest, line),
        State::LineComment { doc } => {
            if !doc {
                line.comment.push(rest[0]);
            }
            (State::LineComment { doc }, 1)
        }
        State::BlockComment { depth } => match (rest[0], second) {
            ('/', Some('*')) => (State::BlockComment { depth: depth + 1 }, 2),
            ('*', Some('/')) if depth == 1 => (State::Code, 2),
            ('*', Some('/')) => (State::BlockComment { depth: depth - 1 }, 2),
            (c, _) => {
                line.comment.push(c);
                (State::BlockComment { depth }, 1)
            }
        },
        // A backslash hides the next character, but a line's end stays a line's end.
        State::Text { hashes: None } if rest[0] == '\\' => (state, if second == Some('\n') { 1 } else { 2 }),
        State::Text { hashes } => {
            let n = hashes.unwrap_or(0);
            if rest[0] == '"' && rest[1..].iter().take(n).filter(|c| **c == '#').count() == n {
                line.code.push('"');
                return (State::Code, 1 + n);
            }
            (State::Text { hashes }, 1)
        }
    }
}

fn code_step(rest: &[char], line: &mut Line) -> (State, usize) {
    let (c, second) = (rest[0], rest.get(1).copied());
    let after_name = line.code.chars().next_back().is_some_and(is_name);
    match (c, second) {
        ('/', Some('/')) => {
            let doc = matches!(rest.get(2), Some('/' | '!'));
            return (State::LineComment { doc }, 2);
        }
        ('/', Some('*')) => return (State::BlockComment { depth: 1 }, 2),
        ('"', _) => {
            line.code.push('"');
            return (State::Text { hashes: None }, 1);
        }
        ('r', Some('"' | '#')) if !after_name || line.code.ends_with('b') => {
            let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + hashes) == Some(&'"') {
                line.code.push('"');
                return (State::Text { hashes: Some(hashes) }, 2 + hashes);
            }
        }
        // A character, not a lifetime: 'x' or '\…'.
        ('\'', Some('\\')) => {
            let end = rest[3..].iter().position(|c| *c == '\'').map_or(rest.len(), |p| p + 4);
            line.code.push_str("' '");
            return (State::Code, end);
        }
        ('\'', Some(_)) if rest.get(2) == Some(&'\'') => {
            line.code.push_str("' '");
            return (State::Code, 3);
        }
        _ => {}
    }
    line.code.push(c);
    (State::Code, 1)
}
