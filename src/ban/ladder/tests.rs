//! Up and down the ladder, who is spared, the cap, and networks banned for their members.

use super::*;
use crate::ban::{Bans, Offence};
use crate::config;
use crate::event::record::Text;
use proptest::prelude::*;
use std::collections::HashSet;

const START: Time = Time::from_nanos(86_400_000_000_000);

/// A world in which tests say who is who.
#[derive(Default)]
struct World {
    exempt: Vec<Network>,
    good: HashSet<ClientKey>,
    seen: HashSet<ClientKey>,
}

impl Standing for World {
    fn exempt(&self, network: Network) -> Option<String> {
        let met = self.exempt.iter().any(|e| e.covers(network) || network.covers(*e));
        met.then(|| "is exempt".into())
    }
    fn of(&self, client: ClientKey) -> Regard {
        match client {
            _ if self.good.contains(&client) => Regard::Good,
            _ if self.seen.contains(&client) => Regard::Seen,
            _ => Regard::Stranger,
        }
    }
}

struct Bench {
    settings: Settings,
    book: Book,
    ladder: Ladder,
    world: World,
    hold: bool,
}

impl Bench {
    fn new(keys: &str) -> Self {
        let text = format!("[origin]\naddresses = [\"127.0.0.1:9000\"]\n[ban]\n{keys}");
        let settings = config::load_str(&text, "test").unwrap_or_else(|f| panic!("{f}")).settings.ban;
        Self { settings, book: Book::default(), ladder: Ladder::default(), world: World::default(), hold: false }
    }

    fn judge(&mut self, clients: &[&str], now: Time) -> Vec<Record> {
        let suspects: Vec<_> = clients.iter().map(|c| suspect(c, now)).collect();
        let terms = Terms { settings: &self.settings, ipv6_prefix: 64, hold: self.hold };
        self.ladder.judge(suspects.into_iter(), &mut self.book, &terms, &self.world, now)
    }

    fn tidy(&mut self, now: Time) {
        let terms = Terms { settings: &self.settings, ipv6_prefix: 64, hold: self.hold };
        self.ladder.tidy(&mut self.book, &terms, now);
    }

    /// The step of the client's offence at `now`, and for how many seconds.
    fn offend(&mut self, client: &str, now: Time) -> Option<(u8, u64)> {
        let raised = self.judge(&[client], now);
        raised.first().map(|r| (r.step.0, r.until.since(now).as_secs()))
    }
}

fn suspect(client: &str, at: Time) -> Suspect {
    let threshold = crate::config::settings::Threshold { rate: "60/m".parse().unwrap(), burst: 120 };
    Suspect { client: key(client), kind: Offence::Refused, at, threshold, path: Text::new(b"/x") }
}

fn key(address: &str) -> ClientKey {
    ClientKey::new(address.parse().unwrap(), 64)
}

fn net(text: &str) -> Network {
    Network::of_net(text.parse().unwrap())
}

