//! Where lines go, and what to do when they can't.

use super::count_lines;
use crate::config::settings::{Log, LogTarget};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often it is checked whether the file is still the one of its name, and tried again if it would not open.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How often a lasting error is said.
const SAY_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Output {
    target: LogTarget,
    file: Option<File>,
    /// Of the file.
    size: u64,
    /// From which size on a file gives way, and how many old ones are kept; none at 0.
    rotation: (u64, u16),
    checked: Instant,
    said: Option<Instant>,
    /// The last write ended inside a line.
    torn: bool,
    failing: Option<(String, Instant)>,
}

impl Output {
    pub(super) fn open(log: &Log) -> io::Result<Self> {
        let file = open(&log.access)?;
        let mut output = Self {
            target: log.access.clone(),
            file,
            size: 0,
            rotation: (log.rotate_size.0, log.rotate_keep),
            checked: Instant::now(),
            said: None,
            torn: false,
            failing: None,
        };
        output.measure();
        Ok(output)
    }

    pub(super) fn reload(&mut self, log: &Log) {
        self.rotation = (log.rotate_size.0, log.rotate_keep);
        if self.target != log.access {
            self.target = log.access.clone();
            self.file = None;
            self.torn = false;
            self.said = None;
            self.failing = None;
            self.reopen();
        }
    }

    /// What went wrong last, while it does, and since when.
    pub(super) fn failing(&self) -> Option<(String, Instant)> {
        self.failing.clone()
    }

    /// Writes whole lines; returns how many were lost.
    pub(super) fn write(&mut self, mut lines: &[u8]) -> u64 {
        if self.checked.elapsed() >= CHECK_EVERY {
            self.checked = Instant::now();
            if self.is_astray() {
                self.reopen();
            }
        }
        let mut lost = 0;
        while !lines.is_empty() && self.target != LogTarget::Off {
            let (now, later) = lines.split_at(self.room(lines));
            lost += self.append(now);
            lines = later;
            if !lines.is_empty() {
                self.rotate();
            }
        }
        lost
    }

    /// How many bytes of `lines` belong into this file: whole lines, and at least one.
    fn room(&self, lines: &[u8]) -> usize {
        let (most, _) = self.rotation;
        let room = usize::try_from(most.saturating_sub(self.size)).unwrap_or(usize::MAX);
        if most == 0 || lines.len() <= room || !self.can_rotate() {
            return lines.len();
        }
        let fit = memchr::memrchr(b'\n', &lines[..room]).map_or(0, |at| at + 1);
        match fit {
            // An empty file takes a line that is larger than a file shall be.
            0 if self.size == 0 || self.file.is_none() => memchr::memchr(b'\n', lines).map_or(lines.len(), |at| at + 1),
            fit => fit,
        }
    }

    /// Whether the target is a file of its own name: no pipe, no device, no link to somewhere.
    fn can_rotate(&self) -> bool {
        let LogTarget::File(path) = &self.target else { return false };
        path.symlink_metadata().is_ok_and(|data| data.is_file())
    }

    fn append(&mut self, lines: &[u8]) -> u64 {
        if lines.is_empty() {
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
            self.size += 1;
        }
        let (done, result) = write_most(file, lines);
        self.size += done as u64;
        if done > 0 {
            self.torn = lines[done - 1] != b'\n';
        }
        match result {
            Ok(()) => self.failing = None,
            Err(error) => self.say(&error),
        }
        count_lines(&lines[done..])
    }

    /// FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on, and a new FILE is opened. Where that fails the old one goes
    /// on, beyond its size.
    fn rotate(&mut self) {
        let LogTarget::File(path) = &self.target else { return };
        // Somebody else may have moved it: then a new one is there already, or its name is free.
        if !self.is_astray()
            && let Err(error) = shift(path, self.rotation.1)
        {
            let error = io::Error::new(error.kind(), format!("cannot be rotated: {error}"));
            self.say(&error);
            // It is tried again when as much has been written once more.
            self.size = 0;
            return;
        }
        self.reopen();
    }

    /// Whether the name now stands for another file, or none.
    fn is_astray(&self) -> bool {
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
                self.failing = None;
                self.measure();
            }
            // A file that was open stays in use: its lines are where it was moved to.
            Err(error) => {
                self.size = 0;
                self.say(&error);
            }
        }
    }

    fn measure(&mut self) {
        self.size = self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
    }

    fn say(&mut self, error: &io::Error) {
        let since = self.failing.as_ref().map_or_else(Instant::now, |(_, since)| *since);
        self.failing = Some((error.to_string(), since));
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

/// Moves every old file one on; the oldest goes.
fn shift(path: &Path, keep: u16) -> io::Result<()> {
    let old = |n: u16| -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        name.into()
    };
    if keep == 0 {
        return std::fs::remove_file(path);
    }
    for n in (1..keep).rev() {
        match std::fs::rename(old(n), old(n + 1)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, old(1))
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
