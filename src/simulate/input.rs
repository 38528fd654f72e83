//! Several log files read as one, one after the other.

use super::log::{Fault, Format, Line, Log, LogError, MAX_FAULTS_KEPT};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Why the logs can't be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file can't be opened, or not be read on.
    #[error("{file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// What is in the file is no log, or a damaged one.
    #[error("{file}: {source}")]
    NoLog {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: LogError,
    },
}

/// A file's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyLine {
    /// The file.
    pub file: String,
    /// The line and what is wrong with it.
    pub fault: Fault,
}

/// Log files, read one after the other.
pub struct Input {
    files: VecDeque<PathBuf>,
    format: Option<Format>,
    log: Option<(String, Log)>,
    bytes: Rc<Cell<u64>>,
    lines: u64,
    formats: Vec<Format>,
    faults: u64,
    first_faults: Vec<FaultyLine>,
}

impl Input {
    /// Opens the first of `files`, of which `-` is standard input.
    ///
    /// # Errors
    /// Where one of the files can't be opened, so that it is known before the first has been read for an hour.
    pub fn open(files: &[PathBuf], format: Option<Format>) -> Result<Self, InputError> {
        for path in files.iter().filter(|path| path.as_path() != Path::new("-")) {
            let opened = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
                true => Err(io::Error::from(io::ErrorKind::IsADirectory)),
                false => Ok(()),
            });
            opened.map_err(|source| InputError::Unreadable { file: name(path), source })?;
        }
        Ok(Self {
            files: files.iter().cloned().collect(),
            format,
            log: None,
            bytes: Rc::default(),
            lines: 0,
            formats: vec![],
            faults: 0,
            first_faults: vec![],
        })
    }

    /// The next line of them all.
    ///
    /// # Errors
    /// Where a file can't be read on.
    pub fn next_line(&mut self) -> Result<Option<Line>, InputError> {
        loop {
            if self.log.is_none() {
                let Some(path) = self.files.pop_front() else { return Ok(None) };
                self.log = Some((name(&path), self.start(&path)?));
            }
            let Some((file, log)) = &mut self.log else { return Ok(None) };
            match log.next_line() {
                Ok(Some(line)) => {
                    self.lines += 1;
                    return Ok(Some(line));
                }
                Ok(None) => self.end(),
                Err(LogError::Io { source, .. }) if !is_damage(&source) => {
                    return Err(InputError::Unreadable { file: file.clone(), source });
                }
                Err(source) => return Err(InputError::NoLog { file: file.clone(), source }),
            }
        }
    }

    fn start(&self, path: &Path) -> Result<Log, InputError> {
        let bytes = self.bytes.clone();
        let opened = if path == Path::new("-") {
            Log::new(Counted { inner: io::stdin(), bytes }, self.format)
        } else {
            File::open(path).and_then(|inner| Log::new(Counted { inner, bytes }, self.format))
        };
        opened.map_err(|source| InputError::Unreadable { file: name(path), source })
    }

    /// Takes the finished file's counts along.
    fn end(&mut self) {
        let Some((file, log)) = self.log.take() else { return };
        if let Some(format) = log.format().filter(|format| !self.formats.contains(format)) {
            self.formats.push(format);
        }
        self.faults += log.faults().count;
        let room = MAX_FAULTS_KEPT - self.first_faults.len();
        let of_file = |fault: &Fault| FaultyLine { file: file.clone(), fault: fault.clone() };
        self.first_faults.extend(log.faults().first.iter().take(room).map(of_file));
    }

    /// Bytes read of all files so far, as they lie on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Lines given.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The formats of the files that were read to their end.
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// Lines of these files that could not be used, and the first of them.
    pub fn faults(&self) -> (u64, &[FaultyLine]) {
        (self.faults, &self.first_faults)
    }
}

/// Whether this is the decompressor's word rather than the system's.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof)
}

pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

/// Counts what goes through.
pub struct Counted<R> {
    /// Where it comes from.
    pub inner: R,
    /// The count.
    pub bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + count as u64);
        Ok(count)
    }
}