fn after(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

#[test]
fn a_client_that_goes_on_climbs_to_the_top_and_stays_there() {
    let mut bench = Bench::new("");
    let steps: Vec<_> = (0..6).filter_map(|n| bench.offend("192.0.2.7", after(n * 5))).collect();
    assert_eq!(steps, [(0, 10), (1, 30), (2, 60), (3, 600), (4, 3_600), (4, 3_600)]);
    let record = bench.book.get(net("192.0.2.7/32")).unwrap();
    assert_eq!((record.reason.as_str(), record.evidence.unwrap().path.to_text().as_ref()), ("refusals", "/x"));
}

#[test]
fn what_was_on_its_way_is_not_held_against_anybody() {
    let mut bench = Bench::new("");
    assert_eq!(bench.judge(&["192.0.2.7"; 50], START).len(), 1);
    assert_eq!(bench.offend("192.0.2.7", after(1)), None);
    assert_eq!(bench.offend("192.0.2.7", after(2)), Some((1, 30)));
}

#[test]
fn who_keeps_still_comes_down_again() {
    let mut bench = Bench::new("");
    for n in 0..3 {
        bench.offend("192.0.2.7", after(n * 5));
    }
    // The first ban ends at 70 s and counts for an hour; then closing counts for half an hour, then refusing for 10 min.
    let at = |seconds| {
        Bench::offend(&mut Bench { book: reread(&bench.book), ..Bench::new("") }, "192.0.2.7", after(seconds))
    };
    assert_eq!(at(70 + 3_599), Some((3, 600)));
    assert_eq!(at(70 + 3_600), Some((2, 60)));
    assert_eq!(at(70 + 3_600 + 1_800), Some((1, 30)));
    assert_eq!(at(70 + 3_600 + 1_800 + 600), Some((0, 10)));
    bench.tidy(after(70 + 3_600 + 1_800 + 599));
    assert_eq!(bench.book.len(), 1);
    bench.tidy(after(70 + 3_600 + 1_800 + 600));
    assert!(bench.book.is_empty(), "nothing is kept for ever");
}

fn reread(book: &Book) -> Book {
    let mut copy = Book::default();
    book.records().for_each(|r| copy.put(r.clone(), START).unwrap());
    copy
}

#[test]
fn forget_after_bounds_the_memory() {
    let mut bench = Bench::new("forget_after = \"1m\"");
    bench.offend("192.0.2.7", START);
    assert_eq!(bench.offend("192.0.2.7", after(69)), Some((1, 30)));
    assert_eq!(bench.offend("192.0.2.7", after(69 + 30 + 121)), Some((0, 10)));
}

#[test]
fn the_exempt_are_spared_and_the_good_are_never_banned() {
    let mut bench = Bench::new("");
    bench.world.exempt = vec![net("10.0.0.0/8")];
    bench.world.good.insert(key("192.0.2.7"));
    assert_eq!(bench.offend("10.1.2.3", START), None);
    let steps: Vec<_> = (0..5).filter_map(|n| bench.offend("192.0.2.7", after(n * 5))).map(|(step, _)| step).collect();
    assert_eq!(steps, [0, 1, 1, 1, 1]);
    assert_eq!(bench.ladder.tally().spared, 1);
}

#[test]
fn an_operators_word_is_neither_shortened_nor_replaced() {
    let mut bench = Bench::new("");
    let record = Record::new(net("192.0.2.7/32"), Step::REFUSE, Who::Operator, START, after(86_400));
    bench.book.put(record, START).unwrap();
    assert_eq!(bench.offend("192.0.2.7", after(10)), None);
    assert_eq!(bench.book.get(net("192.0.2.7/32")).unwrap().until, after(86_400));
}

#[test]
fn a_storm_meets_the_cap_and_waits() {
    let mut bench = Bench::new("max_per_minute = 10");
    let storm: Vec<String> = (0..200).map(|n| format!("198.51.100.{n}")).collect();
    let storm: Vec<&str> = storm.iter().map(String::as_str).collect();
    assert_eq!(bench.judge(&storm, START).len(), 10);
    assert_eq!((bench.ladder.waiting(), bench.ladder.tally().capped), (190, 190));
    assert_eq!(bench.judge(&[], after(59)).len(), 0);
    assert_eq!(bench.judge(&[], after(60)).len(), 10);
    assert_eq!(bench.judge(&storm[10..20], after(65)).len(), 10, "who is banned already climbs");
    assert_eq!((bench.judge(&[], after(121)).len(), bench.ladder.waiting()), (0, 0), "long ago is no reason");
    assert_eq!(bench.ladder.tally().given_up, 180);
}

#[test]
fn nobody_is_banned_while_the_ladder_is_held_or_off() {
    let mut bench = Bench::new("");
    bench.hold = true;
    assert_eq!(bench.offend("192.0.2.7", START), None);
    bench.hold = false;
    bench.settings.enabled = false;
    assert_eq!(bench.offend("192.0.2.7", START), None);
    assert!(bench.book.is_empty());
}

/// Brings `count` neighbours to their first timed ban, 5 s a step.
fn neighbours(bench: &mut Bench, count: u32, from: u64) -> Vec<Record> {
    let clients: Vec<String> = (0..count).map(|n| format!("198.51.100.{n}")).collect();
    let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    bench.judge(&clients, after(from));
    bench.judge(&clients, after(from + 5));
    bench.judge(&clients, after(from + 10))
}

/// Others of that network that were seen, beside the members.
fn others(count: u32) -> HashSet<ClientKey> {
    (0..count).map(|n| key(&format!("198.51.100.{}", 100 + n))).collect()
}

#[test]
fn a_network_is_banned_with_most_of_its_clients_and_ends_with_them() {
    let mut bench = Bench::new("");
    bench.world.seen = others(8);
    let raised = neighbours(&mut bench, 8, 0);
    let last = raised.last().unwrap();
    assert_eq!((last.network, last.who, last.until), (net("198.51.100.0/24"), Who::Members, after(70)));
    assert_eq!(last.reason, "8 of its 16 clients seen lately are banned");
    let bans = Bans::default();
    bench.book.publish(&bans, true, after(11));
    assert!(bans.lookup(key("198.51.100.200"), after(11)).is_some_and(|b| !b.closes()));
    bench.book.remove(net("198.51.100.3/32"));
    bench.tidy(after(12));
    assert!(bench.book.get(net("198.51.100.0/24")).is_none(), "seven are too few");
}

#[test]
fn a_network_is_spared_where_its_members_do_not_justify_it() {
    for (members, seen) in [(7, 0), (8, 9)] {
        let mut bench = Bench::new("");
        bench.world.seen = others(seen);
        assert_eq!(neighbours(&mut bench, members, 0).len(), members as usize, "{members} {seen}");
    }
    let mut bench = Bench::new("");
    bench.world.good = others(1);
    assert_eq!(neighbours(&mut bench, 8, 0).len(), 8, "a good client is inside");
    let mut bench = Bench::new("");
    bench.world.exempt = vec![net("198.51.100.250/32")];
    assert_eq!(neighbours(&mut bench, 8, 0).len(), 8, "an allowed client is inside");
    assert_eq!(neighbours(&mut Bench::new("rollup_members = 0"), 20, 0).len(), 20, "turned off");
}

#[test]
fn ipv6_networks_roll_up_from_56_to_48() {
    let mut bench = Bench::new("");
    let clients: Vec<String> = (0..8).map(|n| format!("2001:db8:1:{:x}::1", n << 8)).collect();
    let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    let raised: Vec<_> = [0, 5, 10].into_iter().flat_map(|s| bench.judge(&clients, after(s))).collect();
    let wide: Vec<_> = raised.iter().filter(|r| r.who == Who::Members).map(|r| r.network.to_string()).collect();
    assert_eq!(wide, ["2001:db8:1::/48"]);
}

proptest! {
    #[test]
    fn never_an_exempt_client_never_over_the_cap_never_shorter(
        events in prop::collection::vec((0u8..60, 0u64..5_000), 1..300), cap in 1u32..20,
    ) {
        let mut bench = Bench::new(&format!("max_per_minute = {cap}\nrollup_members = 4"));
        bench.world.exempt = vec![net("192.0.2.0/28")];
            let mut now = START;
        let mut fresh: Vec<Time> = Vec::new();
        for (host, gap) in events {
            now = now + Duration::from_millis(gap);
            let before: Vec<(Network, Time)> =
                bench.book.records().filter(|r| r.is_active(now)).map(|r| (r.network, r.until)).collect();
            let raised = bench.judge(&[&format!("192.0.2.{host}")], now);
            for record in &raised {
                prop_assert!(bench.world.exempt(record.network).is_none());
                match before.iter().find(|(n, _)| *n == record.network) {
                    Some((_, until)) => prop_assert!(record.until >= *until),
                    None => fresh.push(now),
                }
            }
            fresh.retain(|at| now.since(*at) < MINUTE);
            prop_assert!(fresh.len() <= cap as usize);
        }
    }
}
