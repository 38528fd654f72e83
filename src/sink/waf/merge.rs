//! From what a set holds to what it shall hold: pure. Others' entries go through byte for byte.

use super::record::Record;
use super::want::{parsed, unfit};
use ipnet::IpNet;
use std::collections::HashSet;
use std::time::Duration;

/// How sure it is that an address in the set is weir's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Written down, but no update that carries it can have been applied: one that is there is somebody else's.
    Ahead,
    /// An update that carries it may have been applied: one that is there is weir's.
    Doubt,
    /// It was there.
    There,
}

/// What weir knows of one address in one set.
#[derive(Clone, Debug)]
pub struct Held {
    /// As it is kept in the store.
    pub record: Record,
    /// How sure it is.
    pub stage: Stage,
    /// Whether the book has named it since this writer began: once it names it no more, it is over.
    pub known: bool,
    /// When this writer heard of it: milliseconds since 1970.
    pub noticed: u64,
    /// Since when reads have not shown it.
    pub absent: Option<u64>,
}

/// How long what is nobody's stays.
#[derive(Clone, Copy, Debug)]
pub struct Stay {
    /// Of weir's own that its book does not know.
    pub grace: Duration,
    /// Of what no record explains; none: for ever.
    pub leftovers_after: Option<Duration>,
    /// Milliseconds since 1970.
    pub now: u64,
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is somebody else's, and stays.
    Foreign,
    /// It is weir's, and stays.
    Keep,
    /// It is weir's, and its time is over; or it was nobody's for too long.
    Go,
}

/// What becomes of an entry that weir knows so much of.
pub fn fate(held: Option<&Held>, planned: bool, stay: &Stay) -> Fate {
    let Some(held) = held else { return Fate::Foreign };
    let past = |begin: u64, time: Duration| stay.now.saturating_sub(begin) as u128 >= time.as_millis();
    if held.record.leftover {
        let over = stay.leftovers_after.is_some_and(|after| past(held.record.since, after));
        return if over && !planned { Fate::Go } else { Fate::Foreign };
    }
    let over = held.known || stay.now >= held.record.until || past(held.noticed, stay.grace);
    if planned || !over { Fate::Keep } else { Fate::Go }
}

/// What an update would do to a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// All that the set shall hold.
    pub list: Vec<String>,
    /// What comes in.
    pub add: Vec<IpNet>,
    /// What goes out.
    pub gone: Vec<IpNet>,
}

/// Merges: `entries` is what the set holds, in its order, `fate` what becomes of each that is a network, `planned` what
/// shall be there. Never more than `capacity`: what finds no room waits.
pub fn merge<'a>(
    entries: &[String],
    fate: impl Fn(&IpNet) -> Fate,
    planned: impl Iterator<Item = &'a IpNet>,
    capacity: usize,
) -> Merged {
    let (mut merged, mut there) = (Merged::default(), HashSet::new());
    for entry in entries {
        let network = parsed(entry);
        match network {
            Some(network) if fate(&network) == Fate::Go => merged.gone.push(network),
            _ => {
                there.extend(network);
                merged.list.push(entry.clone());
            }
        }
    }
    let room = capacity.saturating_sub(merged.list.len());
    // The last check before it is sent: one bad entry would make AWS refuse them all.
    merged.add = planned.filter(|n| !there.contains(*n) && unfit(n).is_none()).take(room).copied().collect();
    merged.list.extend(merged.add.iter().map(ToString::to_string));
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const NOW: u64 = 1_000_000;

    fn stay() -> Stay {
        Stay { grace: Duration::from_secs(600), leftovers_after: None, now: NOW }
    }

    fn held(until: u64) -> Held {
        let network = "192.0.2.7/32".parse().unwrap();
        let record = Record { set: "a".into(), network, since: 0, until, leftover: false };
        Held { record, stage: Stage::There, known: false, noticed: NOW, absent: None }
    }

    #[test]
    fn ours_go_when_they_are_over_and_unknown_ones_after_their_grace() {
        assert_eq!(fate(None, false, &stay()), Fate::Foreign);
        assert_eq!(fate(None, true, &stay()), Fate::Foreign, "what others hold is not taken over");
        assert_eq!(fate(Some(&held(NOW + 1)), false, &stay()), Fate::Keep);
        assert_eq!(fate(Some(&held(NOW)), false, &stay()), Fate::Go);
        assert_eq!(fate(Some(&held(NOW)), true, &stay()), Fate::Keep);
        let unknown = Held { noticed: NOW - 600_000, ..held(u64::MAX) };
        assert_eq!(fate(Some(&unknown), false, &stay()), Fate::Go);
        let lifted = Held { known: true, ..held(u64::MAX) };
        assert_eq!(fate(Some(&lifted), false, &stay()), Fate::Go);
    }

    #[test]
    fn leftovers_stay_unless_asked_otherwise() {
        let mut leftover = held(u64::MAX);
        leftover.record.leftover = true;
        assert_eq!(fate(Some(&leftover), false, &stay()), Fate::Foreign);
        let short = Stay { leftovers_after: Some(Duration::from_secs(1_000)), ..stay() };
        assert_eq!(fate(Some(&leftover), false, &short), Fate::Go);
        assert_eq!(fate(Some(&leftover), true, &short), Fate::Foreign);
        assert_eq!(fate(Some(&leftover), false, &Stay { now: NOW - 1, ..short }), Fate::Foreign);
    }

    proptest! {
        #[test]
        fn foreign_stays_ours_goes_and_it_never_overflows(
            there in proptest::collection::vec((0u8..40, 0u8..3), 0..40),
            planned in proptest::collection::btree_set(0u8..40, 0..40),
            capacity in 0usize..40,
        ) {
            let net = |n: u8| format!("192.0.2.{n}/32");
            let mut seen = BTreeSet::new();
            let there: Vec<(u8, u8)> = there.into_iter().filter(|(n, _)| seen.insert(*n)).collect();
            let mut entries: Vec<String> = there.iter().map(|(n, _)| net(*n)).collect();
            entries.push("not a network".into());
            let planned: Vec<IpNet> = planned.iter().map(|n| net(*n).parse().unwrap()).collect();
            let fates = [Fate::Foreign, Fate::Keep, Fate::Go];
            let fate_of = |n: &IpNet| {
                there.iter().find(|(m, _)| net(*m) == n.to_string()).map_or(Fate::Foreign, |(_, f)| fates[*f as usize])
            };
            let merged = merge(&entries, fate_of, planned.iter(), capacity);
            let stays: Vec<&String> =
                entries.iter().filter(|e| e.parse().map_or(true, |n| fate_of(&n) != Fate::Go)).collect();
            prop_assert!(merged.list.iter().take(stays.len()).eq(stays.iter().copied()), "in order, byte for byte");
            prop_assert!(merged.list.len() <= capacity.max(stays.len()));
            prop_assert_eq!(merged.list.iter().collect::<BTreeSet<_>>().len(), merged.list.len());
            prop_assert!(merged.gone.iter().all(|n| fate_of(n) == Fate::Go));
            let again = merge(&merged.list, |n| match fate_of(n) { Fate::Go => Fate::Keep, f => f }, planned.iter(), capacity);
            prop_assert!(again.gone.is_empty() && again.list == merged.list, "a second time changes nothing");
        }
    }
}
