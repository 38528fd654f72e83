//! The access log: one JSON object a line, on a thread of its own, so that a full disk or a stalled reader costs
//! lines (counted) and nothing else.

mod output;

use crate::config::settings::LogTarget;
use crate::event::entry::Entry;
use crate::event::story::Story;
use crate::sink::outlet::{Outlet, OutletStatus};
use output::Output;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    off: bool,
    flush: bool,
    /// Set by a reload.
    target: Option<LogTarget>,
    stop: bool,
    ended: bool,
}

impl AccessLog {
    /// Opens the target and starts the writer.
    pub fn start(target: &LogTarget) -> io::Result<Self> {
        let output = Output::open(target)?;
        let pending = Pending { off: *target == LogTarget::Off, ..Pending::default() };
        let shared = Arc::new(Shared {
            pending: Mutex::new(pending),
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

    /// Hands over one line. It is written after the next [`flush`](Self::flush), or within a second.
    pub fn write(&self, entry: &Entry<'_>) {
        let mut pending = self.0.pending();
        if pending.off {
            return;
        }
        let before = pending.bytes.len();
        let fits = !pending.stop && before < MAX_PENDING && serde_json::to_writer(&mut pending.bytes, entry).is_ok();
        if fits {
            pending.bytes.push(b'\n');
        } else {
            pending.bytes.truncate(before);
            self.0.lose(1);
        }
    }

    /// Asks the writer to write what there is. Does not wait for it.
    pub fn flush(&self) {
        let mut pending = self.0.pending();
        if !pending.bytes.is_empty() {
            pending.flush = true;
            self.0.changed.notify_all();
        }
    }

    /// Sends the log elsewhere, as after a reload. If that can't be opened, lines are lost, counted, and it is tried again.
    pub fn retarget(&self, target: &LogTarget) {
        let mut pending = self.0.pending();
        pending.off = *target == LogTarget::Off;
        pending.target = Some(target.clone());
        self.0.changed.notify_all();
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

    /// Writes what is left and ends the writer; false if it did not end `within` that time.
    pub fn stop(&self, within: Duration) -> bool {
        let mut pending = self.0.pending();
        pending.stop = true;
        self.0.changed.notify_all();
        let waited = self.0.changed.wait_timeout_while(pending, within, |p| !p.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }
}

impl Outlet for AccessLog {
    fn take(&self, story: &Story<'_>) {
        if let Story::Request(_, entry) = story {
            self.write(entry);
        }
    }

    fn flush(&self) {
        self.flush();
    }

    fn status(&self) -> OutletStatus {
        OutletStatus { name: "file".into(), sent: self.written(), lost: self.lost(), ..OutletStatus::default() }
    }

    fn stop(&self, within: Duration) -> bool {
        self.stop(within)
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
            let waiting = |p: &mut Pending| !p.flush && !p.stop && p.target.is_none();
            let pending = self.changed.wait_timeout_while(self.pending(), IDLE, waiting);
            let mut pending = pending.unwrap_or_else(PoisonError::into_inner).0;
            buffer.clear();
            std::mem::swap(&mut buffer, &mut pending.bytes);
            pending.flush = false;
            let (target, stop) = (pending.target.take(), pending.stop);
            drop(pending);
            let lines = count_lines(&buffer);
            let lost = output.write(&buffer);
            // Relaxed: a lone counter.
            self.written.fetch_add(lines - lost, Ordering::Relaxed);
            self.lose(lost);
            if let Some(target) = target {
                output.retarget(&target);
            }
            if stop {
                self.pending().ended = true;
                self.changed.notify_all();
                return;
            }
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;
    use crate::event::record::Record;
    use std::path::Path;
    use std::time::Instant;

    const SOON: Duration = Duration::from_secs(10);

    fn line(log: &AccessLog, bytes_in: u64) {
        let mut record = Record::blank(clock::now());
        record.bytes_in = bytes_in;
        log.write(&Entry::new(&record, &[]));
        log.flush();
    }

    fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + SOON;
        while !done() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn numbers(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|l| serde_json::from_str::<Entry<'_>>(l).unwrap().bytes_in).collect()
    }

    #[test]
    fn lines_are_appended_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        for round in 0..2 {
            let log = AccessLog::start(&LogTarget::File(path.clone())).unwrap();
            (0..3).for_each(|n| line(&log, round * 10 + n));
            assert!(log.stop(SOON));
            assert_eq!((log.written(), log.lost()), (3, 0));
            line(&log, 99);
            assert_eq!(log.lost(), 1);
        }
        assert_eq!(numbers(&path), [0, 1, 2, 10, 11, 12]);
    }

    #[test]
    fn a_full_disk_costs_lines_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::start(&LogTarget::File("/dev/full".into())).unwrap();
        line(&log, 1);
        line(&log, 2);
        wait_until("both lines are counted as lost", || log.lost() == 2);
        let path = dir.path().join("room");
        log.retarget(&LogTarget::File(path.clone()));
        wait_until("the new target", || path.exists());
        line(&log, 3);
        assert!(log.stop(SOON));
        assert_eq!((numbers(&path), log.written(), log.lost()), (vec![3], 1, 2));
    }

    #[test]
    fn a_file_moved_away_is_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
        let log = AccessLog::start(&LogTarget::File(path.clone())).unwrap();
        line(&log, 1);
        wait_until("the first line", || numbers(&path) == [1]);
        std::fs::rename(&path, &old).unwrap();
        wait_until("a new file", || path.exists());
        line(&log, 2);
        assert!(log.stop(SOON));
        assert_eq!((numbers(&old), numbers(&path)), (vec![1], vec![2]));
    }

    #[test]
    fn a_target_that_cannot_be_opened_is_an_error_at_start() {
        assert!(AccessLog::start(&LogTarget::File("/nonexistent/dir/log".into())).is_err());
    }

    #[test]
    fn switched_off_nothing_is_lost() {
        let log = AccessLog::start(&LogTarget::Off).unwrap();
        line(&log, 1);
        assert!(log.stop(SOON));
        assert_eq!((log.written(), log.lost()), (0, 0));
    }
}
