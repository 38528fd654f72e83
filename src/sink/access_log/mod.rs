//! The access log: a line for every story, on a thread of its own, so that a full disk or a stalled reader costs lines
//! (counted) and nothing else.

mod output;

use crate::config::settings::{Addresses, Log, LogFormat, LogTarget, Settings};
use crate::event::address::Writing;
use crate::event::story::Story;
use crate::sink::lines;
use crate::sink::outlet::{Outlet, OutletStatus};
use output::Output;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes wait for the writer at most.
const MAX_PENDING: usize = 4 << 20;

/// How often the writer looks after itself when nothing comes.
const IDLE: Duration = Duration::from_secs(1);

/// The log as its users see it.
#[derive(Debug)]
pub struct AccessLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pending: Mutex<Pending>,
    /// The writer waits here for work, `stop` for the writer's end.
    changed: Condvar,
    lost: AtomicU64,
    written: AtomicU64,
}

#[derive(Debug)]
struct Pending {
    bytes: Vec<u8>,
    /// Bytes that are being written.
    writing: usize,
    flush: bool,
    to: LogTarget,
    format: LogFormat,
    addresses: Writing,
    /// Set by a reload.
    settings: Option<Log>,
    failing: Option<(String, Instant)>,
    stop: bool,
    ended: bool,
}

impl Pending {
    fn new(log: &Log) -> Self {
        Self {
            bytes: Vec::new(),
            writing: 0,
            flush: false,
            to: log.access.clone(),
            format: log.format,
            addresses: Writing::new(log.addresses, log),
            settings: None,
            failing: None,
            stop: false,
            ended: false,
        }
    }

    /// Appends the line of `story`; false where none could be made.
    fn append(&mut self, story: &Story<'_>) -> bool {
        match (self.format, story) {
            (LogFormat::Json, _) => lines::json(story, &self.addresses, &mut self.bytes).is_ok(),
            (LogFormat::Alb, Story::Request(record, entry)) => {
                let mut line = String::new();
                lines::alb::line(record, &self.addresses.entry(entry), &mut line);
                self.bytes.extend_from_slice(line.as_bytes());
                true
            }
            (LogFormat::Alb, Story::News(_)) => true,
        }
    }
}

impl AccessLog {
    /// Opens the target and starts the writer.
    pub fn start(log: &Log) -> io::Result<Self> {
        let output = Output::open(log)?;
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending::new(log)),
            changed: Condvar::new(),
            lost: AtomicU64::new(0),
            written: AtomicU64::new(0),
        });
        let writer = shared.clone();
        std::thread::Builder::new().name("weir-access-log".into()).spawn(move || writer.run(output))?;
        Ok(Self(shared))
    }

    /// The most memory that waiting lines take: those that are being written, and those that come meanwhile.
    pub const fn memory(target: &LogTarget) -> usize {
        match target {
            LogTarget::Off => 0,
            LogTarget::Stdout | LogTarget::File(_) => 2 * MAX_PENDING,
        }
    }

    /// Whether the target can be opened.
    pub fn check(target: &LogTarget) -> Result<(), String> {
        output::check(target)
    }

    /// Lines that could not be written since the start.
    pub fn lost(&self) -> u64 {
        // Relaxed: a lone counter.
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Lines written since the start.
    pub fn written(&self) -> u64 {
        // Relaxed: a lone counter.
        self.0.written.load(Ordering::Relaxed)
    }
}

impl Outlet for AccessLog {
    /// The line is written after the next [`flush`](Self::flush), or within a second.
    fn take(&self, story: &Story<'_>) {
        let mut pending = self.0.pending();
        if pending.to == LogTarget::Off {
            return;
        }
        let before = pending.bytes.len();
        if pending.stop || before >= MAX_PENDING || !pending.append(story) {
            pending.bytes.truncate(before);
            self.0.lose(1);
        } else if pending.bytes.len() > before {
            pending.bytes.push(b'\n');
        }
    }

    fn flush(&self) {
        let mut pending = self.0.pending();
        if !pending.bytes.is_empty() {
            pending.flush = true;
            self.0.changed.notify_all();
        }
    }

    /// If the new target can't be opened, lines are lost, counted, and it is tried again.
    fn reload(&self, settings: &Settings) {
        let log = &settings.log;
        let mut pending = self.0.pending();
        (pending.to, pending.format) = (log.access.clone(), log.format);
        pending.addresses = Writing::new(log.addresses, log);
        pending.settings = Some(log.clone());
        self.0.changed.notify_all();
    }

    fn status(&self) -> OutletStatus {
        let pending = self.0.pending();
        OutletStatus {
            name: "file".into(),
            to: pending.to.to_string(),
            sent: self.written(),
            lost: self.lost(),
            waiting_bytes: (pending.bytes.len() + pending.writing) as u64,
            failing: pending.failing.as_ref().map(|(why, _)| why.clone()),
            failing_for_s: pending.failing.as_ref().map(|(_, since)| since.elapsed().as_secs_f64()),
        }
    }

    fn stop(&self, within: Duration) -> bool {
        let mut pending = self.0.pending();
        pending.stop = true;
        self.0.changed.notify_all();
        let waited = self.0.changed.wait_timeout_while(pending, within, |p| !p.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.0.pending().stop = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, lines: u64) {
        // Relaxed: a lone counter.
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    fn run(&self, mut output: Output) {
        let mut buffer = Vec::new();
        loop {
            let waiting = |p: &mut Pending| !p.flush && !p.stop && p.settings.is_none();
            let pending = self.changed.wait_timeout_while(self.pending(), IDLE, waiting);
            let mut pending = pending.unwrap_or_else(PoisonError::into_inner).0;
            buffer.clear();
            std::mem::swap(&mut buffer, &mut pending.bytes);
            (pending.flush, pending.writing) = (false, buffer.len());
            let (settings, stop) = (pending.settings.take(), pending.stop);
            drop(pending);
            let lines = count_lines(&buffer);
            let lost = output.write(&buffer);
            // Relaxed: a lone counter.
            self.written.fetch_add(lines - lost, Ordering::Relaxed);
            self.lose(lost);
            if let Some(settings) = settings {
                output.reload(&settings);
            }
            let mut pending = self.pending();
            (pending.writing, pending.failing) = (0, output.failing());
            if stop {
                pending.ended = true;
                self.changed.notify_all();
                return;
            }
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

/// `[log]` with nothing in it but a target.
#[doc(hidden)]
pub fn plain(access: LogTarget) -> Log {
    use crate::base::units::{Bytes, Rate, Share};
    use crate::config::settings::LogCloudWatch;
    let addresses = Addresses::Whole;
    let cloudwatch = LogCloudWatch { enabled: false, group: String::new(), stream: None, addresses };
    Log {
        access,
        format: LogFormat::Json,
        addresses,
        address_key: None,
        rotate_size: Bytes(0),
        rotate_keep: 0,
        refused_rate: Rate::per_second(100),
        forwarded_sample: Share::ALL,
        cloudwatch,
    }
}

#[cfg(test)]
mod tests;
