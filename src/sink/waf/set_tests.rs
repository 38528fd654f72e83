//! One set: whose an entry is after what was read, sent and lost.

use super::*;
use std::time::Duration;

const NET: &str = "192.0.2.7/32";

fn net() -> IpNet {
    NET.parse().unwrap()
}

fn stay(now: u64) -> Stay {
    Stay { grace: Duration::from_secs(600), leftovers_after: None, now }
}

fn content(addresses: &[&str], token: &str) -> Content {
    let addresses = addresses.iter().map(|a| (*a).to_owned()).collect();
    Content { addresses, token: token.into(), description: None, ipv4: true }
}

/// A set in which `NET` is to be, and the update that brings it.
fn drafted() -> (Set, Draft) {
    let mut set = Set::new("a", true);
    assert_eq!(set.read(content(&["rubbish"], "1"), &stay(0)), Seen::Now);
    let item = Item { network: net(), until: 60_000, since: 0, harm: 1, operator: false, members: 1 };
    set.assign(BTreeMap::from([(net(), item)]));
    assert_eq!(set.is_due(&stay(0), 9), Some(true));
    let draft = set.draft(&stay(0), 9).unwrap();
    assert_eq!(
        (draft.content.addresses.as_slice(), draft.add.as_slice()),
        (&["rubbish".into(), NET.into()][..], &[net()][..])
    );
    (set, draft)
}

fn saved(set: &mut Set) -> (Vec<Record>, Vec<Key>) {
    let (mut put, mut drop) = (vec![], vec![]);
    set.unsaved(&mut put, &mut drop);
    (put, drop)
}

#[test]
fn what_comes_in_is_written_down_before_and_struck_out_after() {
    let (mut set, draft) = drafted();
    assert_eq!(saved(&mut set).0[0].network, net());
    assert!(set.accepted(draft, "2".into(), 1).is_empty());
    assert_eq!((set.ours(), set.is_due(&stay(1), 9)), (1, None));
    set.assign(BTreeMap::new());
    let draft = set.draft(&stay(2), 9).unwrap();
    assert_eq!(draft.content.addresses, ["rubbish"]);
    assert_eq!(saved(&mut set), (vec![], vec![]), "its record stays until AWS took it");
    set.accepted(draft, "3".into(), 3);
    assert_eq!(saved(&mut set), (vec![], vec![("a".to_owned(), net())]));
}

#[test]
fn after_a_lost_race_what_is_there_is_the_others() {
    let (mut set, draft) = drafted();
    set.refused(&draft, Kind::Locked);
    assert!(set.content.is_none(), "the old list is not sent again");
    assert_eq!(set.read(content(&["rubbish"], "1"), &stay(1)), Seen::Stale);
    assert_eq!(set.read(content(&["rubbish", NET], "2"), &stay(1)), Seen::Now);
    assert!(set.is_foreign(&net()));
    set.assign(BTreeMap::new());
    assert!(set.draft(&stay(u64::MAX), 9).is_none(), "and never goes");
}

#[test]
fn after_a_lost_answer_what_is_there_is_weirs() {
    let (mut set, draft) = drafted();
    set.refused(&draft, Kind::Unreachable);
    set.read(content(&["rubbish", NET], "2"), &stay(1));
    assert!(set.holds(&net()) && !set.is_foreign(&net()));
    set.assign(BTreeMap::new());
    assert_eq!(set.draft(&stay(2), 9).unwrap().content.addresses, ["rubbish"]);
}

#[test]
fn a_record_outlives_reads_that_come_late() {
    let (mut set, draft) = drafted();
    set.accepted(draft, "2".into(), 1);
    set.assign(BTreeMap::new());
    set.read(content(&["rubbish"], "0"), &stay(1_000));
    assert!(set.holds(&net()), "an answer may be older than the update");
    set.read(content(&["rubbish", NET], "2"), &stay(2_000));
    assert_eq!(set.draft(&stay(2_000), 9).unwrap().content.addresses, ["rubbish"]);
    set.read(content(&["rubbish"], "3"), &stay(3_000));
    set.read(content(&["rubbish"], "3"), &stay(3_000 + ABSENT));
    assert!(!set.holds(&net()), "somebody took it out, long ago");
}

#[test]
fn what_was_taken_out_by_hand_comes_back() {
    let (mut set, draft) = drafted();
    set.accepted(draft, "2".into(), 1);
    set.read(content(&["rubbish"], "3"), &stay(1_000));
    let draft = set.draft(&stay(1_000), 9).unwrap();
    assert_eq!(set.accepted(draft, "4".into(), 1_001), [net()]);
}

#[test]
fn leftovers_go_after_their_time_where_that_is_set() {
    let mut set = Set::new("a", true);
    let short = |now| Stay { leftovers_after: Some(Duration::from_secs(60)), ..stay(now) };
    set.read(content(&[NET, "rubbish"], "1"), &short(0));
    let (put, _) = saved(&mut set);
    assert!(put[0].leftover && set.is_foreign(&net()));
    assert!(set.draft(&short(59_999), 9).is_none());
    let draft = set.draft(&short(60_000), 9).unwrap();
    assert_eq!(draft.content.addresses, ["rubbish"], "what is no network stays");
    set.read(content(&[NET], "1"), &stay(0));
    assert_eq!(saved(&mut set).1, [("a".to_owned(), net())], "unset, nobody counts the time");
}

#[test]
fn a_set_of_the_other_family_is_not_touched() {
    let mut set = Set::new("a", false);
    assert_eq!(set.read(content(&[], "1"), &stay(0)), Seen::Wrong);
    assert!(set.content.is_none());
}
