//! Lines are whole or missing, whatever becomes of the file.

use super::*;
use crate::base::clock;
use crate::base::units::Bytes;
use crate::config::load_str;
use crate::event::entry::Entry;
use crate::event::news::{BanNews, News, StateNews};
use crate::event::record::Record;
use std::path::Path;
use std::time::Instant;

const SOON: Duration = Duration::from_secs(10);

fn start(path: &Path) -> AccessLog {
    AccessLog::start(&plain(LogTarget::File(path.into()))).unwrap()
}

fn line(log: &AccessLog, bytes_in: u64) {
    let mut record = Record::blank(clock::now());
    record.bytes_in = bytes_in;
    log.take(&Story::Request(&record, &Entry::new(&record, &[])));
    log.flush();
}

fn settings(log: Log) -> Settings {
    let settings = load_str("[origin]\naddresses = [\"192.0.2.1:80\"]\n", "test").unwrap().settings;
    Settings { log, ..settings }
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
        let log = start(&path);
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
    let log = start(Path::new("/dev/full"));
    line(&log, 1);
    line(&log, 2);
    wait_until("both lines are counted as lost", || log.lost() == 2);
    wait_until("it is said", || log.status().failing.is_some_and(|why| why.contains("No space left")));
    let path = dir.path().join("room");
    log.reload(&settings(plain(LogTarget::File(path.clone()))));
    wait_until("the new target", || path.exists());
    line(&log, 3);
    assert!(log.stop(SOON));
    assert_eq!((numbers(&path), log.written(), log.lost()), (vec![3], 1, 2));
    let status = log.status();
    assert_eq!((status.failing, status.waiting_bytes, status.to), (None, 0, path.display().to_string()));
}

#[test]
fn a_file_moved_away_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
    let log = start(&path);
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
    assert!(AccessLog::start(&plain(LogTarget::File("/nonexistent/dir/log".into()))).is_err());
}

#[test]
fn switched_off_nothing_is_lost() {
    let log = AccessLog::start(&plain(LogTarget::Off)).unwrap();
    line(&log, 1);
    assert!(log.stop(SOON));
    assert_eq!((log.written(), log.lost()), (0, 0));
}

#[test]
fn a_full_file_gives_way_and_no_line_is_lost_or_torn() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let size = {
        let record = Record::blank(clock::now());
        serde_json::to_string(&Entry::new(&record, &[])).unwrap().len() as u64 + 1
    };
    let rotated = |lines: u64, keep| {
        let plain = plain(LogTarget::File(path.clone()));
        Log { rotate_size: Bytes(lines * size + lines * 2), rotate_keep: keep, ..plain }
    };
    let log = AccessLog::start(&rotated(10, 3)).unwrap();
    let mut record = Record::blank(clock::now());
    // In one batch and line by line: both ways go over the size.
    for n in 0..35 {
        record.bytes_in = n;
        log.take(&Story::Request(&record, &Entry::new(&record, &[])));
    }
    log.flush();
    wait_until("the lines of one batch", || log.written() == 35);
    let old = |n: u32| dir.path().join(format!("log.{n}"));
    let all = || [old(4), old(3), old(2), old(1), path.clone()].map(|path| numbers(&path));
    assert_eq!(all().concat(), (0..35).collect::<Vec<_>>());
    assert!(all()[1..4].iter().all(|lines| lines.len() == 10), "{:?}", all());
    // Live: smaller files, fewer of them.
    log.reload(&settings(rotated(1, 1)));
    wait_until("the reload", || log.0.pending().settings.is_none());
    for n in 35..38 {
        line(&log, n);
        wait_until("the line", || log.written() == n + 1);
    }
    assert!(log.stop(SOON));
    assert_eq!((numbers(&old(1)), numbers(&path)), (vec![36], vec![37]));
    assert_eq!((log.written(), log.lost()), (38, 0));
}

#[test]
fn where_it_cannot_be_rotated_lines_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    // A folder that is not empty can't be replaced, by root neither.
    std::fs::create_dir_all(dir.path().join("log.1/x")).unwrap();
    let log = Log { rotate_size: Bytes(300), rotate_keep: 1, ..plain(LogTarget::File(path.clone())) };
    let log = AccessLog::start(&log).unwrap();
    (0..10).for_each(|n| line(&log, n));
    assert!(log.stop(SOON));
    assert_eq!((numbers(&path), log.lost()), ((0..10).collect(), 0));
}

#[test]
fn news_have_lines_of_their_kinds_and_none_in_the_columns_of_an_alb() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let log = start(&path);
    let tell = || {
        log.take(&Story::News(&News::Ban(BanNews::fixture())));
        log.take(&Story::News(&News::State(StateNews::fixture())));
        line(&log, 7);
    };
    tell();
    wait_until("three lines", || log.written() == 3);
    log.reload(&settings(Log { format: LogFormat::Alb, ..plain(LogTarget::File(path.clone())) }));
    tell();
    assert!(log.stop(SOON));
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (line, kind) in lines.iter().zip(["ban", "state", "request"]) {
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"], kind);
    }
    assert!(lines[3].starts_with("http 20"), "{text}");
}
