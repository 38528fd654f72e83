//! The book on disk: JSON lines under a header with a version and a checksum, replaced whole.
//!
//! Times are the wall clock's, so that they mean the same after a restart. A clock that was set back makes no ban
//! longer than it was meant to be.

use super::book::{Book, Evidence, Record};
use super::network::Network;
use super::offence::Offence;
use super::set::{Step, Who};
use crate::base::clock::Time;
use crate::config::settings::Threshold;
use crate::event::record::Text;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What this weir writes.
const VERSION: u32 = 1;

/// The largest file that is read: twice what a full book takes.
const MAX_BYTES: u64 = 64 << 20;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    /// On the process's own scale.
    pub now: Time,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Saved {
    /// Whether an operator had paused the ladder.
    pub paused: bool,
    /// All records.
    pub records: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    weir: String,
    version: u32,
    crc32: u32,
}

#[derive(Serialize, Deserialize)]
struct State {
    paused: bool,
    records: usize,
}

/// A record as it is written, in the file and in a fleet's store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    network: String,
    since: u64,
    until: u64,
    step: u8,
    who: String,
    reason: String,
    hits: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offence: Option<Act>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifted: Option<u64>,
    /// The task that said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When it was written, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Act {
    kind: String,
    rate: String,
    burst: u32,
    path: String,
    at: u64,
}

impl Row {
    /// On whose word.
    pub fn who(&self) -> Option<Who> {
        Who::of_code(&self.who)
    }
}

impl Anchor {
    /// `at` in milliseconds since 1970.
    pub fn unix_ms(&self, at: Time) -> u64 {
        let ahead = at.since(self.now).as_millis() as u64;
        (self.unix_ms + ahead).saturating_sub(self.now.since(at).as_millis() as u64)
    }

    /// The point `unix_ms` on the process's scale; none where it lies before that begins.
    fn time(&self, unix_ms: u64) -> Option<Time> {
        let ahead = Duration::from_millis(unix_ms.saturating_sub(self.unix_ms));
        let back = Duration::from_millis(self.unix_ms.saturating_sub(unix_ms));
        (back.as_nanos() <= u128::from(self.now.nanos())).then(|| self.now + ahead - back)
    }
}

/// The text of a file with all of `book`.
pub fn encode(book: &Book, paused: bool, anchor: &Anchor) -> String {
    let mut body = line(&State { paused, records: book.len() });
    for record in book.records() {
        body += &line(&row(record, anchor));
    }
    line(&Head { weir: "bans".into(), version: VERSION, crc32: crc32fast::hash(body.as_bytes()) }) + &body
}

/// Reads such a text.
///
/// # Errors
/// What is wrong with it, reading on after the file's name.
pub fn decode(text: &[u8], anchor: &Anchor) -> Result<Saved, String> {
    let text = std::str::from_utf8(text).map_err(|_| "is not text".to_owned())?;
    let (head, body) = text.split_once('\n').ok_or("has no header")?;
    let head: Head = serde_json::from_str(head).map_err(|e| format!("has no header: {e}"))?;
    if head.weir != "bans" || head.version != VERSION {
        return Err(format!("is {:?} of version {}; expected \"bans\" of version {VERSION}", head.weir, head.version));
    }
    if head.crc32 != crc32fast::hash(body.as_bytes()) {
        return Err("is not what was written: its checksum differs".into());
    }
    let mut lines = body.lines();
    let state: State = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|e| format!("line 2: {e}"))?;
    let mut records = Vec::new();
    for (n, line) in lines.enumerate() {
        let row: Row = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", n + 3))?;
        // None is so long ago that nobody remembers.
        records.extend(record(&row, anchor).map_err(|why| format!("line {}: {why}", n + 3))?);
    }
    Ok(Saved { paused: state.paused, records })
}

