//! The book is bounded, keeps what an operator says, and shows readers exactly what holds.

use super::*;
use crate::client::key::ClientKey;
use proptest::prelude::*;
use std::time::Duration;

const START: Time = Time::from_nanos(86_400_000_000_000);

fn net(text: &str) -> Network {
    let net = text.parse().unwrap_or_else(|_| text.parse::<std::net::IpAddr>().unwrap().into());
    Network::of_net(net)
}

fn key(address: &str) -> ClientKey {
    ClientKey::new(address.parse().unwrap(), 128)
}

fn after(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

fn record(network: Network, step: u8, who: Who, seconds: u64) -> Record {
    Record::new(network, Step(step), who, START, after(seconds))
}

fn published(book: &mut Book, ladder: bool, now: Time) -> Bans {
    let bans = Bans::default();
    book.publish(&bans, ladder, now);
    bans
}

#[test]
fn the_narrowest_ban_that_holds_is_found() {
    let mut book = Book::default();
    book.put(record(net("192.0.2.0/24"), 0, Who::Operator, 100), START).unwrap();
    book.put(record(net("192.0.2.7"), 2, Who::Ladder, 10), START).unwrap();
    book.put(record(net("2001:db8:0:1::/64"), 1, Who::Ladder, 10), START).unwrap();
    let bans = published(&mut book, true, START);
    let step = |address: &str, now| bans.lookup(key(address), now).map(|b| b.step.0);
    assert_eq!((step("192.0.2.7", START), step("192.0.2.8", START)), (Some(2), Some(0)));
    assert_eq!(step("192.0.2.7", after(10)), Some(0), "over is over, published anew or not");
    assert_eq!(step("192.0.2.8", after(100)), None);
    assert_eq!((step("2001:db8:0:1::9", START), step("2001:db8:0:2::9", START)), (Some(1), None));
    assert_eq!((step("192.0.3.1", START), step("::ffff:192.0.2.9", START)), (None, Some(0)));
}

#[test]
fn without_the_ladder_only_operators_are_heard() {
    let mut book = Book::default();
    book.put(record(net("192.0.2.7"), 2, Who::Ladder, 10), START).unwrap();
    book.put(record(net("198.51.100.0/24"), 2, Who::Members, 10), START).unwrap();
    book.put(record(net("192.0.2.0/24"), 0, Who::Operator, 10), START).unwrap();
    let bans = published(&mut book, false, START);
    assert_eq!(bans.lookup(key("192.0.2.7"), START).unwrap().who, Who::Operator);
    assert_eq!(bans.lookup(key("198.51.100.1"), START), None);
}

#[test]
fn only_who_answers_for_itself_is_closed_without_a_word() {
    let ban = |step, who| Ban { network: net("192.0.2.7"), step: Step(step), until: START, who };
    assert!(ban(1, Who::Ladder).closes() && ban(4, Who::Ladder).closes() && !ban(0, Who::Ladder).closes());
    assert!(!ban(4, Who::Members).closes() && !ban(4, Who::Operator).closes());
}

#[test]
fn requests_that_meet_a_ban_are_counted_across_publications() {
    let mut book = Book::default();
    book.put(record(net("192.0.2.7"), 0, Who::Operator, 10), START).unwrap();
    let bans = published(&mut book, true, START);
    bans.check(key("192.0.2.7"), START);
    book.put(record(net("192.0.2.8"), 0, Who::Operator, 10), START).unwrap();
    book.publish(&bans, true, START);
    bans.check(key("192.0.2.7"), START);
    bans.lookup(key("192.0.2.7"), START);
    assert_eq!(book.get(net("192.0.2.7")).unwrap().hits(), 2);
    assert_eq!(Bans::default().check(key("192.0.2.7"), START), None);
}

#[test]
fn a_full_book_lets_the_least_go_and_never_an_operators() {
    let mut book = Book::with_capacity(3);
    book.put(record(net("192.0.2.1"), 0, Who::Operator, 5), START).unwrap();
    book.put(record(net("192.0.2.2"), 3, Who::Ladder, 100), START).unwrap();
    book.put(record(net("192.0.2.3"), 2, Who::Ladder, 100), START).unwrap();
    book.put(record(net("192.0.2.4"), 0, Who::Ladder, 10), START).unwrap();
    assert!(book.get(net("192.0.2.3")).is_none() && book.get(net("192.0.2.1")).is_some());
    book.put(record(net("192.0.2.5"), 0, Who::Operator, 10), after(50)).unwrap();
    assert!(book.get(net("192.0.2.4")).is_none(), "what is over goes first");
    assert_eq!((book.len(), book.evicted()), (3, 2));
    book.put(record(net("192.0.2.6"), 0, Who::Operator, 10), START).unwrap();
    assert_eq!(book.put(record(net("192.0.2.7"), 9, Who::Ladder, 10), START), Err(Full));
    assert_eq!(book.len(), 3);
}

#[test]
fn what_lies_inside_a_network_is_found() {
    let mut book = Book::default();
    for text in ["10.0.1.255", "10.0.2.0", "10.0.2.0/24", "10.0.2.128/25", "10.0.2.255", "10.0.3.0", "10.0.0.0/16"] {
        book.put(record(net(text), 0, Who::Ladder, 5), START).unwrap();
    }
    let inside: Vec<String> = book.inside(net("10.0.2.0/24")).map(|r| r.network.to_string()).collect();
    assert_eq!(inside, ["10.0.2.0/24", "10.0.2.0", "10.0.2.128/25", "10.0.2.255"]);
}

proptest! {
    #[test]
    fn never_over_capacity_and_readers_see_what_holds(
        puts in prop::collection::vec((0u32..40, 20u8..=32, 0u8..5, 0usize..3, 0u64..50), 1..120), now in 0u64..60,
    ) {
        let mut book = Book::with_capacity(20);
        let whos = [Who::Ladder, Who::Members, Who::Operator];
        for (host, length, step, who, seconds) in puts {
            let network = Network::around(key(&format!("192.0.2.{host}")), length);
            let _ = book.put(record(network, step, whos[who], seconds), START);
            prop_assert!(book.len() <= 20);
        }
        let bans = published(&mut book, true, after(now));
        for host in 0..60 {
            let address = key(&format!("192.0.2.{host}"));
            let at = Network::around(address, 32);
            let holding = book.records().filter(|r| r.is_active(after(now)) && r.network.covers(at));
            let narrowest = holding.max_by_key(|r| r.network.length()).map(|r| r.network);
            prop_assert_eq!(bans.lookup(address, after(now)).map(|b| b.network), narrowest);
        }
    }
}
