//! The history's file: what is saved is loaded, and nothing that a file may hold does harm.

use super::*;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;
use weir::flood::history::{LoadError, unpack};

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("history")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const NOW: u64 = 3 * DAY;
/// Lines of one and two slots' worth, so that a file is short.
const TINY: Sizes = Sizes { clients: 16, net24: 8, net16: 8 };

/// People of whom every fourth is credited, and no two of the same age.
fn people(sizes: Sizes, count: u32) -> History {
    let mut good: Vec<(u64, u32)> = vec![];
    for n in 0..count {
        let times = [0, 1, 700 + HOUR];
        let times = if n % 4 == 0 { &times[..] } else { &times[..1] };
        good.extend(times.iter().map(|seconds| (u64::from(n) * 1_000 % DAY + seconds, n)));
    }
    good.sort_unstable();
    let history = history(sizes);
    good.iter().for_each(|&(seconds, n)| history.good(spread(n), at(seconds)));
    history
}

/// What is known of all the people, and of others.
fn standings(history: &History, count: u32, asked: u64) -> Vec<Known> {
    (0..count * 2).map(|n| known(history, spread(n), asked)).collect()
}

fn load(path: &Path, sizes: Sizes, seconds: u64) -> Result<History, LoadError> {
    History::load(path, sizes, UNIX_ZERO, at(seconds))
}

#[test]
fn what_is_saved_is_loaded() {
    let (place, history) = (Place::new(), people(SMALL, 500));
    let bytes = history.save(&place.file(), at(NOW)).unwrap();
    let metadata = fs::metadata(place.file()).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (bytes, 0o600));
    assert_eq!(place.names(), ["history"], "no temporary file is left");
    // An hour later, in a process whose scale begins elsewhere.
    let loaded = History::load(&place.file(), SMALL, UNIX_ZERO + NOW + HOUR, at(0)).unwrap();
    let later = NOW + HOUR;
    let found: Vec<_> = (0..1_000).map(|n| loaded.known(loaded.locate(spread(n)), at(0))).collect();
    assert_eq!(found, standings(&history, 500, later));
    assert!(found.iter().filter(|known| known.standing == Standing::Credited).count() >= 120);
    assert_eq!(loaded.filled(), history.sweep(at(later)));
}

