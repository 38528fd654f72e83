//! Where lines go, and what to do when they can't.

use super::count_lines;
use crate::config::settings::LogTarget;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is checked whether the file is still the one of its name, and tried again if it would not open.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How often a lasting error is said.
const SAY_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Output {
    target: LogTarget,
    file: Option<File>,
    checked: Instant,
    said: Option<Instant>,
    /// The last write ended inside a line.
    torn: bool,
}

impl Output {
    pub(super) fn open(target: &LogTarget) -> io::Result<Self> {
        let file = open(target)?;
        Ok(Self { target: target.clone(), file, checked: Instant::now(), said: None, torn: false })
    }

    pub(super) fn retarget(&mut self, target: &LogTarget) {
        if self.target != *target {
            self.target = target.clone();
            self.file = None;
            self.torn = false;
            self.said = None;
            self.reopen();
        }
    }

    /// Writes whole lines; returns how many were lost.
    pub(super) fn write(&mut self, lines: &[u8]) -> u64 {
        if self.checked.elapsed() >= CHECK_EVERY && self.is_astray() {
            self.reopen();
        }
        if lines.is_empty() || self.target == LogTarget::Off {
            return 0;
        }
        // Why there is no file was said when it would not open.
        let Some(file) = &mut self.file else { return count_lines(lines) };
        if self.torn {
            if let Err(error) = file.write_all(b"\n") {
                self.say(&error);
                return count_lines(lines);
            }
            self.torn = false;
        }
        let (done, result) = write_most(file, lines);
        self.torn = done > 0 && lines[done - 1] != b'\n';
        if let Err(error) = result {
            self.say(&error);
        }
        count_lines(&lines[done..])
    }

    /// Whether the name now stands for another file, or none.
    fn is_astray(&mut self) -> bool {
        self.checked = Instant::now();
        let LogTarget::File(path) = &self.target else { return false };
        let same = |file: &File| Some(identity(&file.metadata().ok()?) == identity(&path.metadata().ok()?));
        !self.file.as_ref().and_then(same).unwrap_or(false)
    }

    fn reopen(&mut self) {
        self.checked = Instant::now();
        match open(&self.target) {
            Ok(file) => {
                self.file = file;
                self.torn = false;
            }
            // A file that was open stays in use: its lines are where it was moved to.
            Err(error) => self.say(&error),
        }
    }

    fn say(&mut self, error: &io::Error) {
        if self.said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            let target = match &self.target {
                LogTarget::File(path) => path.as_path(),
                _ => Path::new("stdout"),
            };
            tracing::error!(target = %target.display(), %error, "log.access: lines are being lost; requests go on");
        }
    }
}

fn identity(data: &Metadata) -> (u64, u64) {
    (data.dev(), data.ino())
}

fn open(target: &LogTarget) -> io::Result<Option<File>> {
    match target {
        LogTarget::Off => Ok(None),
        // Not by `io::stdout`, whose own buffer would hide which lines were written.
        LogTarget::Stdout => Ok(Some(io::stdout().as_fd().try_clone_to_owned()?.into())),
        LogTarget::File(path) => OpenOptions::new().create(true).append(true).open(path).map(Some),
    }
}

/// Whether the target could be opened; a file that is not there yet is not made for it.
pub(super) fn check(target: &LogTarget) -> Result<(), String> {
    let LogTarget::File(path) = target else { return Ok(()) };
    let at = |path: &Path, e: io::Error| format!("{}: cannot be written: {e}", path.display());
    match OpenOptions::new().append(true).open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folder.metadata().map(drop).map_err(|e| at(path, e))
        }
        opened => opened.map(drop).map_err(|e| at(path, e)),
    }
}

/// Writes until all is written or an error comes; says how much was.
fn write_most(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut done = 0;
    while done < bytes.len() {
        match file.write(&bytes[done..]) {
            Ok(0) => return (done, Err(ErrorKind::WriteZero.into())),
            Ok(n) => done += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (done, Err(error)),
        }
    }
    (done, Ok(()))
}
