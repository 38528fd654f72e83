//! One table being read, key by key. Reading a table also describes it: the list of keys that the schema and the
//! reference show is what the reader asked for, so the three cannot disagree.

use super::document::Document;
use super::kind::Kind;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// With the reload.
    Live,
    /// At the next start.
    Start,
}

/// What a config may say at one place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) shape: Shape,
}

/// A value, or a table of more nodes.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Value { words: String, schema: serde_json::Value, default: Option<&'static str>, required: bool, when: When },
    Table(Vec<Node>),
    Tables(Vec<Node>, usize),
}

/// One table while it is read.
pub(super) struct Section<'r, 'd> {
    document: &'r mut Document<'d>,
    table: Option<&'d DeTable<'d>>,
    span: Range<usize>,
    path: String,
    nodes: Vec<Node>,
    describing: bool,
}

impl<'r, 'd> Section<'r, 'd> {
    /// The top of `document`. When `describing`, tables that are absent are visited too.
    pub(super) fn root(document: &'r mut Document<'d>, describing: bool) -> Self {
        let table = Some(document.root());
        Self { document, table, span: 0..0, path: String::new(), nodes: Vec::new(), describing }
    }

    /// A value that a reload changes.
    pub(super) fn live<T>(&mut self, name: &'static str, kind: Kind<T>, default: &'static str, doc: &'static str) -> T {
        self.defaulted(name, kind, default, doc, When::Live)
    }

    /// A value that only a start reads.
    pub(super) fn start<T>(
        &mut self,
        name: &'static str,
        kind: Kind<T>,
        default: &'static str,
        doc: &'static str,
    ) -> T {
        self.defaulted(name, kind, default, doc, When::Start)
    }

