//! The text of a config beside what TOML makes of it, so that whatever is said about a key can name its place.

use super::fault::{Fault, Note};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The most of a value that a message repeats.
const SNIPPET: usize = 60;
/// The most faults that are told one by one; a file with more is no config.
const MOST_FAULTS: usize = 500;

/// One config while it is read and checked.
pub(super) struct Document<'d> {
    text: &'d str,
    root: &'d DeTable<'d>,
    base: &'d Path,
    faults: Vec<Fault>,
    notes: Vec<Note>,
    /// Keys whose value could not be used: what follows from them would only confuse.
    failed: Vec<String>,
    /// Lines that are not TOML.
    broken: BTreeSet<usize>,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Faults past [`MOST_FAULTS`].
    untold: usize,
}

impl<'d> Document<'d> {
    /// A parsed text; relative paths in it start at `base`.
    pub(super) fn new(text: &'d str, root: &'d DeTable<'d>, base: &'d Path) -> Self {
        let (faults, notes, failed, broken) = Default::default();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, root, base, faults, notes, failed, broken, lines, untold: 0 }
    }

    /// The tables and keys at the top.
    pub(super) fn root(&self) -> &'d DeTable<'d> {
        self.root
    }

    /// The config's own folder, where relative paths start.
    pub(super) fn base(&self) -> &'d Path {
        self.base
    }

    /// A fault of the text itself.
    pub(super) fn syntax_fault(&mut self, span: Option<Range<usize>>, message: &str) {
        let (line, column) = span.map_or((0, 0), |span| self.place(span.start));
        if !self.broken.contains(&line) && self.has_room() {
            self.broken.insert(line);
            let message = format!("not TOML: {}", message.replace('\n', ", "));
            self.faults.push(Fault { line, column, key: String::new(), value: None, message });
        }
    }

    /// A fault of the value at `span`.
    pub(super) fn fault_at(&mut self, key: &str, span: Range<usize>, with_value: bool, message: impl Into<String>) {
        let (line, column) = self.place(span.start);
        if self.broken.contains(&line) || (with_value && self.failed.iter().any(|f| f == key)) {
            return;
        }
        if !self.has_room() {
            return;
        }
        if with_value {
            self.failed.push(key.to_owned());
        }
        let value = with_value.then(|| self.snippet(span));
        self.faults.push(Fault { line, column, key: self.labelled(key), value, message: message.into() });
    }

    /// A fault of the key at `span` in the table `key`; the message takes a while to make.
    pub(super) fn fault_with(&mut self, key: &str, span: Range<usize>, message: impl FnOnce() -> String) {
        if self.faults.len() < MOST_FAULTS {
            self.fault_at(key, span, false, message());
        } else {
            self.untold += 1;
        }
    }

    /// A fault of the value of `key`, or of its default where the file has none.
    pub(super) fn fault(&mut self, key: &str, message: impl Into<String>) {
        match self.locate(key) {
            (span, true) => self.fault_at(key, span.unwrap_or(0..0), true, message),
            (Some(span), false) => self.fault_at(key, span, false, message),
            (None, false) => {
                let (key, message) = (self.labelled(key), message.into());
                if self.has_room() {
                    self.faults.push(Fault { line: 0, column: 0, key, value: None, message });
                }
            }
        }
    }

    /// A fault of the value of `key`, told without the value: it holds a secret.
    pub(super) fn fault_of_secret(&mut self, key: &str, message: impl Into<String>) {
        let span = self.locate(key).0.unwrap_or(0..0);
        self.fault_at(key, span, false, message);
    }

    /// A fault of several keys together; the first one's place is named. Said only if each could be read.
    pub(super) fn fault_between(&mut self, keys: &[&str], message: impl Into<String>) {
        if keys.iter().all(|key| self.could_read(key)) {
            self.fault(keys[0], message);
        }
    }

    /// Something worth knowing about `key`.
    pub(super) fn note(&mut self, key: &str, message: impl Into<String>) {
        let line = match self.locate(key) {
            (Some(span), true) => self.place(span.start).0,
            _ => 0,
        };
        self.notes.push(Note { line, key: self.labelled(key), message: message.into() });
    }

    /// Whether the file has `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.locate(key).1
    }

    /// The line of `key`, where the file has it.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        match self.locate(key) {
            (Some(span), true) => Some(self.place(span.start).0),
            _ => None,
        }
    }

    /// What was found, in the order of the lines.
    pub(super) fn finish(mut self) -> (Vec<Fault>, Vec<Note>) {
        self.faults.sort_by_key(|f| (f.line, f.column));
        if self.untold > 0 {
            let message = format!("and {} faults more", self.untold);
            self.faults.push(Fault { line: 0, column: 0, key: String::new(), value: None, message });
        }
        self.notes.sort_by_key(|n| n.line);
        (self.faults, self.notes)
    }

    /// Whether the text is TOML throughout, so that what seems to be missing is.
    pub(super) fn is_toml(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether one more fault is told; if not, it is counted.
    fn has_room(&mut self) -> bool {
        let room = self.faults.len() < MOST_FAULTS;
        self.untold += usize::from(!room);
        room
    }

    /// Whether neither `key` nor an element of it has failed.
    pub(super) fn could_read(&self, key: &str) -> bool {
        let of_key =
            |failed: &String| failed.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
        !self.failed.iter().any(of_key)
    }

    /// `limit[1].rate` with the limit's name, which people know better than its number.
    fn labelled(&self, key: &str) -> String {
        let name = key.find(']').filter(|_| key.starts_with("limit[")).and_then(|end| {
            let value = self.find(&format!("{}.name", &key[..=end]))?;
            value.get_ref().as_str()
        });
        match name {
            Some(name) => format!("{key} (limit {:?})", name.chars().take(SNIPPET).collect::<String>()),
            None => key.to_owned(),
        }
    }

    /// The span of `key` and true, or that of the nearest table around it and false.
    fn locate(&self, key: &str) -> (Option<Range<usize>>, bool) {
        if let Some(value) = self.find(key) {
            return (Some(value.span()), true);
        }
        let mut around = key;
        while let Some((outer, _)) = around.rsplit_once('.') {
            if let Some(value) = self.find(outer) {
                return (Some(value.span()), false);
            }
            around = outer;
        }
        (None, false)
    }

    fn find(&self, key: &str) -> Option<&'d toml::Spanned<DeValue<'d>>> {
        let mut parts = key.split(['.', '[', ']']).filter(|p| !p.is_empty());
        let mut value = self.root.get(parts.next()?)?;
        for part in parts {
            value = match value.get_ref() {
                DeValue::Table(table) => table.get(part)?,
                DeValue::Array(array) => array.get(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Line and column of a byte, both from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        (line, self.text[start..at].chars().count() + 1)
    }

    /// The text of a value, cut to one short line.
    fn snippet(&self, span: Range<usize>) -> String {
        let text = self.text.get(span).unwrap_or("");
        let line = text.lines().next().unwrap_or("");
        let short: String = line.chars().take(SNIPPET).filter(|c| !c.is_control()).collect();
        if short.len() < text.len() { format!("{short}…") } else { short }
    }
}
