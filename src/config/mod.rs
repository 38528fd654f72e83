//! Layer 1: what an operator writes, checked whole and turned into [`settings::Settings`].
//!
//! `read` asks for every key in turn, and what it asks for is also what the schema and the reference show; `check`
//! looks at what keys mean together; `diff` tells what a reload would change.

mod check;
mod diff;
mod document;
mod fault;
mod kind;
mod place;
mod read;
mod schema;
mod section;
pub mod settings;
mod words;

pub use diff::{Change, diff};
pub use fault::{Fault, Faults, Note};
pub use schema::{reference, schema};

use document::Document;
use settings::Settings;
use std::io::Read;
use std::path::Path;
use toml::de::DeTable;

/// The largest config file that is read; long lists belong in files of their own.
pub const MAX_CONFIG_BYTES: usize = 1 << 20;

/// A config that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub settings: Settings,
    /// What an operator should know about it.
    pub notes: Vec<Note>,
}

/// Reads and checks the config file at `path`. Relative paths in it start at its own folder.
pub fn load(path: &Path) -> Result<Loaded, Faults> {
    load_str(&read_text(path)?, &path.display().to_string())
}

/// Reads the config file at `path` and no more of it than a config may have.
pub fn read_text(path: &Path) -> Result<String, Faults> {
    let origin = path.display().to_string();
    let whole = |unreadable: bool, message: String| {
        let fault = Fault { line: 0, column: 0, key: String::new(), value: None, message };
        Faults { origin: origin.clone(), list: vec![fault], unreadable }
    };
    let mut bytes = Vec::new();
    let limit = MAX_CONFIG_BYTES as u64 + 1;
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|e| whole(true, format!("cannot be read: {e}")))?;
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        whole(false, format!("is not UTF-8 text (line {line})"))
    })
}

/// Reads and checks a config's text; `origin_name` is the file that it came from, for messages and relative paths.
pub fn load_str(text: &str, origin_name: &str) -> Result<Loaded, Faults> {
    load_str_without(text, origin_name, &[])
}

/// The same for whoever needs no file of the keys that begin with one of `keys`: one that can't be read is no fault.
pub fn load_str_without(text: &str, origin_name: &str, keys: &[&str]) -> Result<Loaded, Faults> {
    read_whole(text, origin_name, Path::new(origin_name).parent().unwrap_or(Path::new("")), keys)
}

/// The same for a text that came from no file: relative paths start at `base`.
pub fn load_str_at(text: &str, origin_name: &str, base: &Path) -> Result<Loaded, Faults> {
    read_whole(text, origin_name, base, &[])
}

fn read_whole(text: &str, origin_name: &str, base: &Path, keys: &[&str]) -> Result<Loaded, Faults> {
    let origin = origin_name.to_owned();
    if text.len() > MAX_CONFIG_BYTES {
        let message = "is larger than 1MiB; move long lists to files of their own".to_owned();
        let fault = Fault { line: 0, column: 0, key: String::new(), value: None, message };
        return Err(Faults { origin, list: vec![fault], unreadable: false });
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut document = Document::new(text, root.get_ref(), base);
    for error in &errors {
        document.syntax_fault(error.span(), error.message());
    }
    let settings = read::read(&mut document);
    check::check(&settings, &mut document);
    let (mut list, notes) = document.finish();
    list.retain(|f| !(f.message.starts_with("cannot be read") && keys.iter().any(|key| f.key.starts_with(key))));
    if list.is_empty() { Ok(Loaded { settings, notes }) } else { Err(Faults { origin, list, unreadable: false }) }
}