    /// A value that has no default; none is a fault.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        kind: Kind<T>,
        doc: &'static str,
        when: When,
    ) -> Option<T> {
        if !self.has(name) && self.document.is_toml() {
            let (path, span) = (self.join(name), self.span.clone());
            self.document.fault_at(&path, span, false, format!("is missing; write {}", kind.want));
        }
        self.value(name, kind, None, true, doc, when)
    }

    /// A value that need not be there.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        kind: Kind<T>,
        doc: &'static str,
        when: When,
    ) -> Option<T> {
        self.value(name, kind, None, false, doc, when)
    }

    /// A table that is read even when it is absent, for its defaults.
    pub(super) fn table<T>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        read: impl FnOnce(&mut Section<'_, 'd>) -> T,
    ) -> T {
        let found = self.find_table(name);
        let (table, span) = found.map_or((None, self.span.clone()), |(table, span)| (Some(table), span));
        let path = self.join(name);
        let (value, nodes) = self.enter(table, span, path, read);
        self.nodes.push(Node { name, doc, shape: Shape::Table(nodes) });
        value
    }

    /// A table that means something by being there.
    pub(super) fn optional_table<T>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        read: impl FnOnce(&mut Section<'_, 'd>) -> T,
    ) -> Option<T> {
        let found = self.find_table(name);
        if found.is_none() && !self.describing {
            self.nodes.push(Node { name, doc, shape: Shape::Table(Vec::new()) });
            return None;
        }
        let (table, span) = found.map_or((None, 0..0), |(table, span)| (Some(table), span));
        let path = self.join(name);
        let (value, nodes) = self.enter(table, span, path, read);
        self.nodes.push(Node { name, doc, shape: Shape::Table(nodes) });
        Some(value)
    }

    /// `[[name]]`, at most `most` times.
    pub(super) fn tables<T>(
        &mut self,
        name: &'static str,
        most: usize,
        doc: &'static str,
        mut read: impl FnMut(&mut Section<'_, 'd>) -> T,
    ) -> Vec<T> {
        let mut values = Vec::new();
        let mut described = Vec::new();
        let path = self.join(name);
        if self.describing {
            described = self.enter(None, 0..0, format!("{path}[0]"), &mut read).1;
        }
        let found = self.table.and_then(|table| table.get(name));
        match found.map(|value| (value.span(), value.get_ref())) {
            None => {}
            Some((span, DeValue::Array(array))) => {
                if array.len() > most {
                    self.document.fault_at(
                        &path,
                        span,
                        false,
                        format!("is there {} times; at most {most} are held", array.len()),
                    );
                }
                for (i, item) in array.iter().take(most).enumerate() {
                    let path = format!("{path}[{i}]");
                    match item.get_ref() {
                        DeValue::Table(table) => values.push(self.enter(Some(table), item.span(), path, &mut read).0),
                        other => {
                            let message = format!("is {}; write a table under [[{name}]]", article(other));
                            self.document.fault_at(&path, item.span(), true, message);
                        }
                    }
                }
                if values.len() != array.len().min(most) {
                    values.clear(); // their numbers would no longer fit their places
                }
            }
            Some((span, other)) => {
                let message = format!("is {}; write [[{name}]] above each one's keys", article(other));
                self.document.fault_at(&path, span, !other.is_table(), message);
            }
        }
        self.nodes.push(Node { name, doc, shape: Shape::Tables(described, most) });
        values
    }

    /// Reports every key that was not asked for, and gives what was.
    pub(super) fn finish(self) -> Vec<Node> {
        for (key, value) in self.table.into_iter().flat_map(DeTable::iter) {
            if !self.nodes.iter().any(|node| node.name == key.get_ref().as_ref()) {
                let message = || unknown(key.get_ref(), &self.path, &self.nodes, value.get_ref());
                self.document.fault_with(&self.path, key.span(), message);
            }
        }
        self.nodes
    }

    /// Whether the file has `name` here.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(name))
    }

    /// The full path of `name`.
    pub(super) fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Where relative paths start.
    pub(super) fn base(&self) -> &'d Path {
        self.document.base()
    }

    /// The config as a whole, to say more about it.
    pub(super) fn document(&mut self) -> &mut Document<'d> {
        self.document
    }

    fn enter<T>(
        &mut self,
        table: Option<&'d DeTable<'d>>,
        span: Range<usize>,
        path: String,
        read: impl FnOnce(&mut Section<'_, 'd>) -> T,
    ) -> (T, Vec<Node>) {
        let describing = self.describing;
        let mut inner = Section { document: self.document, table, span, path, nodes: Vec::new(), describing };
        let value = read(&mut inner);
        (value, inner.finish())
    }

    fn find_table(&mut self, name: &'static str) -> Option<(&'d DeTable<'d>, Range<usize>)> {
        let value = self.table?.get(name)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((table, value.span())),
            other => {
                let path = self.join(name);
                let table = if path.contains('[') { format!("{name} = {{ … }}") } else { format!("[{path}]") };
                let message = format!("is {}; write a table, {table}", article(other));
                self.document.fault_at(&path, value.span(), true, message);
                None
            }
        }
    }

    fn defaulted<T>(
        &mut self,
        name: &'static str,
        kind: Kind<T>,
        default: &'static str,
        doc: &'static str,
        when: When,
    ) -> T {
        let standard = DeValue::parse(default).ok().and_then(|value| kind.read(&value).ok());
        self.value(name, kind, Some(default), false, doc, when)
            .or(standard)
            // A default that its own kind refuses is caught by every test that reads any config.
            .unwrap_or_else(|| unreachable!("the default of {name} can be read"))
    }

    fn value<T>(
        &mut self,
        name: &'static str,
        kind: Kind<T>,
        default: Option<&'static str>,
        required: bool,
        doc: &'static str,
        when: When,
    ) -> Option<T> {
        let value = self.table.and_then(|table| table.get(name));
        let result = value.and_then(|value| self.read_value(name, &kind, value));
        let shape = Shape::Value { words: kind.words, schema: kind.schema, default, required, when };
        self.nodes.push(Node { name, doc, shape });
        result
    }

    fn read_value<T>(&mut self, name: &str, kind: &Kind<T>, value: &'d Spanned<DeValue<'d>>) -> Option<T> {
        match kind.read(value) {
            Ok(value) => Some(value),
            Err(problems) => {
                for problem in problems {
                    let path = format!("{}{}", self.join(name), problem.below);
                    self.document.fault_at(&path, problem.span, true, problem.message);
                }
                None
            }
        }
    }
}

/// A value's type with its article, for messages.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a bare number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What to say about a key nobody asked for.
fn unknown(key: &str, path: &str, nodes: &[Node], value: &DeValue<'_>) -> String {
    let what = if value.is_table() && path.is_empty() { "table" } else { "key" };
    let shown: String = key.chars().take(60).collect();
    let near = nodes.iter().map(|node| (strsim::damerau_levenshtein(&shown, node.name), node.name)).min();
    if let Some((distance, name)) = near
        && distance <= 1 + name.len() / 4
    {
        return format!("unknown {what} {shown:?}; did you mean {name:?}?");
    }
    match super::read::home_of(key) {
        Some(home) if home != path => format!("unknown {what} {shown:?}; it belongs in [{home}]"),
        _ => {
            let names: Vec<_> = nodes.iter().map(|node| node.name).collect();
            format!("unknown {what} {shown:?}; known here: {}", names.join(", "))
        }
    }
}