#[test]
fn saving_again_replaces_the_file_and_what_a_crash_left() {
    let place = Place::new();
    fs::write(place.0.path().join("history.tmp"), "left over").unwrap();
    people(SMALL, 100).save(&place.file(), at(NOW)).unwrap();
    let history = people(SMALL, 200);
    history.save(&place.file(), at(NOW)).unwrap();
    assert_eq!(place.names(), ["history"]);
    assert_eq!(load(&place.file(), SMALL, NOW).unwrap().filled(), history.sweep(at(NOW)));
    let nowhere = place.0.path().join("missing/history");
    assert_eq!(history.save(&nowhere, at(NOW)).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn what_is_over_is_not_loaded() {
    let (place, history) = (Place::new(), people(SMALL, 100));
    history.save(&place.file(), at(NOW)).unwrap();
    for days in [31, 42, 43, 400, 100_000] {
        assert_eq!(load(&place.file(), SMALL, days * DAY).unwrap().filled().clients, 0, "after {days} days");
    }
    assert!(load(&place.file(), SMALL, 13 * DAY).unwrap().filled().clients >= 100);
}

#[test]
fn a_clock_set_back_makes_nobody_older() {
    let (place, history) = (Place::new(), people(SMALL, 100));
    history.good(spread(1_000), at(NOW - 60));
    history.save(&place.file(), at(NOW)).unwrap();
    let expected = standings(&history, 100, NOW);
    for back in [300, HOUR, DAY, 40 * DAY] {
        let now = at(0);
        let loaded = History::load(&place.file(), SMALL, UNIX_ZERO + NOW - back, now).unwrap();
        let ask = |client, seconds: u64| loaded.known(loaded.locate(client), now + Duration::from_secs(seconds));
        let found: Vec<_> = (0..200).map(|n| ask(spread(n), 0)).collect();
        assert_eq!(found, expected, "{back} s back");
        assert_eq!(ask(spread(1_000), 0).standing, Standing::Unknown);
        assert_eq!(ask(spread(1_000), HOUR).standing, Standing::Seen);
    }
}

#[test]
fn other_sizes_keep_everybody_that_has_room() {
    let place = Place::new();
    let history = people(SMALL, 300);
    history.save(&place.file(), at(NOW)).unwrap();
    let expected = standings(&history, 300, NOW);
    for slots in [512, 1000, 2048, 5000, 16_384] {
        let sizes = Sizes { clients: slots, net24: slots, net16: slots };
        let loaded = load(&place.file(), sizes, NOW).unwrap();
        assert_eq!(loaded.bytes(), History::new(sizes, Seeds::fixed(1), 0).bytes(), "the config decides");
        let found = standings(&loaded, 300, NOW);
        let same = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
        assert!(same >= 590, "{slots} slots: {same} of 600");
        assert!(found.iter().zip(&expected).all(|(a, b)| a.standing >= b.standing), "{slots} slots");
    }
    let least = Sizes { clients: 1, net24: 1, net16: 1 };
    assert_eq!(load(&place.file(), least, NOW).unwrap().filled().clients, 8);
}

/// A tiny file, and what it holds.
fn tiny() -> (Place, Vec<u8>) {
    let place = Place::new();
    people(TINY, 12).save(&place.file(), at(NOW)).unwrap();
    let bytes = fs::read(place.file()).unwrap();
    (place, bytes)
}

/// The bytes that a loaded history is saved as.
fn saved_again(place: &Place, bytes: &[u8]) -> Option<Vec<u8>> {
    fs::write(place.file(), bytes).unwrap();
    let history = load(&place.file(), TINY, NOW).ok()?;
    history.save(&place.file(), at(NOW)).unwrap();
    Some(fs::read(place.file()).unwrap())
}

#[test]
fn a_flipped_bit_is_an_error_or_makes_no_difference() {
    let (place, bytes) = tiny();
    let expected = saved_again(&place, &bytes).unwrap();
    let mut refused = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match saved_again(&place, &flipped) {
            None => refused += 1,
            Some(found) => assert!(found == expected, "bit {bit} made a difference"),
        }
    }
    assert!(refused > bytes.len() * 7, "{refused} of {} bits", bytes.len() * 8);
}

#[test]
fn a_file_cut_short_or_with_more_behind_is_an_error() {
    let (place, bytes) = tiny();
    for len in 0..bytes.len() {
        fs::write(place.file(), &bytes[..len]).unwrap();
        assert!(load(&place.file(), TINY, NOW).is_err(), "cut at {len}");
    }
    for more in [&b"x"[..], &bytes] {
        fs::write(place.file(), [&bytes, more].concat()).unwrap();
        assert!(matches!(load(&place.file(), TINY, NOW), Err(LoadError::Damaged(_))));
    }
}

#[test]
fn what_can_not_be_used_is_set_aside() {
    let (_, bytes) = tiny();
    let mut future = bytes.clone();
    future[8] = 2;
    for (contents, why) in [
        (&b""[..], "ends too early"),
        (b"PNG and so on", "does not begin as a history file"),
        (&bytes[..40], "ends too early"),
        (&future, "its format is version 2; this weir reads version 1"),
    ] {
        let place = Place::new();
        fs::write(place.file(), contents).unwrap();
        let (history, message) = History::open(&place.file(), TINY, Seeds::fixed(2), UNIX_ZERO, at(NOW));
        let aside = format!("history.damaged-{}", UNIX_ZERO + NOW);
        let message = message.unwrap();
        assert!(message.contains(why) && message.contains(&aside), "{message}");
        assert_eq!(place.names(), [aside.as_str()]);
        assert_eq!(fs::read(place.0.path().join(aside)).unwrap(), contents, "kept for who wants to know");
        assert_eq!(history.sweep(at(NOW)).clients, 0);
        history.save(&place.file(), at(NOW)).unwrap();
    }
}

#[test]
fn a_missing_file_is_no_fault() {
    let place = Place::new();
    let (history, message) = History::open(&place.file(), TINY, Seeds::fixed(2), UNIX_ZERO, at(NOW));
    assert_eq!((message, history.filled().clients), (None, 0));
    history.good(spread(1), at(NOW));
    history.save(&place.file(), at(NOW)).unwrap();
    let (history, message) = History::open(&place.file(), TINY, Seeds::fixed(2), UNIX_ZERO, at(NOW + HOUR));
    assert_eq!((message, history.filled().clients), (None, 1));
}

/// A file's contents as they are before compression, without their checksum.
fn contents(bytes: &[u8]) -> Vec<u8> {
    let mut raw = zstd::decode_all(&bytes[10..]).unwrap();
    raw.truncate(raw.len() - 4);
    raw
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What a hostile file with a right checksum may say: no panic, and no more entries than there is room for.
    #[test]
    fn no_contents_do_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut in prop::option::of(any::<prop::sample::Index>()),
        slots in 1u32..200,
    ) {
        static CONTENTS: OnceLock<Vec<u8>> = OnceLock::new();
        let mut raw = CONTENTS.get_or_init(|| contents(&tiny().1)).clone();
        for (at, byte) in changes {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if let Some(cut) = cut {
            raw.truncate(cut.index(raw.len()));
        }
        let sizes = Sizes { clients: slots, net24: slots, net16: slots };
        if let Ok(history) = unpack(&mut raw.as_slice(), sizes, UNIX_ZERO, at(NOW)) {
            prop_assert!(history.filled().clients <= slots.next_multiple_of(8));
            history.good(spread(1), at(NOW));
            let _ = standings(&history, 12, NOW);
        }
    }
}
