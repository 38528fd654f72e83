//! The history against exact times of everybody.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// All that the rules ask of one client or network, in seconds.
#[derive(Clone, Copy)]
struct Exact {
    first: u64,
    last: u64,
    count: u32,
    other_slot: bool,
    credited: Option<u64>,
}

/// Everybody, by the rules, where everything must be `margin` seconds further from its edge.
struct Oracle {
    margin: u64,
    entries: HashMap<ClientKey, Exact>,
}

impl Oracle {
    fn good(&mut self, client: ClientKey, now: u64) {
        for key in levels(client) {
            let fresh = Exact { first: now, last: now, count: 0, other_slot: false, credited: None };
            let entry = self.entries.entry(key).or_insert(fresh);
            if now + self.margin - entry.last > 28 * DAY {
                *entry = fresh;
            }
            entry.last = now;
            entry.count += 1;
            entry.other_slot |= now / 600 != entry.first / 600;
            if entry.count >= 3 && entry.other_slot && entry.credited.is_none() {
                entry.credited = Some(now);
            }
        }
    }

    fn known(&self, client: ClientKey, now: u64, before: u64) -> Known {
        let old = |then: u64, age: u64| then + age + self.margin <= before;
        let [own, net24, net16] = levels(client).map(|key| {
            let entry = self.entries.get(&key).filter(|entry| now + self.margin - entry.last <= 28 * DAY);
            entry.filter(|entry| old(entry.first, 15 * MINUTE))
        });
        let known = |standing, entry: &Exact| Known { standing, young: !old(entry.first, DAY) };
        match (own, net24, net16) {
            (Some(e), ..) if e.credited.is_some_and(|at| old(at, 15 * MINUTE)) => known(Standing::Credited, e),
            (Some(e), ..) => known(Standing::Seen, e),
            (_, Some(e), _) => known(Standing::Net24, e),
            (.., Some(e)) if old(e.first, DAY) => Known { standing: Standing::Net16, young: false },
            _ => Known { standing: Standing::Unknown, young: false },
        }
    }
}

/// Keys of the levels, told apart.
fn levels(client: ClientKey) -> [ClientKey; 3] {
    let mark = |net: ClientKey, mark: u128| {
        let bits = net.bits() | mark << 120;
        ClientKey::new(IpAddr::V6(bits.into()), 128)
    };
    [client, mark(client.prefix(24, 56), 0xfe), mark(client.prefix(16, 48), 0xfd)]
}

const CLIENTS: [&str; 8] = [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.3.1",
    "192.0.1.1",
    "198.51.100.1",
    "2001:db8:1:100::",
    "2001:db8:1:101::",
    "2001:db8:1:200::",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Never kinder than the rules, and stricter by the width of a step at most.
    #[test]
    fn it_is_never_kinder_than_the_rules_and_hardly_stricter(
        steps in prop::collection::vec((0usize..8, 0usize..8, 0.0..1.0f64, 0.0..1.0f64), 1..60),
    ) {
        let history = history(Sizes { clients: 64, net24: 64, net16: 64 });
        let mut oracles = [0, 600].map(|margin| Oracle { margin, entries: HashMap::new() });
        let mut now = 0;
        for (client, pause, share, back) in steps {
            let longest = [0, 60, 600, 1800, HOUR, DAY, 5 * DAY, 29 * DAY][pause];
            let next = now + (longest as f64 * share) as u64;
            pass(&history, now, next);
            now = next;
            history.good(key(CLIENTS[client]), at(now));
            oracles.iter_mut().for_each(|oracle| oracle.good(key(CLIENTS[client]), now));
            // Mostly near now, but as far back as two days.
            let before = now.saturating_sub((2.0 * DAY as f64 * back * back * back) as u64) + if back < 0.2 { HOUR } else { 0 };
            for name in CLIENTS {
                let found = known(&history, key(name), before);
                let latest = now.max(before);
                let [best, worst] = oracles.each_ref().map(|oracle| oracle.known(key(name), latest, before));
                prop_assert!(found.standing >= best.standing, "{name} at {before}: {found:?}, by the rules {best:?}");
                prop_assert!(found.standing <= worst.standing, "{name} at {before}: {found:?}, at worst {worst:?}");
                if found.standing == best.standing {
                    prop_assert!(found.young || !best.young, "{name} at {before}: {found:?} is no longer young");
                }
            }
        }
    }
}
