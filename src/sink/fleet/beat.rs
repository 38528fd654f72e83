//! Heartbeats, and what the leader makes of them: a thousand tasks write one each second, one task reads them all, and
//! everybody reads its digest.

use crate::base::clock::Time;
use crate::control::bans::is_task;
use crate::control::identity::Identity;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// The longest heartbeat, and the longest digest.
pub(super) const MAX_BEAT: usize = 64 << 10;
/// The longest digest.
pub(super) const MAX_DIGEST: usize = 8 << 20;
/// Who has not changed its heartbeat for so long is gone.
const GONE: Duration = Duration::from_secs(4);
/// Its heartbeat is struck out after so long.
const FORGET: Duration = Duration::from_secs(10);
/// The most tasks that are counted.
const MAX_TASKS: usize = 10_000;

/// What a task says of itself each second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beat {
    pub(super) identity: Identity,
    pub(super) version: String,
    /// When it started, in milliseconds since 1970.
    pub(super) started: u64,
    /// The state of its flood detector.
    pub(super) flood: String,
    /// Whether it carries load.
    pub(super) busy: bool,
    pub(super) bans: u64,
    /// Another each time: so the leader needs nobody's clock.
    pub(super) count: u64,
    /// The news that it has heard last.
    pub(super) applied: String,
}

/// What the leader says each second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Digest {
    pub(super) leader: String,
    pub(super) epoch: String,
    pub(super) tasks: u64,
    pub(super) busy: u64,
    pub(super) attack: u64,
    pub(super) overload: u64,
    /// Of the busy ones.
    pub(super) busy_attack: u64,
}

impl Digest {
    /// Whether most of those that carry load see an attack.
    pub(super) const fn is_attack(&self) -> bool {
        self.busy_attack > 0 && self.busy_attack * 2 >= self.busy
    }
}

/// One line of JSON, and bytes that mean something to others.
pub(super) fn pack(head: &impl Serialize, load: &[u8]) -> Vec<u8> {
    // Plain structs of texts and numbers: nothing that JSON can't hold.
    let mut bytes = serde_json::to_vec(head).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(load);
    bytes
}

/// Reads what [`pack`] wrote.
pub(super) fn unpack<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    Some((serde_json::from_slice(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// The leader's memory of who lives.
#[derive(Debug, Default)]
pub(super) struct Census {
    seen: HashMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    count: u64,
    at: Time,
}

/// What one look at all heartbeats gives.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) digest: Digest,
    /// What those alive want to be aggregated.
    pub(super) loads: Vec<(String, Vec<u8>)>,
    /// Whose heartbeats are to be struck out.
    pub(super) gone: Vec<String>,
    pub(super) faulty: u64,
}

impl Census {
    /// Looks at all heartbeats: who did not change its own for a while is gone.
    pub(super) fn take(&mut self, rows: Vec<(Vec<u8>, Vec<u8>)>, now: Time) -> Round {
        let mut round = Round::default();
        let mut met = Vec::new();
        for (name, value) in rows {
            let name = String::from_utf8(name).ok().filter(|name| is_task(name));
            let (Some(name), Some((beat, load))) = (name, unpack::<Beat>(&value)) else {
                round.faulty += 1;
                continue;
            };
            if met.len() == MAX_TASKS {
                break;
            }
            let seen = self.seen.entry(name.clone()).or_insert(Seen { count: beat.count, at: now });
            if seen.count != beat.count {
                *seen = Seen { count: beat.count, at: now };
            }
            let age = now.since(seen.at);
            if age >= FORGET {
                round.gone.push(name.clone());
            } else if age < GONE {
                round.digest.count(&beat);
                round.loads.push((name.clone(), load.to_vec()));
            }
            met.push(name);
        }
        met.sort_unstable();
        self.seen.retain(|name, _| met.binary_search(name).is_ok());
        round
    }
}

impl Digest {
    fn count(&mut self, beat: &Beat) {
        self.tasks += 1;
        self.busy += u64::from(beat.busy);
        let (attack, overload) = (beat.flood == "attack", beat.flood == "overload");
        self.attack += u64::from(attack);
        self.overload += u64::from(overload);
        self.busy_attack += u64::from(attack && beat.busy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(beats: &[(&str, u64, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let row = |(name, count, flood): &(&str, u64, &str)| {
            let beat = Beat { count: *count, busy: true, flood: (*flood).into(), ..Beat::default() };
            (name.as_bytes().to_vec(), pack(&beat, name.as_bytes()))
        };
        beats.iter().map(row).collect()
    }

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn who_does_not_change_is_gone_and_then_forgotten() {
        let mut census = Census::default();
        assert_eq!(census.take(rows(&[("a", 1, "attack"), ("b", 1, "normal")]), at(100)).digest.tasks, 2);
        let round = census.take(rows(&[("a", 4, "attack"), ("b", 1, "normal")]), at(104));
        assert_eq!((round.digest.tasks, round.digest.attack, round.gone.len()), (1, 1, 0));
        assert_eq!(round.loads, [("a".to_owned(), b"a".to_vec())]);
        let round = census.take(rows(&[("a", 9, "attack"), ("b", 1, "normal")]), at(110));
        assert_eq!(round.gone, ["b"]);
        assert_eq!(census.take(rows(&[("a", 9, "attack"), ("b", 2, "normal")]), at(111)).digest.tasks, 2, "b is back");
    }

    #[test]
    fn half_of_those_that_carry_load_make_an_attack() {
        let mut census = Census::default();
        let mut is_attack = |beats: &[(&str, u64, &str)]| census.take(rows(beats), at(1)).digest.is_attack();
        assert!(is_attack(&[("a", 1, "attack"), ("b", 1, "normal")]));
        assert!(!is_attack(&[("a", 1, "attack"), ("b", 1, "normal"), ("c", 1, "overload")]));
        assert!(!is_attack(&[]));
    }

    #[test]
    fn what_is_no_heartbeat_is_counted_and_passed_over() {
        let mut rows = rows(&[("a", 1, "normal"), ("b c", 1, "normal")]);
        rows.push((b"d".to_vec(), b"rubbish".to_vec()));
        rows.push((vec![255], pack(&Beat::default(), b"")));
        let round = Census::default().take(rows, at(1));
        assert_eq!((round.digest.tasks, round.faulty), (1, 3));
    }
}
