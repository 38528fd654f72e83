//! Lines of several log files, plain, gzip or zstd, one file after the other.

use crate::simulate::input::{Counted, InputError, is_damage, name};
use crate::simulate::log::lines::{Lines, Raw};
use crate::simulate::log::{LogError, decompressed};
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Calls `each` with every line of `files`, of which `-` is standard input, and how many bytes were read before; a line
/// that was too long is none. The file's name and the line's number come with it.
///
/// # Errors
/// Where a file can't be read.
pub fn read(files: &[PathBuf], mut each: impl FnMut(&Place<'_>, Option<&str>)) -> Result<(), InputError> {
    let bytes = Rc::<Cell<u64>>::default();
    for path in files {
        let file = name(path);
        let mut lines =
            open(path, bytes.clone()).map_err(|source| InputError::Unreadable { file: file.clone(), source })?;
        loop {
            let raw = lines.next().map_err(|source| {
                let line = lines.number() + 1;
                if is_damage(&source) {
                    InputError::NoLog { file: file.clone(), source: LogError::Io { line, source } }
                } else {
                    InputError::Unreadable { file: file.clone(), source }
                }
            })?;
            let place = Place { file: &file, line: lines.number(), bytes: bytes.get() };
            match raw {
                Raw::End => break,
                Raw::TooLong => each(&place, None),
                Raw::Text(text) if text.trim().is_empty() => {}
                Raw::Text(text) => each(&place, Some(&text)),
            }
        }
    }
    Ok(())
}

/// Where a line is.
#[derive(Debug)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a str,
    /// Its number, from 1.
    pub line: u64,
    /// Bytes read of all files before, as they lie on disk.
    pub bytes: u64,
}

fn open(path: &Path, bytes: Rc<Cell<u64>>) -> io::Result<Lines> {
    Ok(Lines::new(if path == Path::new("-") {
        decompressed(Counted { inner: io::stdin(), bytes })?
    } else {
        decompressed(Counted { inner: File::open(path)?, bytes })?
    }))
}