/// Replaces the file at `path` by `text`, whole or not at all, also when the power goes.
///
/// # Errors
/// What the system says.
pub fn save(path: &Path, text: &str) -> io::Result<()> {
    let beside = with_end(path, ".new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Reads the file at `path`; none where there is none. A damaged one is set aside.
///
/// # Errors
/// A message with the file's name; weir goes on without.
pub fn load(path: &Path, anchor: &Anchor) -> Result<Option<Saved>, String> {
    let mut text = Vec::new();
    match File::open(path).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("{}: cannot be read: {e}", path.display())),
    }
    let too_large = text.len() as u64 > MAX_BYTES;
    let decoded = if too_large { Err(format!("is larger than {MAX_BYTES} bytes")) } else { decode(&text, anchor) };
    decoded.map(Some).map_err(|why| {
        let aside = with_end(path, &format!(".damaged-{}", anchor.unix_ms / 1_000));
        match fs::rename(path, &aside) {
            Ok(()) => format!("{}: {why}; it is set aside as {}", path.display(), aside.display()),
            Err(e) => format!("{}: {why}; it cannot be set aside: {e}", path.display()),
        }
    })
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn line(value: &impl Serialize) -> String {
    // Plain structs of texts and numbers: nothing that JSON can't hold.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

/// `record` as it is written.
pub fn row(record: &Record, anchor: &Anchor) -> Row {
    let act = |e: &Evidence| Act {
        kind: e.kind.code().into(),
        rate: e.threshold.rate.to_string(),
        burst: e.threshold.burst,
        path: e.path.to_text().into_owned(),
        at: anchor.unix_ms(e.at),
    };
    Row {
        network: record.network.net().to_string(),
        since: anchor.unix_ms(record.since),
        until: anchor.unix_ms(record.until),
        step: record.step.0,
        who: record.who.code().into(),
        reason: record.reason.clone(),
        hits: record.hits(),
        offence: record.evidence.as_ref().map(act),
        lifted: record.lifted.map(|at| anchor.unix_ms(at)),
        from: record.from.as_deref().map(str::to_owned),
        stamp: Some(record.stamp).filter(|stamp| *stamp > 0),
    }
}

/// The record that `row` was written of; none where it is so long ago that nobody remembers.
///
/// # Errors
/// What can't be.
pub fn record(row: &Row, anchor: &Anchor) -> Result<Option<Record>, String> {
    let net = row.network.parse().map_err(|_| format!("{:?} is no network", row.network))?;
    let who = Who::of_code(&row.who).ok_or_else(|| format!("nobody is called {:?}", row.who))?;
    // A clock that was set back must not make it longer.
    let until = row.until.min(anchor.unix_ms.saturating_add(row.until.saturating_sub(row.since)));
    let Some(until) = anchor.time(until) else { return Ok(None) };
    let since = anchor.time(row.since.min(anchor.unix_ms)).unwrap_or_default();
    let mut record = Record::new(Network::of_net(net), Step(row.step), who, since, until).with_hits(row.hits);
    record.reason = row.reason.clone();
    record.lifted = row.lifted.and_then(|at| anchor.time(at.min(anchor.unix_ms)));
    record.from = row.from.as_deref().map(Into::into);
    record.stamp = row.stamp.unwrap_or(row.since);
    record.evidence = row.offence.as_ref().map(|act| evidence(act, anchor)).transpose()?;
    Ok(Some(record))
}

fn evidence(act: &Act, anchor: &Anchor) -> Result<Evidence, String> {
    let kind = Offence::of_code(&act.kind).ok_or_else(|| format!("{:?} is no offence", act.kind))?;
    let rate = act.rate.parse().map_err(|e| format!("{:?} {e}", act.rate))?;
    Ok(Evidence {
        kind,
        threshold: Threshold { rate, burst: act.burst },
        path: Text::new(act.path.as_bytes()),
        at: anchor.time(act.at.min(anchor.unix_ms)).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Anchor = Anchor { now: Time::from_nanos(100_000_000_000_000), unix_ms: 1_700_000_000_000 };

    fn book() -> Book {
        let mut book = Book::default();
        let net = |text: &str| Network::of_net(text.parse().unwrap());
        let later = NOW.now + Duration::from_secs(60);
        let mut ladder = Record::new(net("192.0.2.7/32"), Step(3), Who::Ladder, NOW.now, later).with_hits(7);
        let threshold = Threshold { rate: "60/m".parse().unwrap(), burst: 120 };
        let path = Text::new("/a\"\n\u{1b}é".as_bytes());
        ladder.evidence = Some(Evidence { kind: Offence::Login, threshold, path, at: NOW.now });
        (ladder.from, ladder.stamp) = (Some("task-7".into()), NOW.unix_ms - 1);
        book.put(ladder, NOW.now).unwrap();
        let mut operator = Record::new(net("2001:db8::/48"), Step(0), Who::Operator, NOW.now, later);
        operator.lifted = Some(NOW.now - Duration::from_secs(9));
        operator.reason = "abuse, \"ticket\" 7".into();
        operator.stamp = NOW.unix_ms;
        book.put(operator, NOW.now).unwrap();
        book
    }

    fn shown(records: impl Iterator<Item = Record>) -> Vec<String> {
        records.map(|r| format!("{r:?}")).collect()
    }

    fn seconds_left(saved: &Saved, now: Time) -> Vec<u64> {
        saved.records.iter().map(|r| r.until.since(now).as_secs()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let saved = decode(encode(&book(), true, &NOW).as_bytes(), &NOW).unwrap();
        assert!(saved.paused);
        assert_eq!(shown(saved.records.into_iter()), shown(book().records().cloned()));
    }

    #[test]
    fn a_restart_and_a_clock_that_steps_change_no_ban_for_the_worse() {
        let text = encode(&book(), false, &NOW);
        let at = |now: u64, unix_ms: u64| {
            let anchor = Anchor { now: Time::from_nanos(now), unix_ms };
            seconds_left(&decode(text.as_bytes(), &anchor).unwrap(), anchor.now)
        };
        assert_eq!(at(86_400_000_000_000, NOW.unix_ms + 20_000), [40, 40], "another process, 20 s later");
        assert_eq!(at(86_400_000_000_000, NOW.unix_ms - 3_600_000), [60, 60], "the clock was set back an hour");
        assert_eq!(at(86_400_000_000_000, NOW.unix_ms + 3_600_000), [0, 0], "it was set forward an hour");
        assert!(at(86_400_000_000_000, NOW.unix_ms + 90_000_000).is_empty(), "before the scale begins");
    }

    #[test]
    fn a_damaged_file_is_set_aside_with_a_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        assert!(load(&path, &NOW).unwrap().is_none());
        let good = encode(&book(), false, &NOW);
        save(&path, &good).unwrap();
        assert_eq!(load(&path, &NOW).unwrap().unwrap().records.len(), 2);
        let halved = &good[..good.len() / 2];
        let newer = good.replacen("\"version\":1", "\"version\":2", 1);
        for (text, why) in [(halved, "checksum"), (newer.as_str(), "version 2"), ("", "header"), ("x\ny", "header")] {
            fs::write(&path, text).unwrap();
            let message = load(&path, &NOW).unwrap_err();
            assert!(message.contains(why) && message.contains("damaged-1700000000"), "{message}");
            assert!(!path.exists() && with_end(&path, ".damaged-1700000000").exists());
        }
    }

    #[test]
    fn a_half_written_successor_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        save(&path, &encode(&book(), false, &NOW)).unwrap();
        fs::write(with_end(&path, ".new"), "{\"weir\":").unwrap();
        assert_eq!(load(&path, &NOW).unwrap().unwrap().records.len(), 2);
        save(&path, &encode(&Book::default(), false, &NOW)).unwrap();
        assert!(load(&path, &NOW).unwrap().unwrap().records.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, cut in 0usize..600, with: u8) {
            let _ = decode(&bytes, &NOW);
            let mut text = encode(&book(), false, &NOW).into_bytes();
            let at = cut % text.len();
            let changed = text[at] != with;
            text[at] = with;
            let read = decode(&text, &NOW);
            // One changed byte is always noticed, but for one that leaves the header saying the same.
            prop_assert!(!changed || read.is_err() || at < 60);
        }
    }
}
