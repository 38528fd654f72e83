//! Databases in MaxMind's format: read and verified whole before they are used, so that no look-up meets a fault, and a
//! file that is replaced or cut short later can do no harm.

use maxminddb::Reader;
use std::path::Path;

/// The largest database: ten times what there is.
const MAX_BYTES: u64 = 256 << 20;

/// The database at `path`, if its type has one of `kinds` in its name; `expected` says so in words.
pub(super) fn open(path: &Path, kinds: &[&str], expected: &str) -> Result<Reader<Vec<u8>>, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| format!("{shown} can't be read: {e}"))?.len();
    if size > MAX_BYTES {
        return Err(format!("{shown} has {size} bytes; expected at most {MAX_BYTES}"));
    }
    let bytes = std::fs::read(path).map_err(|e| format!("{shown} can't be read: {e}"))?;
    let reader = Reader::from_source(bytes).map_err(|e| format!("{shown} is no MaxMind database: {e}"))?;
    let kind = &reader.metadata().database_type;
    if !kinds.iter().any(|known| kind.to_ascii_uppercase().contains(known)) {
        return Err(format!("{shown} is a database of the type {kind:?}; expected {expected}"));
    }
    reader.verify().map_err(|e| format!("{shown} is broken: {e}"))?;
    Ok(reader)
}

/// One of MaxMind's own test databases, where they lie beside the project.
#[cfg(test)]
pub(super) fn shared(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces/mmdb_test").join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}
